"""A view without a browser: asks a widget as a page would, and keeps what comes back.

In: a widget. Out: headers and payloads as they would go over the wire.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from queue import Queue
from typing import Any


@dataclass(frozen=True)
class Answer:
    """A frame: its header, and the size of its parts in bytes."""

    header: dict[str, Any]
    header_bytes: int
    payload_bytes: int

    @property
    def values(self) -> int:
        """How many values the frame shows: its codes, or the numbers of a vector."""
        for array in self.header["arrays"]:
            if array["name"] in {"codes", "values"}:
                count = 1
                for size in array["shape"]:
                    count *= size
                return count
        return 0


class View:
    """Stands in for a page that shows `widget`; takes over its comm."""

    def __init__(self, widget: Any) -> None:
        self._widget = widget
        self._answers: Queue[tuple[dict[str, Any], list[bytes]]] = Queue()
        self._seq = itertools.count(1)
        widget.comm.send = self._take
        self._say({"type": "hello", "v": 1, "cid": "bench", "dpr": 1, "visible": True})
        self._next("welcome")

    def ask(self, kind: str, **params: object) -> list[Answer]:
        """Ask, and wait for every frame of the answer.

        Raises
        ------
        RuntimeError
            The kernel answered with an error, or not within a minute.
        """
        seq = next(self._seq)
        self._say({"type": "req", "cid": "bench", "seq": seq, "kind": kind, "params": params})
        frames = [self._next("frame")]
        while not frames[-1].header["final"]:
            frames.append(self._next("frame"))
        return frames

    def _next(self, sort: str) -> Answer:
        content, buffers = self._answers.get(timeout=60)
        if content["type"] != sort:
            msg = f"asked for a {sort}, got {content}"
            raise RuntimeError(msg)
        header = json.dumps(content, separators=(",", ":")).encode()
        return Answer(content, len(header), sum(len(part) for part in buffers))

    def _say(self, content: dict[str, object]) -> None:
        data = {"method": "custom", "content": content}
        self._widget._handle_msg({"content": {"data": data}, "buffers": []})

    def _take(self, data: dict[str, Any], buffers: list[bytes] | None = None, **_: object) -> None:
        if data.get("method") == "custom":
            self._answers.put((data["content"], buffers or []))
