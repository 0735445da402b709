"""An activation becomes maps, a vector, or a question."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnviz_widgets.inspection.layouts import possible_layouts
from cnnviz_widgets.inspection.maps import layer_maps

VALUES = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32)


@pytest.mark.parametrize(
    ("layout", "shape", "expected"),
    [
        ("NCHW", (2, 3, 4, 5), (3, 4, 5)),
        ("NHWC", (2, 3, 4, 5), (5, 3, 4)),
        ("NCL", (2, 12, 5), (12, 1, 5)),
        ("NLC", (2, 4, 15), (15, 2, 2)),
        ("NCDHW", (1, 2, 3, 4, 5), (6, 4, 5)),
    ],
)
def test_every_value_is_in_its_place(
    layout: str, shape: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    tensor, image = VALUES.reshape(shape), shape[0] - 1
    maps = layer_maps(tensor, image, layout=layout)
    assert (maps.kind, maps.values.shape) == ("maps", expected)
    assert maps.values.dtype == np.float32
    axes = {"NHWC": (2, 0, 1), "NLC": (1, 0)}.get(layout, range(len(shape) - 1))
    by_hand = tensor[image].numpy().transpose(*axes).reshape(expected)
    np.testing.assert_array_equal(maps.values, by_hand)


def test_vectors_have_labels_where_they_are_scores() -> None:
    maps = layer_maps(torch.tensor([[1.0, 2.0]]), 0, layout="NC", labels=("a", "b"))
    assert (maps.kind, maps.values.tolist(), maps.labels) == ("vector", [1.0, 2.0], ("a", "b"))
    assert layer_maps(torch.zeros(1, 3), 0, layout="NC", labels=("a", "b")).labels is None


@pytest.mark.parametrize(
    "dtype",
    [torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.bool, torch.complex64],
)
def test_every_type_becomes_float32(dtype: torch.dtype) -> None:
    tensor = torch.ones(1, 1, 2, 2).to(dtype)
    maps = layer_maps(tensor, 0, layout="NCHW").values
    assert maps.dtype == np.float32
    assert maps.sum() == 4


def test_values_that_are_not_finite_stay() -> None:
    tensor = torch.tensor([[[[float("nan"), float("inf"), -float("inf"), 1.0]]]])
    np.testing.assert_array_equal(
        layer_maps(tensor, 0, layout="NCHW").values[0, 0], [np.nan, np.inf, -np.inf, 1]
    )


def test_a_question_names_the_shape_and_the_choices() -> None:
    maps = layer_maps(torch.zeros(1, 2, 3), 0, layout="?")
    assert (maps.kind, maps.values.size, maps.choices) == ("ask", 0, ("NCL", "NLC"))
    odd = layer_maps(torch.zeros(1, 1, 1, 1, 1, 1), 0, layout="?")
    assert odd.choices == ()
    assert odd.note is not None
    assert "cannot be drawn" in odd.note


def test_layouts_by_number_of_axes() -> None:
    assert possible_layouts(4) == ("NCHW", "NHWC")
    assert possible_layouts(2) == ("NC",)
