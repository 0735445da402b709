"""Inspection: one lock for each model, shared by every Inspector of it.

In: a model. Out: a re-entrant lock, and `ModelBusyError` for a handler that waited too long.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Iterator

from torch import nn

from cnnviz_widgets.words import phrase

_LOCKS: weakref.WeakKeyDictionary[nn.Module, threading.RLock] = weakref.WeakKeyDictionary()
_LOCKS_GUARD = threading.Lock()


class ModelBusyError(RuntimeError):
    """The model is in use by another thread for longer than one may wait."""


def lock_of(model: nn.Module) -> threading.RLock:
    """Return the lock of an unwrapped model."""
    with _LOCKS_GUARD:
        return _LOCKS.setdefault(model, threading.RLock())


@contextlib.contextmanager
def held(lock: threading.RLock, wait: float | None) -> Iterator[None]:
    """Hold a lock.

    Parameters
    ----------
    lock : threading.RLock
        Which.
    wait : float or None
        Seconds to wait at most; None waits as long as it takes.

    Raises
    ------
    ModelBusyError
        Another thread kept the lock for longer.
    """
    if not lock.acquire(timeout=-1 if wait is None else wait):
        raise ModelBusyError(phrase("model_busy", seconds=f"{wait:g}"))
    try:
        yield
    finally:
        lock.release()
