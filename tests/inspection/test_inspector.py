"""The Inspector: its layers, changes that it sees, threads, budgets, and what it refuses."""

from __future__ import annotations

import gc
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector, ModelBusyError
from tests.inspection import models
from tests.inspection.busy import used_elsewhere
from tests.inspection.twin import plain_outputs


def test_layers_in_execution_order_with_their_figures() -> None:
    inspector = Inspector(models.built(models.Plain()), models.pictures())
    assert [info.name for info in inspector.layers] == [
        "conv1", "bn", "relu#1", "conv2", "relu#2", "pool", "fc",
    ]  # fmt: skip
    conv2 = inspector.find("conv2")
    assert (conv2.index, conv2.type, conv2.shape, conv2.dtype) == (
        3, "Conv2d", (2, 6, 12, 10), "float32",
    )  # fmt: skip
    assert (conv2.parameters, conv2.trainable, conv2.layout) == (6 * 4 * 9 + 6, 222, "NCHW")
    assert conv2.multiply_adds == 12 * 10 * 6 * 4 * 9
    assert inspector.find("fc").multiply_adds == 30


def test_what_is_printed_fits_a_line() -> None:
    x = models.pictures()
    inspector = Inspector(models.built(models.Plain()), x, class_names=list("abcde"))
    assert repr(inspector) == f"Inspector(Plain, inputs {tuple(x.shape)} float32)"
    assert (
        repr(inspector.find("conv2"))
        == "LayerInfo('conv2', Conv2d, (2, 6, 12, 10), 222 parameters)"
    )
    assert repr(inspector.find("pool")).endswith(", 1))")
    assert re.fullmatch(
        r"Prediction\(\d, '[a-e]', score -?[\d.e-]+, probability [\d.e-]+\)",
        repr(inspector.predictions()[0][0]),
    )


def test_weights_that_change_are_seen() -> None:
    """An optimiser step, a swap of memory, and a new module each make the old values stale."""
    model, x = models.built(models.Plain()), models.pictures()
    inspector = Inspector(model, x, class_names=list("abcde"))
    with torch.no_grad():
        model.get_parameter("conv1.weight").add_(1)
    assert torch.equal(inspector.activation("conv1"), plain_outputs(model, x)[0]["conv1", 1])
    assert inspector.epoch == 1
    model.get_parameter("conv1.weight").data = torch.ones(4, 3, 3, 3)
    assert torch.equal(inspector.activation("conv1"), plain_outputs(model, x)[0]["conv1", 1])
    model.add_module("relu", nn.Sigmoid())
    assert torch.equal(inspector.activation("relu#1"), plain_outputs(model, x)[0]["relu", 1])
    assert inspector.epoch == inspector.check() == 3


def test_refresh_sees_writes_that_torch_does_not_count() -> None:
    model, x = models.built(models.Plain()), models.pictures()
    inspector = Inspector(model, x)
    model.get_parameter("conv1.weight").data.fill_(0.5)
    inspector.refresh()
    assert torch.equal(inspector.activation("conv1"), plain_outputs(model, x)[0]["conv1", 1])


def test_listeners_hear_of_changes_and_are_not_kept_alive() -> None:
    class Listener:
        def __init__(self) -> None:
            self.heard = 0

        def hear(self) -> None:
            self.heard += 1

    inspector = Inspector(models.built(models.Plain()), models.pictures())
    listener, epochs = Listener(), []
    inspector.on_change(listener.hear)
    inspector.on_change(lambda: epochs.append(inspector.epoch))
    inspector.set_inputs(models.pictures(1))
    inspector.activation("conv1")
    assert (listener.heard, epochs) == (1, [1])
    del listener
    gc.collect()
    inspector.refresh()
    assert epochs == [1, 2]


def test_a_call_that_waits_says_that_the_model_is_busy() -> None:
    inspector = Inspector(models.built(models.Plain()), models.pictures())
    busy = pytest.raises(ModelBusyError, match="the model is busy")
    with used_elsewhere(inspector.lock), busy:
        inspector.activation("conv1", wait=0.05)
    assert inspector.activation("conv1", wait=0.05).shape == (2, 4, 12, 10)


def test_other_threads_wait_for_the_timeout_only() -> None:
    inspector = Inspector(models.built(models.Plain()), models.pictures())
    inspector.busy_timeout_s = 0.05
    errors: list[str] = []

    def ask() -> None:
        try:
            inspector.maps("conv1")
        except ModelBusyError as error:
            errors.append(str(error))

    with inspector.lock:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert len(errors) == 1
    assert "for 0.05 s" in errors[0]


def test_grad_mode_is_set_in_every_thread() -> None:
    inspector = Inspector(models.built(models.Plain()), models.pictures())
    got: list[Tensor] = []
    with torch.inference_mode():
        thread = threading.Thread(target=lambda: got.append(inspector.gradient("conv1", 1)))
        thread.start()
        thread.join()
    assert torch.equal(got[0], inspector.gradient("conv1", 1))


@pytest.mark.parametrize("budget", [0, 3000, 60000])
def test_values_that_do_not_fit_are_computed_again(budget: int) -> None:
    model, x = models.built(models.Plain(inplace=True)), models.pictures()
    inspector = Inspector(model, x, cache_bytes=budget)
    whole = Inspector(model, x)
    for info in inspector.modules:
        assert torch.equal(inspector.activation(info.name), whole.activation(info.name))
        assert torch.equal(inspector.gradient(info.name, 1), whole.gradient(info.name, 1))
        got = inspector.maps(info.name, side="input").values
        np.testing.assert_array_equal(got, whole.maps(info.name, side="input").values)
        held = inspector.cache_info()
        assert held["trace_bytes"] + held["gradient_bytes"] <= budget
    assert (inspector.cache_info()["layers_recomputed"] > 0) == (budget < 60000)


def test_a_result_is_the_callers_own() -> None:
    """Writing to what was returned changes nothing that is kept."""
    inspector = Inspector(models.built(models.Plain()), models.pictures())
    before = inspector.activation("conv1")
    inspector.activation("conv1").zero_()
    inspector.gradient("conv1", 0).zero_()
    assert torch.equal(inspector.activation("conv1"), before)
    assert inspector.gradient("conv1", 0).abs().sum() > 0
    with pytest.raises(ValueError, match="read-only"):
        inspector.maps("conv1").values[:] = 0


def test_some_layers_only() -> None:
    model = nn.Sequential(models.built(models.Plain()), nn.ReLU())
    inspector = Inspector(model, models.pictures(), layers=["0.conv1", "1"])
    assert [info.name for info in inspector.modules] == ["0.conv1", "1"]
    with pytest.raises(ValueError, match=r"layer='0.conv9' is not a layer.*close matches"):
        Inspector(model, models.pictures(), layers=["0.conv9"])


def test_a_root_that_is_itself_a_layer() -> None:
    inspector = Inspector(nn.Conv2d(3, 2, 3), models.pictures())
    assert [info.name for info in inspector.layers] == ["model"]
    assert not inspector.has_scores
    assert inspector.predictions() == [[], []]


def test_a_model_whose_path_depends_on_the_picture() -> None:
    """Layers follow the path that each picture takes."""

    inspector = Inspector(models.built(models.Branches()), torch.ones(1, 3, 6, 6))
    assert [info.name for info in inspector.layers] == ["conv", "bright"]
    inspector.set_inputs(-torch.ones(1, 3, 6, 6))
    assert [info.name for info in inspector.layers] == ["conv", "dark"]


BAD_CALLS: dict[str, tuple[Any, type[Exception], str]] = {
    "model is no module": (
        lambda x: Inspector(3, x),  # type: ignore[arg-type]
        TypeError,
        r"model=3 is a int; give a torch.nn.Module",
    ),
    "model is a class": (
        lambda x: Inspector(nn.ReLU, x),  # type: ignore[arg-type]
        TypeError,
        r"is a type; give a torch.nn.Module; call it to make one",
    ),
    "no layers": (
        lambda x: Inspector(nn.Sequential(), x),
        ValueError,
        r"model=Sequential has no layers",
    ),
    "lazy": (
        lambda x: Inspector(nn.Sequential(nn.LazyConv2d(3, 3)), x),
        ValueError,
        r"has no shape yet for '0.weight', a lazy parameter",
    ),
    "class names": (
        lambda x: Inspector(models.Plain(), x, class_names=["a"]),
        ValueError,
        r"class_names has 1 names, but the model's output has 5 classes; give 5 names",
    ),
    "class names type": (
        lambda x: Inspector(models.Plain(), x, class_names="abcde"),
        TypeError,
        r"class_names='abcde' must be a sequence of strings",
    ),
    "unknown keyword": (
        lambda x: Inspector(models.Plain(), x, classnames=[]),  # type: ignore[arg-type]
        TypeError,
        r"Inspector got classnames=.*did you mean 'class_names'",
    ),
    "layouts": (
        lambda x: Inspector(models.Plain(), x, layouts={"conv1": "NC"}),
        ValueError,
        r"layout='NC' does not fit 'conv1' of shape \(2, 4, 12, 10\); possible: NCHW, NHWC",
    ),
    "image": (
        lambda x: Inspector(models.Plain(), x).maps("conv1", 2),
        ValueError,
        r"image=2 is not in the batch of 2; give 0 to 1",
    ),
    "side": (
        lambda x: Inspector(models.Plain(), x).maps("conv1", side="left"),  # type: ignore[arg-type]
        ValueError,
        r"side='left' must be 'output' or 'input'",
    ),
    "k": (
        lambda x: Inspector(models.Plain(), x).predictions(0),
        ValueError,
        r"k=0 must be a whole number of at least 1",
    ),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_input_raises_at_the_call(case: str) -> None:
    call, error, text = BAD_CALLS[case]
    with pytest.raises(error, match=text):
        call(models.pictures())


def test_bad_inputs_leave_the_old_ones_in_force(tmp_path: Path) -> None:
    model, x = models.built(models.Plain()), models.pictures()
    inspector = Inspector(model, x)
    before = inspector.activation("conv1")
    for bad in (torch.zeros(2, 2), torch.zeros(0, 3, 4, 4), str(tmp_path / "none.png"), 3):
        with pytest.raises((ValueError, TypeError, FileNotFoundError), match="inputs"):
            inspector.set_inputs(bad)
    with pytest.raises(RuntimeError, match="expected input"):
        inspector.set_inputs(torch.zeros(1, 7, 9, 9))
    assert inspector.batch_size == 2
    assert inspector.epoch == 0
    assert torch.equal(inspector.activation("conv1"), before)


def test_the_models_own_error_says_where() -> None:
    """The same exception object comes through, with a note."""
    with pytest.raises(RuntimeError, match="expected input") as caught:
        Inspector(models.Plain(), torch.zeros(1, 4, 9, 9))
    (note,) = caught.value.__notes__  # type: ignore[attr-defined,unused-ignore]  # PEP 678
    assert "layer 'conv1' (Conv2d) on an input of shape (1, 4, 9, 9)" in note
