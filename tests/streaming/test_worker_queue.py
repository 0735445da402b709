"""The queue of the worker against a plain list, over any sequence of events."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cnnviz_widgets.streaming import worker
from tests.streaming.gated import Ask


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
