"""Codes to colours: the rule that the browser follows too, and pictures to compare it with.

In: codes (C, H, W), the range of each channel and a scale. Out: RGB pictures. The tables stand in
colormaps.json.
"""

from __future__ import annotations

import base64
import difflib
import json
from functools import cache
from importlib import resources
from typing import cast

import numpy as np
import numpy.typing as npt

from .quantise import LEVELS, Codes, level_values
from .ranges import Floats, Scale, scale_range

Rgb = npt.NDArray[np.uint8]

TABLE_SIZE = 256
SPECIAL_NAMES = ("below", "above", "nan", "posinf", "neginf")
"""Colours outside a table, in the order of their indices 256 to 260 in a palette."""
BELOW, ABOVE, NAN_COLOUR = 256, 257, 258


@cache
def _colormap_file() -> dict[str, object]:
    text = resources.files(__package__).joinpath("colormaps.json").read_text(encoding="utf-8")
    return cast("dict[str, object]", json.loads(text))


def colormap_names() -> tuple[str, ...]:
    """Names of the colormaps, sequential ones first, the diverging one last."""
    return tuple(name for name in _colormap_file() if name != "special")


@cache
def palette(name: str) -> Rgb:
    """Colours of a colormap, followed by the five special ones.

    Parameters
    ----------
    name : str
        One of `colormap_names`.

    Returns
    -------
    uint8 array (261, 3), not writable
        Rows 0 to 255 are the table, rows 256 to 260 the colours of `SPECIAL_NAMES`.

    Raises
    ------
    ValueError
        When there is no such colormap.
    """
    names = colormap_names()
    if name not in names:
        close = difflib.get_close_matches(str(name), names, n=1)
        hint = f"; did you mean {close[0]!r}" if close else ""
        raise ValueError(f"colormap={name!r} is not known{hint}; choose one of {', '.join(names)}.")
    content = _colormap_file()
    table = np.frombuffer(base64.b64decode(cast("str", content[name])), np.uint8).reshape(-1, 3)
    special = cast("dict[str, list[int]]", content["special"])
    extra = np.array([special[key] for key in SPECIAL_NAMES], np.uint8)
    colours = np.concatenate([table, extra])
    colours.flags.writeable = False
    return colours


def counted_channels(codes: Codes, low: Floats, high: Floats) -> npt.NDArray[np.bool_]:
    """Tell which channels hold a finite value, from their codes.

    Parameters
    ----------
    codes : uint8 array (C, H, W)
    low, high : float32 arrays (C,)

    Returns
    -------
    bool array (C,)
    """
    counted: npt.NDArray[np.bool_] = np.asarray((low != 0) | (high != 0))
    for channel in np.flatnonzero(~counted):
        counted[channel] = bool((codes[channel] <= LEVELS).any())
    return counted


def colour_indices(
    low: Floats, high: Floats, *, scale: Scale, counted: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.uint16]:
    """Row of the palette that each code of each channel is drawn with.

    Parameters
    ----------
    low, high : float32 arrays (C,)
        Range of each channel that its codes describe.
    scale : Scale
    counted : bool array (C,), optional
        See `scale_range`.

    Returns
    -------
    uint16 array (C, 256)
        With [start, end] the channel's range of `scale_range` and v the value of a code:
        ``t = (v - start) / (end - start)`` (0.5 on a diverging scale and 0 on others where start ==
        end), then ``clip(floor(t * 255 + 0.5), 0, 255)``. In mode "fixed" v < start is 256 (below)
        and v > end is 257 (above). Codes 253 to 255 are 258 to 260.
    """
    start, end = (edge[:, None] for edge in scale_range(low, high, scale=scale, counted=counted))
    values = level_values(low, high)
    span = np.where(end > start, end - start, 1.0)
    # Far outside a narrow fixed range the quotient may overflow; the clip below takes it back.
    with np.errstate(over="ignore"):
        t = (values - start) / span
        t = np.where(end > start, t, 0.5 if scale.diverging else 0.0)
        rows = np.clip(np.floor(t * (TABLE_SIZE - 1) + 0.5), 0, TABLE_SIZE - 1)
    if scale.mode == "fixed":
        rows[values < start] = BELOW
        rows[values > end] = ABOVE
    indices = np.empty((len(low), 256), np.uint16)
    indices[:, : LEVELS + 1] = rows
    indices[:, LEVELS + 1 :] = NAN_COLOUR + np.arange(3)
    return indices


def colour_table(
    low: Floats,
    high: Floats,
    *,
    scale: Scale,
    colormap: str,
    counted: npt.NDArray[np.bool_] | None = None,
) -> Rgb:
    """Colour of each code of each channel.

    Parameters
    ----------
    low, high, scale, counted
        As in `colour_indices`.
    colormap : str
        One of `colormap_names`.

    Returns
    -------
    uint8 array (C, 256, 3)
    """
    return palette(colormap)[colour_indices(low, high, scale=scale, counted=counted)]


def render_maps(codes: Codes, low: Floats, high: Floats, *, scale: Scale, colormap: str) -> Rgb:
    """Draw maps as the browser does, one pixel per value.

    Parameters
    ----------
    codes : uint8 array (C, H, W)
    low, high : float32 arrays (C,)
    scale : Scale
    colormap : str
        One of `colormap_names`.

    Returns
    -------
    uint8 array (C, H, W, 3)
    """
    counted = counted_channels(codes, low, high)
    table = colour_table(low, high, scale=scale, colormap=colormap, counted=counted)
    return table[np.arange(len(codes))[:, None, None], codes]
