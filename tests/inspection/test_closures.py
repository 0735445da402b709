"""Functions that hold on to modules."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.closures import reaches_back
from tests.inspection import models
from tests.inspection.promise import unchanged


def _calling(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: function(x)


HOLDERS: dict[str, Callable[[nn.Module], Any]] = {
    "closure": lambda m: lambda x: m(x),
    "default": lambda m: lambda x, inner=m: inner(x),
    "closure over a bound method": lambda m: _calling(m.forward),
    "closure over a partial": lambda m: _calling(functools.partial(m)),
    "function in a dict": lambda m: {"f": [lambda x: m(x)]},
}


@pytest.mark.parametrize("kind", HOLDERS)
def test_functions_that_reach_the_original(kind: str) -> None:
    original, copy = nn.Linear(2, 2), nn.Linear(2, 2)
    ids = frozenset({id(original)})
    copy.held = HOLDERS[kind](copy)
    assert not reaches_back(copy, ids)
    copy.held = HOLDERS[kind](original)
    assert reaches_back(copy, ids)


def test_hooks_that_reach_the_original_and_the_original_itself() -> None:
    original, copy = nn.Linear(2, 2), nn.Linear(2, 2)
    copy.register_forward_hook(lambda *_: original.eval())
    assert reaches_back(copy, frozenset({id(original)}))
    assert reaches_back(original, frozenset({id(original)}))


def test_a_hook_that_takes_itself_off_takes_it_off_the_original() -> None:
    """As hooks do that are meant for one call: each run would need the user's model as it was."""
    model, x = models.built(models.Plain()), models.pictures()
    handles: list[RemovableHandle] = []

    def once(_module: nn.Module, _args: object, output: Tensor) -> Tensor:
        handles[-1].remove()
        return output + 1

    conv = model.get_submodule("conv1")
    plain = conv(x)
    handles.append(conv.register_forward_hook(once))
    with unchanged(model, x):
        inspector = Inspector(model, x)
        for _ in range(2):
            assert torch.equal(inspector.activation("conv1"), plain + 1)
            inspector.set_inputs(x)
        assert "cannot be copied" in " ".join(inspector.notices)
    assert len(conv._forward_hooks) == 1
