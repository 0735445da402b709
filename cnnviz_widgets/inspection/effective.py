"""Inspection: the weight that a module would compute with, where others make it up.

In: a module and the name of a weight. Out: the tensor that its next forward pass would use, made
on copies: neither the module nor a random generator is changed.
"""

from __future__ import annotations

import copy
from typing import Any, cast

from torch import Tensor, nn
from torch.nn.utils import parametrize, prune
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from cnnviz_widgets.inspection.keras_model import filters_of, is_keras
from cnnviz_widgets.inspection.randomness import RandomState


def effective_weight(module: nn.Module, name: str) -> Tensor:
    """Return the weight of a module as its next forward pass in eval mode would use it.

    Parameters
    ----------
    module : torch.nn.Module
        Parametrized, under the older `weight_norm` or `spectral_norm`, pruned, or plain.
    name : str
        Such as "weight".

    Returns
    -------
    Tensor
        The parameter itself where it is plain; None or another object where the module has that.

    Notes
    -----
    The attribute alone is not enough: hooks write it at the next forward pass only, so it is stale
    after an optimiser step, and in training mode `spectral_norm` writes to its buffers when read.
    """
    if parametrize.is_parametrized(module, name):
        return _parametrized(cast("nn.ModuleDict", module.parametrizations)[name])
    hook = _making_hook(module, name)
    if isinstance(hook, WeightNorm):
        return cast("Tensor", hook.compute_weight(module))
    if isinstance(hook, SpectralNorm):
        return hook.compute_weight(module, do_power_iteration=False)
    if isinstance(hook, prune.BasePruningMethod):
        return cast("Tensor", hook.apply_mask(module))  # type: ignore[no-untyped-call]  # torch
    if name == "weight" and is_keras(module):
        return cast("Tensor", filters_of(module))
    return cast("Tensor", getattr(module, name, None))


def how_made(module: nn.Module, name: str) -> str:
    """Name what makes up a weight, such as "weight_norm"; empty where it is a plain parameter."""
    if parametrize.is_parametrized(module, name):
        steps = cast("nn.ModuleList", cast("nn.ModuleDict", module.parametrizations)[name])
        return ", ".join(_plain_name(type(step).__name__) for step in steps)
    hook = _making_hook(module, name)
    if isinstance(hook, prune.BasePruningMethod):
        return "pruning"
    return "" if hook is None else _plain_name(type(hook).__name__)


def _plain_name(name: str) -> str:
    """``_WeightNorm`` is known to users as ``weight_norm``; their own names stay."""
    known = {"WeightNorm": "weight_norm", "SpectralNorm": "spectral_norm"}
    return known.get(name.lstrip("_"), name.lstrip("_"))


def _making_hook(module: nn.Module, name: str) -> object:
    for hook in module._forward_pre_hooks.values():
        of = getattr(hook, "name", None) or getattr(hook, "_tensor_name", None)
        if of == name and isinstance(hook, (WeightNorm, SpectralNorm, prune.BasePruningMethod)):
            return hook
    return None


def _parametrized(steps: nn.Module) -> Tensor:
    """Compute a parametrized weight on a copy, in eval mode, whose parameters are the module's."""
    shared: dict[int, Any] = {id(parameter): parameter for parameter in steps.parameters()}
    state = RandomState.now(steps.parameters())
    try:
        return cast("Tensor", copy.deepcopy(steps, shared).eval()())
    finally:
        state.restore()
