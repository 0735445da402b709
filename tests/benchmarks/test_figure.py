"""What the table says of a figure, and how rounds and drags are judged."""

from __future__ import annotations

import pytest

from tests.benchmarks import bench_import
from tests.benchmarks.figure import Figure, table
from tests.benchmarks.load import ForeignLoad, quiet
from tests.benchmarks.stage import in_order, median, ratio


@pytest.mark.parametrize(
    ("figure", "holds"),
    [
        (Figure("a", 1.0, bar=1.0), True),
        (Figure("a", 1.01, bar=1.0), False),
        (Figure("a", 49.9, bar=50, direction="at least"), False),
        (Figure("a", 50, bar=50, direction="at least"), True),
        (Figure("a", float("nan"), bar=0), False),
        (Figure("a", 7), None),
    ],
)
def test_a_figure_knows_whether_its_bar_holds(figure: Figure, holds: bool | None) -> None:
    assert figure.holds is holds


def test_the_table_lines_up() -> None:
    lines = table([Figure("slide", 1.1234, bar=1.15, note="ten rounds"), Figure("size", 12, "kB")])
    assert lines.splitlines() == [
        "what  | figure | bar       | holds? | note",
        "----- | ------ | --------- | ------ | ----",
        "slide | 1.123x | <= 1.150x | yes    | ten rounds",
        "size  | 12 kB  |           |        |",
    ]


def test_noisy_rounds_are_left_out_and_counted() -> None:
    figures, note = quiet([(1.0, 0.02), (9.0, 0.5), (2.0, 0.1)])
    assert figures == [1.0, 2.0]
    assert note == "2 rounds, others <= 10% of the CPU, 1 noisier dropped"
    figures, note = quiet([(1.0, 0.3), (2.0, 0.4), (3.0, 0.9), (4.0, 0.2)])
    assert figures == [4.0, 1.0]
    assert note == "2 rounds, others <= 30% of the CPU, 2 noisier dropped"


def test_ratios_are_paired_within_a_round() -> None:
    rounds = [
        {"ours": (12.0, 0.0), "page": (10.0, 0.1), "trip": (2.0, 0.0)},
        {"ours": (30.0, 0.0), "page": (20.0, 0.0), "trip": (5.0, 0.0)},
        {"ours": (99.0, 0.0), "page": (1.0, 0.9), "trip": (1.0, 0.0)},
    ]
    assert ratio(rounds, "ours", ["page"])[0] == pytest.approx((1.2 + 1.5) / 2)
    assert ratio(rounds, "ours", ["page", "trip"])[0] == pytest.approx((1.0 + 1.2) / 2)
    assert median(rounds, "page")[0] == 15.0


def test_a_drag_is_matched_in_order() -> None:
    sent = [1, 2, 3, 2, 1]
    assert in_order(sent, [0, 1, 1, 2, 3, 2, 1], before=0) == (5, 0)
    assert in_order(sent, [0, 2, 1], before=0) == (2, 0)
    assert in_order(sent, [0, 3, 1, 3], before=0) == (2, 1)
    assert in_order(sent, [7], before=0) == (0, 1)


def test_the_load_of_others_is_a_share() -> None:
    with ForeignLoad() as load:
        sum(range(1000))
    assert 0 <= load.share <= 1


def test_the_import_is_measured() -> None:
    seconds, heavy = bench_import.measure(quick=True)
    assert seconds.unit == "s"
    assert heavy.value == 0, heavy.note
