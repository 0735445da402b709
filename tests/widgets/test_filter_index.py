"""The index of a FilterGrid: which layers in which order, and what is said of them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.inspection.weights import Weights
from cnnviz_widgets.widgets.filter_index import build_filter_index, kernel_axes


def entries(model: nn.Module, inspector: Inspector | None) -> dict[str, Any]:
    index = build_filter_index(Weights(model), inspector)
    return {entry["name"]: entry for entry in index["layers"]}


def test_the_index_follows_the_network_and_puts_the_unused_last(inspector: Inspector) -> None:
    found = entries(inspector.model, inspector)
    assert list(found) == ["volume", "conv", "wide", "fc", "unused"]
    assert [entry["index"] for entry in found.values()] == [0, 1, 2, 3, 4]
    assert [entry["answers"] for entry in found.values()] == ["volume", "conv", "wide", "fc", None]
    assert found["wide"]["fold"] == [4, 3, 5]
    assert found["fc"]["fold"] is None
    assert found["conv"]["shape"] == [1, 4, 2, 3, 3]
    of_calls = {info.path: info.parameters for info in inspector.layers}
    for name in ("volume", "conv", "wide", "fc"):  # what other views say of the same layer
        assert found[name]["params"] == of_calls[name]


def test_without_an_inspector_the_index_follows_the_modules(inspector: Inspector) -> None:
    index = build_filter_index(Weights(inspector.model), None)
    assert index["batch"] == 0
    assert [entry["name"] for entry in index["layers"]] == [
        "unused", "volume", "conv", "wide", "fc",
    ]  # fmt: skip
    assert all(entry["answers"] is None for entry in entries(inspector.model, None).values())


def test_a_picture_that_is_flattened_at_once_is_unfolded() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 5, 2)).eval()
    found = entries(model, Inspector(model, torch.rand(1, 3, 4, 5)))
    assert found["1"]["fold"] == [3, 4, 5]


def test_the_first_convolution_of_three_inputs_is_in_colour() -> None:
    model = nn.Sequential(nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3))
    found = entries(model, None)
    assert [entry["colour"] for entry in found.values()] == [True, False]
    grey = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Conv2d(3, 3, 3))
    assert not any(entry["colour"] for entry in entries(grey, None).values())


@pytest.mark.parametrize(
    ("layer", "note"),
    [
        (nn.Conv2d(4, 4, 3, groups=4), "Depthwise: each filter reads one input, its own."),
        (nn.Conv2d(8, 4, 3, groups=2), "2 groups: each filter reads 4 of the inputs."),
        (
            nn.Conv2d(2, 4, 3, dilation=(2, 1)),
            "Dilation 2 x 1: a kernel reaches over 5 x 3 places.",
        ),
        (nn.ConvTranspose1d(2, 4, 3), "Transposed: a kernel is what one input value puts onto"),
        (nn.Conv3d(2, 4, 3), "The 3 slices of a kernel stand side by side."),
        (nn.MultiheadAttention(4, 2), "Equal parts, by index: query, key, value."),
        (nn.utils.parametrizations.weight_norm(nn.Linear(4, 2)), "The effective weight, made by w"),
        (nn.Linear(4, 2), ""),
    ],
)
def test_what_is_unusual_is_said(layer: nn.Module, note: str) -> None:
    said = next(iter(entries(layer, None).values()))["note"]
    assert (said["en"] if note else said).startswith(note)
    assert bool(said) == bool(note)


def test_a_module_that_another_uses_stands_with_it() -> None:
    class Attends(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(4, 4)
            self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
            self.last = nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.first(x)
            scores: torch.Tensor = self.last(self.attention(x, x, x)[0].mean(1))
            return scores

    model = Attends().eval()
    found = entries(model, Inspector(model, torch.rand(1, 3, 4)))
    assert list(found) == ["first", "attention", "attention.out_proj", "last"]


def test_a_model_that_is_one_layer_answers_too() -> None:
    layer = nn.Conv2d(3, 4, 3)
    found = entries(layer, Inspector(layer, torch.rand(1, 3, 8, 8)))
    assert [(name, entry["answers"]) for name, entry in found.items()] == [("model", "model")]


def test_a_kernel_has_three_axes() -> None:
    assert [kernel_axes(sides) for sides in ((), (5,), (2, 3), (4, 2, 3))] == [
        (1, 1, 1), (1, 1, 5), (1, 2, 3), (4, 2, 3),
    ]  # fmt: skip
