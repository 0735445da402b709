"""Inspection: other backward rules for every ReLU of a pass, module or function.

In: a rule. Out: `RuleMode`, open during the forward pass, which puts a function with that rule in
the place of each ReLU; and the names of the nonlinearities that it leaves alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from cnnviz_widgets.inspection.operations import Operation

RULES = ("guided", "deconvnet")
_RELU = {"relu": False, "relu_": True}
_CLAMP = {"clamp": False, "clamp_": True, "clip": False, "clip_": True}
_CLAMP_MIN = {"clamp_min": False, "clamp_min_": True}
_THRESHOLD = {"threshold": False, "_threshold": False, "threshold_": True}
# Names of other nonlinearities, as operations name them, and as people do.
_OTHERS = {
    "relu6": "ReLU6", "hardtanh": "Hardtanh", "leaky_relu": "LeakyReLU", "prelu": "PReLU",
    "rrelu": "RReLU", "elu": "ELU", "selu": "SELU", "celu": "CELU", "gelu": "GELU",
    "silu": "SiLU", "mish": "Mish", "hardswish": "Hardswish", "softplus": "Softplus",
    "tanh": "Tanh", "sigmoid": "Sigmoid", "hardsigmoid": "Hardsigmoid", "softsign": "Softsign",
}  # fmt: skip


class _Ruled(torch.autograd.Function):
    """A ReLU that passes on only positive gradients; guided, only where its output is too."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, guided: bool, inplace: bool) -> Tensor:
        if inplace:
            ctx.mark_dirty(x)
        y = x.relu_() if inplace else x.relu()
        ctx.guided = guided
        if guided:
            ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        positive = gradients[0].clamp(min=0)
        if ctx.guided:
            (y,) = ctx.saved_tensors
            positive = positive * (y > 0)
        return positive, None, None


class RuleMode(TorchFunctionMode):
    """Give every ReLU of a forward pass another backward rule.

    ReLUs are ``nn.ReLU``, ``F.relu``, ``torch.relu``, ``Tensor.relu`` and their in-place forms,
    ``clamp(min=0)``, ``clamp_min(0)`` and ``threshold(0, 0)``: modules are functions inside.

    Parameters
    ----------
    rule : str
        "guided": gradients pass where they and the ReLU's output are positive (Springenberg et
        al. 2014, arXiv:1412.6806, figure 1). "deconvnet": where they are positive (Zeiler and
        Fergus 2013, arXiv:1311.2901, section 2.1).

    Attributes
    ----------
    rule : str
        As given.
    count : int
        ReLUs met.
    """

    def __init__(self, rule: str) -> None:
        super().__init__()
        if rule not in RULES:
            msg = f"rule={rule!r} must be None, 'guided' or 'deconvnet'."
            raise ValueError(msg)
        self.rule = rule
        self.count = 0
        self._guided = rule == "guided"

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # Any: the result of any torch function
        """Run one torch function; a ReLU with the rule."""
        kwargs = kwargs or {}
        inplace = _rectifies(getattr(func, "__name__", ""), args, kwargs)
        if inplace is None:
            return func(*args, **kwargs)
        self.count += 1
        x = args[0] if args else kwargs["input"]
        return _Ruled.apply(x, self._guided, inplace)  # type: ignore[no-untyped-call]  # torch's


def _rectifies(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool | None:
    """Tell whether a call is a ReLU in place (True), out of place (False), or none (None)."""
    if kwargs.get("out") is not None:
        return None
    if name in _RELU:
        return _RELU[name] or bool(_argument(args, kwargs, 1, "inplace"))
    if name in _CLAMP:
        low = _argument(args, kwargs, 1, "min")
        high = _argument(args, kwargs, 2, "max")
        return _CLAMP[name] if _is_zero(low) and high is None else None
    if name in _CLAMP_MIN:
        return _CLAMP_MIN[name] if _is_zero(_argument(args, kwargs, 1, "min")) else None
    if name in _THRESHOLD:
        zero = all(
            _is_zero(_argument(args, kwargs, place, key))
            for place, key in ((1, "threshold"), (2, "value"))
        )
        inplace = _THRESHOLD[name] or bool(_argument(args, kwargs, 3, "inplace"))
        return inplace if zero else None
    return None


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any], place: int, name: str) -> object:
    return args[place] if len(args) > place else kwargs.get(name)


def _is_zero(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == 0


def other_nonlinearities(operations: Iterable[Operation]) -> tuple[str, ...]:
    """Return the names of the nonlinearities that are no ReLU, each once, in order."""
    operations = list(operations)
    titles = frozenset(_OTHERS.values())
    modules = {o.path: o.name for o in operations if o.call and o.name in titles}
    found = (
        modules.get(o.path) or _OTHERS.get(o.name.removesuffix("_"))
        for o in operations
        if not o.call or o.path in modules
    )
    return tuple(dict.fromkeys(name for name in found if name is not None))


def nothing_to_rule(model: str, others: tuple[str, ...], rule: str) -> ValueError:
    """Return the error for a model without a ReLU."""
    has = f"its nonlinearities are {', '.join(others)}" if others else "none was met in its pass"
    return ValueError(
        f"rule={rule!r} changes how ReLUs pass gradients back, but {model} has no ReLU: {has}. "
        f"Choose a method that needs none, such as 'gradient' or 'integrated_gradients'."
    )
