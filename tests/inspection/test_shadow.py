"""The shadow: new modules over the same weights."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.shadow import Shadow, state_of, unwrap
from tests.inspection import models
from tests.inspection.promise import unchanged


def test_modules_are_new_and_weights_are_shared() -> None:
    model = models.built(models.Plain()).train()
    with unchanged(model):
        shadow = Shadow(model)
        assert shadow.isolated
        assert not any(module.training for module in shadow.module.modules())
        twins = zip(model.modules(), shadow.module.modules(), strict=True)
        assert all(ours is not theirs for theirs, ours in twins)
        for theirs, ours in zip(model.parameters(), shadow.module.parameters(), strict=True):
            assert ours.data_ptr() == theirs.data_ptr()
            assert not ours.requires_grad
    module = shadow.module.get_submodule("conv1")
    assert shadow.original_of(module) is model.get_submodule("conv1")


def test_weights_written_in_place_are_seen_at_once() -> None:
    model = models.built(models.Plain())
    shadow = Shadow(model)
    with torch.no_grad():
        model.get_parameter("fc.bias").fill_(3)
    assert shadow.module.get_parameter("fc.bias").eq(3).all()


def test_buffers_are_copies_that_follow_the_users() -> None:
    model = models.built(models.Plain())
    shadow = Shadow(model)
    mine = shadow.module.get_buffer("bn.running_mean")
    mine.fill_(9)
    with shadow.guard():
        assert torch.equal(mine, model.get_buffer("bn.running_mean"))
    model.get_buffer("bn.running_mean").fill_(4)
    with shadow.guard():
        assert mine.eq(4).all()


def test_tied_weights_stay_tied() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    shadow = Shadow(model)
    assert shadow.module.get_parameter("0.weight") is shadow.module.get_parameter("1.weight")


def test_wrappers_are_taken_off() -> None:
    model = models.Plain()
    assert unwrap(nn.DataParallel(model)) is model
    inside = nn.Sequential(nn.DataParallel(model))
    assert "0.conv1" in dict(Shadow(inside).module.named_modules())


def test_tensors_that_deepcopy_refuses() -> None:
    """A non-leaf attribute, in a list and plain."""
    model = models.built(models.Plain())
    model.cached = model.get_parameter("fc.weight") * 2
    vars(model)["history"] = [model.get_parameter("fc.bias") * 3]
    with unchanged(model):
        assert Shadow(model).isolated


@pytest.mark.filterwarnings("ignore:.*weight_norm.*is deprecated")
@pytest.mark.parametrize("wrap", [nn.utils.weight_norm, parametrizations.weight_norm])
def test_weight_norm_old_and_new(wrap: Any) -> None:
    """Both compute the weight anew on each call; parametrizations are not layers."""
    model = models.Plain()
    wrap(model.conv2)
    model.eval()
    x = models.pictures()
    inspector = Inspector(model, x)
    assert [info.name for info in inspector.layers if "conv" in info.name] == ["conv1", "conv2"]
    assert torch.equal(inspector.activation("fc"), model(x))


def test_the_state_of_a_model_says_what_changed() -> None:
    model = models.built(models.Plain())
    before = state_of(model)
    assert state_of(model) == before
    with torch.no_grad():
        model.get_parameter("fc.bias").add_(1)
    step = state_of(model)
    assert step.structure == before.structure
    assert step.versions != before.versions
    model.get_parameter("fc.bias").data = torch.zeros(5)
    assert state_of(model).structure != before.structure
    assert state_of(copy.deepcopy(model)).structure != before.structure


def test_a_model_that_cannot_be_copied_runs_itself_and_is_put_back() -> None:
    model, x = models.built(models.NoCopy(inplace=True)).train(), models.pictures()
    with unchanged(model, x):
        inspector = Inspector(model, x)
        assert "no copies of me" in " ".join(inspector.notices)
        assert inspector.activation("conv1").min() < 0  # before the in-place ReLU
        assert inspector.gradient("bn", 0).shape == (2, 4, 12, 10)


class Hanging(models.Plain):
    """Hangs a hook on a layer for one call, and may be kept from taking it off."""

    def forward(self, x: Tensor) -> Any:
        handle = self.conv2.register_forward_hook(lambda _module, _args, output: output * 2)
        result = super().forward(x)
        if x.mean() < 1:
            handle.remove()
        return result


def test_hooks_that_the_model_leaves_behind_are_taken_off() -> None:
    """It raised on another picture, or does not take them off."""
    model, x = models.built(Hanging()), models.pictures()
    with unchanged(model, x):
        inspector = Inspector(model, x)
        expected = inspector.activation("fc")
        with pytest.raises(RuntimeError, match="channels"):
            inspector.set_inputs(models.pictures(channels=2))
        for picture in (x, x + 2, x):
            inspector.set_inputs(picture)
        assert torch.equal(inspector.activation("fc"), expected)
