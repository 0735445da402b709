"""Frames of a saliency map: what a panel asks for, the map while it grows, and the finished one.

In: a `Map` and how far its method is. Out: header fields and arrays, with no widget in sight.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cnnviz_widgets.attribution.map import Map
from cnnviz_widgets.rendering.quantise import quantise
from cnnviz_widgets.rendering.ranges import channel_ranges
from cnnviz_widgets.streaming.messages import MessageError, read_name, read_whole
from cnnviz_widgets.streaming.wire import Json
from cnnviz_widgets.words import told

from .base import Frame

Parameters = tuple[tuple[str, bool | int | float | str], ...]
"""Values of a method's parameters by name, sorted, so that equal ones compare equal."""


@dataclass(frozen=True)
class Question:
    """What a panel wants to see.

    Attributes
    ----------
    method : str
        Name in the registry.
    parameters : tuple of (name, value)
        Those that are not left at their defaults, sorted by name.
    target : int or None
        Class; None is the top prediction.
    image : int
        Place in the batch.
    layer : str or None
        For methods at a layer; None is the last with a spatial grid.
    """

    method: str
    parameters: Parameters
    target: int | None
    image: int
    layer: str | None


def read_question(params: Mapping[str, object]) -> Question:
    """Read the params of a request.

    Raises
    ------
    MessageError
        When a field is missing or of another type.
    """
    return Question(
        method=read_name(params, "method"),
        parameters=sorted_parameters(params.get("parameters")),
        target=None if params.get("target") is None else read_whole(params, "target"),
        image=read_whole(params, "image"),
        layer=None if params.get("layer") is None else read_name(params, "layer"),
    )


def sorted_parameters(given: object) -> Parameters:
    """Read the values of parameters; None is the same as none.

    Raises
    ------
    MessageError
        When it is no object of numbers, texts and truth values.
    """
    if given is None:
        return ()
    if not isinstance(given, dict):
        raise MessageError(f"parameters={given!r} must be an object of names and values.")
    for name, value in given.items():
        if not isinstance(name, str) or not isinstance(value, (bool, int, float, str)):
            raise MessageError(f"parameters[{name!r}]={value!r} must be a number, text or bool.")
    return tuple(sorted(given.items()))


def progress_frame(done: int, total: int) -> Frame:
    """Say how far a method is that has nothing new to show; 0 in total: nobody knows."""
    return Frame({"done": done, "total": total}, final=False)


def partial_frame(found: Map, *, done: int, total: int) -> Frame:
    """Show the map so far, in codes: 1 byte a value, since it is looked at for a moment.

    Parameters
    ----------
    found : Map
        With the passes and seconds so far.
    done, total : int
        How far the method is.

    Returns
    -------
    Frame
        Arrays "codes" uint8 (1, h, w) and "range" float32 (2,), the values of codes 0 and 252.
    """
    maps = np.ascontiguousarray(found.values, np.float32)[None]
    low, high = channel_ranges(maps)
    arrays = {"codes": quantise(maps, low, high), "range": np.concatenate([low, high])}
    return Frame({**_facts(found), "done": done, "total": total}, arrays, final=False)


def map_frame(found: Map) -> Frame:
    """Show the finished map: its array "values", float32 (h, w), is exact, 4 bytes a value.

    Clipping at a percentile and the value under the pointer need no more than that, so neither
    costs a round trip.
    """
    return Frame(_facts(found), {"values": np.ascontiguousarray(found.values, np.float32)})


def _facts(found: Map) -> dict[str, Json]:
    """Say what a panel tells of its map."""
    forward, backward = found.passes
    return {
        "layer": found.layer,
        "status": found.status,
        "note": told(found.note),
        "target": {
            "index": found.target_index,
            "name": found.target_name,
            # What explains a layer's values has no score.
            "score": found.score if math.isfinite(found.score) else None,
            "score_kind": found.score_kind,
        },
        "forward": forward,
        "backward": backward,
        "seconds": found.seconds,
    }


class RecentFrames:
    """Finished frames by what was asked, bounded in bytes, the least recently used one out first.

    Safe to use from several threads.

    Parameters
    ----------
    limit_bytes : int
        Of the arrays kept; one that is larger is not kept.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._frames: OrderedDict[tuple[Question, int], Frame] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, question: Question, epoch: int) -> Frame | None:
        """Return the answer to this question in this state of the Inspector, or None."""
        with self._lock:
            frame = self._frames.get((question, epoch))
            if frame is not None:
                self._frames.move_to_end((question, epoch))
            return frame

    def put(self, question: Question, epoch: int, frame: Frame) -> None:
        """Keep an answer, and forget all that belong to another state."""
        with self._lock:
            self._put(question, epoch, frame)

    def _put(self, question: Question, epoch: int, frame: Frame) -> None:
        for key in [key for key in self._frames if key[1] != epoch or key[0] == question]:
            self._bytes -= _size(self._frames.pop(key))
        if _size(frame) > self._limit:
            return
        self._frames[question, epoch] = frame
        self._bytes += _size(frame)
        while self._bytes > self._limit:
            self._bytes -= _size(self._frames.popitem(last=False)[1])


def _size(frame: Frame) -> int:
    return sum(array.nbytes for array in frame.arrays.values())
