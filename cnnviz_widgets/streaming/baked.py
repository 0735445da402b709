"""Answers kept for a page without a kernel: frames with their arrays, packed into one file.

In: what a view may ask, and the frames that answer it. Out: bytes that js/src/baked.ts reads.
"""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from .wire import ALIGNMENT, Header, Json, PayloadError

_COMPRESS_LEVEL = 9
_TAIL = struct.Struct("<I")


@dataclass(frozen=True)
class StoredFrame:
    """One frame of an answer.

    Attributes
    ----------
    header : dict
        As `wire.pack` makes it, without what the request says (view, number, kind, params) unless
        that differs.
    payload : bytes
        Its arrays.
    """

    header: Header
    payload: bytes


@dataclass(frozen=True)
class StoredAnswer:
    """The answer to one request.

    Attributes
    ----------
    kind : str
        Of the request.
    params : dict
        Of the request, with the names in the order in which the view writes them: it is found by
        them, whatever the "tile", which depends on the reader's screen.
    frames : tuple of StoredFrame
        In order; the last is the final one.
    """

    kind: str
    params: Header
    frames: tuple[StoredFrame, ...]

    @property
    def size(self) -> int:
        """Bytes of the arrays."""
        return sum(len(frame.payload) for frame in self.frames)


def pack_answers(answers: Iterable[StoredAnswer]) -> bytes:
    """Pack answers into one compressed file.

    Parameters
    ----------
    answers : iterable of StoredAnswer

    Returns
    -------
    bytes
        gzip of: all payloads, each at a multiple of 8 bytes and equal ones once; a JSON list of
        ``[kind, params, [[header, start, size], ...]]``; where that list begins, uint32 little
        endian. The same answers give the same bytes.
    """
    memory = Memory()
    described = memory.describe(answers)
    return gzip.compress(memory.closed(described), _COMPRESS_LEVEL, mtime=0)


class Memory:
    """The arrays of many frames in one piece of memory, equal ones once, then JSON about them."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._places: dict[bytes, int] = {}
        self._size = 0

    def place(self, payload: bytes) -> int:
        """Put bytes in, unless they are there; return where they begin, a multiple of 8."""
        start = self._places.get(payload)
        if start is None:
            padding = -self._size % ALIGNMENT
            start = self._places[payload] = self._size + padding
            self._pieces += [bytes(padding), payload]
            self._size = start + len(payload)
        return start

    def describe(self, answers: Iterable[StoredAnswer]) -> list[Json]:
        """Put the arrays of answers in; return ``[kind, params, [[header, start, size], ...]]``."""
        return [
            [
                answer.kind,
                answer.params,
                [[f.header, self.place(f.payload), len(f.payload)] for f in answer.frames],
            ]
            for answer in answers
        ]

    def closed(self, described: Json) -> bytes:
        """Return the memory, with a JSON value at its end and where that begins, uint32."""
        text = json.dumps(described, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return b"".join([*self._pieces, text.encode(), _TAIL.pack(self._size)])


def unpack_answers(packed: bytes) -> list[StoredAnswer]:
    """Read what `pack_answers` wrote.

    Raises
    ------
    PayloadError
        It was not written by `pack_answers`.
    """
    try:
        memory = gzip.decompress(packed)
        (start,) = _TAIL.unpack(memory[-_TAIL.size :])
        described = json.loads(memory[start : -_TAIL.size])
        return [_answer(kind, params, frames, memory) for kind, params, frames in described]
    except (OSError, EOFError, ValueError, TypeError, struct.error) as error:
        raise PayloadError(f"these {len(packed)} bytes hold no answers: {error}") from error


def _answer(kind: object, params: object, frames: object, memory: bytes) -> StoredAnswer:
    if not (isinstance(kind, str) and isinstance(params, dict) and isinstance(frames, list)):
        raise TypeError("an answer is [kind, params, frames]")
    stored = tuple(
        StoredFrame(_header(header), memory[start : start + size]) for header, start, size in frames
    )
    return StoredAnswer(kind, params, stored)


def _header(value: object) -> Header:
    if not isinstance(value, Mapping):
        raise TypeError("a header is an object")
    return cast("Header", dict(value))
