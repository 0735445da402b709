"""From the strokes of a pen to ink on paper; NumPy and PIL only.

In: `Stroke`s, points with a width, in the order in which they were drawn. Out: float32 pictures,
0 (paper) to 1 (ink), as drawn or fitted to what a network was trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

_FINER = 8  # PIL's lines have hard edges; drawn finer and averaged they are smooth
_SEARCH = 128  # pixels along the longer side of the picture in which erased ink is looked for


@dataclass(frozen=True)
class Stroke:
    """One movement of the pen while it is down.

    Parameters
    ----------
    points : sequence of (float, float)
        x to the right and y down, at least one: a single point is a dot.
    width : float
        Of the line, in the units of the points.
    erases : bool
        Whether it takes ink away.
    """

    points: Sequence[tuple[float, float]]
    width: float
    erases: bool = False


@dataclass(frozen=True)
class _Box:
    """Where the middle of the lines runs: centre, and the longer side."""

    x: float
    y: float
    extent: float


def ink_of(
    strokes: Sequence[Stroke],
    size: tuple[int, int],
    *,
    scale: float = 1.0,
    origin: tuple[float, float] = (0.0, 0.0),
) -> NDArray[np.float32]:
    """Draw strokes as they are.

    Parameters
    ----------
    strokes : sequence of Stroke
        In the order in which they were drawn.
    size : (int, int)
        Height and width of the picture in pixels.
    scale : float
        Pixels for one unit of the strokes.
    origin : (float, float)
        The x and y of the strokes that the picture's upper left corner shows.

    Returns
    -------
    ndarray, float32 (H, W)
        Share of each pixel that is inked, 0 to 1, in steps of 1/64.
    """
    height, width = size
    finer = scale * _FINER
    image = Image.new("L", (width * _FINER, height * _FINER))
    draw = ImageDraw.Draw(image)
    for stroke in strokes:
        ink = 0 if stroke.erases else 255
        # PIL's coordinates are those of the middle of a pixel, ours those of its corner.
        points = [
            ((x - origin[0]) * finer - 0.5, (y - origin[1]) * finer - 0.5) for x, y in stroke.points
        ]
        line = max(1.0, stroke.width * finer)
        if len(points) > 1:
            draw.line(points, fill=ink, width=round(line), joint="curve")
        for x, y in (points[0], points[-1]):  # PIL's lines end flat, a pen's do not
            radius = line / 2
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
    fine = np.asarray(image, dtype=np.float32) / 255
    mean: NDArray[np.float32] = fine.reshape(height, _FINER, width, _FINER).mean(axis=(1, 3))
    return mean


def fitted_ink(
    strokes: Sequence[Stroke],
    size: tuple[int, int],
    *,
    box: float = 0.75,
    pen: float = 5 / 32,
    softness: float = 1 / 32,
) -> NDArray[np.float32]:
    """Draw strokes centred, scaled to a common height, and with a common pen.

    So a digit looks alike whether it was drawn small in a corner or large with a fine pen. The
    defaults are those of the `digits` sample: its digits are 24 of 32 pixels high, their box is in
    the middle, and their detail is that of 8 x 8 blocks.

    Parameters
    ----------
    strokes : sequence of Stroke
        What was drawn; where no ink is left, the picture is blank.
    size : (int, int)
        Height and width of the picture in pixels.
    box : float
        Share of the picture's shorter side that the drawing's longer side fills.
    pen : float
        Width of the lines as a share of the drawing's longer side.
    softness : float
        Standard deviation of the blur, as a share of the picture's shorter side.

    Returns
    -------
    ndarray, float32 (H, W)
        0 (paper) to 1 (ink).
    """
    found = _box_of(strokes)
    if found is None:
        return np.zeros(size, dtype=np.float32)
    side = box * min(size)
    # A dot has no extent of its own: it is drawn as the pen is wide, not blown up.
    thickest = max(stroke.width for stroke in strokes)
    scale = (1 - pen) * side / max(found.extent, thickest)
    drawn = [
        stroke if stroke.erases else replace(stroke, width=pen * side / scale) for stroke in strokes
    ]
    origin = (found.x - size[1] / 2 / scale, found.y - size[0] / 2 / scale)
    ink = ink_of(drawn, size, scale=scale, origin=origin)
    return _blurred(ink, softness * min(size))


def _box_of(strokes: Sequence[Stroke]) -> _Box | None:
    """Find the lines that are left; None where there are none."""
    pens = [stroke for stroke in strokes if not stroke.erases]
    if not pens:
        return None
    points = np.concatenate([np.asarray(stroke.points, dtype=np.float64) for stroke in pens])
    low, high = points.min(axis=0), points.max(axis=0)
    if len(pens) < len(strokes):
        return _box_of_ink(strokes, low, high, max(stroke.width for stroke in pens))
    x, y = (low + high) / 2
    return _Box(float(x), float(y), float((high - low).max()))


def _box_of_ink(
    strokes: Sequence[Stroke], low: NDArray[np.float64], high: NDArray[np.float64], width: float
) -> _Box | None:
    """Find what an eraser left by drawing it: the box of the ink, less half a line on each side."""
    low, high = low - width / 2, high + width / 2
    scale = _SEARCH / float((high - low).max())
    ink = ink_of(strokes, (_SEARCH, _SEARCH), scale=scale, origin=(float(low[0]), float(low[1])))
    rows, columns = np.nonzero(ink > 0.5)
    if rows.size == 0:
        return None
    left, right = columns.min() / scale, (columns.max() + 1) / scale
    top, bottom = rows.min() / scale, (rows.max() + 1) / scale
    extent = max(0.0, float(max(right - left, bottom - top)) - width)
    return _Box(float(low[0] + (left + right) / 2), float(low[1] + (top + bottom) / 2), extent)


def _blurred(ink: NDArray[np.float32], deviation: float) -> NDArray[np.float32]:
    codes = np.floor(ink * 255 + 0.5).astype(np.uint8)
    blurred = Image.fromarray(codes).filter(ImageFilter.GaussianBlur(deviation))
    pixels: NDArray[np.float32] = np.asarray(blurred, dtype=np.float32) / np.float32(255)
    return pixels
