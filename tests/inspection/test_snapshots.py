"""Attributes and plain containers, put back."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from cnnviz_widgets.inspection.snapshots import Snapshot


def test_attributes_and_what_containers_hold() -> None:
    module = nn.Linear(2, 2)
    nested: dict[str, Any] = {"a": [1, {2}], "b": ([3],)}
    weight = module.weight
    vars(module).update(nested=nested, count=0)
    snapshot = Snapshot([module], hooks=False)
    nested["a"][1].add(9)
    nested["a"].append(5)
    nested["b"][0].clear()
    nested["c"] = []
    vars(module).update(count=4, more=1)
    module.weight = nn.Parameter(torch.ones(2, 2))
    handle = module.register_forward_hook(lambda *_: None)
    snapshot.restore()
    assert vars(module)["nested"] is nested
    assert nested == {"a": [1, {2}], "b": ([3],)}
    assert (vars(module)["count"], "more" in vars(module)) == (0, False)
    assert module.weight is weight
    assert handle.id in module._forward_hooks


def test_hooks_where_they_are_meant() -> None:
    module = nn.Linear(2, 2)
    snapshot = Snapshot([module], hooks=True)
    module.register_forward_hook(lambda *_: None)
    snapshot.restore()
    assert not module._forward_hooks
