"""How much of the machine others used while something was timed.

In: /proc/stat (through psutil) and the CPU times of this process and its children.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from typing_extensions import Self

TOO_NOISY = 0.15
"""Share of the machine taken by others from which on a round is left out."""


class ForeignLoad:
    """Measure the share of the machine that others used inside a `with` block.

    Attributes
    ----------
    share : float
        0 to 1 of all cores, known when the block ends. Own are this process and its
        descendants that live through the block; stolen time counts as foreign.
    """

    share: float = 0.0

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        self._busy = _machine_busy()
        self._own = _own_busy()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        own = _own_busy()
        elapsed = max(time.monotonic() - self._started, 1e-3)
        ours = sum(own[pid] - self._own.get(pid, 0.0) for pid in own)
        foreign = _machine_busy() - self._busy - ours
        self.share = min(1.0, max(0.0, foreign / (elapsed * (psutil.cpu_count() or 1))))


def _machine_busy() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.system + times.nice + times.irq + times.softirq + times.steal)


def _own_busy() -> dict[int, float]:
    own: dict[int, float] = {}
    here = psutil.Process()
    for process in [here, *here.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        own[process.pid] = times.user + times.system
    return own


def quiet(rounds: list[tuple[float, float]]) -> tuple[list[float], str]:
    """Keep the rounds during which others left the machine alone.

    Parameters
    ----------
    rounds : list of (figure, foreign share)

    Returns
    -------
    figures : list of float
        Of the quiet rounds; of the quieter half when fewer than half are quiet.
    note : str
        Says how many were left out and how noisy the rest were.
    """
    kept = [pair for pair in rounds if pair[1] <= TOO_NOISY]
    if 2 * len(kept) < len(rounds):
        kept = sorted(rounds, key=lambda pair: pair[1])[: (len(rounds) + 1) // 2]
    most = max(share for _, share in kept)
    dropped = len(rounds) - len(kept)
    note = f"{len(kept)} rounds, others <= {most:.0%} of the CPU"
    return [figure for figure, _ in kept], note + (f", {dropped} noisier dropped" * bool(dropped))
