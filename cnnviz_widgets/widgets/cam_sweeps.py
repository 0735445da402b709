"""Sweeps that a CamSlider has computed, kept so that exact maps of a layer cost no pass again.

In: a `CamSweep`. Out: its `Map`s. Bounded in bytes, the least recently used class out first.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from cnnviz_widgets.attribution.map import Map
from cnnviz_widgets.attribution.sweep import CamSweep

Key = tuple[str, int, int]
"""Method, picture, class."""


class RecentSweeps:
    """Sweeps by method, picture and class, of one state of the model.

    Safe to use from several threads: what is baked is computed beside the views' worker.

    Parameters
    ----------
    limit_bytes : int
        Of the values kept.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._epoch = -1
        self._kept: OrderedDict[Key, tuple[CamSweep, int, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def put(self, epoch: int, method: str, image: int, sweep: CamSweep) -> None:
        """Keep a sweep; those of another state of the model are forgotten."""
        share = sum(sweep.values_of(layer).nbytes for layer in sweep.layers) // len(sweep.targets)
        with self._lock:
            self._adopt(epoch)
            for place, target in enumerate(sweep.targets):
                if target.index is None:
                    continue
                key = (method, image, target.index)
                self._bytes += share - self._kept.pop(key, (sweep, place, 0))[2]
                self._kept[key] = (sweep, place, share)
            while self._bytes > self._limit and self._kept:
                self._bytes -= self._kept.popitem(last=False)[1][2]

    def find(
        self, epoch: int, method: str, image: int, layer: str, classes: Sequence[int]
    ) -> list[Map] | None:
        """Return the maps of a layer, one for each class, or None unless all are here."""
        found: list[tuple[CamSweep, int]] = []
        with self._lock:
            self._adopt(epoch)
            for target in classes:
                sweep, place, _ = self._kept.get((method, image, target), (None, 0, 0))
                if sweep is None or layer not in sweep.layers:
                    return None
                self._kept.move_to_end((method, image, target))
                found.append((sweep, place))
        return [sweep.map_at(layer, place) for sweep, place in found]

    def whole(
        self, epoch: int, method: str, image: int, classes: Sequence[int]
    ) -> tuple[CamSweep, list[int]] | None:
        """Return a sweep that has all these classes, and their places in it, or None."""
        with self._lock:
            self._adopt(epoch)
            kept = [self._kept.get((method, image, target)) for target in classes]
        first = kept[0]
        if first is None or any(each is None or each[0] is not first[0] for each in kept):
            return None
        return first[0], [each[1] for each in kept if each is not None]

    def _adopt(self, epoch: int) -> None:
        if epoch != self._epoch:
            self._kept.clear()
            self._bytes, self._epoch = 0, epoch
