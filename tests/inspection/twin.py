"""An independent witness: plain hooks that copy every module's output, on a copy of the model."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection.values import first_tensor


def plain_outputs(model: nn.Module, *inputs: Tensor) -> tuple[dict[tuple[str, int], Tensor], Any]:
    """Return a copy of every module call's output, by path and call, and the model's output."""
    model = copy.deepcopy(model).eval()
    outputs: dict[tuple[str, int], Tensor] = {}
    counts: dict[str, int] = {}

    def listen(path: str, module: nn.Module) -> None:
        def after(_module: nn.Module, _args: object, output: object) -> None:
            counts[path] = counts.get(path, 0) + 1
            tensor = first_tensor(output)
            if tensor is not None:
                outputs[path, counts[path]] = tensor.clone()

        module.register_forward_hook(after)

    for path, module in model.named_modules():
        listen(path, module)
    with torch.no_grad():
        result = model(*(tensor.clone() for tensor in inputs))
    return outputs, result
