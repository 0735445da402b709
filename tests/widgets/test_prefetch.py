"""Layers sent ahead: in order, within the bytes, and never in anybody's way."""

from __future__ import annotations

from typing import cast

import numpy as np

from cnnviz_widgets.streaming.messages import Request
from cnnviz_widgets.streaming.wire import Header
from cnnviz_widgets.widgets.base import Frame, Reply
from cnnviz_widgets.widgets.prefetch import frames_ahead


class Calm:
    """A reply that nobody is waiting behind, until `layers` were sent."""

    stale = False

    def __init__(self, layers: int = 99) -> None:
        self.left = layers

    @property
    def waiting(self) -> bool:
        self.left -= 1
        return self.left < 0


def make(name: str) -> tuple[Frame, Header]:
    return Frame({"kind_of": "maps"}, {"codes": np.zeros(10, np.uint8)}), {"layer": name}


def ahead(names: list[str], size: int, reply: Calm) -> list[Frame]:
    request = Request("view", 1, "prefetch", {"layers": names, "bytes": size})
    return list(frames_ahead(request, cast("Reply", reply), make))


def test_layers_come_in_order_and_the_last_frame_names_them() -> None:
    *layers, last = ahead(["a", "b"], 100, Calm())
    assert [frame.params for frame in layers] == [{"layer": "a"}, {"layer": "b"}]
    assert all(frame.kind == "layer" and not frame.final for frame in layers)
    assert layers[0].fields == {"kind_of": "maps", "prefetch": True}
    assert last.fields == {"sent": ["a", "b"]}
    assert last.final


def test_the_bytes_end_it_with_the_layer_that_uses_them_up() -> None:
    assert ahead(["a", "b", "c"], 11, Calm())[-1].fields == {"sent": ["a", "b"]}
    assert ahead(["a"], 0, Calm())[-1].fields == {"sent": []}


def test_another_request_ends_it() -> None:
    assert ahead(["a", "b", "c"], 100, Calm(1))[-1].fields == {"sent": ["a"]}
