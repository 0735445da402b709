"""A worker whose owner computes as slowly as a test wants."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass

from cnnviz_widgets.streaming import LatestWorker, Token

WAIT_S = 10.0
"""Longest that a test waits for another thread; none needs it when all is well."""

_numbers = itertools.count(1000)


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
