"""Functions that hold on to modules."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from torch import nn

from cnnviz_widgets.inspection.closures import reaches_back


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
