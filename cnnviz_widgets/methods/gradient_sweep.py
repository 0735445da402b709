"""Methods: the maps that need a gradient at each layer, all of them from one sweep.

In: a `CamCase`. Out: maps of every method asked for, at every layer, for every target. Where a
layer feeds global pooling and one dense layer, its gradients are that layer's weights: no
backward pass is needed, for however many classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from cnnviz_widgets.inspection.chains import Head
from cnnviz_widgets.inspection.explained import ExplainedTarget, indices_of
from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.inspection.layers import LayerInfo
from cnnviz_widgets.methods.cam import GRADIENT_CAMS, GradientCams, grad_cam
from cnnviz_widgets.methods.cam_case import CamCase, LayerMaps, Settings
from cnnviz_widgets.methods.case import exact_product
from cnnviz_widgets.methods.eigen import principal_map
from cnnviz_widgets.words import phrase

SWEPT = (*GRADIENT_CAMS, "eigengradcam")
"""Methods that take one layer's activation and gradient and nothing else."""
LayerCams = Callable[[Tensor, Tensor], Mapping[str, Tensor]]
"""Maps (P,) by method, of an activation and a gradient (C, P)."""


def swept(case: CamCase, names: Sequence[str], settings: Settings) -> dict[str, LayerMaps]:
    """Return the maps of methods among `SWEPT`."""
    maps = case.empty(names)
    # One backward pass serves all layers; heads are sought where they spare more than that.
    heads = _heads(case) if len(case.targets) > 1 or len(case.layers) == 1 else {}
    for layer, head in heads.items():
        _headed(case, layer, head, _layer_cams(names, settings), maps)
    rest = [name for name in case.names if name not in heads]
    if rest:
        _visited(case, rest, case.targets, _layer_cams(names, settings), maps)
    case.forward += not rest  # heads need the activations alone
    return maps


def finer(case: CamCase, _names: Sequence[str], settings: Settings) -> dict[str, LayerMaps]:
    """Return Finer-CAM (Zhang et al., arXiv:2501.11309): Grad-CAM of a difference of classes.

    The score is ``S_c - gamma * mean_d S_d`` over the classes d with the scores nearest to that of
    c; the gradient of the difference is taken in one backward pass. gamma = 0.6 and three classes
    are the paper's; torchcam has the same, pytorch-grad-cam gamma = 1, weights by softmax, and
    takes ranks 1 to 3 whatever c is.
    """
    settings_here = settings["finercam"]
    gamma, count = float(settings_here["gamma"]), int(settings_here["classes"])
    found = nearest_classes(case, count)
    classes = case.insp.class_count or 0
    weights = []
    for target, others in zip(case.targets, found, strict=True):
        weight = torch.zeros(classes, dtype=torch.float32, device="cpu")
        weight[[other.index for other in others]] = -gamma / len(others)
        weight[target.index] = 1.0
        weights.append(weight)
    maps = case.empty(["finercam"])
    targets = case.insp.passes.targets(weights, image=case.image)

    gradcam = GradientCams(["gradcam"])

    def cams(activation: Tensor, gradient: Tensor) -> Mapping[str, Tensor]:
        return {"finercam": gradcam(activation, gradient)["gradcam"]}

    _visited(case, case.names, targets, cams, maps)
    if len(found) == 1:
        names = ", ".join(repr(other.name) for other in found[0])
        case.notes["finercam"] = phrase("finercam_against", names=names)
    return maps


def nearest_classes(case: CamCase, count: int) -> list[tuple[ExplainedTarget, ...]]:
    """Return for each target of a case the classes whose scores are nearest to its own.

    Parameters
    ----------
    case : CamCase
    count : int
        Most classes for each target, the nearest first; fewer where there are not so many.

    Raises
    ------
    ValueError
        A target is no class, or there is no other.
    """
    ranked = case.insp.predictions(case.insp.class_count or 1)[case.image]
    order = [prediction.index for prediction in ranked]
    return [_nearest(case, target, order, count) for target in case.targets]


def _nearest(
    case: CamCase, target: ExplainedTarget, order: Sequence[int], count: int
) -> tuple[ExplainedTarget, ...]:
    if target.index is None or len(order) < 2:
        msg = (
            f"target={target.name!r} cannot be compared by 'finercam': it takes a class of a model "
            f"with at least two. Use 'gradcam'."
        )
        raise ValueError(msg)
    # Scores are in order, so that the nearest stand on both sides of the class.
    place = order.index(target.index)
    near = [*order[max(0, place - count) : place], *order[place + 1 : place + 1 + count]]
    others = case.insp.passes.targets(near, image=case.image)
    return tuple(sorted(others, key=lambda other: abs(other.score - target.score))[:count])


def class_weights(case: CamCase, names: Sequence[str], _: Settings) -> dict[str, LayerMaps]:
    """Return CAM (Zhou et al., arXiv:1512.04150, eq. 2): ``sum_k w_ck A_k``.

    w are the weights of the dense layer behind global average pooling. Grad-CAM at the same layer
    is this divided by the number of places. No ReLU is applied, as in torchcam, whose text says
    otherwise.

    Raises
    ------
    ValueError
        A layer does not feed global average pooling and one dense layer, or a target is no class.
    """
    maps = case.empty(names)
    activations = case.insp.passes.activations(case.names, image=case.image)
    for info, grid in case.layers.items():
        head = case.insp.passes.linear_head(info.name, image=case.image)
        rows = [index for index in indices_of(case.targets) if index is not None]
        if head is None or len(rows) < len(case.targets):
            raise ValueError(_no_head(info, case))
        weights = head.gradients(rows).to(activations[info.name]).float() * grid.places
        maps["cam"][info.name] = exact_product(weights, grid.matrix(activations[info.name])[0])
    case.forward += 1
    return maps


def eigen(case: CamCase, names: Sequence[str], settings: Settings) -> dict[str, LayerMaps]:
    """Return Eigen-CAM, which asks no gradient and is the same for all targets."""
    maps = case.empty(names)
    centred = bool(settings["eigencam"]["centred"])
    activations = case.insp.passes.activations(case.names, image=case.image)
    for info, grid in case.layers.items():
        matrix = grid.matrix(activations[info.name])[0]
        maps["eigencam"][info.name][:] = principal_map(matrix, centred=centred)
    case.forward += 1
    return maps


# -- inside ---------------------------------------------------------------------------------------


def _layer_cams(names: Sequence[str], settings: Settings) -> LayerCams:
    plain = GradientCams([name for name in names if name in GRADIENT_CAMS])
    if "eigengradcam" not in names:
        return plain
    centred = bool(settings["eigengradcam"]["centred"])

    def cams(activation: Tensor, gradient: Tensor) -> Mapping[str, Tensor]:
        product = principal_map(activation * gradient, centred=centred)
        return {**plain(activation, gradient), "eigengradcam": product}

    return cams


class LateGradCam:
    """Grad-CAM for many targets: a layer's activation is read once, after the last gradient.

    Parameters
    ----------
    targets : int
        How many.
    """

    def __init__(self, targets: int) -> None:
        self._last = targets - 1
        self._weights: dict[int, dict[int, Tensor]] = {}  # by maps and target

    def take(self, maps: Tensor, activation: Tensor, gradient: Tensor | None, place: int) -> None:
        """Take one target's gradient (C, P), or None; with the last, fill in the maps (K, P)."""
        weights = self._weights.setdefault(id(maps), {})
        if gradient is not None:
            weights[place] = grad_cam({"gradient": gradient.sum(1)}, gradient.shape[1])
        if place == self._last and weights:
            maps[[*weights]] = exact_product(torch.stack([*weights.values()]), activation)


def _visited(
    case: CamCase,
    layers: Sequence[str],
    targets: Sequence[ExplainedTarget],
    cams: LayerCams,
    maps: dict[str, LayerMaps],
) -> None:
    """Fill in the maps of some layers while the backward passes run."""
    done, total = 0, len(layers) * len(targets)
    late = LateGradCam(len(targets)) if set(maps) == {"gradcam"} and len(targets) > 1 else None

    def visit(info: LayerInfo, activation: Tensor, gradient: Tensor | None, place: int) -> None:
        nonlocal done
        grid = case.layers[info]
        if late is not None:
            taken = None if gradient is None else grid.matrix(gradient)[0]
            late.take(maps["gradcam"][info.name], grid.matrix(activation)[0], taken, place)
        elif gradient is not None:
            found = cams(grid.matrix(activation)[0], grid.matrix(gradient)[0])
            for name, values in found.items():
                maps[name][info.name][place] = values
        done += 1
        case.watch(done, total, None)

    case.insp.passes.sweep(layers, targets, visit, image=case.image)
    case.forward += 1
    case.backward += len(targets)


def linear_heads(insp: Inspector, layers: Sequence[str], image: int) -> dict[str, Head]:
    """Return the linear heads of those layers that feed pooling and one dense layer.

    Parameters
    ----------
    insp : Inspector
        Whose layers.
    layers : sequence of str
        Names, in execution order.
    image : int
        Place in the batch.
    """
    heads: dict[str, Head] = {}
    for name in reversed(layers):
        head = insp.passes.linear_head(name, image=image)
        if head is None:  # nor has any layer before it
            break
        heads[name] = head
    return dict(reversed(heads.items()))


def _heads(case: CamCase) -> dict[str, Head]:
    if None in indices_of(case.targets):
        return {}
    names = case.names
    if len(names) > 1:
        order = {info.name: place for place, info in enumerate(case.insp.modules)}
        names.sort(key=order.__getitem__)
    return linear_heads(case.insp, names, case.image)


def _headed(
    case: CamCase, layer: str, head: Head, cams: LayerCams, maps: dict[str, LayerMaps]
) -> None:
    """Fill in the maps of a layer whose gradients are rows of its head."""
    grid = case.grid(layer)
    value = case.insp.passes.activations([layer], image=case.image)[layer]
    activation = grid.matrix(value)[0]
    rows = [index for index in indices_of(case.targets) if index is not None]
    if set(maps) == {"gradcam"}:  # for all classes one product of matrices
        every = rows == [*range(len(head.weight))]
        weights = (head.weight if every else head.weight[rows]).to(activation)
        # In this order in memory, two threads take half the time.
        values = (activation / head.places).t().contiguous().t()
        maps["gradcam"][layer] = exact_product(weights, values)
    else:
        for place, row in enumerate(head.gradients(rows).to(activation)):
            for name, values in cams(activation, row[:, None].expand_as(activation)).items():
                maps[name][layer][place] = values


def _no_head(info: LayerInfo, case: CamCase) -> str:
    if None in indices_of(case.targets):
        return phrase("cam_needs_class")
    return phrase("cam_needs_head", layer=repr(info.name))
