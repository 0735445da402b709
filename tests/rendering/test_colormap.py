from __future__ import annotations

import itertools
import math
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cnnviz_widgets.rendering import (
    Scale,
    channel_ranges,
    colormap_names,
    colour_indices,
    colour_table,
    palette,
    quantise,
    render_maps,
    scale_range,
)
from cnnviz_widgets.rendering.colormap import SPECIAL_NAMES, counted_channels

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

SPECIAL_ROW = {name: 256 + place for place, name in enumerate(SPECIAL_NAMES)}
# Machado, Oliveira and Fernandes 2009, severity 1.0, for linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}


def lab(rgb: npt.NDArray[np.uint8], vision: str = "normal") -> Doubles:
    """CIELAB (D65) of sRGB colours as someone with that vision sees them."""
    part = rgb / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ VISION[vision].T, 0, 1)
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
    xyz = seen @ np.array(to_xyz).T / np.array([0.95047, 1, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def slow_row(code: int, low: float, high: float, start: float, end: float, scale: Scale) -> int:
    """Palette row of one code as the drawing rule reads, in Python's float64."""
    if code > 252:
        return {253: SPECIAL_ROW["nan"], 254: SPECIAL_ROW["posinf"], 255: SPECIAL_ROW["neginf"]}[
            code
        ]
    value = min(low + (high - low) * (code / 252), high)
    if scale.mode == "fixed" and value < start:
        return SPECIAL_ROW["below"]
    if scale.mode == "fixed" and value > end:
        return SPECIAL_ROW["above"]
    t = (value - start) / (end - start) if end > start else (0.5 if scale.diverging else 0.0)
    return min(max(math.floor(t * 255 + 0.5), 0), 255)


def test_tables_are_those_of_matplotlib() -> None:
    import matplotlib as mpl

    assert colormap_names() == ("viridis", "magma", "cividis", "gray", "coolwarm")
    for name in colormap_names():
        exact = np.asarray(mpl.colormaps[name](np.arange(256)))[:, :3] * 255
        assert np.abs(palette(name)[:256] - exact).max() <= 1


def test_the_file_is_what_the_script_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = runpy.run_path(str(Path(__file__).with_name("make_colormaps.py")))
    target = tmp_path / "colormaps.json"
    monkeypatch.setitem(script["main"].__globals__, "TARGET", target)
    script["main"]()
    assert target.read_text("utf-8") == (
        Path(__file__).parents[2] / "cnnviz_widgets/rendering/colormaps.json"
    ).read_text("utf-8")


def difference(a: Doubles, b: Doubles) -> Doubles:
    """CIEDE2000 of CIELAB colours: 1 can just be seen, 5 at a glance, opposites are 100 apart."""
    mean_chroma = (np.hypot(a[..., 1], a[..., 2]) + np.hypot(b[..., 1], b[..., 2])) / 2
    stretch = 1.5 - 0.5 * np.sqrt(mean_chroma**7 / (mean_chroma**7 + 25.0**7))
    chroma_a, chroma_b = (np.hypot(c[..., 1] * stretch, c[..., 2]) for c in (a, b))
    hue_a, hue_b = (np.degrees(np.arctan2(c[..., 2], c[..., 1] * stretch)) % 360 for c in (a, b))
    turn = (hue_b - hue_a + 180) % 360 - 180
    chroma, hue = (chroma_a + chroma_b) / 2, np.radians((hue_a + turn / 2) % 360)
    off = ((a[..., 0] + b[..., 0]) / 2 - 50) ** 2
    waves = ((0.17, 1, -30), (-0.24, 2, 0), (-0.32, 3, 6), (0.2, 4, -63))
    uneven = 1 - sum(size * np.cos(n * hue + np.radians(shift)) for size, n, shift in waves)
    blues = np.radians(60 * np.exp(-(((np.degrees(hue) - 275) / 25) ** 2)))
    light = (b[..., 0] - a[..., 0]) / (1 + 0.015 * off / np.sqrt(20 + off))
    pale = (chroma_b - chroma_a) / (1 + 0.045 * chroma)
    turned = 2 * np.sqrt(chroma_a * chroma_b) * np.sin(np.radians(turn / 2))
    turned /= 1 + 0.015 * chroma * uneven
    skew = -2 * np.sin(blues) * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    squared = light**2 + pale**2 + turned**2 + skew * pale * turned
    return np.asarray(np.sqrt(np.maximum(squared, 0)))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([50, 2.6772, -79.7751], [50, 0, -82.7485], 2.0425),
        ([50, -1, 2], [50, 0, 0], 2.3669),
        ([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644),
        ([90.8027, -2.0831, 1.4410], [91.1528, -1.6435, 0.0447], 1.4441),
        ([2.0776, 0.0795, -1.1350], [0.9033, -0.0636, -0.5514], 0.9082),
    ],
)
def test_the_difference_is_that_of_its_authors(
    a: list[float], b: list[float], expected: float
) -> None:
    # Sharma, Wu and Dalal 2005, table 1.
    assert difference(np.array(a), np.array(b)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("vision", VISION)
def test_special_colours_can_be_told_apart(vision: str) -> None:
    special = lab(palette("gray")[256:], vision)
    for a, b in itertools.combinations(special, 2):
        assert difference(a, b) > (24 if vision == "normal" else 13)
    least = 7.5 if vision == "normal" else 4.5
    for name in colormap_names():
        table = lab(palette(name)[:256], vision)
        assert difference(special[:, None], table[None]).min() > least


@pytest.mark.parametrize("name", ["viridis", "magma", "cividis", "gray"])
def test_sequential_tables_rise_in_lightness(name: str) -> None:
    assert (np.diff(lab(palette(name)[:256])[:, 0]) > -0.3).all()


def test_the_diverging_table_is_balanced() -> None:
    table = lab(palette("coolwarm")[:256])
    lightness = table[:, 0]
    assert 120 <= int(lightness.argmax()) <= 135
    assert np.abs(lightness - lightness[::-1]).max() < 6
    assert np.linalg.norm(table[128, 1:]) < 3
    white, black = lab(np.array([[255, 255, 255], [0, 0, 0]], np.uint8))
    assert np.linalg.norm(table - white, axis=1).min() > 10
    assert np.linalg.norm(table - black, axis=1).min() > 30


def test_a_palette_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        palette("gray")[0] = 1


def test_an_unknown_colormap_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"colormap='virids' is not known; did you mean 'viridis'; choose one of"
    ):
        palette("virids")
    with pytest.raises(ValueError, match=r"colormap='jet' is not known; choose one of viridis"):
        palette("jet")


def test_a_picture_by_hand() -> None:
    values = np.array([[[0, 1, 2, np.nan]], [[-1, 0, 1, np.inf]]], np.float32)
    low, high = channel_ranges(values)
    codes = quantise(values, low, high)
    pink, red = [255, 102, 204], [221, 0, 0]
    each = render_maps(codes, low, high, scale=Scale(), colormap="gray")
    assert each[0, 0].tolist() == [[0] * 3, [128] * 3, [255] * 3, pink]
    assert each[1, 0].tolist() == [[0] * 3, [128] * 3, [255] * 3, red]
    whole = render_maps(codes, low, high, scale=Scale("layer"), colormap="gray")
    assert whole[0, 0].tolist() == [[85] * 3, [170] * 3, [255] * 3, pink]
    fixed = render_maps(codes, low, high, scale=Scale("fixed", 0, 1), colormap="gray")
    below, above = [0, 0, 255], [255, 128, 0]
    assert fixed[0, 0].tolist() == [[0] * 3, [255] * 3, above, pink]
    assert fixed[1, 0].tolist() == [below, [0] * 3, [255] * 3, red]


def test_zero_is_the_middle_of_a_diverging_scale() -> None:
    values = np.array([[[-1, 0, 3]], [[0, 0, 0]]], np.float32)
    low, high = channel_ranges(values)
    scale = Scale("channel", diverging=True)
    rows = colour_indices(low, high, scale=scale)
    codes = quantise(values, low, high)
    assert rows[0][codes[0, 0]].tolist() == [85, 128, 255]
    assert rows[1][codes[1, 0]].tolist() == [128, 128, 128]


def test_the_ends_of_a_channel_lie_inside_the_same_fixed_range() -> None:
    values = np.array([[[-30, -1e-9]]], np.float32)
    low, high = channel_ranges(values)
    scale = Scale("fixed", float(low[0]), float(high[0]))
    assert colour_indices(low, high, scale=scale)[0, :253].max() == 255


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=4),
        elements=st.floats(width=32),
    ),
    st.sampled_from(["channel", "layer", "fixed"]),
    st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_pictures_equal_the_rule(
    values: Floats, mode: Any, ends: tuple[float, float], diverging: bool
) -> None:
    scale = Scale(mode, min(ends), max(ends), diverging)
    low, high = channel_ranges(values)
    codes = quantise(values, low, high)
    start, end = scale_range(
        low, high, scale=scale, counted=np.asarray(np.isfinite(values).any(axis=(1, 2)))
    )
    drawn = render_maps(codes, low, high, scale=scale, colormap="magma")
    colours = palette("magma")
    for place in np.ndindex(codes.shape):
        c = place[0]
        row = slow_row(
            int(codes[place]), float(low[c]), float(high[c]), float(start[c]), float(end[c]), scale
        )
        assert drawn[place].tolist() == colours[row].tolist()


def test_which_channels_count() -> None:
    values = np.array([[[0, 0]], [[np.nan, 0]], [[np.nan, np.inf]], [[1, 2]]], np.float32)
    low, high = channel_ranges(values)
    counted = counted_channels(quantise(values, low, high), low, high)
    assert counted.tolist() == [True, True, False, True]


def test_a_table_is_the_palette_by_index() -> None:
    low, high = np.zeros(2, np.float32), np.array([1, 2], np.float32)
    table = colour_table(low, high, scale=Scale("layer"), colormap="viridis")
    assert table.shape == (2, 256, 3)
    assert table[1, 252].tolist() == palette("viridis")[255].tolist()
    assert table[0, 255].tolist() == palette("viridis")[SPECIAL_ROW["neginf"]].tolist()
