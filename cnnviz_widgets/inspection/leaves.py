"""Inspection: layers of which every step is known, so that nobody need watch them run.

In: the modules of a shadow. Out: `Leaf` for those whose class is one of torch's own that are
listed here: which function a call of it runs, and with which numbers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules import module as module_file

from cnnviz_widgets.inspection.calls import Source
from cnnviz_widgets.inspection.pooling import max_pool2d, pools_quickly
from cnnviz_widgets.inspection.snapshots import HOOKS
from cnnviz_widgets.inspection.values import storage_of

Run = Callable[[Tensor], Tensor]
State = dict[str, Any]  # what a module holds


class Kind(NamedTuple):
    """What a layer does in eval mode: one torch function.

    Attributes
    ----------
    function : str
        Its name.
    run : callable
        Takes what a module holds and the tensors by name; returns what its ``forward`` does.
    tensors : tuple of str
        The parameters and buffers that the function takes behind its input, in its order.
    takes : callable or None
        Takes a leaf and its input; tells whether `run` does what the layer does then. None: always.
    """

    function: str
    run: Callable[[State, dict[str, Tensor]], Run]
    tensors: tuple[str, ...] = ()
    takes: Callable[[Leaf, Tensor], bool] | None = None


def _convolution(convolve: Callable[..., Tensor]) -> Callable[[State, dict[str, Tensor]], Run]:
    def make(state: State, tensors: dict[str, Tensor]) -> Run:
        weight, bias = tensors["weight"], tensors.get("bias")

        def run(x: Tensor) -> Tensor:
            stride, padding = state["stride"], state["padding"]
            return convolve(x, weight, bias, stride, padding, state["dilation"], state["groups"])

        return run

    return make


def _linear(_state: State, tensors: dict[str, Tensor]) -> Run:
    weight, bias = tensors["weight"], tensors.get("bias")
    return lambda x: functional.linear(x, weight, bias)


def _batch_norm(state: State, tensors: dict[str, Tensor]) -> Run:
    mean, var = tensors["running_mean"], tensors["running_var"]
    weight, bias = tensors.get("weight"), tensors.get("bias")

    def run(x: Tensor) -> Tensor:
        cudnn = torch._C._get_cudnn_enabled()
        return torch.batch_norm(x, weight, bias, mean, var, False, 0.0, state["eps"], cudnn)

    return run


def _normalises(*ranks: int) -> Callable[[Leaf, Tensor], bool]:
    """Return what tells whether a BatchNorm normalises with its statistics, as it was found."""

    def takes(leaf: Leaf, x: Tensor) -> bool:
        state = leaf.state
        return not state["training"] and state["eps"] == leaf.eps and x.dim() in ranks

    return takes


def _max_pool(state: State, _tensors: dict[str, Tensor]) -> Run:
    return functools.partial(max_pool2d, state)


def _relu(_state: State, _tensors: dict[str, Tensor]) -> Run:
    return torch.relu


_AFFINE = ("weight", "bias")
_STATISTICS = ("running_mean", "running_var", "weight", "bias")
_KINDS: dict[type[nn.Module], Kind] = {
    nn.Conv1d: Kind("conv1d", _convolution(torch.conv1d), _AFFINE),
    nn.Conv2d: Kind("conv2d", _convolution(torch.conv2d), _AFFINE),
    nn.Conv3d: Kind("conv3d", _convolution(torch.conv3d), _AFFINE),
    nn.Linear: Kind("linear", _linear, _AFFINE),
    nn.BatchNorm1d: Kind("batch_norm", _batch_norm, _STATISTICS, _normalises(2, 3)),
    nn.BatchNorm2d: Kind("batch_norm", _batch_norm, _STATISTICS, _normalises(4)),
    nn.BatchNorm3d: Kind("batch_norm", _batch_norm, _STATISTICS, _normalises(5)),
    nn.MaxPool2d: Kind("max_pool2d", _max_pool, takes=lambda leaf, x: pools_quickly(leaf.state, x)),
    nn.ReLU: Kind("relu", _relu),
}
_METHODS = ("__call__", "_call_impl", "__getattr__", "forward", "_conv_forward", "_check_input_dim")


def _code() -> list[object]:
    """Return what a call of a listed layer runs, as it is now."""
    names = {kind.function for kind in _KINDS.values()} | {"relu_", "max_pool1d", "maximum"}
    places = (torch, functional)
    functions = [getattr(place, name, None) for place in places for name in sorted(names)]
    return functions + [getattr(layer, name, None) for layer in _KINDS for name in _METHODS]


_TORCHS_CODE = _code()


def as_torch_wrote_them() -> bool:
    """Tell whether nobody patched the listed layers or hung hooks on all modules."""
    on_all = any(getattr(module_file, f"_global{name}") for name in HOOKS)
    return not on_all and _code() == _TORCHS_CODE


class Leaf:
    """A listed layer.

    Attributes
    ----------
    path, module : str, torch.nn.Module
        Its name, and the shadow's module.
    function : str
        The torch function that it runs.
    run : callable
        Its ``forward`` of the input, in eval mode and new memory.
    takes : callable or None
        Tells of itself and the input whether `run` does what the layer does; None: it always does.
    may_write : bool
        Whether the layer can be told to write to its input.
    state, size : dict, int
        What the module holds, and how much, while somebody hears.
    held : list of (dict, str, Tensor)
        Parameters and buffers that the function takes: where each is held, its name, and itself.
    eps : float
        Of a BatchNorm, as it was found.
    source : Source
        The output of its first call.
    cheap : bool
        Whether the output is quickly computed again.
    hooks : tuple of dict
        Holds the hooks that run around its ``forward``; there are none when the model is called.
    place : tuple of int
        Where a BatchNorm's numbers are among those of all: in which tensor, from where, to where.
    """

    __slots__ = (
        "cheap",
        "eps",
        "function",
        "held",
        "hooks",
        "may_write",
        "module",
        "path",
        "place",
        "run",
        "size",
        "source",
        "state",
        "takes",
    )

    def __init__(self, path: str, module: nn.Module, kind: Kind) -> None:
        self.path = path
        self.module = module
        self.function = kind.function
        self.state: State = vars(module)
        self.size = len(self.state) + 1  # and what runs in place of its call
        self.held = [(holder, name, holder[name]) for holder, name in _held(module, kind)]
        self.run = kind.run(self.state, {name: tensor for _, name, tensor in self.held})
        self.takes = kind.takes
        self.eps: float = self.state.get("eps", 0.0)
        self.source = Source(path, 1, "output")
        self.cheap = self.may_write = kind.function == "relu"
        self.place = (0, 0, 0)
        self.hooks = (
            *(self.state[name] for name in HOOKS),
            *(getattr(module_file, f"_global{name}") for name in HOOKS),
        )

    def again(self, numbers: list[Tensor], x: Tensor) -> Tensor:
        """Compute the output from the input, with the numbers of an earlier time."""
        if not self.held:
            return torch.relu(x)
        which, start, stop = self.place
        names = [name for _, name, _ in self.held]
        taken = dict(zip(names, numbers[which][start:stop].chunk(len(names)), strict=True))
        return _batch_norm({"eps": self.eps}, taken)(x)


def known_leaf(path: str, module: nn.Module, own: frozenset[str]) -> Leaf | None:
    """Return the leaf of a module; None where a call of it may do anything else than is listed.

    Parameters
    ----------
    path, module : str, torch.nn.Module
        The shadow's module and its name.
    own : frozenset of str
        Names of parameters that the forward pass writes to.
    """
    kind = _KINDS.get(type(module))
    if kind is None:
        return None
    state = vars(module)
    replaced = any(hasattr(type(module), name) and name in _METHODS for name in state)
    if replaced or state["_modules"] or any(state[name] for name in HOOKS):
        return None
    if state.get("padding_mode", "zeros") != "zeros" or state.get("track_running_stats") is False:
        return None
    named = [name for _, name in _held(module, kind)]
    tensors = [holder[name] for holder, name in _held(module, kind)]
    plain = all(type(t) in {Tensor, nn.Parameter} and not t.is_inference() for t in tensors)
    if not plain or any(f"{path}.{name}" in own for name in named):
        return None
    if kind.tensors is _STATISTICS and not {"running_mean", "running_var"} <= set(named):
        return None
    return Leaf(path, module, kind)


def _held(module: nn.Module, kind: Kind) -> list[tuple[dict[str, Any], str]]:
    """Return where a module holds the tensors that its function takes; None is not among them."""
    holders = (module._parameters, module._buffers)
    return [
        (holder, name)
        for name in kind.tensors
        for holder in holders
        if holder.get(name) is not None
    ]


class Leaves(list[Leaf]):
    """The listed layers of a shadow."""

    @functools.cached_property
    def storages(self) -> frozenset[int]:
        """Storage numbers of what the functions take."""
        return frozenset(storage_of(tensor) for leaf in self for _, _, tensor in leaf.held)

    @functools.cached_property
    def _normalising(self) -> list[list[Tensor]]:
        """What the BatchNorms take, with a list for each type and device."""
        found: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}
        for leaf in self:
            kinds = {(tensor.dtype, tensor.device) for _, _, tensor in leaf.held}
            if leaf.function != "batch_norm" or len(kinds) != 1:
                continue
            group = found.setdefault(kinds.pop(), [])
            start = sum(map(len, group))
            group += [tensor for _, _, tensor in leaf.held]
            leaf.cheap = True
            leaf.place = (list(found.values()).index(group), start, sum(map(len, group)))
        return list(found.values())

    def numbers(self) -> list[Tensor]:
        """Return the numbers of now, of all BatchNorms, for `Leaf.again`."""
        return [torch.cat(group) for group in self._normalising]
