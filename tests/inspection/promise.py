"""The promise: whatever is called, the user's model and tensors are what they were."""

from __future__ import annotations

import contextlib
import gc
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_HOOKS = (
    "_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks",
    "_state_dict_hooks", "_load_state_dict_pre_hooks",
)  # fmt: skip


def _bytes(tensor: Tensor | None) -> bytes | None:
    if tensor is None:
        return None
    with torch.no_grad():
        return tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes()


def _of_tensor(tensor: Tensor) -> dict[str, Any]:
    return {
        "identity": id(tensor),
        "bytes": _bytes(tensor),
        "requires_grad": tensor.requires_grad,
        "grad identity": id(tensor.grad) if tensor.is_leaf and tensor.grad is not None else None,
        "grad bytes": _bytes(tensor.grad) if tensor.is_leaf else None,
        "version": -1 if tensor.is_inference() else tensor._version,
        "hooks": len(tensor._backward_hooks or ()),
        "shape": tuple(tensor.shape),
        "dtype": tensor.dtype,
    }


def _of_module(module: nn.Module) -> dict[str, Any]:
    plain = {
        name: _bytes(value) if isinstance(value, Tensor) else repr(value)
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, nn.Module)
    }
    return {
        "identity": id(module),
        "training": module.training,
        "hooks": {name: list(getattr(module, name)) for name in _HOOKS},
        "attributes": sorted(vars(module)),
        "values": plain,
        "forward": "forward" in vars(module),
        "class": type(module),
    }


def _state(model: nn.Module, tensors: tuple[Tensor, ...]) -> dict[str, Any]:
    return {
        "modules": {name: _of_module(m) for name, m in model.named_modules()},
        "parameters": {name: _of_tensor(p) for name, p in model.named_parameters()},
        "buffers": {
            name: (id(buffer), _bytes(buffer), buffer.requires_grad)
            for name, buffer in model.named_buffers()
        },
        "state_dict": {name: _bytes(t) for name, t in model.state_dict().items()},
        "tensors": [_of_tensor(tensor) for tensor in tensors],
        "grad mode": torch.is_grad_enabled(),
        "inference mode": torch.is_inference_mode_enabled(),
        "collector": gc.isenabled(),
        "autocast": torch.is_autocast_enabled(),
        "torch random": torch.get_rng_state().numpy().tobytes(),
        "numpy random": str(np.random.get_state()),  # noqa: NPY002 - the global state is meant
        "random": random.getstate(),
    }


@contextlib.contextmanager
def unchanged(model: nn.Module, *tensors: Tensor) -> Iterator[None]:
    """Fail if anything about the model, the tensors or the interpreter's modes changes inside.

    Compared are: bytes and identity of every parameter, buffer and `state_dict` entry, `.grad`,
    `requires_grad`, write counts, hooks of every kind, training flags, module identities and
    attributes, grad and inference mode, the random states of torch, NumPy and random, the
    garbage collector's switch.
    """
    before = _state(model, tensors)
    try:
        yield
    finally:
        after = _state(model, tensors)
        for part, value in before.items():
            assert after[part] == value, f"{part} changed"
