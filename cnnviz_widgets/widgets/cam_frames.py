"""Frames of class-activation maps: a whole sweep in few bytes, and exact maps of one layer.

In: a `CamSweep`. Out: header fields and arrays, with no widget in sight.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

import numpy as np
import numpy.typing as npt

from cnnviz_widgets.attribution.map import Map
from cnnviz_widgets.attribution.status import Status
from cnnviz_widgets.attribution.sweep import CamSweep
from cnnviz_widgets.rendering.quantise import quantise
from cnnviz_widgets.rendering.ranges import channel_ranges
from cnnviz_widgets.streaming.wire import Json
from cnnviz_widgets.words import told

from .base import Frame

Floats = npt.NDArray[np.float32]

STATUSES: tuple[Status, ...] = get_args(Status)
FRAME_BYTES = 400_000
"""Codes in one frame: few enough that the first maps come soon, and a slide gets through."""


def sweep_frames(sweep: CamSweep, places: Sequence[int] | None = None) -> Iterator[Frame]:
    """Send the maps of layers and targets in codes, 1 byte a value, 2 where any is negative.

    Parameters
    ----------
    sweep : CamSweep
        Of targets that are classes.
    places : sequence of int, optional
        Which of its targets, by their places; all by default.

    Yields
    ------
    Frame
        Not final. Fields "layers" (names) and "notes" (texts). Arrays: "table" uint32 (M, 7), one
        row a map: place in "layers", class, height, width, place in `STATUSES`, place in "notes"
        from 1 or 0 for none, and whether there are negative values; "ranges" float32 (M, 2), its
        lowest value or 0 and its highest or 0; "codes" uint8, for each map those of the positive
        part, of 0 to highest, then, where there are any, of the negative part, of lowest to 0.

    Notes
    -----
    The two parts have codes of their own so that a map of large negative and small positive values
    is as fine as any when it is rectified: the error is at most 1/504 of its own highest value.
    """
    group = _Group()
    for layer in sweep.layers:
        group.add(layer, sweep, places)
        if group.nbytes >= FRAME_BYTES:
            yield group.frame()
            group = _Group()
    if group.nbytes:
        yield group.frame()


class _Group:
    """Maps that travel together."""

    def __init__(self) -> None:
        self._layers: list[str] = []
        self._notes: list[str] = []
        self._rows: list[tuple[int, ...]] = []
        self._ranges: list[Floats] = []
        self._codes: list[npt.NDArray[np.uint8]] = []
        self.nbytes = 0

    def add(self, layer: str, sweep: CamSweep, places: Sequence[int] | None) -> None:
        """Add the maps of one layer, for the targets at these places or for all."""
        self._layers.append(layer)
        values = sweep.values_of(layer)
        if places is None:
            places = range(len(values))
        else:
            values = values[list(places)]
        positive, negative = np.maximum(values, 0), np.minimum(values, 0)
        zeros = np.zeros(len(values), np.float32)
        high, low = channel_ranges(positive)[1], channel_ranges(negative)[0]
        above, below = quantise(positive, zeros, high), quantise(negative, low, zeros)
        for row, place in enumerate(places):
            found = sweep.map_at(layer, place)
            is_signed = bool((low[row] < 0) | np.isneginf(values[row]).any())
            codes = [above[row], below[row]] if is_signed else [above[row]]
            self._codes += [part.ravel() for part in codes]
            self._ranges.append(np.array([low[row], high[row]], np.float32))
            self._rows.append(
                (
                    len(self._layers) - 1,
                    found.target_index or 0,
                    *values.shape[1:],
                    STATUSES.index(found.status),
                    self._note(found.note),
                    int(is_signed),
                )
            )
            self.nbytes += sum(part.nbytes for part in codes)

    def _note(self, note: str | None) -> int:
        if note is None:
            return 0
        if note not in self._notes:
            self._notes.append(note)
        return self._notes.index(note) + 1

    def frame(self) -> Frame:
        """Return the frame."""
        arrays: dict[str, npt.NDArray[np.generic]] = {
            "table": np.array(self._rows, np.uint32),
            "ranges": np.stack(self._ranges),
            "codes": np.concatenate(self._codes),
        }
        fields: dict[str, Json] = {
            "layers": list(self._layers),
            "notes": [told(note) for note in self._notes],
        }
        return Frame(fields, arrays, kind="maps", final=False)


def exact_frame(maps: Sequence[Map], *, done: int = 0, total: int = 0, final: bool = True) -> Frame:
    """Send maps of one layer, one for each class, as they are.

    Parameters
    ----------
    maps : sequence of Map
        Of one layer and size.
    done, total : int
        Passes, where the maps are still being computed.
    final : bool
        Whether they are finished.

    Returns
    -------
    Frame
        Array "values" float32 (K, h, w), 4 bytes a value; fields "classes", "statuses" and "notes"
        with one entry each.
    """
    fields: dict[str, Json] = {
        "classes": [found.target_index for found in maps],
        "statuses": [STATUSES.index(found.status) for found in maps],
        "notes": [told(found.note) for found in maps],
        "done": done,
        "total": total,
    }
    values = np.stack([np.asarray(found.values, np.float32) for found in maps])
    return Frame(fields, {"values": values}, final=final)
