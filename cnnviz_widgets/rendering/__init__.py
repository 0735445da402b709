"""From the numbers of a layer to codes, colours and pictures; NumPy only.

Comes after inspection (float32 maps of shape (C, H, W)) and before streaming (bytes on the wire).
"""

from __future__ import annotations

from .colormap import colormap_names, colour_indices, colour_table, palette, render_maps
from .mosaic import mosaic
from .png import png_bytes
from .quantise import dequantise, quantise, reduce_maps, reduction_factor
from .ranges import Scale, Statistics, channel_ranges, scale_range, statistics

__all__ = [
    "Scale",
    "Statistics",
    "channel_ranges",
    "colormap_names",
    "colour_indices",
    "colour_table",
    "dequantise",
    "mosaic",
    "palette",
    "png_bytes",
    "quantise",
    "reduce_maps",
    "reduction_factor",
    "render_maps",
    "scale_range",
    "statistics",
]
