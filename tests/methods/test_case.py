"""A case: how many inputs run at once, counted passes, reports between batches."""

from __future__ import annotations

import pytest
import torch

from cnnviz_widgets.methods.case import inputs_at_once
from cnnviz_widgets.methods.progress import Cancelled
from cnnviz_widgets.methods.rise import rise
from tests.methods.slow_network import case_of, torch_network


@pytest.mark.parametrize(
    ("multiply_adds", "expected"),
    [(15_500_000_000, 1), (4_100_000_000, 1), (1_800_000_000, 3), (41_000_000, 32), (None, 3)],
)
def test_a_batch_stays_short(multiply_adds: int | None, expected: int) -> None:
    """VGG-16, ResNet-50, ResNet-18, a small one; without numbers that of ResNet-18."""
    assert inputs_at_once(torch.zeros(1, 3, 224, 224), multiply_adds) == expected


def test_a_batch_stays_small() -> None:
    """MobileNetV2 multiplies little and holds much: 6.7 million values for each picture."""
    picture = torch.zeros(1, 3, 224, 224)
    assert inputs_at_once(picture, 300_000_000, 6_700_000) == 9
    assert inputs_at_once(picture, 300_000_000, 100_000_000) == 1


def test_reports_stand_between_batches() -> None:
    seen: list[tuple[int, int, bool]] = []
    case = case_of(
        torch_network(),
        torch.zeros(1, 2, 8, 8),
        at_once=4,
        report=lambda done, total, partial: seen.append((done, total, partial is not None)),
    )
    rise(case, masks=10)
    assert seen == [(0, 10, False), (4, 10, True), (8, 10, True), (10, 10, True)]


def test_a_report_stops_the_method_before_the_next_batch() -> None:
    def report(done: int, _total: int, _partial: object) -> None:
        if done >= 4:
            raise Cancelled

    case = case_of(torch_network(), torch.zeros(1, 2, 8, 8), at_once=4, report=report)
    with pytest.raises(Cancelled):
        rise(case, masks=1000)
    assert case.forward == 4
