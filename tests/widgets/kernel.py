"""The kernel's side without a browser: a small network, and a widget whose messages are kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
import torch
from torch import nn

from cnnviz_widgets.streaming.wire import unpack
from cnnviz_widgets.widgets.base import InspectorWidget
from cnnviz_widgets.widgets.layer_browser import LayerBrowser

CLASS_NAMES = ("ant", "bee", "cat")


class TinyNet(nn.Module):
    """conv (2 channels, fixed weights) -> relu in place -> mean -> three class scores."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(2, 3, bias=False)
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor([1.0, -2.0]).reshape(2, 1, 1, 1))
            self.fc.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.fc(self.pool(self.relu(self.conv(x))).flatten(1))
        return scores


def tiny_inputs(batch: int = 2) -> torch.Tensor:
    """Pictures of 3 x 4 values: 0, 1, 2 ... 11, and the same times -1 for the second."""
    ramp = torch.arange(12.0).reshape(1, 1, 3, 4)
    return torch.cat([ramp, -ramp])[:batch]


class Sent:
    """What a widget sent, in order."""

    def __init__(self) -> None:
        self.messages: list[tuple[dict[str, Any], list[bytes]]] = []

    def __call__(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        self.messages.append((content, buffers or []))

    def of(self, seq: int) -> list[dict[str, Any]]:
        return [content for content, _ in self.messages if content.get("seq") == seq]

    def wait(self, seq: int, *, timeout_s: float = 10.0) -> dict[str, Any]:
        """Wait for the last message that answers request `seq`."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for content in self.of(seq):
                if content["type"] == "err" or content.get("final"):
                    return content
            time.sleep(0.002)
        raise AssertionError(f"no answer to request {seq}; sent: {[c for c, _ in self.messages]}")

    def arrays(self, content: Mapping[str, Any]) -> dict[str, npt.NDArray[Any]]:
        for header, buffers in self.messages:
            if header is content:
                return unpack(header, buffers[0])
        raise AssertionError("that message was not sent")


def browser(**options: Any) -> tuple[LayerBrowser, Sent]:
    """A LayerBrowser on the tiny network, and what it sends."""
    options = {"class_names": CLASS_NAMES, **options}
    widget = LayerBrowser(TinyNet(), tiny_inputs(), **options)
    return widget, listen(widget)


def listen(widget: InspectorWidget) -> Sent:
    """Keep what a widget sends from now on."""
    sent = Sent()
    widget.send = sent
    return sent


def ask(widget: InspectorWidget, seq: int, kind: str, **params: Any) -> None:
    """Send a request as a view does."""
    message = {"type": "req", "cid": "view", "seq": seq, "kind": kind, "params": params}
    widget._handle_custom_msg(message, [])


def english(message: str | dict[str, str]) -> str:
    """Return what a message says in English, whether or not it has other languages."""
    return message["en"] if isinstance(message, dict) else message


def assert_refused(
    widget: InspectorWidget, sent: Sent, message: str, kind: str, **params: Any
) -> None:
    """Check that a bad request is answered with what is wrong, and the next one as ever."""
    ask(widget, 1, kind, **params)
    answer = sent.wait(1)
    assert answer["type"] == "err"
    assert message in english(answer["message"])
    ask(widget, 2, "input", image=0)
    assert sent.wait(2)["type"] == "frame"
