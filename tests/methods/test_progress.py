"""Progress: the caller's report, or a bar once a second has gone by."""

from __future__ import annotations

import time

import pytest

from cnnviz_widgets.methods import progress
from cnnviz_widgets.methods.progress import Cancelled, reported


def test_the_callers_report_is_the_one_that_is_called() -> None:
    seen: list[tuple[int, int]] = []
    with reported(lambda done, total, _partial: seen.append((done, total)), "RISE") as report:
        report(1, 2, None)
        report(2, 2, None)
    assert seen == [(1, 2), (2, 2)]


def test_a_short_method_draws_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with reported(None, "RISE") as report:
        report(1, 2, None)
    assert capsys.readouterr().err == ""


def test_a_long_method_draws_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays when the method is done."""
    monkeypatch.setattr(progress, "BAR_AFTER_S", -1.0)
    with reported(None, "RISE") as report:
        report(1, 4, None)
        time.sleep(0.15)
        report(4, 4, None)
    drawn = capsys.readouterr().err
    assert drawn.rstrip().rsplit("\r", 1)[-1].startswith("RISE: 100%")
    assert " 4/4 [" in drawn


def test_a_method_that_is_done_draws_no_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bar that is full from the start tells nothing."""
    monkeypatch.setattr(progress, "BAR_AFTER_S", -1.0)
    with reported(None, "Gradient") as report:
        report(2, 2, None)
    assert capsys.readouterr().err == ""


def test_cancelling_ends_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "BAR_AFTER_S", -1.0)

    def stopped() -> None:
        with reported(None, "RISE") as report:
            report(1, 4, None)
            raise Cancelled

    with pytest.raises(Cancelled):
        stopped()
