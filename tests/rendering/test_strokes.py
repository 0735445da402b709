"""Strokes: where the ink is, and that a drawing looks alike wherever and however it was drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnviz_widgets.rendering.strokes import Stroke, fitted_ink, ink_of

SEVEN = ((55.0, 35.0), (145.0, 35.0), (90.0, 170.0))


def test_a_line_inks_what_it_covers() -> None:
    ink = ink_of([Stroke([(2, 5), (8, 5)], width=2)], (10, 10))
    # PIL puts a line's edges on whole pixels of its own, 1/8 of ours.
    assert ink[4:6, 4] == pytest.approx(1, abs=1 / 8)
    assert ink[[3, 6, 4], [4, 4, 0]] == pytest.approx(0, abs=1 / 8)
    assert ink[2, 4] == ink[8, 4] == 0
    assert ink.shape == (10, 10)
    assert ink.dtype == np.float32


def test_a_dot_is_a_disc() -> None:
    ink = ink_of([Stroke([(5, 5)], width=4)], (10, 10))
    assert ink.sum() == pytest.approx(np.pi * 2**2, rel=0.15)  # drawn in eighths of a pixel


@pytest.mark.parametrize("points", [[(5, 5)], [(2, 5), (8, 5)], [(5, 2), (5, 8)]])
def test_ink_lies_even_around_its_middle(points: list[tuple[float, float]]) -> None:
    ink = ink_of([Stroke(points, width=3)], (10, 10))
    rows, columns = np.indices(ink.shape) + 0.5
    assert (rows * ink).sum() / ink.sum() == pytest.approx(5, abs=0.07)
    assert (columns * ink).sum() / ink.sum() == pytest.approx(5, abs=0.07)


def test_an_eraser_takes_ink_away_and_a_later_pen_puts_it_back() -> None:
    line, eraser = Stroke([(0, 5), (10, 5)], 4), Stroke([(5, 0), (5, 10)], 4, erases=True)
    assert ink_of([line, eraser], (10, 10))[5, 5] == 0
    assert ink_of([line, eraser, line], (10, 10))[5, 5] == 1


def test_scale_and_origin_place_the_strokes() -> None:
    ink = ink_of([Stroke([(110, 210)], 10)], (20, 20), scale=0.5, origin=(100, 200))
    rows, columns = np.nonzero(ink > 0.5)
    assert (rows.mean(), columns.mean()) == pytest.approx((4.5, 4.5), abs=0.5)


def test_a_drawing_is_centred_and_three_quarters_high() -> None:
    rows, columns = np.nonzero(fitted_ink([Stroke(SEVEN, 12)], (32, 32)) > 0.5)
    assert (rows.min(), rows.max()) == pytest.approx((4, 27), abs=1)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(15.5, abs=1)


@settings(deadline=None, max_examples=30)
@given(
    zoom=st.floats(0.2, 5), x=st.floats(-500, 500), y=st.floats(-500, 500), width=st.floats(1, 20)
)
def test_place_size_and_pen_make_no_difference(
    zoom: float, x: float, y: float, width: float
) -> None:
    moved = [(zoom * px + x, zoom * py + y) for px, py in SEVEN]
    ours = fitted_ink([Stroke(moved, width)], (32, 32))
    theirs = fitted_ink([Stroke(SEVEN, 12)], (32, 32))
    assert np.abs(ours - theirs).mean() < 0.01


def test_what_was_erased_does_not_count_for_the_size() -> None:
    tail = Stroke([(90, 170), (90, 400)], 12)
    gone = Stroke([(90, 190), (90, 420)], 60, erases=True)
    with_tail = fitted_ink([Stroke(SEVEN, 12), tail, gone], (32, 32))
    rows, _ = np.nonzero(with_tail > 0.5)
    assert (rows.min(), rows.max()) == pytest.approx((4, 27), abs=2)


@pytest.mark.parametrize(
    "gone", [((-60, -60), (0, -60)), ((-60, -60), (-60, 30)), ((200, 220), (220, 200))]
)
def test_what_is_left_stands_where_it_stands_alone(gone: tuple[tuple[float, float], ...]) -> None:
    seven = Stroke(SEVEN, 8)
    ours = fitted_ink([seven, Stroke(gone, 8), Stroke(gone, 20, erases=True)], (32, 32), softness=0)
    theirs = fitted_ink([seven], (32, 32), softness=0)
    assert np.abs(ours - theirs).mean() < 0.003  # the ink is looked for on 128 pixels


def test_what_is_left_of_a_dot_is_not_blown_up() -> None:
    dot, beside = Stroke([(50, 50)], 12), Stroke([(50, 58)], 2, erases=True)
    ours = fitted_ink([dot, beside], (32, 32), softness=0)
    assert 0 < (ours > 0.5).sum() < 5**2


@pytest.mark.parametrize(
    "strokes",
    [
        [],
        [Stroke([(5, 5)], 4, erases=True)],
        [Stroke([(5, 5)], 4), Stroke([(5, 5)], 40, erases=True)],
    ],
    ids=["nothing drawn", "only erased", "all erased"],
)
def test_no_ink_is_a_blank_picture(strokes: list[Stroke]) -> None:
    assert not fitted_ink(strokes, (32, 32)).any()


def test_a_dot_is_not_blown_up() -> None:
    ink = fitted_ink([Stroke([(50, 50)], 12)], (32, 32), softness=0)
    assert 0 < (ink > 0.5).sum() < 5**2
