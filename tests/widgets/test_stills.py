"""Still pictures: the first channels beside the picture, pixels repeated, a line below."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.rendering.colormap import palette
from cnnviz_widgets.widgets.stills import beside, captioned, enlarged, layer_still
from tests.widgets.kernel import TinyNet, tiny_inputs


def test_pixels_are_repeated_or_left_out() -> None:
    picture = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(1, 2, 3, 3)
    grown = enlarged(picture, 9)
    assert grown.shape == (1, 6, 9, 3)
    np.testing.assert_array_equal(grown[0, ::3, ::3], picture[0])
    np.testing.assert_array_equal(grown[0, 0, :3], np.repeat(picture[0, 0, :1], 3, axis=0))
    assert enlarged(np.zeros((1, 100, 40, 3), np.uint8), 25).shape == (1, 25, 10, 3)


def test_parts_stand_on_white_paper() -> None:
    small, large = np.zeros((2, 2, 3), np.uint8), np.zeros((4, 3, 3), np.uint8)
    row = beside([small, large])
    assert row.shape == (4, 2 + 8 + 3, 3)
    assert (row[:2, :2] == 0).all()
    assert (row[2:, :10] == 255).all()


def test_a_caption_has_room() -> None:
    picture = captioned(np.zeros((4, 2, 3), np.uint8), "a rather long line of text")
    assert picture.shape[0] == 4 + 18
    assert picture.shape[1] > 60
    assert (picture[4:] < 255).any()
    assert (picture[:4, :2] == 0).all()


def test_a_layer_is_drawn_beside_its_picture() -> None:
    inspector = Inspector(TinyNet(), tiny_inputs())
    drawn = layer_still(inspector, "conv", image=0, colormap="viridis", tile=32)
    assert drawn is not None
    # The picture, 3 x 4 pixels of 16, then two channels of 8 in a row or in a column.
    assert drawn.shape[1] >= 64 + 8 + 32
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 10


def test_maps_of_one_value_are_drawn_on_one_scale() -> None:
    net = nn.Sequential(nn.Conv2d(1, 3, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    inspector = Inspector(net, torch.ones(1, 1, 4, 4))
    drawn = layer_still(inspector, "1", image=0, colormap="viridis", tile=32)
    assert drawn is not None
    colours = {tuple(colour) for colour in drawn.reshape(-1, 3).tolist()}
    assert {tuple(palette("viridis")[end].tolist()) for end in (0, 255)} <= colours


def test_scores_have_no_maps_but_the_picture_stays() -> None:
    inspector = Inspector(TinyNet(), tiny_inputs())
    drawn = layer_still(inspector, "fc", image=0, colormap="viridis", tile=32)
    assert drawn is not None
    assert drawn.shape[1] >= 128
