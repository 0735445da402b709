"""Which requests the worker computes, and in which order."""

from __future__ import annotations

import itertools
import threading

import pytest

from cnnviz_widgets.streaming import LatestWorker, Token, worker
from tests.streaming.gated import WAIT_S, Ask, Widget


def test_a_drag_costs_the_frames_that_can_be_shown(widget: Widget) -> None:
    widget.begin(Ask("a", 0))
    for seq in range(1, 121):
        assert widget.worker.submit(Ask("a", seq))
    widget.finish(2)
    assert widget.started == [Ask("a", 0), Ask("a", 120)]
    assert widget.sent == [Ask("a", 0), Ask("a", 120)]
    assert widget.stale == [True, False]
    assert widget.others == [True, False]


def test_submit_does_not_wait_for_a_job(widget: Widget) -> None:
    widget.begin(Ask("a", 0))
    assert widget.worker.submit(Ask("a", 1))
    assert widget.ended.acquire(blocking=False) is False
    widget.finish(2)


def test_two_views_take_turns(widget: Widget) -> None:
    widget.begin(Ask("a", 0))
    widget.worker.submit(Ask("a", 1))
    widget.worker.submit(Ask("b", 0))
    widget.worker.submit(Ask("a", 2, "channel"))
    widget.worker.submit(Ask("a", 3))
    widget.worker.submit(Ask("b", 1, "channel"))
    widget.settle()
    assert widget.started == [
        Ask("a", 0),
        Ask("a", 3),
        Ask("b", 0),
        Ask("a", 2, "channel"),
        Ask("b", 1, "channel"),
    ]
    assert widget.sent == widget.started


def test_one_kind_does_not_replace_another(widget: Widget) -> None:
    widget.begin(Ask("a", 0))
    widget.worker.submit(Ask("a", 1, "layer"))
    widget.worker.submit(Ask("a", 2, "channel"))
    widget.settle()
    assert widget.sent == [Ask("a", 0), Ask("a", 1, "layer"), Ask("a", 2, "channel")]


def test_a_job_knows_whether_it_is_overtaken_or_only_others_wait(widget: Widget) -> None:
    widget.begin(Ask("a", 0, "prefetch"))
    widget.worker.submit(Ask("b", 0))
    widget.finish(2)
    assert widget.stale[0] is False
    assert widget.others[0] is True


@pytest.mark.parametrize("order", list(itertools.permutations(range(1, 4))))
def test_requests_in_any_order_give_the_newest(widget: Widget, order: tuple[int, ...]) -> None:
    widget.begin(Ask("a", 0))
    for seq in order:
        widget.worker.submit(Ask("a", seq))
    widget.settle()
    assert widget.sent == [Ask("a", 0), Ask("a", 3)]


def test_an_older_request_is_dropped_also_when_nothing_waits(widget: Widget) -> None:
    widget.begin(Ask("a", 5))
    widget.finish()
    assert not widget.worker.submit(Ask("a", 4))
    widget.settle()
    assert widget.started == [Ask("a", 5)]


def test_a_duplicate_of_what_is_computed_is_dropped(widget: Widget) -> None:
    widget.begin(Ask("a", 0))
    for _ in range(7):
        assert not widget.worker.submit(Ask("a", 0))
    widget.settle()
    assert widget.sent == [Ask("a", 0)]


def test_a_duplicate_of_what_waits_is_computed_once(widget: Widget) -> None:
    widget.begin(Ask("a", 0))
    for _ in range(7):
        assert widget.worker.submit(Ask("a", 1))
    widget.settle()
    assert widget.sent == [Ask("a", 0), Ask("a", 1)]


def test_a_resend_of_what_was_answered_is_answered_again(widget: Widget) -> None:
    widget.begin(Ask("a", 0))
    widget.settle()
    assert widget.worker.submit(Ask("a", 0))
    widget.settle()
    assert widget.sent == [Ask("a", 0), Ask("a", 0)]


def test_cancel_what_waits(widget: Widget) -> None:
    widget.begin(Ask("a", 0))
    widget.worker.submit(Ask("a", 1))
    widget.worker.submit(Ask("a", 2, "channel"))
    widget.worker.cancel("a", 1)
    widget.settle()
    assert widget.sent == [Ask("a", 0), Ask("a", 2, "channel")]


def test_cancel_what_is_computed(widget: Widget) -> None:
    widget.begin(Ask("a", 0))
    widget.worker.cancel("a", 0)
    widget.settle()
    assert widget.started == [Ask("a", 0)]
    assert widget.stale[0] is True
    assert widget.sent == []


def test_cancel_before_it_comes(widget: Widget) -> None:
    widget.worker.cancel("a", 3)
    assert not widget.worker.submit(Ask("a", 3))
    widget.begin(Ask("a", 4))
    widget.settle()
    assert widget.sent == [Ask("a", 4)]


def test_cancel_of_something_else_changes_nothing(widget: Widget) -> None:
    widget.begin(Ask("a", 1))
    widget.worker.cancel("a", 0)
    widget.worker.cancel("b", 1)
    widget.settle()
    assert widget.sent == [Ask("a", 1)]


def test_the_error_of_a_cancelled_request_is_not_reported(widget: Widget) -> None:
    widget.raising[0] = ValueError("no")
    widget.begin(Ask("a", 0))
    widget.worker.cancel("a", 0)
    widget.settle()
    assert widget.errors == []


def test_a_forgotten_view_may_start_again(widget: Widget) -> None:
    widget.begin(Ask("a", 9))
    widget.worker.submit(Ask("a", 10))
    widget.worker.forget("a")
    widget.settle()
    assert widget.sent == []
    widget.begin(Ask("a", 0))
    widget.settle()
    assert widget.sent == [Ask("a", 0)]


def test_views_remembered_are_bounded() -> None:
    widget = Widget(max_clients=3)
    widget.begin(Ask("0", 5))
    for number in range(1, 50):
        widget.worker.submit(Ask(str(number), 5))
    assert list(widget.worker._queue.clients) == ["47", "48", "49"]
    assert list(widget.worker._queue.ready) == ["47", "48", "49"]
    widget.finish(4)
    assert widget.sent == [Ask(number, 5) for number in ("0", "47", "48", "49")]
    widget.worker.close()


def test_a_view_silent_for_long_is_forgotten(
    widget: Widget, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    widget.begin(Ask("a", 5))
    widget.settle()
    now += worker.SILENCE_S - 1
    widget.begin(Ask("b", 5))
    widget.settle()
    assert not widget.worker.submit(Ask("a", 4))
    now += worker.SILENCE_S + 1
    widget.worker.cancel("c", 0)
    assert list(widget.worker._queue.clients) == ["c"]


def test_inline_computes_before_it_returns() -> None:
    widget = Widget(threaded=False)
    widget.gate.set()
    assert widget.worker.submit(Ask("a", 0))
    assert widget.sent == [Ask("a", 0)]
    assert widget.worker.thread is None
    widget.raising[1] = ValueError("no")
    widget.worker.submit(Ask("a", 1))
    assert widget.errors == [(Ask("a", 1), widget.raising[1])]
    widget.raising[2] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        widget.worker.submit(Ask("a", 2))
    widget.worker.submit(Ask("a", 3))
    assert widget.sent == [Ask("a", 0), Ask("a", 3)]


def test_inline_takes_what_a_job_asks_for_afterwards() -> None:
    order: list[str] = []

    class Owner:
        pass

    def job(_owner: Owner, ask: Ask, _token: Token) -> None:
        order.append(f"begin {ask.seq}")
        if ask.seq == 0:
            inline.submit(Ask("a", 1))
        order.append(f"end {ask.seq}")

    owner = Owner()
    inline: LatestWorker[Owner, Ask] = LatestWorker(
        owner, job, on_error=lambda *_: None, threaded=False
    )
    inline.submit(Ask("a", 0))
    assert order == ["begin 0", "end 0", "begin 1", "end 1"]


def test_many_threads_submit_at_once(widget: Widget) -> None:
    widget.gate.set()

    def drag(cid: str) -> None:
        for seq in range(200):
            widget.worker.submit(Ask(cid, seq))

    threads = [threading.Thread(target=drag, args=(cid,)) for cid in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    widget.settle()
    for cid in "abcd":
        mine = [ask.seq for ask in widget.sent if ask.cid == cid]
        assert mine[-1] == 199
        assert mine == sorted(mine)
    assert widget.errors == []
