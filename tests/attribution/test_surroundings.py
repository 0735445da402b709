"""Maps do not depend on what the caller runs under: grad modes, default type, default device."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import cnnviz_widgets as cw
from cnnviz_widgets.attribution.map import Map
from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods import methods
from tests.inspection import models
from tests.inspection.promise import unchanged

FEW: dict[str, dict[str, Any]] = {
    "smoothgradcam++": {"samples": 3},
    "smoothgrad": {"samples": 3},
    "vargrad": {"samples": 3},
    "rise": {"masks": 4},
    "integrated_gradients": {"steps": 4},
}


@contextlib.contextmanager
def double_by_default() -> Iterator[None]:
    """Let torch make float64 tensors where no type is named."""
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


SURROUNDINGS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "float64 by default": double_by_default,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    # Stands for any device that the model is not on: whatever is made there is of no use here.
    "another device by default": lambda: torch.device("meta"),
}


def maps(model: nn.Module, x: Tensor) -> dict[str, Map]:
    """Return a map of every method, made by an Inspector of its own."""
    inspector = Inspector(model, x, mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.3))
    found = {
        f"{family} {method.name}": make(inspector, method.name, **FEW.get(method.name, {}))
        for family, make in (("cam", cw.cam), ("saliency", cw.saliency))
        for method in methods(family)
    }
    for baseline in ("black", "blur"):
        found[baseline] = cw.saliency(inspector, "occlusion", baseline=baseline)
    found["sweep"] = cw.cam_sweep(inspector, "layercam", targets=[0, 1])["conv1", 1]
    found["late"] = cw.cam_sweep(inspector, "gradcam", targets=[0, 1])["conv2", 1]
    return found


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_every_map_is_that_of_a_plain_call(name: str) -> None:
    model, x = models.built(models.Plain(inplace=True)), models.pictures()
    if name == "autocast":
        model.double()  # which it leaves as it is: what it rounds is the maps' own sums
    with SURROUNDINGS[name](), unchanged(model, x):
        found = maps(model, x)
    for method, expected in maps(model, x).items():
        np.testing.assert_allclose(
            found[method].values, expected.values, rtol=1e-5, atol=1e-6, err_msg=method
        )
