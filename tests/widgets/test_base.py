"""What all widgets share: arguments, the handshake, closing, and the promise to the model."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import torch

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.widgets import base
from cnnviz_widgets.widgets.layer_browser import LayerBrowser
from tests.inspection.busy import used_elsewhere
from tests.inspection.promise import unchanged
from tests.widgets.kernel import TinyNet, ask, browser, tiny_inputs


def test_hello_is_answered_with_the_epoch() -> None:
    widget, sent = browser()
    widget._handle_custom_msg({"type": "hello", "v": 1, "cid": "a", "dpr": 2, "visible": True}, [])
    assert sent.messages == [({"type": "welcome", "v": 1, "cid": "a", "epoch": 0}, [])]


def test_nonsense_is_answered_and_not_raised() -> None:
    widget, sent = browser()
    widget._handle_custom_msg({"type": "req", "cid": "a", "seq": -1}, [])
    [(answer, _)] = sent.messages
    assert answer["type"] == "err"
    assert "seq=-1 must be a whole number" in answer["message"]


def test_an_unknown_argument_is_named_with_its_neighbour() -> None:
    with pytest.raises(TypeError, match=r"LayerBrowser got clas_names=.* did you mean 'class_nam"):
        LayerBrowser(TinyNet(), tiny_inputs(), clas_names=("a", "b", "c"))


def test_a_model_without_inputs_is_told_what_is_missing() -> None:
    with pytest.raises(TypeError, match="inputs is missing: TinyNet needs something to look at"):
        LayerBrowser(TinyNet())


def test_an_inspector_does_not_take_inputs_again() -> None:
    insp = Inspector(TinyNet(), tiny_inputs())
    with pytest.raises(TypeError, match=r"mean=\.\.\. was given together with an Inspector"):
        LayerBrowser(insp, mean=[0.5])


def test_what_the_inspector_raises_comes_through() -> None:
    with pytest.raises(TypeError, match="model"):
        LayerBrowser("resnet18", tiny_inputs())
    with pytest.raises(ValueError, match="class_names has 2 names, but the model's output has 3"):
        LayerBrowser(TinyNet(), tiny_inputs(), class_names=("a", "b"))


def test_a_missing_bundle_says_how_to_build_it() -> None:
    with pytest.raises(FileNotFoundError, match="a checkout run `make setup`"):
        base.built("no-such-widget.js")


def test_nothing_is_sent_after_close_also_while_the_worker_computes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    widget, sent = browser()
    entered, release = threading.Event(), threading.Event()

    def slow(*_args: object, **_options: object) -> None:
        entered.set()
        release.wait(10)
        raise RuntimeError("the answer that nobody waits for")

    monkeypatch.setattr(Inspector, "maps", slow)
    ask(widget, 1, "layer", layer="conv", image=0, tile=64)
    assert entered.wait(10)
    thread = widget._worker.thread
    widget.close()
    release.set()
    assert thread is not None
    thread.join(10)
    assert not thread.is_alive()
    assert sent.messages == []


def test_a_busy_model_is_answered_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    widget, sent = browser()
    monkeypatch.setattr(widget.inspector, "busy_timeout_s", 0.05)
    with used_elsewhere(widget.inspector.lock):
        started = time.monotonic()
        ask(widget, 1, "layer", layer="conv", image=0, tile=64)
        answer = sent.wait(1)
    assert time.monotonic() - started < 2
    assert answer["type"] == "err"
    assert "the model is busy" in answer["message"]["en"]
    assert "模型正忙" in answer["message"]["zh"]


def test_an_answer_can_send_frames_from_within_a_callback(monkeypatch: pytest.MonkeyPatch) -> None:
    widget, sent = browser()

    def in_parts(_widget: object, _request: object, reply: base.Reply) -> Iterator[base.Frame]:
        for done in range(2):
            assert reply.send(base.Frame({"done": done}, final=False))
        yield base.Frame({"done": 2})

    monkeypatch.setitem(LayerBrowser.ANSWERS, "parts", in_parts)
    ask(widget, 1, "parts")
    sent.wait(1)
    assert [(part["done"], part["final"]) for part in sent.of(1)] == [
        (0, False), (1, False), (2, True),
    ]  # fmt: skip


@pytest.mark.parametrize("training", [False, True])
def test_a_widget_leaves_the_model_as_it_was(training: bool) -> None:
    model, inputs = TinyNet().train(training), tiny_inputs()
    with unchanged(model, inputs):
        widget = LayerBrowser(model, inputs)
        ask(widget, 1, "layer", layer="relu", image=0, tile=64)
        ask(widget, 2, "input", image=0)
        widget.inspector.predictions()
        widget.close()


def test_two_widgets_share_one_forward_pass() -> None:
    calls = []

    class Counting(TinyNet):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            calls.append(1)
            return super().forward(x)

    insp = Inspector(Counting(), tiny_inputs())
    made = len(calls)
    LayerBrowser(insp), LayerBrowser(insp)
    assert len(calls) == made
