"""How the worker starts, fails and ends."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref

import pytest

from cnnviz_widgets.streaming import LatestWorker, Token, worker
from tests.streaming.gated import WAIT_S, Ask, Widget


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


def test_a_worker_that_outlives_its_owner_is_closed() -> None:
    owner = Widget()
    kept = owner.worker
    owner.gate.set()
    owner.begin(Ask("a", 0))
    owner.finish()
    thread = kept.thread
    assert thread is not None
    del owner
    for _ in range(200):
        gc.collect()
        thread.join(0.01)
        if not thread.is_alive():
            break
    assert not thread.is_alive()
    assert kept.closed
    assert not kept.submit(Ask("a", 1))


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


EXITING = """
import time
from dataclasses import dataclass
from cnnviz_widgets.streaming import LatestWorker

@dataclass(frozen=True)
class Ask:
    cid: str = "a"
    seq: int = 0
    kind: str = "layer"

class Owner: pass

def job(owner, request, token):
    print("began", flush=True)
    while not token.stale:
        time.sleep(0.01)
    time.sleep(0.3)
    print("ended", flush=True)

owner = Owner()
worker = LatestWorker(owner, job, on_error=print)
worker.submit(Ask())
time.sleep(0.2)
"""


def test_the_end_of_the_interpreter_waits_for_the_thread() -> None:
    done = subprocess.run(
        [sys.executable, "-c", EXITING], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["began", "ended"], "")
