"""Still pictures of what a view shows first, for places where no widget can be shown.

In: an Inspector and what is chosen. Out: an RGB picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.rendering.colormap import Rgb, render_maps
from cnnviz_widgets.rendering.mosaic import mosaic
from cnnviz_widgets.rendering.quantise import quantise, reduce_maps
from cnnviz_widgets.rendering.ranges import Scale, channel_ranges

MOST_CHANNELS = 64
_GAP = 8
_LINE = 18  # height of the caption, in pixels
_LETTERS = 12  # pixels; of the usual 10 some run into each other
_PAPER, _INK = 255, 64  # gray levels


def layer_still(
    inspector: Inspector, layer: str, *, image: int, colormap: str, tile: int
) -> Rgb | None:
    """Draw the channels of a layer, on the scale they have at first, beside the picture.

    Parameters
    ----------
    inspector : Inspector
    layer : str
    image : int
        Picture of the batch.
    colormap : str
    tile : int
        Side of a map, in pixels, about.

    Returns
    -------
    uint8 array (H, W, 3) or None
        At most 64 channels. None where the layer has no maps and the input is no picture.
    """
    maps = inspector.maps(layer, image)
    picture = inspector.picture(image)
    parts: list[Rgb] = []
    caption = f"{layer}: {' x '.join(map(str, maps.shape[1:]))}"
    if maps.kind == "maps" and maps.values.size:
        shown = maps.values[:MOST_CHANNELS]
        reduced, _ = reduce_maps(np.ascontiguousarray(shown), tile_px=tile)
        low, high = channel_ranges(reduced)
        codes = quantise(reduced, low, high)
        scale = Scale().of_maps(*shown.shape[1:])
        drawn = render_maps(codes, low, high, scale=scale, colormap=colormap)
        parts.append(mosaic(enlarged(drawn, tile), gap=2))
        if len(shown) < len(maps.values):
            caption += f" (the first {MOST_CHANNELS} channels)"
    if picture is not None:
        side = 2 * tile if parts else 4 * tile
        parts.insert(0, enlarged(np.ascontiguousarray(picture)[None], side)[0])
    return captioned(beside(parts), caption) if parts else None


def enlarged(pictures: Rgb, side: int) -> Rgb:
    """Repeat the pixels of pictures (C, H, W, 3), or leave some out, to about `side`."""
    longest = max(pictures.shape[1:3])
    times, every = max(1, side // longest), max(1, longest // side)
    thinned = pictures[:, ::every, ::every]
    grown: Rgb = thinned.repeat(times, axis=1).repeat(times, axis=2)
    return grown


def beside(parts: Sequence[Rgb]) -> Rgb:
    """Put pictures in a row, on paper."""
    height = max(part.shape[0] for part in parts)
    width = sum(part.shape[1] for part in parts) + _GAP * (len(parts) - 1)
    paper = np.full((height, width, 3), _PAPER, np.uint8)
    left = 0
    for part in parts:
        paper[: part.shape[0], left : left + part.shape[1]] = part
        left += part.shape[1] + _GAP
    return paper


def captioned(picture: Rgb, text: str) -> Rgb:
    """Write a line under a picture, which is made as wide as the line needs."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(_LETTERS)
    width = max(picture.shape[1], int(font.getlength(text)) + 2)
    paper = Image.new("RGB", (width, picture.shape[0] + _LINE), (_PAPER,) * 3)
    paper.paste(Image.fromarray(np.ascontiguousarray(picture)))
    ImageDraw.Draw(paper).text((0, picture.shape[0] + 3), text, fill=(_INK,) * 3, font=font)
    return np.asarray(paper)
