"""A map's three forms, how it is laid over a picture, and its files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from cnnviz_widgets.attribution import Map
from cnnviz_widgets.rendering import palette

PICTURE = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5
VALUES = np.array([[-1.0, 2.0], [0.5, 4.0]], np.float32)


def a_map(values: npt.ArrayLike = VALUES, **more: Any) -> Map:
    facts: dict[str, Any] = {
        "method": "gradcam", "layer": "layer4.1.conv2", "image": 0, "target_index": 281,
        "target_name": "tabby cat", "score": 12.3456, "score_kind": "logit", "status": "ok",
        "size": (4, 4), "picture": PICTURE,
    }  # fmt: skip
    return Map(values=np.asarray(values, np.float32), **{**facts, **more})


def test_rectified_is_the_positive_part_and_the_raw_values_stay() -> None:
    m = a_map()
    assert m.rectified().tolist() == [[0, 2], [0.5, 4]]
    assert m.values.tolist() == [[-1, 2], [0.5, 4]]
    assert m.rectified().dtype == np.float32


def test_display_is_rectified_then_resized_then_divided() -> None:
    """Resizing first would let the negative corner take away from its neighbours."""
    m = a_map()
    assert m.display((2, 2)).tolist() == [[0, 0.5], [0.125, 1]]
    by_hand = np.array([0, 0.5, 1.5, 2]) / 4  # the first row, 4 wide: 0, .25 and .75 on the way, 2
    np.testing.assert_allclose(m.display()[0], by_hand, rtol=1e-6)
    assert m.display().dtype == np.float32


def test_display_nearest() -> None:
    expected = np.repeat(np.repeat(VALUES.clip(0) / 4, 2, 0), 2, 1)
    np.testing.assert_array_equal(a_map().display(smooth=False), expected)


@pytest.mark.parametrize("size", [1e-38, 1e-10, 1.0, 1e30])
def test_the_largest_value_is_exactly_one(size: float) -> None:
    assert a_map(VALUES * np.float32(size)).display().max() == 1


@pytest.mark.parametrize("size", [64, "64", (64,), (8, 0), (8, 8.5)])
def test_a_size_that_is_none(size: Any) -> None:
    with pytest.raises(ValueError, match=r"size=.* must be \(height, width\), two whole numbers"):
        a_map([[1.0]]).display(size)


def test_display_may_be_cut_off_at_a_percentile() -> None:
    m = a_map([[-1, 0, 1, 2, 3, 100]], size=(1, 6))
    np.testing.assert_allclose(m.display(percentile=60), [[0, 0, 0.5, 1, 1, 1]])
    assert m.display(percentile=0).max() == 1  # the percentile is 0: the maximum then
    with pytest.raises(ValueError, match=r"percentile=101 must be from 0 to 100"):
        m.display(percentile=101)
    with pytest.raises(TypeError, match=r"percentile='most' is a str; give 0 to 100"):
        m.display(percentile="most")  # type: ignore[arg-type]  # what a user may type


def test_maps_at_the_input_are_drawn_with_their_outliers_cut_off() -> None:
    values = np.arange(400, dtype=np.float32).reshape(20, 20)
    values[3, 3] = 1e6  # in place of 63: the 396th of 400 values is 396
    facts: dict[str, Any] = {"size": (20, 20), "picture": None, "target_name": "cat"}
    picture = np.zeros((20, 20, 3), np.uint8)
    at_input, at_layer = a_map(values, layer=None, **facts), a_map(values, **facts)
    last = palette("viridis")[255]
    assert np.array_equal(at_input.overlay(picture, opacity=1)[19, 19], last)
    assert not np.array_equal(at_layer.overlay(picture, opacity=1)[19, 19], last)
    assert at_input.display().max() == 1
    assert "cut off at 396" in at_input.figure().axes[-1].get_ylabel()
    assert "cut off" not in at_layer.figure().axes[-1].get_ylabel()


def test_a_map_without_positive_values_is_all_zero() -> None:
    m = a_map([[-1, -2], [0, -3]], status="empty")
    assert not m.display().any()
    assert np.array_equal(m.overlay(opacity=1.0)[0, 0], palette("viridis")[0])


def test_values_that_are_not_finite_are_drawn_as_such() -> None:
    m = a_map([[np.nan, 2], [np.inf, 1]], status="nonfinite")
    shown = m.display((2, 2))
    np.testing.assert_array_equal(np.isnan(shown), [[True, False], [True, False]])
    assert shown[0, 1] == 1
    assert np.array_equal(m.overlay(opacity=1.0)[0, 0], palette("viridis")[258])


@pytest.mark.parametrize("opacity", [0, 0.25, 1])
def test_overlay_mixes_the_colours_with_the_picture(opacity: float) -> None:
    m = a_map()
    colours = palette("magma")[np.floor(m.display() * 255 + 0.5).astype(int)]
    expected = np.floor(PICTURE * (1 - opacity) + colours * opacity + 0.5)
    found = m.overlay(opacity=opacity, colormap="magma")
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


def test_overlay_on_another_picture_takes_its_size() -> None:
    assert a_map(picture=None).overlay(np.zeros((7, 5, 3), np.uint8)).shape == (7, 5, 3)


@pytest.mark.parametrize(
    ("picture", "text"),
    [
        (None, r"image=None, but the input has no picture; give a uint8 array"),
        (np.zeros((2, 2, 3)), r"image is a float64 array of shape \(2, 2, 3\); give a uint8 array"),
        (np.zeros((2, 2), np.uint8), r"image is a uint8 array of shape \(2, 2\)"),
        ("cat.png", r"image is str; give a uint8 array"),
    ],
)
def test_bad_pictures(picture: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        a_map(picture=None).overlay(picture)


def test_bad_opacity_and_colormap() -> None:
    with pytest.raises(ValueError, match=r"opacity=1.5 must be from 0"):
        a_map().overlay(opacity=1.5)
    with pytest.raises(TypeError, match=r"opacity='half' is a str; give a number from 0 to 1"):
        a_map().overlay(opacity="half")  # type: ignore[arg-type]  # what a user may type
    with pytest.raises(ValueError, match=r"colormap='jet' is not known"):
        a_map().overlay(colormap="jet")


def test_repr_is_one_line() -> None:
    assert repr(a_map()) == (
        "Map('gradcam' at 'layer4.1.conv2', 2x2, target 'tabby cat' (logit 12.35), ok)"
    )
    assert "at" not in repr(a_map(layer=None)).split(",")[0]


def test_files(tmp_path: Path) -> None:
    m = a_map()
    assert np.array_equal(np.load(m.save(tmp_path / "map.npy")), VALUES)
    with Image.open(m.save(str(tmp_path / "map.png"))) as image:
        assert np.array_equal(np.asarray(image), m.overlay())
    with Image.open(a_map(picture=None).save(tmp_path / "alone.png")) as image:
        assert np.array_equal(np.asarray(image), m.overlay(opacity=1.0))
    with pytest.raises(ValueError, match=r"path='.*map.jpg' must end in '.png' .* or '.npy'"):
        m.save(tmp_path / "map.jpg")


@pytest.mark.parametrize("with_picture", [True, False])
def test_figure_shows_picture_map_and_numbers(*, with_picture: bool) -> None:
    m = a_map(picture=PICTURE if with_picture else None, note="A note.")
    figure = m.figure()
    figure.draw_without_rendering()
    assert len(figure.axes) == (3 if with_picture else 2)
    assert figure.axes[-1].get_ylim() == (0, 4)
    assert "tabby cat (logit 12.3): gradcam at layer4.1.conv2\nA note." in figure.get_suptitle()


def test_a_notebook_shows_the_figure_of_a_cell_that_ends_in_a_map() -> None:
    with Image.open(io.BytesIO(a_map()._repr_png_())) as image:
        assert image.size == (720, 340)


def test_figures_of_blank_maps() -> None:
    a_map([[-1, -2]], status="empty").figure().draw_without_rendering()
    a_map([[np.nan, np.nan]], status="nonfinite").figure().draw_without_rendering()
