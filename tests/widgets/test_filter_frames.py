"""Frames of filters, without a widget: what stands for a filter, exact weights, answers, costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.inspection.weights import FilterBank, Weights
from cnnviz_widgets.rendering import filters
from cnnviz_widgets.rendering.colormap import palette
from cnnviz_widgets.rendering.quantise import dequantise
from cnnviz_widgets.widgets import filter_frames
from cnnviz_widgets.widgets.base import Frame
from cnnviz_widgets.widgets.filter_frames import (
    answer_frame,
    bank_frame,
    drawn_bank,
    filter_frame,
    likeness_frame,
)

Floats = npt.NDArray[np.float32]


def bank_of(layer: nn.Module, values: Floats | None = None) -> FilterBank:
    """The weight of a single layer, random or as given."""
    generator = torch.Generator().manual_seed(2)
    weight = next(layer.parameters())
    with torch.no_grad():
        if values is None:
            weight.copy_(torch.randn(weight.shape, generator=generator))
        else:
            weight.copy_(torch.from_numpy(values).reshape(weight.shape))
    weights = Weights(layer)
    return weights.bank(weights.layers[0].name)


def decoded(frame: Frame) -> npt.NDArray[np.float64]:
    """The values that a frame's codes stand for, in the shape of the codes."""
    codes = np.asarray(frame.arrays["codes"], np.uint8)
    ends = np.asarray(frame.arrays["facts"], np.float32)[0]
    low = -ends if frame.fields["signed"] else np.zeros_like(ends)
    flat = codes.reshape(len(codes), -1, codes.shape[-1])
    return dequantise(flat, low, ends).reshape(codes.shape)


def half_level(frame: Frame) -> Any:
    """The largest error of a code, (F, 1, 1, 1)."""
    ends = np.asarray(frame.arrays["facts"], np.float64)[0][:, None, None, None]
    return ends * (2 if frame.fields["signed"] else 1) / 504 + 1e-12


def test_kernels_with_one_input_are_themselves() -> None:
    bank = bank_of(nn.Conv2d(4, 4, 3, groups=4))
    frame = bank_frame(bank, width=500, colour=False)
    assert (frame.fields["kind_of"], frame.fields["signed"]) == ("kernels", True)
    assert np.all(abs(decoded(frame) - bank.values) <= half_level(frame))


def test_filters_of_many_inputs_are_their_norm_at_every_place() -> None:
    bank = bank_of(nn.Conv2d(5, 3, (3, 2)))
    frame = bank_frame(bank, width=500, colour=False)
    assert (frame.fields["kind_of"], frame.fields["signed"]) == ("kernels", False)
    slow = np.sqrt((bank.values.astype(np.float64) ** 2).sum(axis=1))[:, None]
    assert np.all(abs(decoded(frame) - slow) <= half_level(frame) + 1e-6)


def test_volumes_keep_their_slices() -> None:
    bank = bank_of(nn.Conv3d(1, 2, (2, 3, 4)))
    frame = bank_frame(bank, width=500, colour=False)
    assert frame.arrays["codes"].shape == (2, 2, 3, 4)
    assert np.all(abs(decoded(frame) - bank.values[:, 0]) <= half_level(frame))


def test_rows_have_one_line() -> None:
    frame = bank_frame(bank_of(nn.Conv1d(1, 3, 7)), width=500, colour=False)
    assert frame.arrays["codes"].shape == (3, 1, 1, 7)


def test_colours_stay_apart() -> None:
    bank = bank_of(nn.Conv2d(3, 4, 5))
    frame = bank_frame(bank, width=500, colour=True)
    assert frame.fields["kind_of"] == "colour"
    assert np.all(abs(decoded(frame) - bank.values) <= half_level(frame))


@pytest.mark.parametrize("layer", [nn.Linear(6, 4), nn.Conv2d(6, 4, 1)])
def test_a_matrix_is_sent_value_by_value_where_it_fits(layer: nn.Module) -> None:
    bank = bank_of(layer)
    frame = bank_frame(bank, width=6, colour=False)
    assert (frame.fields["kind_of"], frame.fields["signed"]) == ("matrix", True)
    assert "factor" not in frame.fields
    values = bank.values.reshape(4, 1, 1, 6)
    assert np.all(abs(decoded(frame) - values) <= half_level(frame))


def test_a_wide_matrix_is_reduced_to_its_view() -> None:
    bank = bank_of(nn.Linear(7, 3))
    frame = bank_frame(bank, width=3, colour=False)
    assert (frame.fields["signed"], frame.fields["factor"]) == (False, 3)
    parts = np.split(bank.values.astype(np.float64), [3, 6], axis=1)
    slow = np.stack([np.sqrt((part**2).mean(axis=1)) for part in parts], axis=1)
    assert np.all(abs(decoded(frame)[:, 0, 0] - slow) <= half_level(frame)[:, 0, 0] + 1e-6)


def test_a_tall_matrix_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filter_frames, "_MOST_CODES", 100)
    frame = bank_frame(bank_of(nn.Linear(40, 20)), width=40, colour=False)
    assert frame.arrays["codes"].shape == (20, 1, 1, 5)
    assert frame.fields["factor"] == 8


def test_a_large_kernel_is_drawn_as_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filter_frames, "LARGEST_KERNEL", 2)
    bank = bank_of(nn.Conv2d(1, 2, 4))
    frame = bank_frame(bank, width=500, colour=False)
    assert frame.fields["factor"] == 2
    means = bank.values.reshape(2, 2, 2, 2, 2).astype(np.float64).mean(axis=(2, 4))
    assert np.all(abs(decoded(frame)[:, 0] - means) <= half_level(frame)[:, 0] + 1e-6)


def test_the_facts_are_of_all_weights() -> None:
    values = np.array([[3, 0, 4], [0, 0, 0], [-1, 2, -2]], np.float32)
    frame = bank_frame(bank_of(nn.Linear(3, 3), values), width=500, colour=False)
    ends, low, high, mean, norm = frame.arrays["facts"]
    assert ends.tolist() == [4, 0, 2]
    assert low.tolist() == [0, 0, -2]
    assert high.tolist() == [4, 0, 2]
    np.testing.assert_allclose(mean, [7 / 3, 0, -1 / 3], rtol=1e-6)
    np.testing.assert_allclose(norm, [5, 0, 3], rtol=1e-6)
    assert frame.arrays["zeros"].tolist() == [1, 3, 0]


def test_likeness_comes_along_where_it_is_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    bank = bank_of(nn.Conv2d(2, 6, 3))
    arrays = bank_frame(bank, width=500, colour=False).arrays
    asked = likeness_frame(bank).arrays
    for name in ("nearest", "cosine", "order"):
        np.testing.assert_array_equal(arrays[name], asked[name])
    monkeypatch.setattr(filter_frames, "_CHEAP_PRODUCT", 1)
    assert "order" not in bank_frame(bank, width=500, colour=False).arrays


def test_filters_that_cannot_be_compared_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = likeness_frame(bank_of(nn.Linear(3, 5)))
    assert frame.fields["note"] == "Filters of so few values are not compared with each other."
    assert not frame.arrays
    monkeypatch.setattr(filters, "MOST_COMPARED", 4)
    many = likeness_frame(bank_of(nn.Linear(4, 5)))
    assert many.fields["note"] == "Filters so many and large are not compared with each other."


def test_one_filter_is_exact_and_apart_from_the_model() -> None:
    layer = nn.Conv2d(3, 2, (2, 5))
    bank = bank_of(layer)
    values = filter_frame(bank, 1).arrays["values"]
    assert values.shape == (3, 1, 2, 5)
    before = values.copy()
    np.testing.assert_array_equal(values[:, 0], layer.weight[1].detach().numpy())
    with torch.no_grad():
        layer.weight.zero_()
    np.testing.assert_array_equal(values, before)


def test_a_filter_that_is_not_there_is_told() -> None:
    with pytest.raises(ValueError, match="filter=2 must be from 0 to 1 in layer 'model'"):
        filter_frame(bank_of(nn.Linear(3, 2)), 2)


def test_an_overview_costs_what_it_shows() -> None:
    """2048 filters of 512 x 3 x 3 are 38 MB; the overview is a byte for each place and 36 more."""
    bank = bank_of(nn.Conv2d(512, 2048, 3))
    frame = bank_frame(bank, width=900, colour=False)
    assert sum(array.nbytes for array in frame.arrays.values()) <= 2048 * (9 + 36)


def test_a_bank_is_drawn_in_the_colours_of_the_view() -> None:
    """Signed weights around zero, norms from zero; on one scale, or each filter on its own."""
    weights = np.array([[[-1, 0], [0.5, 1]], [[2, 0], [0, 0]]], np.float32)
    warm, norms = palette("coolwarm"), palette("viridis")
    signed = bank_frame(bank_of(nn.Conv2d(1, 2, 2), weights), width=500, colour=False)
    drawn = drawn_bank(signed, "filter")
    assert drawn[0].tolist() == [[warm[0].tolist(), warm[128].tolist()],
                                 [warm[191].tolist(), warm[255].tolist()]]  # fmt: skip
    drawn = drawn_bank(signed, "layer")
    assert drawn[0, 0, 0].tolist() == warm[64].tolist()
    assert drawn[1, 0, 0].tolist() == warm[255].tolist()
    pair = np.stack([weights, np.zeros_like(weights)], axis=1)
    unsigned = bank_frame(bank_of(nn.Conv2d(2, 2, 2), pair), width=500, colour=False)
    drawn = drawn_bank(unsigned, "layer")
    assert drawn[0].tolist() == [[norms[128].tolist(), norms[0].tolist()],
                                 [norms[64].tolist(), norms[128].tolist()]]  # fmt: skip


def test_a_bank_in_colour_is_drawn_in_colour() -> None:
    """The slices of a volume stand side by side."""
    red = np.zeros((1, 3, 1, 1), np.float32)
    red[0, 0] = 1
    frame = bank_frame(bank_of(nn.Conv2d(3, 1, 1), red), width=500, colour=True)
    assert drawn_bank(frame, "layer").tolist() == [[[[255, 128, 128]]]]
    volume = bank_frame(bank_of(nn.Conv3d(1, 2, (4, 2, 3))), width=500, colour=False)
    assert drawn_bank(volume, "layer").shape == (2, 2, 12, 3)


def test_the_answer_is_the_channel_of_the_output(inspector: Inspector) -> None:
    frame = answer_frame(inspector, "conv", image=1, filter_=2)
    assert frame.fields["kind_of"] == "map"
    expected = inspector.activation("conv")[1, 2].numpy()
    np.testing.assert_array_equal(frame.arrays["values"], expected)


def test_the_answer_of_a_volume_is_its_middle_slice(inspector: Inspector) -> None:
    frame = answer_frame(inspector, "volume", image=0, filter_=1)
    assert frame.fields["slice"] == [1, 3]
    expected = inspector.activation("volume")[0, 1, 1].numpy()
    np.testing.assert_array_equal(frame.arrays["values"], expected)


def test_the_answer_of_a_dense_layer_is_a_number_and_its_place(inspector: Inspector) -> None:
    scores = inspector.activation("fc")[0]
    best = int(scores.argmax())
    frame = answer_frame(inspector, "fc", image=0, filter_=best)
    assert frame.fields["value"] == pytest.approx(float(scores[best]))
    assert (frame.fields["place"], frame.fields["count"]) == (1, 3)
    assert frame.fields["label"] == "abc"[best]


def test_an_output_without_the_channel_gives_no_answer(inspector: Inspector) -> None:
    assert answer_frame(inspector, "conv", image=0, filter_=4).fields["kind_of"] == "none"


def test_a_large_answer_is_reduced(inspector: Inspector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filter_frames, "LARGEST_ANSWER", 3)
    frame = answer_frame(inspector, "conv", image=0, filter_=0)
    assert frame.fields["factor"] == 2
    assert frame.arrays["values"].shape == (2, 3)
