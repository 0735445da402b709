"""How single operations move axes."""

from __future__ import annotations

from typing import Any

import pytest

from cnnviz_widgets.inspection.axes import (
    Axes,
    Grid,
    axes_after,
    axes_before,
    merged,
    reshaped_axes,
)
from cnnviz_widgets.inspection.operations import Operation

GRID = Grid(2, 3)


def operation(
    name: str,
    taken: tuple[tuple[int, ...], ...],
    given: tuple[tuple[int, ...], ...],
    *arguments: object,
    **keywords: object,
) -> Operation:
    """Return an operation with these shapes and arguments."""
    numbers = tuple(range(len(taken)))
    outputs = tuple(range(9, 9 + len(given)))
    named = tuple(keywords.items())
    return Operation(name, "", 0, numbers, outputs, taken, given, arguments, named)


RESHAPES: list[tuple[str, tuple[int, ...], tuple[int, ...], str]] = [
    ("NCHW", (2, 4, 2, 3), (2, 4, 6), "NCL"),
    ("NCHW", (2, 4, 1, 3), (2, 4, 3), "NCL"),
    ("NCHW", (2, 4, 3, 1), (2, 4, 3), "NCL"),
    ("NCHW", (2, 4, 1, 1), (2, 4), "NC"),
    ("NCHW", (1, 4, 1, 1), (1, 4), "NC"),
    ("NCHW", (2, 4, 4, 4), (2, 16, 4), "N?W"),
    ("NCHW", (2, 4, 2, 3), (8, 6), "?L"),
    ("NCHW", (2, 4, 2, 3), (4, 2, 6), "??L"),
    ("NLC", (2, 6, 4), (12, 4), "?C"),
    ("NLC", (2, 6, 4), (2, 3, 2, 4), "N??C"),
    ("NLC", (2, 6, 4), (2, 6, 2, 2), "NLcc"),
    ("NC", (2, 4), (2, 1, 4), "N?C"),
    ("NC", (2, 4), (2, 4, 1, 1), "NC??"),
    ("NC", (2, 4), (3, 3), "??"),
]


@pytest.mark.parametrize(("letters", "old", "new", "expected"), RESHAPES)
def test_reshapes(letters: str, old: tuple[int, ...], new: tuple[int, ...], expected: str) -> None:
    found = reshaped_axes(Axes(letters), old, new).letters
    assert found == expected


def test_a_row_goes_back_to_its_grid_only() -> None:
    row = Axes("NLC", GRID)
    assert reshaped_axes(row, (2, 6, 4), (2, 2, 3, 4)).letters == "NHWC"
    assert reshaped_axes(row, (2, 6, 4), (2, 3, 2, 4)).letters == "N??C"
    longer = Axes("NLC", Grid(2, 3, before=1))
    assert reshaped_axes(longer, (2, 7, 4), (2, 7, 4)) == longer


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Axes("N??"), Axes("?LC", GRID), Axes("NLC", GRID)),
        (Axes("NCL"), Axes("NLC"), Axes("N??")),
        (Axes("NLC", GRID), Axes("NLC", Grid(3, 2)), Axes("NLC")),
        (Axes("NC"), Axes("NLC"), Axes("??")),
    ],
)
def test_two_accounts_of_one_value(one: Axes, other: Axes, expected: Axes) -> None:
    assert merged(one, other) == expected


ROW, IMAGE = (2, 6, 4), (2, 4, 2, 3)
MOVES: list[tuple[Operation, list[Axes], str]] = [
    (operation("einsum", (ROW,), (ROW,)), [Axes("NLC")], "???"),
    (operation("add", (ROW, ROW), (ROW,)), [Axes("???"), Axes("NLC")], "NLC"),
    (operation("add_", (ROW, ROW), (ROW,)), [Axes("NLC"), Axes("???")], "NLC"),
    (operation("__iadd__", (ROW, (4,)), (ROW,)), [Axes("NLC"), Axes("C")], "NLC"),
    (operation("add", ((4,), (4,)), (ROW,)), [Axes("C"), Axes("C")], "???"),
    (operation("linear", (ROW, (5, 4)), ((2, 6, 5),)), [Axes("NCL"), Axes("??")], "NC?"),
    (operation("linear", (ROW, (5, 4)), ((2, 6, 5),)), [Axes("NL?"), Axes("??")], "NLC"),
    (operation("matmul", (ROW, (4, 5)), ((2, 6, 5),)), [Axes("NL?"), Axes("??")], "NLC"),
    (operation("t", ((2, 2),), ((2, 2),)), [Axes("NC")], "CN"),
    (operation("mean", (IMAGE,), ((2, 4),), (2, 3)), [Axes("NCHW")], "NC"),
    (operation("mean", (IMAGE,), ((2, 2, 3),), dim=1), [Axes("NCHW")], "NHW"),
    (operation("max", (IMAGE,), ((2, 3), (2, 3))), [Axes("NCHW")], "??"),
    (operation("select", (IMAGE,), ((2, 2, 3),), 1, 0), [Axes("NCHW")], "NHW"),
    (operation("unbind", (IMAGE,), ((2, 2, 3),) * 4, dim=1), [Axes("NCHW")], "NHW"),
    (operation("transpose", (IMAGE,), ((2, 2, 4, 3),), "a", "b"), [Axes("NCHW")], "????"),
    (operation("movedim", (IMAGE,), ((2, 2, 3, 4),), 1, (-1,)), [Axes("NCHW")], "NHWC"),
    (operation("roll", (IMAGE,), (IMAGE,), 1), [Axes("NCHW")], "????"),
    (operation("conv2d", (IMAGE,), (IMAGE,)), [Axes("????")], "NCHW"),
    (operation("max_pool1d", (ROW,), ((2, 6, 2),)), [Axes("NLC", GRID)], "NLC"),
    (operation("avg_pool2d", (IMAGE,), (IMAGE,)), [Axes("N???")], "NCHW"),
    (operation("embedding", ((2, 6), (9, 4)), (ROW,)), [Axes("N?"), Axes("??")], "NLC"),
    (operation("embedding", ((2, 6), (9, 4)), (ROW,)), [Axes("??"), Axes("??")], "???"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(MOVES)))
def test_moves(case: int) -> None:
    step, given, expected = MOVES[case]
    assert axes_after(step, given)[0].letters == expected


INDICES: list[tuple[Any, tuple[int, ...], str]] = [
    ((slice(None), None, slice(None), 0), (2, 1, 4, 3), "N?CW"),
    ((Ellipsis, 0), (2, 4, 2), "NCH"),
    ((slice(None), True), (2, 2, 3), "???"),
    (0, (4, 2, 3), "CHW"),
]


@pytest.mark.parametrize(("index", "shape", "expected"), INDICES)
def test_indices(index: Any, shape: tuple[int, ...], expected: str) -> None:
    step = operation("__getitem__", (IMAGE,), (shape,), index)
    assert axes_after(step, [Axes("NCHW")])[0].letters == expected


@pytest.mark.parametrize("name", ["subtract", "multiply", "multiply_", "divide"])
def test_functions_with_two_names_keep_axes_under_both(name: str) -> None:
    shape, row = (2, 3, 4, 5), (1, 1, 1, 5)
    step = operation(name, (shape, row), (shape,))
    (after,) = axes_after(step, [Axes("NHWC"), Axes.unknown(row)])
    assert after.letters == "NHWC"


def test_whole_module_calls_say_nothing() -> None:
    """What ran inside was noted before; a module may only be named like a function."""
    call = Operation("relu", "relu", 1, (0,), (1,), (ROW,), (ROW,), ())
    assert axes_after(call, [Axes("NLC")]) == [Axes("???")]
    assert axes_before(call) is None


def test_a_convolution_says_what_it_takes() -> None:
    assert axes_before(operation("conv2d", (IMAGE,), (IMAGE,))) == Axes("NCHW")
    assert axes_before(operation("conv2d", (ROW,), (ROW,))) is None
    assert axes_before(operation("relu", (ROW,), (ROW,))) is None
