"""Methods: FullGrad, what the input and every bias contribute to a score.

In: a `CamCase` with layers, or with none for the input. Out: absolute contributions, added up at
the resolution of each layer, or of the input.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.inspection.layers import LayerInfo
from cnnviz_widgets.methods.cam_case import CamCase, LayerMaps, Settings
from cnnviz_widgets.methods.case import exact_product
from cnnviz_widgets.methods.layer_grid import LayerGrid, grid_of

INPUT = ""
"""Stands for the input among the names of layers."""
_CONVOLUTIONS = (
    nn.Conv1d, nn.Conv2d, nn.Conv3d,
    nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d,
)  # fmt: skip
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
_NOWHERE = torch.zeros(0, device="cpu")


@dataclass(frozen=True)
class BiasLayer:
    """A layer that adds a number to each channel.

    Attributes
    ----------
    info : LayerInfo
        Which call.
    bias : Tensor of shape (C,)
        float32, on the CPU.
    axis : int
        Axis of the channels in its output.
    grid : LayerGrid or None
        Where its values lie; None for a vector, whose bias has no place.
    """

    info: LayerInfo
    bias: Tensor
    axis: int
    grid: LayerGrid | None


class _Found(NamedTuple):
    """Contributions of one layer's values or biases to one score: in all, and by place (P,)."""

    total: float
    places: Tensor


@dataclass
class _Contributions:
    """Contributions by layer name and place of the target."""

    biases: dict[tuple[str, int], _Found] = field(default_factory=dict)
    values: dict[tuple[str, int], _Found] = field(default_factory=dict)


def full_gradients(
    case: CamCase, _names: Sequence[str], _settings: Settings
) -> dict[str, LayerMaps]:
    """Return FullGrad (Srinivas and Fleuret, arXiv:1905.00780, eq. 3 and 8).

    The map is ``psi(x dS/dx) + sum_l sum_c psi(b_lc dS/da_lc)`` over all layers l with a bias that
    have places, with psi = bilinear upsampling of absolute values. A BatchNorm layer in eval mode
    has the implicit bias ``beta - mean gamma / sqrt(var + eps)``, as in the paper. The paper also
    scales each layer's terms to [0, 1], pytorch-grad-cam each channel's: both undo that the terms
    add up to the score, so it is left out here. Sums are over all channels of the input, too.

    At a layer, its output stands for the input: ``psi(A dS/dA)`` plus the biases of all layers that
    run after it, at the layer's resolution.
    """
    layers = bias_layers(case.insp)
    found = _contributions(case, layers)
    grids = {name: case.grid(name) for name in case.names}
    if not grids:
        grids = {INPUT: input_grid(case)}
        _add_input(case, grids[INPUT], found)
    maps: LayerMaps = {}
    for name, grid in grids.items():
        after = [layers[later] for later in _run_after(case.insp, layers, name)]
        rows, gaps = [], []
        for place, target in enumerate(case.targets):
            own = found.values[name, place]
            biases = sum(found.biases[layer.info.name, place].total for layer in after)
            rows.append(_added_up(found, own.places, grid.shape, after, place))
            gaps.append(own.total + biases - target.score)
        maps[name] = torch.stack(rows)
        case.gaps["fullgrad", name] = gaps
    return {"fullgrad": maps}


def bias_layers(insp: Inspector) -> dict[str, BiasLayer]:
    """Return the layers that add a bias, by name, in execution order."""
    found = {}
    for info in insp.modules:
        module = insp._model.get_submodule(info.path)
        bias, axis = _bias_of(module)
        if info.is_leaf and bias is not None and len(info.shape) > 1:
            kept = bias.detach().float().cpu()
            found[info.name] = BiasLayer(info, kept, axis, grid_of(insp, info))
    return found


def _bias_of(module: nn.Module) -> tuple[Tensor | None, int]:
    """Return what a module adds to each channel, and the axis of the channels."""
    if isinstance(module, _BATCH_NORMS):
        if module.running_mean is None or module.running_var is None:
            return None, 1  # it subtracts the mean of the picture itself, which is no bias
        scale = (module.running_var + module.eps).rsqrt()
        shift = -module.running_mean * scale
        if module.affine:
            shift = shift * module.weight + module.bias
        return shift, 1
    if isinstance(module, _CONVOLUTIONS):
        return module.bias, 1
    if isinstance(module, nn.Linear):
        return module.bias, -1
    return None, 1


def _contributions(case: CamCase, layers: dict[str, BiasLayer]) -> _Contributions:
    """Reduce each layer's gradient, while the backward passes run."""
    found = _Contributions()
    names = list(dict.fromkeys([*case.names, *layers]))
    done, total = 0, len(names) * len(case.targets)

    def visit(info: LayerInfo, value: Tensor, gradient: Tensor | None, place: int) -> None:
        nonlocal done
        wanted = info in case.layers
        if wanted:
            grid = case.layers[info]
            found.values[info.name, place] = _of_values(value, gradient, grid)
        if info.name in layers:
            found.biases[info.name, place] = _of_bias(layers[info.name], gradient)
        done += 1
        case.watch(done, total, None)

    case.insp.passes.sweep(names, case.targets, visit, image=case.image)
    case.forward += 1
    case.backward += len(case.targets)
    return found


def _of_values(value: Tensor, gradient: Tensor | None, grid: LayerGrid) -> _Found:
    if gradient is None:
        return _Found(0.0, torch.zeros(grid.places, dtype=torch.float32, device="cpu"))
    product = value.float() * gradient.float()
    return _Found(float(product.sum()), grid.matrix(product)[0].abs().sum(0).cpu())


def _of_bias(layer: BiasLayer, gradient: Tensor | None) -> _Found:
    if gradient is None:
        return _Found(0.0, _NOWHERE)
    bias = layer.bias.to(gradient.device)
    by_channel = gradient.float().movedim(layer.axis, -1)
    total = float((by_channel * bias).sum())
    if layer.grid is None:
        return _Found(total, _NOWHERE)
    return _Found(total, exact_product(bias.abs(), layer.grid.matrix(gradient)[0].abs()).cpu())


def _add_input(case: CamCase, grid: LayerGrid, found: _Contributions) -> None:
    picture = case.insp.passes.input(image=case.image)
    for place, target in enumerate(case.targets):
        _, gradient = case.insp.passes.input_gradient(picture, target, image=case.image)
        found.values[INPUT, place] = _of_values(picture, gradient, grid)
    case.forward += len(case.targets)
    case.backward += len(case.targets)


def input_grid(case: CamCase) -> LayerGrid:
    """Return the places of the input.

    Raises
    ------
    ValueError
        It has none.
    """
    shape = tuple(case.insp.passes.input(image=case.image).shape)
    layout = {3: "NCL", 4: "NCHW", 5: "NCDHW"}.get(len(shape))
    if layout is None:
        msg = f"layer=None of 'fullgrad' is the input, of shape {shape}: it has no grid of places."
        raise ValueError(msg)
    return LayerGrid(layout, shape[2:])


def _run_after(insp: Inspector, layers: dict[str, BiasLayer], name: str) -> list[str]:
    """Return the bias layers that run after a layer has returned."""
    if name == INPUT:
        return list(layers)
    infos = insp.modules
    place = next(place for place, info in enumerate(infos) if info.name == name)
    inside = f"{infos[place].path}."
    later = itertools.dropwhile(lambda info: info.path.startswith(inside), infos[place + 1 :])
    return [info.name for info in later if info.name in layers]


def _added_up(
    found: _Contributions,
    own: Tensor,
    size: tuple[int, ...],
    after: Sequence[BiasLayer],
    place: int,
) -> Tensor:
    """Return a layer's own contributions (P,) and those of biases, on its grid."""
    by_shape: dict[tuple[int, ...], Tensor] = {}  # upsampling is linear: once for each shape
    for layer in after:
        places = found.biases[layer.info.name, place].places
        # A grid with another number of axes has no place on this one.
        if layer.grid is not None and len(layer.grid.shape) == len(size) and len(places):
            shape = layer.grid.shape
            by_shape[shape] = by_shape[shape] + places if shape in by_shape else places
    for shape, places in by_shape.items():
        own = own + upsampled(places, shape, size)
    return own


def upsampled(values: Tensor, shape: tuple[int, ...], size: tuple[int, ...]) -> Tensor:
    """Return values (P,) on a grid of one shape on a grid of another, linearly interpolated."""
    if shape == size:
        return values
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[len(size)]
    grown = nnf.interpolate(values.reshape(1, 1, *shape), size=size, mode=mode, align_corners=False)
    return grown.flatten()
