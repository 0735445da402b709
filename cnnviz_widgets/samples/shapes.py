"""The `shapes` pictures: seed and index in, a 64 x 64 RGB picture and its mask out (NumPy only).

One textured figure of ten classes lies whole and uncovered over a cluttered background.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .colour import srgb
from .figures import FIGURES
from .texture import FILLS, smooth_noise

SIZE = 64
"""Height and width in pixels."""
CLASS_NAMES = tuple(FIGURES)
MEAN = (0.50, 0.53, 0.55)
STD = (0.33, 0.28, 0.28)
TRAINING_SEED = 1
HELD_OUT_SEED = 2
"""`load` shows pictures of this seed; training never draws from it."""

_FILLS = tuple(FILLS)

Plane = NDArray[np.float32]
Colour = NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """One picture and the truth about it.

    Attributes
    ----------
    image
        uint8 (64, 64, 3), RGB.
    backdrop
        uint8 (64, 64, 3): the same picture without its figure, distractors included.
    mask
        bool (64, 64): the pixels of which the figure covers half or more.
    label
        Index into `CLASS_NAMES`.
    """

    image: NDArray[np.uint8]
    backdrop: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    label: int


class _Palette(NamedTuple):
    """Colours of one picture, each float32 (3,)."""

    ground: Colour
    ground_end: Colour
    clutter: Colour
    figure: Colour
    figure_end: Colour
    rim: Colour
    distractor: Colour
    distractor_end: Colour


class _Place(NamedTuple):
    """A disc on the picture, in pixels."""

    x: float
    y: float
    radius: float


def _palette(rng: np.random.Generator) -> _Palette:
    """Choose a quiet ground and a figure that stands out from it in hue and in lightness."""
    dark = rng.random() < 0.5
    away = 1.0 if dark else -1.0
    hue = rng.uniform(140, 375) if dark else rng.uniform(0, 360)
    ground = rng.uniform(0.30, 0.44) if dark else rng.uniform(0.80, 0.92)
    figure = rng.uniform(0.68, 0.78) if dark else rng.uniform(0.52, 0.64)
    other = hue + rng.uniform(80, 280)
    third = other + rng.choice([-1, 1]) * rng.uniform(50, 110)
    if not dark:
        other, third = _unmuddied(other), _unmuddied(third)
    lightness = [
        ground,
        ground + rng.choice([-1, 1]) * rng.uniform(0.02, 0.09),
        ground + rng.choice([-1, 1]) * rng.uniform(0.05, 0.11),
        figure,
        figure + away * rng.uniform(0.14, 0.2),
        figure - away * rng.uniform(0.14, 0.2),
        figure + away * rng.uniform(-0.03, 0.06),
        figure + away * rng.uniform(0.12, 0.18),
    ]
    vivid = rng.uniform(0.13, 0.19)
    quiet = rng.uniform(0.04, 0.09) if dark else rng.uniform(0.025, 0.07)
    chroma = [quiet, quiet, quiet * 1.3, vivid, vivid * 0.8, vivid * 0.7, vivid * 0.75, vivid * 0.6]
    turns = rng.uniform(-60, 60, size=2)
    hues = [hue, hue + turns[0], hue + turns[1], other, other + turns[1] / 2, other, third, third]
    return _Palette(*srgb(lightness, chroma, hues))


def _unmuddied(hue: float) -> float:
    """Move hues that look like mud where they are dark (yellow, olive) to orange or green."""
    turn = hue % 360
    return 55.0 if 65 < turn <= 92 else 140.0 if 92 < turn < 130 else hue


def _axes(place: _Place, turn: float, reach: float) -> tuple[slice, slice, Plane, Plane]:
    """Cut the window of the picture that a disc can touch; positions there, turned, in pixels."""
    cut = []
    for centre in (place.y, place.x):
        low = max(int(centre - reach), 0)
        cut.append(slice(low, max(min(int(centre + reach) + 2, SIZE), low)))
    rows, columns = cut
    y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + np.float32(0.5 - place.y)
    x = np.arange(columns.start, columns.stop, dtype=np.float32) + np.float32(0.5 - place.x)
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    return rows, columns, c * x + s * y, c * y - s * x


def _blend(canvas: Plane, weight: Plane, colour: Plane) -> None:
    """Lay a colour (3,) or (h, w, 3) over the canvas (h, w, 3), in place."""
    canvas += weight[:, :, None] * (colour - canvas)


def _lay_figure(
    canvas: Plane,
    name: str,
    place: _Place,
    colours: tuple[Colour, Colour, Colour | None],
    rng: np.random.Generator,
) -> Plane:
    """Draw one textured figure; return its coverage (64, 64) in 0..1."""
    rows, columns, x, y = _axes(place, rng.uniform(0, 2 * np.pi), place.radius + 1)
    radius = np.float32(place.radius)
    distance = FIGURES[name](x / radius, y / radius) * radius
    coverage = np.clip(np.float32(0.5) - distance, 0, 1)
    turn = rng.uniform(0, 2 * np.pi)
    u = np.float32(np.cos(turn)) * x + np.float32(np.sin(turn)) * y
    v = np.float32(np.cos(turn)) * y - np.float32(np.sin(turn)) * x
    first, second, rim = colours
    weight = FILLS[_FILLS[rng.integers(len(_FILLS))]](u, v, rng)
    paint = first + weight[:, :, None] * (second - first)
    if rim is not None:
        _blend(paint, np.clip(distance + np.float32(rng.uniform(1.6, 2.3)), 0, 1), rim)
    _blend(canvas[rows, columns], coverage, paint)
    whole = np.zeros((SIZE, SIZE), dtype=np.float32)
    whole[rows, columns] = coverage
    return whole


def _ground(palette: _Palette, rng: np.random.Generator) -> Plane:
    """Paint a gradient, blotches, both, or a faint pattern."""
    turn = rng.uniform(0, 2 * np.pi)
    axis = np.linspace(-0.5, 0.5, SIZE, dtype=np.float32)
    slope = np.cos(turn) * axis + np.sin(turn) * axis[:, None] + 0.5
    weight = np.clip(slope, 0, 1).astype(np.float32)
    if rng.random() < 0.7:
        blotches = smooth_noise((SIZE, SIZE), int(rng.integers(2, 8)), rng)
        weight = (weight + 3 * blotches) / 4 if rng.random() < 0.5 else blotches
    if rng.random() < 0.35:
        _, _, u, v = _axes(_Place(SIZE / 2, SIZE / 2, SIZE), turn, SIZE)
        pattern = FILLS[_FILLS[rng.integers(len(_FILLS))]](u, v, rng)
        weight = weight + (pattern - weight) * np.float32(rng.uniform(0.3, 0.9))
    ground: Plane = palette.ground + weight[:, :, None] * (palette.ground_end - palette.ground)
    return ground


def _lay_clutter(canvas: Plane, palette: _Palette, rng: np.random.Generator) -> None:
    """Draw a few faint lines and soft blobs over the whole ground."""
    axis = np.arange(SIZE, dtype=np.float32) + np.float32(0.5)
    for _ in range(rng.integers(0, 6)):
        turn = rng.uniform(0, 2 * np.pi)
        c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        across = c * axis + s * axis[:, None] - (c + s) * np.float32(SIZE / 2)
        off = np.abs(across - np.float32(rng.uniform(-34, 34)))
        line = np.clip(np.float32(rng.uniform(0.8, 2.2)) - off, 0, 1)
        _blend(canvas, line * np.float32(rng.uniform(0.35, 1)), palette.clutter)
    for _ in range(rng.integers(0, 4)):
        place = _Place(rng.uniform(0, SIZE), rng.uniform(0, SIZE), rng.uniform(3, 9))
        rows, columns, x, y = _axes(place, rng.uniform(0, np.pi), place.radius + 2)
        stretch = np.float32(rng.uniform(1, 2))
        blob = np.clip(np.float32(place.radius) - np.hypot(x, y * stretch), 0, 1)
        _blend(canvas[rows, columns], blob * np.float32(rng.uniform(0.4, 1)), palette.clutter)


def _lay_distractor(
    canvas: Plane, palette: _Palette, figure: _Place, rng: np.random.Generator
) -> None:
    """Draw one coloured thing beside the figure: a stick, or a much smaller figure of any class."""
    radius = min(rng.uniform(4.5, 7.0), 0.42 * figure.radius)
    for _ in range(6):
        x, y = rng.uniform(2, SIZE - 2, size=2)
        if np.hypot(x - figure.x, y - figure.y) > figure.radius + radius + 1:
            break
    else:
        return
    place = _Place(x, y, radius)
    if rng.random() < 0.5:
        name = CLASS_NAMES[rng.integers(len(CLASS_NAMES))]
        colours = (palette.distractor, palette.distractor_end, None)
        _lay_figure(canvas, name, place, colours, rng)
        return
    rows, columns, u, v = _axes(place, rng.uniform(0, np.pi), radius + 3)
    beyond = np.maximum(np.abs(u) - np.float32(radius), 0)
    stick = np.clip(np.float32(rng.uniform(1.2, 2.4)) - np.hypot(beyond, v), 0, 1)
    _blend(canvas[rows, columns], stick, palette.distractor)


def scene(seed: int, index: int) -> Scene:
    """Draw one picture.

    Parameters
    ----------
    seed
        Which series of pictures, 0 or more.
    index
        Which picture of the series, 0 or more; its class is `index % 10`.

    Returns
    -------
    Scene
        Depends on `seed` and `index` alone. The figure reaches 11 to 21 px from its centre, lies
        whole inside the picture, and nothing covers it.
    """
    rng = np.random.default_rng((seed, index))
    label = index % len(CLASS_NAMES)
    palette = _palette(rng)
    radius = rng.uniform(11.5, 21)
    x, y = rng.uniform(radius + 1, SIZE - radius - 1, size=2)
    place = _Place(float(x), float(y), radius)
    canvas = _ground(palette, rng)
    _lay_clutter(canvas, palette, rng)
    for _ in range(rng.integers(0, 4)):
        _lay_distractor(canvas, palette, place, rng)
    backdrop = canvas.copy()
    rim = palette.rim if rng.random() < 0.5 else None
    colours = (palette.figure, palette.figure_end, rim)
    coverage = _lay_figure(canvas, CLASS_NAMES[label], place, colours, rng)
    grain = rng.standard_normal((SIZE, SIZE, 1), dtype=np.float32)
    grain *= np.float32(rng.uniform(0.003, 0.018))
    return Scene(_bytes(canvas + grain), _bytes(backdrop + grain), coverage >= 0.5, label)


def _bytes(values: Plane) -> NDArray[np.uint8]:
    """Round 0..1 to the nearest of 0..255."""
    whole: Plane = np.clip(values, 0, 1) * np.float32(255) + np.float32(0.5)
    return whole.astype(np.uint8)


def scenes(seed: int, count: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.int64]]:
    """Draw the first `count` pictures of a series.

    Returns
    -------
    images, masks, labels
        uint8 (count, 64, 64, 3), bool (count, 64, 64), int64 (count,).
    """
    drawn = [scene(seed, index) for index in range(count)]
    images = np.stack([one.image for one in drawn])
    masks = np.stack([one.mask for one in drawn])
    return images, masks, np.array([one.label for one in drawn], dtype=np.int64)
