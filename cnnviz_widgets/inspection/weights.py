"""Inspection: the weights of a model's layers as filters, with no forward pass. torch ends here.

In: any model. Out: `WeightInfo` for every layer that has weights, and its `FilterBank`: float32
NumPy values, one filter for each output channel, whatever way round the layer stores them.
"""

from __future__ import annotations

import contextlib
import difflib
import math
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnviz_widgets.inspection.arguments import check_model
from cnnviz_widgets.inspection.effective import effective_weight, how_made
from cnnviz_widgets.inspection.keras_model import as_torch_module
from cnnviz_widgets.inspection.layers import normal_name, not_a_name
from cnnviz_widgets.inspection.locks import held, lock_of
from cnnviz_widgets.inspection.shadow import state_of, unwrap

_NO_FILTERS = (nn.Embedding, nn.EmbeddingBag, nn.LayerNorm, nn.GroupNorm)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_LSTM = ("input gate", "forget gate", "cell", "output gate")
_GRU = ("reset gate", "update gate", "new state")
_PARTS: tuple[tuple[type[nn.Module], tuple[str, ...]], ...] = (
    (nn.LSTM, _LSTM), (nn.LSTMCell, _LSTM), (nn.GRU, _GRU), (nn.GRUCell, _GRU),
)  # fmt: skip


@dataclass(frozen=True)
class WeightInfo:
    """What is known of one weight without reading it.

    Attributes
    ----------
    name : str
        What to ask for it by: the module's path in ``named_modules()``, with the parameter's name
        behind it where a module has several, such as ``"lstm.weight_ih_l0"``. "model" for a model
        that is one layer, as `Inspector` has it.
    path, parameter : str
        The module's path, and which of its tensors.
    type : str
        Class name of the module.
    filters : int
        Output channels of a convolution, output features of a dense layer.
    inputs : int
        Input channels or features that each filter reads.
    kernel : tuple of int
        Size of a kernel along each axis; empty for a matrix.
    groups : int
        Filter f reads inputs from ``f // (filters // groups) * inputs`` on.
    dilation : tuple of int
        Step between the inputs that two neighbouring values of a kernel meet, along each axis.
    transposed : bool
        Whether the kernel is what one input value stamps onto the output.
    made_by : str
        What computes the weight out of others, such as "weight_norm"; empty where nothing does.
    biases : int
        Numbers in the bias beside it, for a module with one weight.
    parts : tuple of str
        What the equal parts are that the filters fall into, such as "query", "key" and "value".
    """

    name: str
    path: str
    parameter: str
    type: str
    filters: int
    inputs: int
    kernel: tuple[int, ...]
    groups: int
    dilation: tuple[int, ...]
    transposed: bool
    made_by: str
    biases: int = 0
    parts: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Filters, inputs of each, and the kernel's size."""
        return (self.filters, self.inputs, *self.kernel)

    def inputs_of(self, filter_: int) -> range:
        """Return the input channels that a filter reads."""
        first = filter_ // (self.filters // self.groups) * self.inputs
        return range(first, first + self.inputs)


@dataclass(frozen=True)
class FilterBank:
    """The weight of a layer: `values` are float32 (filters, inputs, *kernel), not writable.

    They may be a view of the model's own memory, and so change when it is trained.
    """

    info: WeightInfo
    values: NDArray[np.float32]


class Weights:
    """The weights of a model, read when they are asked for; the model is never touched or run.

    Parameters
    ----------
    model : torch.nn.Module
        Any model; wrappers are taken off as `Inspector` does.

    Attributes
    ----------
    busy_timeout_s : float
        As in `Inspector`.

    Raises
    ------
    TypeError, ValueError
        `model` is no module, has lazy parameters without a shape, or no layer with weights.

    Notes
    -----
    Listed are convolutions of one to three axes, plain and transposed, dense and bilinear layers,
    the projections of attention and of recurrent layers, and any other module with a floating-point
    ``weight`` of two to five axes. Left out are embeddings, whose rows are not filters, and the
    vectors of normalisation layers.
    """

    busy_timeout_s: float = 2.0

    def __init__(self, model: nn.Module) -> None:
        check_model(model)
        self.model = model
        self._model = as_torch_module(unwrap(model))
        self._lock = lock_of(self._model)
        self._listeners: list[Callable[[], Callable[[], object] | None]] = []
        self._epoch = 0
        with self._entered(None):
            self._state = state_of(self._model)
            self._layers = _listed(self._model)
        if not self._layers:
            msg = (
                f"model={type(model).__name__} has no layer with weights that are filters: no "
                "convolution, no dense layer and no other weight of two axes or more."
            )
            raise ValueError(msg)

    @property
    def layers(self) -> tuple[WeightInfo, ...]:
        """Layers with weights, in the order of ``named_modules()``."""
        return self._layers

    @property
    def epoch(self) -> int:
        """Goes up whenever a weight was seen to have been written to, or another is there."""
        return self._epoch

    def on_change(self, listener: Callable[[], object]) -> None:
        """Call a function whenever `epoch` has gone up; a bound method's object is not kept."""
        is_method = hasattr(listener, "__self__")
        self._listeners.append(weakref.WeakMethod(listener) if is_method else lambda: listener)

    def check(self, *, wait: float | None = None) -> int:
        """Look whether weights were written to since; return the epoch."""
        with self._entered(wait):
            state = state_of(self._model)
            if state == self._state:
                return self._epoch
            if state.structure != self._state.structure:
                self._layers = _listed(self._model)
            self._state = state
            self._epoch += 1
        self._listeners = [kept for kept in self._listeners if kept() is not None]
        for kept in tuple(self._listeners):
            listener = kept()
            if listener is not None:
                listener()
        return self._epoch

    def find(self, layer: object) -> WeightInfo:
        """Return the layer of this name.

        Raises
        ------
        TypeError, ValueError
            The name is no string, or there is no such layer with weights.
        """
        if not isinstance(layer, str):
            raise TypeError(not_a_name(layer, self._layers[0].name))
        by_name = {info.name: info for info in self._layers}
        for name in (layer, normal_name(layer), normal_name(layer).removeprefix("module.")):
            found = by_name.get(name) or by_name.get(name.partition("#")[0])
            if found is not None:
                return found
        close = difflib.get_close_matches(layer, by_name, n=1)
        hint = f"did you mean {close[0]!r}" if close else f"the first is {self._layers[0].name!r}"
        msg = f"layer={layer!r} is no layer with weights; {hint}, of {len(by_name)} that have some."
        raise ValueError(msg)

    def bank(self, layer: str, *, wait: float | None = None) -> FilterBank:
        """Return the weight of a layer, the one that its next forward pass would use.

        Parameters
        ----------
        layer : str
            Name as in `layers`; that of one of several calls stands for the module.
        wait : float, optional
            Seconds to wait for the model; None: as `busy_timeout_s` says.
        """
        with self._entered(wait):
            info = self.find(layer)
            module = dict(self._model.named_modules())[info.path]
            values = _float32(effective_weight(module, info.parameter))
            return FilterBank(info, _filters_first(values, info))

    @contextlib.contextmanager
    def _entered(self, wait: float | None) -> Iterator[None]:
        if wait is None and threading.current_thread() is not threading.main_thread():
            wait = self.busy_timeout_s
        with held(self._lock, wait), torch.inference_mode(mode=False), torch.no_grad():
            yield


def _listed(model: nn.Module) -> tuple[WeightInfo, ...]:
    infos: list[WeightInfo] = []
    for path, module in model.named_modules():
        names = [name for name in _weight_names(module) if _is_filters(module, name)]
        infos += [_info(module, path, name, alone=len(names) == 1) for name in names]
    return tuple(infos)


def _weight_names(module: nn.Module) -> list[str]:
    """Names of the tensors of a module that may hold filters."""
    if isinstance(module, _NO_FILTERS) or _class_name(module) in {"LayerNorm", "Embedding"}:
        return []
    if isinstance(module, nn.MultiheadAttention):
        return ["in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"]
    if isinstance(module, (nn.RNNBase, nn.RNNCellBase)):
        return [name for name in module._parameters if name.startswith("weight_")]
    return ["weight"]


def _is_filters(module: nn.Module, name: str) -> bool:
    if callable(getattr(type(module), name, None)):  # quantised layers pack theirs behind a method
        return False
    weight = effective_weight(module, name)
    return isinstance(weight, Tensor) and weight.is_floating_point() and 2 <= weight.dim() <= 5


def _info(module: nn.Module, path: str, name: str, *, alone: bool) -> WeightInfo:
    shape = tuple(effective_weight(module, name).shape)
    axes = len(shape) - 2
    type_ = _class_name(module)
    transposed = isinstance(module, _TRANSPOSED) or type_.startswith("ConvTranspose")
    groups = int(getattr(module, "groups", 1)) if axes else 1
    filters, inputs = (shape[1] * groups, shape[0] // groups) if transposed else shape[:2]
    kernel = shape[2:]
    if isinstance(module, nn.Bilinear):  # one form over two inputs for each output
        inputs, kernel = 1, shape[1:]
    dilation = getattr(module, "dilation", 1)
    steps = dilation if isinstance(dilation, tuple) else (int(dilation),) * axes
    whole = path or "model"
    return WeightInfo(
        name=whole if alone else f"{whole}.{name}",
        path=path,
        parameter=name,
        type=type_,
        filters=filters,
        inputs=inputs,
        kernel=kernel,
        groups=groups,
        dilation=tuple(steps) if len(steps) == len(kernel) else (1,) * len(kernel),
        transposed=transposed,
        made_by=how_made(module, name),
        biases=_bias_count(module) if alone else 0,
        parts=_parts(module, name),
    )


def _bias_count(module: nn.Module) -> int:
    bias = getattr(module, "bias", None)
    return bias.numel() if isinstance(bias, Tensor) else 0


def _parts(module: nn.Module, name: str) -> tuple[str, ...]:
    if name == "in_proj_weight":
        return ("query", "key", "value")
    if name.startswith("weight_hr"):  # the projection of an LSTM's output has no gates
        return ()
    return next((parts for kind, parts in _PARTS if isinstance(module, kind)), ())


def _class_name(module: nn.Module) -> str:
    """Name of a module's class: that of the user's where it was scripted or parametrized."""
    name = getattr(module, "original_name", type(module).__name__)
    return str(name).removeprefix("Parametrized")


def _filters_first(values: NDArray[np.float32], info: WeightInfo) -> NDArray[np.float32]:
    """Bring a weight as torch stores it to (filters, inputs, *kernel)."""
    if info.transposed:  # (inputs, filters of a group, *kernel), the groups along the inputs
        grouped = values.reshape(info.groups, info.inputs, -1, math.prod(info.kernel))
        values = np.ascontiguousarray(grouped.swapaxes(1, 2))
    filters = values.reshape(info.shape)
    filters.flags.writeable = False
    return filters


def _float32(weight: Tensor) -> NDArray[np.float32]:
    dense = weight.detach() if weight.layout == torch.strided else weight.detach().to_dense()
    array: NDArray[np.float32] = dense.to("cpu", torch.float32).contiguous().numpy()
    return array
