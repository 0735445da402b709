from __future__ import annotations

import gc
import itertools
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cnnviz_widgets.streaming import LatestWorker, Token, worker

WAIT_S = 10.0
"""Longest that a test waits for another thread; none needs it when all is well."""


@dataclass(frozen=True)
class Ask:
    cid: str
    seq: int
    kind: str = "layer"


class Widget:
    """An owner whose job waits at a gate, so that a test decides how long computing takes."""

    def __init__(self, *, threaded: bool = True, max_clients: int = 64) -> None:
        self.started: list[Ask] = []
        self.sent: list[Ask] = []
        self.errors: list[tuple[Ask, BaseException]] = []
        self.stale: list[bool] = []
        self.others: list[bool] = []
        self.raising: dict[int, BaseException] = {}
        self.gate = threading.Event()
        self.begun = threading.Semaphore(0)
        self.ended = threading.Semaphore(0)
        self.worker: LatestWorker[Widget, Ask] = LatestWorker(
            self,
            Widget.compute,
            on_error=Widget.report,
            threaded=threaded,
            max_clients=max_clients,
        )

    def compute(self, ask: Ask, token: Token) -> None:
        self.started.append(ask)
        self.begun.release()
        try:
            if not self.gate.wait(WAIT_S):
                raise TimeoutError("the gate stayed shut")
            self.stale.append(token.stale)
            self.others.append(token.waiting)
            if ask.seq in self.raising:
                raise self.raising[ask.seq]
            token.deliver(self.sent.append, ask)
        finally:
            self.ended.release()

    def report(self, ask: Ask, error: BaseException) -> None:
        self.errors.append((ask, error))

    def begin(self, ask: Ask) -> None:
        """Submit and wait until it is being computed."""
        assert self.worker.submit(ask)
        assert self.begun.acquire(timeout=WAIT_S)

    def finish(self, count: int = 1) -> None:
        """Open the gate and wait for so many jobs to end."""
        self.gate.set()
        for _ in range(count):
            assert self.ended.acquire(timeout=WAIT_S)

    def settle(self) -> None:
        """Open the gate and wait until nothing is left: a last request of its own has been sent."""
        self.gate.set()
        last = Ask("settle", next(_numbers))
        assert self.worker.submit(last)
        deadline = threading.Event()
        for _ in range(2000):
            if last in self.sent:
                self.sent.remove(last)
                self.started.remove(last)
                return
            deadline.wait(0.002)
        raise AssertionError("the worker does not come to an end")


_numbers = itertools.count()


@pytest.fixture
def widget() -> Iterator[Widget]:
    made = Widget()
    yield made
    made.gate.set()
    made.worker.close()


def test_a_drag_costs_the_frames_that_can_be_shown(widget: Widget) -> None:
    widget.begin(Ask("a", 0))
    for seq in range(1, 121):
        assert widget.worker.submit(Ask("a", seq))
    widget.finish(2)
    assert widget.started == [Ask("a", 0), Ask("a", 120)]
    assert widget.sent == [Ask("a", 0), Ask("a", 120)]
    assert widget.stale == [True, False]
    assert widget.others == [True, False]


def test_no_thread_before_the_first_request(widget: Widget) -> None:
    before = widget.worker.thread
    assert before is None
    widget.begin(Ask("a", 0))
    thread = widget.worker.thread
    assert thread is not None
    assert thread.daemon
    widget.finish()
    widget.begin(Ask("a", 1))
    assert widget.worker.thread is thread


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


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), KeyboardInterrupt()])
def test_an_exception_is_reported_and_the_thread_lives_on(
    widget: Widget, error: BaseException
) -> None:
    widget.raising[0] = error
    widget.begin(Ask("a", 0))
    thread = widget.worker.thread
    widget.settle()
    assert widget.errors == [(Ask("a", 0), error)]
    widget.begin(Ask("a", 1))
    widget.settle()
    assert widget.sent == [Ask("a", 1)]
    assert widget.worker.thread is thread


def test_a_report_that_fails_is_logged(
    widget: Widget, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise OSError("no connection")

    monkeypatch.setattr(widget.worker._runner, "on_error", broken)
    widget.raising[0] = ValueError("no")
    widget.begin(Ask("a", 0))
    widget.settle()
    assert "the error of request 0 could not be reported" in caplog.text
    assert "no connection" in caplog.text


def test_nothing_is_sent_after_close(widget: Widget) -> None:
    widget.begin(Ask("a", 0))
    widget.worker.submit(Ask("a", 1))
    widget.worker.close()
    assert widget.worker.closed
    assert not widget.worker.submit(Ask("a", 2))
    widget.finish()
    thread = widget.worker.thread
    assert thread is not None
    thread.join(WAIT_S)
    assert not thread.is_alive()
    assert widget.started == [Ask("a", 0)]
    assert widget.stale == [True]
    assert widget.sent == []


def test_the_error_of_a_job_that_was_closed_on_is_not_reported(widget: Widget) -> None:
    widget.raising[0] = ValueError("no")
    widget.begin(Ask("a", 0))
    widget.worker.close()
    widget.finish()
    thread = widget.worker.thread
    assert thread is not None
    thread.join(WAIT_S)
    assert widget.errors == []


def test_close_waits_for_a_message_that_is_being_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_CLOSE_WAIT_S", WAIT_S)
    sending, released, closed = threading.Event(), threading.Event(), threading.Event()
    done: list[str] = []

    class Owner:
        pass

    def send() -> None:
        sending.set()
        released.wait(WAIT_S)
        done.append("sent")

    def close() -> None:
        slow.close()
        done.append("closed")
        closed.set()

    owner = Owner()
    slow: LatestWorker[Owner, Ask] = LatestWorker(
        owner, lambda _owner, _ask, token: token.deliver(send), on_error=lambda *_: None
    )
    slow.submit(Ask("a", 0))
    assert sending.wait(WAIT_S)
    threading.Thread(target=close, daemon=True).start()
    assert not closed.wait(0.02)
    released.set()
    assert closed.wait(WAIT_S)
    assert done == ["sent", "closed"]


def test_close_is_prompt_when_sending_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_CLOSE_WAIT_S", 0.01)
    sending, released = threading.Event(), threading.Event()

    def send() -> None:
        sending.set()
        released.wait(WAIT_S)

    owner = Widget()
    hung: LatestWorker[Widget, Ask] = LatestWorker(
        owner, lambda _owner, _ask, token: token.deliver(send), on_error=lambda *_: None
    )
    hung.submit(Ask("a", 0))
    assert sending.wait(WAIT_S)
    hung.close()
    assert not released.is_set()
    released.set()


def test_a_job_may_close_its_own_worker() -> None:
    done = threading.Event()

    class Owner:
        pass

    def job(_owner: Owner, _ask: Ask, token: Token) -> None:
        token.deliver(own.close)
        assert not token.deliver(done.clear)
        done.set()

    owner = Owner()
    own: LatestWorker[Owner, Ask] = LatestWorker(owner, job, on_error=lambda *_: None)
    own.submit(Ask("a", 0))
    assert done.wait(WAIT_S)


def test_close_twice_and_before_any_request(widget: Widget) -> None:
    widget.worker.close()
    widget.worker.close()
    assert widget.worker.thread is None
    assert not widget.worker.submit(Ask("a", 0))


def test_a_forgotten_owner_ends_the_thread() -> None:
    widget = Widget()
    widget.begin(Ask("a", 0))
    widget.finish()
    widget.raising[1] = ValueError("its traceback must not keep the widget")
    widget.begin(Ask("a", 1))
    widget.finish()
    thread, gone = widget.worker.thread, weakref.ref(widget)
    assert thread is not None
    widget.errors.clear()
    widget.raising.clear()
    del widget
    for _ in range(200):
        gc.collect()
        thread.join(0.01)
        if not thread.is_alive():
            break
    assert gone() is None
    assert not thread.is_alive()


def test_a_dropped_worker_ends_its_thread(widget: Widget) -> None:
    other: LatestWorker[Widget, Ask] = LatestWorker(widget, Widget.compute, on_error=Widget.report)
    widget.gate.set()
    other.submit(Ask("a", 0))
    thread = other.thread
    assert thread is not None
    del other
    gc.collect()
    thread.join(WAIT_S)
    assert not thread.is_alive()


def test_a_dead_thread_is_replaced(widget: Widget) -> None:
    widget.gate.set()
    dead = threading.Thread(target=lambda: None)
    dead.start()
    dead.join()
    widget.worker._thread = dead  # as a forked child finds it
    widget.begin(Ask("a", 0))
    assert widget.worker.thread is not dead


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


class QueueMachine(RuleBasedStateMachine):
    """Any sequence of submit, cancel, forget and take, against a plain list of who waits."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: worker._Queue[Ask] = worker._Queue(max_clients=8)
        self.newest: dict[tuple[str, str], int] = {}
        self.waiting: list[Ask] = []
        self.cancelled: set[tuple[str, int]] = set()

    @rule(cid=st.sampled_from("ab"), kind=st.sampled_from("xy"), seq=st.integers(0, 6))
    def submit(self, cid: str, kind: str, seq: int) -> None:
        ask = Ask(cid, seq, kind)
        fresh = seq >= self.newest.get((cid, kind), 0) and (cid, seq) not in self.cancelled
        assert self.queue.put(ask) is fresh
        if fresh:
            self.newest[cid, kind] = seq
            old = [mine for mine in self.waiting if (mine.cid, mine.kind) == (cid, kind)]
            if old:
                self.waiting[self.waiting.index(old[0])] = ask
            else:
                self.waiting.append(ask)

    @rule(cid=st.sampled_from("ab"), seq=st.integers(0, 6))
    def cancel(self, cid: str, seq: int) -> None:
        self.queue.cancel(cid, seq)
        self.cancelled.add((cid, seq))
        self.waiting = [mine for mine in self.waiting if (mine.cid, mine.seq) != (cid, seq)]

    @rule(cid=st.sampled_from("ab"))
    def forget(self, cid: str) -> None:
        self.queue.forget(cid)
        self.newest = {key: seq for key, seq in self.newest.items() if key[0] != cid}
        self.cancelled = {key for key in self.cancelled if key[0] != cid}
        self.waiting = [mine for mine in self.waiting if mine.cid != cid]

    @rule()
    def take(self) -> None:
        taken = self.queue.take()
        self.queue.running = None
        assert (taken is None) == (not self.waiting)
        if taken is None:
            return
        request, token = taken
        assert request in self.waiting
        assert not token.stale
        of_view = [mine for mine in self.waiting if mine.cid == request.cid]
        assert request == of_view[0]
        self.waiting.remove(request)
        assert token.waiting == bool(self.waiting)

    @invariant()
    def who_is_ready_is_who_waits(self) -> None:
        assert set(self.queue.ready) == {mine.cid for mine in self.waiting}


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
