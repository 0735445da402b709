"""The latest-wins worker: one thread computes the newest request of every view, skips the rest.

In: requests from message handlers, which never wait. Out: calls of a job, one at a time, fair
between views.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, Protocol, TypeVar

_log = logging.getLogger(__name__)

MAX_CLIENTS = 64
"""Views remembered; beyond, the one silent for longest is forgotten."""
SILENCE_S = 3600.0
"""After this many seconds without a request a view is forgotten."""
_CANCELLED_KEPT = 32
_CLOSE_WAIT_S = 0.2
"""Longest that `close` waits for a message that is being sent."""
_EXIT_WAIT_S = 5.0
"""Longest that the interpreter's end waits for a job that does not look at its token."""


class Asked(Protocol):
    """What the worker needs to know of a request."""

    @property
    def cid(self) -> str:
        """View that asks."""

    @property
    def seq(self) -> int:
        """Rises with every new request of the view."""

    @property
    def kind(self) -> str:
        """What is asked for; a request replaces only a waiting one of the same kind."""


OwnerT = TypeVar("OwnerT")
RequestT = TypeVar("RequestT", bound=Asked)


class _Client(Generic[RequestT]):
    """One view: at most one waiting request of each kind."""

    def __init__(self) -> None:
        self.waiting: dict[str, RequestT] = {}
        self.newest: dict[str, int] = {}
        self.cancelled: deque[int] = deque(maxlen=_CANCELLED_KEPT)
        self.seen_s = 0.0

    def accepts(self, request: RequestT) -> bool:
        """Tell whether the request is neither cancelled nor older than one seen before."""
        if request.seq in self.cancelled:
            return False
        return request.seq >= self.newest.get(request.kind, request.seq)


class _Queue(Generic[RequestT]):
    """Who waits, who is next, and whether anything may still be sent.

    `wake` is a SimpleQueue because `stop` may run while the garbage collector holds any thread at
    any line: its `put` is the one wake-up that is safe there.
    """

    def __init__(self, max_clients: int) -> None:
        self.max_clients = max_clients
        self.closed = False
        self.lock = threading.Lock()
        self.sending = threading.RLock()
        self.wake: SimpleQueue[None] = SimpleQueue()
        self.clients: OrderedDict[str, _Client[RequestT]] = OrderedDict()
        self.ready: OrderedDict[str, _Client[RequestT]] = OrderedDict()
        self.running: Token | None = None

    def stop(self) -> None:
        """Let nothing more be computed or sent; takes no lock."""
        self.closed = True
        self.wake.put(None)

    def put(self, request: RequestT) -> bool:
        """Store a request; tell whether it is news."""
        with self.lock:
            if self.closed:
                return False
            client = self._client(request.cid)
            if not client.accepts(request) or self._computing(request):
                return False
            client.newest[request.kind] = request.seq
            client.waiting[request.kind] = request
            sleeping = not self.ready
            self.ready.setdefault(request.cid, client)
        if sleeping:
            self.wake.put(None)
        return True

    def take(self) -> tuple[RequestT, Token] | None:
        """Hand out the next request: views in turn, within a view the kind that waits longest."""
        with self.lock:
            if self.closed or not self.ready:
                return None
            cid, client = self.ready.popitem(last=False)
            request = client.waiting.pop(next(iter(client.waiting)))
            if client.waiting:
                self.ready[cid] = client
            self.running = Token(self, client, request)
            return request, self.running

    def cancel(self, cid: str, seq: int) -> None:
        """Drop one request wherever it is, also when it comes later than its cancellation."""
        with self.lock:
            client = self._client(cid)
            client.cancelled.append(seq)
            for kind in [kind for kind, request in client.waiting.items() if request.seq == seq]:
                del client.waiting[kind]
            if not client.waiting:
                self.ready.pop(cid, None)
            if self.running and (self.running.cid, self.running.seq) == (cid, seq):
                self.running.cancelled = True

    def forget(self, cid: str) -> None:
        """Drop all that is known of a view."""
        with self.lock:
            self.clients.pop(cid, None)
            self.ready.pop(cid, None)
            if self.running and self.running.cid == cid:
                self.running.cancelled = True

    def _computing(self, request: RequestT) -> bool:
        token = self.running
        return token is not None and not token.cancelled and token.matches(request)

    def _client(self, cid: str) -> _Client[RequestT]:
        """Find a view, marking it as heard of, and forget those silent for too long."""
        client = self.clients.setdefault(cid, _Client())
        self.clients.move_to_end(cid)
        client.seen_s = time.monotonic()
        oldest, first = next(iter(self.clients.items()))
        while len(self.clients) > self.max_clients or first.seen_s < client.seen_s - SILENCE_S:
            del self.clients[oldest]
            self.ready.pop(oldest, None)
            oldest, first = next(iter(self.clients.items()))
        return client


class Token:
    """What a running job asks to know whether to go on; answers come at once, without a lock."""

    def __init__(
        self, queue: _Queue[RequestT], client: _Client[RequestT], request: RequestT
    ) -> None:
        self._queue = queue
        self._waiting = client.waiting
        self.cid, self.seq, self.kind = request.cid, request.seq, request.kind
        self.cancelled = False

    @property
    def stale(self) -> bool:
        """True when nobody wants the answer.

        That is: cancelled, closed, or a newer request of this view and kind waits.
        """
        return self.cancelled or self._queue.closed or self.kind in self._waiting

    @property
    def waiting(self) -> bool:
        """True when any other request waits, of whatever view and kind."""
        return bool(self._queue.ready)

    def matches(self, request: Asked) -> bool:
        """Tell whether this is the token of that request."""
        return (self.cid, self.seq, self.kind) == (request.cid, request.seq, request.kind)

    def deliver(self, send: Callable[..., object], *args: object) -> bool:
        """Call ``send(*args)`` unless the worker is closed or this request cancelled.

        Returns
        -------
        bool
            Whether it was called. Once `LatestWorker.close` has returned it never is, save for a
            call that was under way and took longer than 0.2 s.
        """
        with self._queue.sending:
            if self._queue.closed or self.cancelled:
                return False
            send(*args)
            return True


class _Runner(Generic[OwnerT, RequestT]):
    """Computes what the queue hands out; knows its owner only weakly, so that it can go."""

    def __init__(
        self,
        owner: OwnerT,
        queue: _Queue[RequestT],
        job: Callable[[OwnerT, RequestT, Token], object],
        on_error: Callable[[OwnerT, RequestT, BaseException], object],
    ) -> None:
        self.owner = weakref.ref(owner)
        self.queue = queue
        self.job = job
        self.on_error = on_error

    def run(self) -> None:
        """Serve until the queue is closed: the body of the thread."""
        while not self.queue.closed:
            self.queue.wake.get()
            while self.step(BaseException):
                pass

    def step(self, caught: type[BaseException]) -> bool:
        """Compute one request; tell whether there was one.

        Errors that are not `caught` go on to the caller.
        """
        taken = self.queue.take()
        owner = self.owner()
        if taken is None or owner is None:
            return False
        request, token = taken
        try:
            self.job(owner, request, token)
        except caught as error:
            self._report(owner, request, token, error)
        finally:
            self.queue.running = None
        return True

    def _report(self, owner: OwnerT, request: RequestT, token: Token, error: BaseException) -> None:
        try:
            token.deliver(self.on_error, owner, request, error)
        except Exception:  # noqa: BLE001  # a broken connection must not end the thread
            _log.exception("the error of request %s could not be reported", request.seq)


_running: weakref.WeakKeyDictionary[threading.Thread, Callable[[], None]] = (
    weakref.WeakKeyDictionary()
)
"""Every worker's thread, and how to stop it."""


@atexit.register
def _end_threads() -> None:
    """Stop and join every worker.

    A daemon thread that wakes while the interpreter goes down is ended by force in the middle of
    its C++ frames, which aborts the whole process.
    """
    threads = dict(_running)
    for stop in threads.values():
        stop()
    deadline = time.monotonic() + _EXIT_WAIT_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


class LatestWorker(Generic[OwnerT, RequestT]):
    """Answers requests one at a time: of each view and kind the newest, never one it replaced.

    Parameters
    ----------
    owner : object
        On whose behalf: held weakly; the thread ends when it is collected.
    job : callable (owner, request, token) -> None
        Computes one request and sends its frames through ``token.deliver``. Pass a plain function
        or ``type(owner).method``: a bound method would keep the owner alive.
    on_error : callable (owner, request, error) -> None
        Told what `job` raised. Not called for cancelled requests or after `close`.
    threaded : bool
        False computes inside `submit`, for debugging.
    max_clients : int
        Views remembered at most.
    name : str
        Of the thread.

    Notes
    -----
    - A request replaces a waiting one of the same view and kind. One with a lower seq than the
      newest seen of its view and kind is dropped, and so is a duplicate of the one being computed.
      A duplicate of an answered one is answered again, since the first answer may have been lost
      on the way.
    - Views take turns. One daemon thread starts with the first request.
    """

    def __init__(
        self,
        owner: OwnerT,
        job: Callable[[OwnerT, RequestT, Token], object],
        *,
        on_error: Callable[[OwnerT, RequestT, BaseException], object],
        threaded: bool = True,
        max_clients: int = MAX_CLIENTS,
        name: str = "cnnviz-worker",
    ) -> None:
        self._queue: _Queue[RequestT] = _Queue(max_clients)
        self._runner = _Runner(owner, self._queue, job, on_error)
        self._threaded = threaded
        self._name = name
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        for kept in (owner, self):
            weakref.finalize(kept, self._queue.stop).atexit = False

    def submit(self, request: RequestT) -> bool:
        """Store a request and return at once (when not threaded: after computing it).

        Returns
        -------
        bool
            False when it was dropped: old, cancelled, a duplicate of the one being computed, or
            after `close`.
        """
        if not self._queue.put(request):
            return False
        if self._threaded:
            self._ensure_thread()
        else:
            self._compute_here()
        return True

    def cancel(self, cid: str, seq: int) -> None:
        """Drop a request, before it comes, while it waits, or while it is computed.

        In the last case its token turns stale and its frames are no longer sent.
        """
        self._queue.cancel(cid, seq)

    def forget(self, cid: str) -> None:
        """Drop a view with all its requests; it may come back with any seq."""
        self._queue.forget(cid)

    def close(self) -> None:
        """End: nothing is sent any more. A running job is not waited for; its token turns stale."""
        self._queue.stop()
        if self._queue.sending.acquire(timeout=_CLOSE_WAIT_S):
            self._queue.sending.release()

    @property
    def closed(self) -> bool:
        """Whether `close` was called or the owner is gone."""
        return self._queue.closed

    @property
    def thread(self) -> threading.Thread | None:
        """The thread, once the first request has started it."""
        return self._thread

    def _ensure_thread(self) -> None:
        """Start the thread, anew in a forked child, which has none of its parent's."""
        if self._thread is not None and self._thread.is_alive():
            return
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._runner.run, name=self._name, daemon=True
                )
                _running[self._thread] = self._queue.stop
                self._thread.start()

    def _compute_here(self) -> None:
        """Compute all that waits, unless a call further up the stack does already."""
        while self._queue.running is None and self._runner.step(Exception):
            pass
