"""Still pictures of saliency maps: the rule of the browser, in NumPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cnnviz_widgets.rendering.colormap import NAN_COLOUR, Rgb, palette
from cnnviz_widgets.widgets.saliency_stills import Look, drawn, saliency_still
from tests.widgets.test_saliency_frames import found

LOOK = Look(show="both", opacity=0.5, percentile=100, smooth=True, colormap="viridis")
ALONE = replace(LOOK, show="map", colormap="gray")


@pytest.fixture
def picture() -> Rgb:
    return np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)


def test_positive_values_are_drawn_as_a_map_draws_itself(picture: Rgb) -> None:
    values = np.array([[-1, 0.5, 2], [3, -4, 0]], np.float32)
    expected = found(values).overlay(picture)
    np.testing.assert_array_equal(drawn(values, picture, "positive", LOOK), expected)


def test_the_picture_and_the_map_stand_alone(picture: Rgb) -> None:
    values = np.array([[0, 1, 2]], np.float32)
    seen = drawn(values, picture, "absolute", replace(LOOK, show="picture"))
    np.testing.assert_array_equal(seen, picture)
    assert drawn(values, None, "absolute", ALONE)[0, :, 0].tolist() == [0, 128, 255]


def test_signed_values_are_centred_on_zero_and_clipped() -> None:
    values = np.array([[-100, -1, 0, 1]], np.float32)
    seen = drawn(values, None, "signed", replace(ALONE, percentile=200 / 3))
    rows = [0, 0, 128, 255]
    np.testing.assert_array_equal(seen[0], palette("coolwarm")[rows])


def test_what_is_no_number_has_its_colour_and_moves_no_scale() -> None:
    values = np.array([[np.nan, np.inf, 1, 0]], np.float32)
    seen = drawn(values, None, "absolute", ALONE)
    np.testing.assert_array_equal(seen[0], palette("gray")[[NAN_COLOUR, NAN_COLOUR, 255, 0]])


@pytest.mark.parametrize(("form", "row"), [("absolute", 0), ("signed", 128), ("positive", 0)])
def test_a_blank_map_is_blank(form: str, row: int) -> None:
    seen = drawn(np.zeros((1, 2), np.float32), None, form, LOOK)
    table = palette("coolwarm" if form == "signed" else "viridis")
    np.testing.assert_array_equal(seen[0, 0], table[row])


def test_maps_stand_in_a_row_over_a_line(picture: Rgb) -> None:
    assert saliency_still([], "nothing") is None
    one, two = (saliency_still([picture] * count, "") for count in (1, 2))
    assert one is not None
    assert two is not None
    assert two.shape[0] == one.shape[0]
    assert two.shape[1] == 2 * one.shape[1] + 8
