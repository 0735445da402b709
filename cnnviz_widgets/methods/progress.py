"""Methods: how far a long method is, what it has so far, and how it is stopped.

In: the number of passes done, after every batch of them. Out: calls of the caller's `Report`, or a
bar on standard error.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NoReturn, TypeVar

from torch import Tensor

if TYPE_CHECKING:
    from tqdm import tqdm

Report = Callable[[int, int, Callable[[], Tensor] | None], None]
"""``report(done, total, partial)``: passes done and to do in all, and how to get the map so far.

`partial` is None where there is no new map; calling it costs no pass. A report raises `Cancelled`
to stop the method. It is called after every batch, and, with None, often inside one, so that a
method stops soon also where a pass is slow; it must be quick.
"""

ReportT = TypeVar("ReportT", bound=Callable[..., None])

BAR_AFTER_S = 1.0
"""Seconds that a method takes before a bar appears."""


class Cancelled(Exception):  # noqa: N818  # nothing went wrong
    """Raised by a `Report` to stop a method; the caller of the method gets it."""


@contextlib.contextmanager
def reported(
    report: ReportT | None, title: str
) -> Iterator[ReportT | Callable[[int, int, object], None]]:
    """Give a method what it calls after every batch.

    Parameters
    ----------
    report : callable or None
        The caller's own, whatever its partial maps are; None draws a bar on standard error
        once the method has taken 1 s; it stays, with the time taken.
    title : str
        Of the method, in front of the bar.

    Yields
    ------
    callable
        Takes passes done, passes in all, and how to get the map so far.
    """
    if report is not None:
        yield report
        return
    bar = _Bar(title)
    try:
        yield bar.show
    finally:
        bar.close()


class _Bar:
    """A bar that is not made, nor tqdm imported, before the method has taken a second."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._began_s = time.monotonic()
        self._bar: tqdm[NoReturn] | None = None

    def show(self, done: int, total: int, _partial: object) -> None:
        """Move the bar to the number of passes done."""
        spent_s = time.monotonic() - self._began_s
        if self._bar is None and (done >= total or spent_s <= BAR_AFTER_S):
            return
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(desc=self._title, total=total, unit="pass", file=sys.stderr)
            self._bar.start_t -= spent_s  # the bar counts what went before it, too
            self._bar.last_print_t -= spent_s
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Let the bar stand as it is."""
        if self._bar is not None:
            self._bar.close()
