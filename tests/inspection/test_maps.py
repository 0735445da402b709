"""An activation becomes maps, a vector, or a question."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnviz_widgets.inspection.axes import Grid
from cnnviz_widgets.inspection.layouts import possible_layouts
from cnnviz_widgets.inspection.maps import layer_maps
from cnnviz_widgets.words import Phrase

VALUES = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32)


@pytest.mark.parametrize(
    ("layout", "shape", "expected"),
    [
        ("NCHW", (2, 3, 4, 5), (3, 4, 5)),
        ("NHWC", (2, 3, 4, 5), (5, 3, 4)),
        ("NCL", (2, 12, 5), (12, 1, 5)),
        ("NLC", (2, 4, 15), (15, 1, 4)),
        ("NCDHW", (1, 2, 3, 4, 5), (6, 4, 5)),
    ],
)
def test_every_value_is_in_its_place(
    layout: str, shape: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    tensor, image = VALUES.reshape(shape), shape[0] - 1
    maps = layer_maps(tensor, image, batch_size=shape[0], layout=layout)
    assert (maps.kind, maps.values.shape) == ("maps", expected)
    assert maps.values.dtype == np.float32
    axes = {"NHWC": (2, 0, 1), "NLC": (1, 0)}.get(layout, range(len(shape) - 1))
    by_hand = tensor[image].numpy().transpose(*axes).reshape(expected)
    np.testing.assert_array_equal(maps.values, by_hand)


def test_vectors_have_labels_where_they_are_scores() -> None:
    maps = layer_maps(torch.tensor([[1.0, 2.0]]), 0, batch_size=1, layout="NC", labels=("a", "b"))
    assert (maps.kind, maps.values.tolist(), maps.labels) == ("vector", [1.0, 2.0], ("a", "b"))
    assert (
        layer_maps(torch.zeros(1, 3), 0, batch_size=1, layout="NC", labels=("a", "b")).labels
        is None
    )


@pytest.mark.parametrize(
    "dtype",
    [torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.bool, torch.complex64],
)
def test_every_type_becomes_float32(dtype: torch.dtype) -> None:
    tensor = torch.ones(1, 1, 2, 2).to(dtype)
    maps = layer_maps(tensor, 0, batch_size=1, layout="NCHW").values
    assert maps.dtype == np.float32
    assert maps.sum() == 4


def test_values_that_are_not_finite_stay() -> None:
    tensor = torch.tensor([[[[float("nan"), float("inf"), -float("inf"), 1.0]]]])
    np.testing.assert_array_equal(
        layer_maps(tensor, 0, batch_size=1, layout="NCHW").values[0, 0],
        [np.nan, np.inf, -np.inf, 1],
    )


def test_a_question_names_the_shape_and_the_choices() -> None:
    maps = layer_maps(torch.zeros(1, 2, 3), 0, batch_size=1, layout="?")
    assert (maps.kind, maps.values.size, maps.choices) == ("ask", 0, ("NCL", "NLC"))
    assert isinstance(maps.note, Phrase)
    assert "NCL or NLC" in maps.note
    assert "NCL 还是 NLC" in maps.note.texts["zh"]
    odd = layer_maps(torch.zeros(1, 1, 1, 1, 1, 1), 0, batch_size=1, layout="?")
    assert odd.choices == ()
    assert odd.note is not None
    assert "cannot be drawn" in odd.note


def test_layouts_by_number_of_axes() -> None:
    assert possible_layouts(4) == ("NCHW", "NHWC")
    assert possible_layouts(2) == ("NC",)


@pytest.mark.parametrize(
    ("grid", "note"),
    [
        (Grid(2, 3), None),
        (Grid(2, 3, before=1), "1 class or register token left out"),
        (Grid(2, 3, after=2), "2 class or register tokens left out"),
        (Grid(2, 3, before=20, after=1), "21 other tokens left out"),
    ],
)
def test_tokens_lie_on_their_grid(grid: Grid, note: str | None) -> None:
    count = grid.before + 6 + grid.after
    tokens = torch.arange(count * 2, dtype=torch.float32).reshape(1, count, 2)
    maps = layer_maps(tokens, 0, batch_size=1, layout="NLC", grid=grid)
    assert maps.note == note
    by_hand = [[[2 * (grid.before + 3 * y + x) + c for x in range(3)] for y in range(2)]
               for c in range(2)]  # fmt: skip
    assert maps.values.tolist() == by_hand


@pytest.mark.parametrize("shape", [(8, 3, 4, 4), (6,), ()])
def test_nothing_is_drawn_of_another_first_axis(shape: tuple[int, ...]) -> None:
    """Frames (N * T, C, H, W) and flattened tokens: which are those of image 0?"""
    layout = "NCHW" if len(shape) == 4 else "?"
    maps = layer_maps(torch.zeros(shape), 0, batch_size=2, layout=layout)
    assert (maps.kind, maps.choices, maps.layout) == ("ask", (), "?")
    assert maps.note is not None
    assert "the batch 2 images; which part belongs to which image is not known" in maps.note
