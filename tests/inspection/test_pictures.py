"""The input as people see it."""

from __future__ import annotations

import numpy as np
import torch

from cnnviz_widgets.inspection.inputs import Normalisation
from cnnviz_widgets.inspection.pictures import picture_of

PIXELS = np.arange(256 * 3, dtype=np.float64).reshape(16, 16, 3).astype(np.uint8)
UNIT = torch.tensor(PIXELS).permute(2, 0, 1)[None].float() / 255


def test_all_256_levels_come_back() -> None:
    """Row 30: values in [0, 1] are taken as they are, red, green and blue in their places."""
    picture, notice = picture_of(UNIT, 0, None)
    assert notice is None
    np.testing.assert_array_equal(picture, PIXELS)


def test_normalisation_is_undone() -> None:
    norm = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    picture, notice = picture_of(norm.apply(UNIT), 0, norm)
    assert notice is None
    np.testing.assert_array_equal(picture, PIXELS)


def test_an_unknown_range_is_stretched_with_a_notice() -> None:
    picture, notice = picture_of(torch.tensor([[[[-2.0, 0.0, 2.0]]]]), 0, None)
    assert picture is not None
    assert picture[0, :, 0].tolist() == [0, 128, 255]
    assert notice is not None
    assert "its range -2 to 2 stretched" in notice


def test_channels_that_have_no_colour() -> None:
    four, notice = picture_of(torch.cat((UNIT, UNIT[:, :1]), 1), 0, None)
    np.testing.assert_array_equal(four, PIXELS)
    assert notice == "The first three of 4 input channels shown."
    eleven, notice = picture_of(torch.full((1, 11, 2, 2), 0.5), 0, None)
    assert eleven is not None
    assert eleven.max() == eleven.min() == 128
    assert notice == "The mean of 11 input channels shown."


def test_volumes_show_their_middle_slice_and_vectors_nothing() -> None:
    volume = torch.zeros(1, 1, 3, 2, 2)
    volume[:, :, 1] = 1
    picture, notice = picture_of(volume, 0, None)
    assert picture is not None
    assert picture.min() == 255
    assert notice == "The middle one of 3 depth slices is shown."
    assert picture_of(torch.zeros(1, 7), 0, None) == (None, None)


def test_a_constant_picture() -> None:
    picture, _ = picture_of(torch.full((1, 3, 2, 2), 7.0), 0, None)
    assert picture is not None
    assert picture.max() == 0


def test_a_film_shows_its_middle_frame() -> None:
    film = torch.zeros(1, 5, 3, 4, 4)
    film[0, 2, 1] = 1
    picture, notice = picture_of(film, 0, None)
    assert picture is not None
    assert picture[0, 0].tolist() == [0, 255, 0]
    assert notice == "The middle one of 5 frames is shown."


def test_a_normalisation_for_bytes_is_told() -> None:
    """It would show a white square, and say nothing."""
    norm = Normalisation((123.0, 116.0, 103.0), (58.0, 57.0, 57.0))
    picture, notice = picture_of(UNIT, 0, norm)
    assert picture is not None
    assert (picture.min(), picture.max()) == (0, 255)
    assert notice is not None
    assert "mean= and std= are for pixel values in [0, 1]; divide those for 0 to 255" in notice


def test_channels_that_are_not_where_they_should_be_give_no_picture() -> None:
    """(N, H, W, C) with one mean for each of three channels."""
    norm = Normalisation((0.5,) * 3, (0.5,) * 3)
    assert picture_of(torch.zeros(1, 8, 9, 3), 0, norm) == (None, None)
