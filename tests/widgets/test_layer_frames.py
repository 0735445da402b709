"""Frames of a layer, without a widget: special values, tokens, and what they cost."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.widgets.layer_frames import channel_frame, input_frame, layer_frame


class Broken(nn.Module):
    """A layer whose output has NaN and both infinities."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1)
        self.bad = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x).clone()
        y[:, 0, 0, 0] = float("nan")
        y[:, 0, 0, 1] = float("inf")
        y[:, 0, 1, 0] = float("-inf")
        y[:, 1] = float("nan")
        out: torch.Tensor = self.bad(y)
        return out


def test_values_that_are_no_numbers_have_codes_of_their_own() -> None:
    insp = Inspector(Broken(), torch.rand(1, 1, 2, 2))
    codes = layer_frame(insp, "bad", image=0, tile=64, side="output").arrays["codes"]
    assert codes[0].tolist()[0] == [253, 254]
    assert codes[0].tolist()[1][0] == 255
    assert (codes[1] == 253).all()


def test_a_model_without_class_scores_has_no_predictions() -> None:
    insp = Inspector(Broken(), torch.rand(1, 1, 2, 2))
    frame = input_frame(insp, image=0)
    assert frame.fields["predictions"] == []


def test_an_input_that_is_no_picture_says_what_is_shown() -> None:
    insp = Inspector(nn.Sequential(nn.Conv2d(5, 2, 1)).eval(), torch.rand(1, 5, 3, 3))
    assert "The mean of 5 input channels shown." in str(
        input_frame(insp, image=0).fields["notices"]
    )


def test_an_unknown_layout_asks() -> None:
    insp = Inspector(nn.Sequential(nn.Softmax(dim=-1)), torch.rand(1, 4, 6))
    frame = layer_frame(insp, "0", image=0, tile=64, side="output")
    assert frame.fields["kind_of"] == "ask"
    assert frame.fields["choices"] == ["NCL", "NLC"]
    insp.set_layout("0", "NLC")
    frame = layer_frame(insp, "0", image=0, tile=64, side="output")
    assert frame.arrays["codes"].shape == (6, 1, 4)  # no grid is known, so a row


def test_a_channel_that_does_not_exist_is_refused() -> None:
    insp = Inspector(nn.Sequential(nn.Conv2d(1, 2, 1)), torch.rand(1, 1, 3, 3))
    with pytest.raises(ValueError, match="channel=2 must be from 0 to 1 in layer '0'"):
        channel_frame(insp, "0", image=0, channel=2)


@pytest.mark.parametrize(("channels", "size", "most"), [(64, 56, 1.01), (512, 14, 1.10)])
def test_bytes_a_value(channels: int, size: int, most: float) -> None:
    insp = Inspector(nn.Sequential(nn.Conv2d(1, channels, 1)), torch.rand(1, 1, size, size))
    frame = layer_frame(insp, "0", image=0, tile=64, side="output")
    sent = sum(np.asarray(array).nbytes for array in frame.arrays.values())
    assert sent / (channels * size * size) <= most
