"""Methods: any attribution class of Captum, on a copy of the model.

In: an Inspector, a score, the class and its arguments. Out: a `Saliency`, at the input or at the
layer that the class works at.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from cnnviz_widgets.inspection import Inspector, LayerInfo
from cnnviz_widgets.inspection.explained import ExplainedTarget
from cnnviz_widgets.methods.captum_classes import (
    gives_layer,
    name_of,
    split_arguments,
    takes_layer,
    takes_target,
)
from cnnviz_widgets.methods.captum_model import CountedModel
from cnnviz_widgets.methods.gradients import REDUCTIONS, reduce_channels
from cnnviz_widgets.methods.layer_grid import grid_of
from cnnviz_widgets.methods.saliency import Saliency

_ABOUT_ITS_HOOKS = r"Setting (forward, )?backward hooks"


def explain_with_captum(
    insp: Inspector,
    method: type,
    target: ExplainedTarget,
    *,
    image: int,
    layer: str | None,
    arguments: Mapping[str, object],
    check: Callable[[int], object],
) -> tuple[Saliency, LayerInfo | None]:
    """Run a class of Captum on a copy of the model.

    The copy is thrown away, with whatever hooks are left on it. What troubles Captum on a model of
    one's own troubles it here: it sees no function in the place of a module (guided
    backpropagation is then the plain gradient), and DeepLift refuses modules that are called
    several times. The model's lock is held all the time, as Captum does not come back between its
    passes.

    Parameters
    ----------
    insp : Inspector
        Whose model and input.
    method : type
        As `captum_class` returned it.
    target : ExplainedTarget
        The score.
    image : int
        Place in the batch.
    layer : str or None
        For classes that work at a layer, or at a neuron of it.
    arguments : mapping of str to object
        Of the constructor and of ``attribute``, told apart by their names; and ours, "reduction"
        (see `reduce_channels`, "sum" by default) and "seed" (0) of torch's random numbers. For
        `NoiseTunnel`, "attribution_method" is a class too.
    check : callable
        ``check(passes)`` is called before every pass; what it raises ends the run.

    Returns
    -------
    Saliency
    LayerInfo or None
        The layer at which the values lie; None for the input.

    Raises
    ------
    TypeError
        An argument is missing or not known.
    ValueError
        There is no such layer, or the model cannot be copied.
    RuntimeError
        Captum, or the model under it, raised an error: the cause of this one.
    """
    reduction, seed = _ours(arguments)
    given = {name: value for name, value in arguments.items() if name not in {"reduction", "seed"}}
    making, calling = split_arguments(method, given)
    info = _layer_of(insp, method, layer)
    picture = insp.passes.input(image=image).requires_grad_()
    with insp.passes.module(image=image) as scorer:
        torch.manual_seed(seed)  # put back where the block ends
        model = CountedModel(scorer, check)
        found = _attribute(method, model, picture, target, info, making, calling)
    delta = None
    if calling.get("return_convergence_delta"):
        found, delta = found  # type: ignore[misc]  # Captum's promise
    at_layer = info if info is not None and gives_layer(method) else None
    values, channels = _by_place(insp, _first(found), at_layer, reduction)
    parameters = {**given, "reduction": reduction, "seed": seed}
    if info is not None:
        parameters["layer"] = info.name
    passes = model.forward_passes, model.backward_passes
    gap = None if delta is None else float(delta.mean())
    return Saliency(values, channels, gap, _about_calls(info), parameters, passes), at_layer


def _ours(arguments: Mapping[str, object]) -> tuple[str, int]:
    """Return the settings that are ours, whatever the class takes."""
    reduction, seed = arguments.get("reduction", "sum"), arguments.get("seed", 0)
    if reduction not in REDUCTIONS:
        msg = f"reduction={reduction!r} is not known; choose one of {', '.join(REDUCTIONS)}."
        raise ValueError(msg)
    if not isinstance(seed, int):
        msg = f"seed={seed!r} must be a whole number."
        raise TypeError(msg)
    return str(reduction), seed


def _layer_of(insp: Inspector, method: type, layer: str | None) -> LayerInfo | None:
    """Return the layer, where the class takes one."""
    takes = takes_layer(method)
    if takes and layer is None:
        msg = f"layer=None: {name_of(method)} works at a layer; give its name, as in insp.layers."
        raise ValueError(msg)
    if layer is not None and not takes:
        msg = f"layer={layer!r}: {name_of(method)} explains the input and takes no layer."
        raise ValueError(msg)
    return None if layer is None else insp.find(layer)


def _about_calls(info: LayerInfo | None) -> str | None:
    if info is None or info.calls == 1:
        return None
    return f"{info.path} is called {info.calls} times; which call this is was Captum's choice."


def _attribute(
    method: type,
    model: CountedModel,
    picture: Tensor,
    target: ExplainedTarget,
    info: LayerInfo | None,
    making: dict[str, object],
    calling: dict[str, object],
) -> object:
    """Make the object and call it; say what was tried where Captum raises."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=_ABOUT_ITS_HOOKS)  # they are on a copy
            if info is not None:
                making = {**making, "layer": model.layer(info.path)}
            inner = making.get("attribution_method")
            if isinstance(inner, type):
                attribution = method(**{**making, "attribution_method": inner(model)})
            else:
                attribution = method(model, **making)
            if takes_target(method):
                calling = {**calling, "target": target.index}
            return attribution.attribute(picture, **calling)
    except Exception as error:
        if error is model.stopped:
            raise
        raise RuntimeError(_what_was_tried(method, picture, target, info, error)) from error


def _what_was_tried(
    method: type,
    picture: Tensor,
    target: ExplainedTarget,
    info: LayerInfo | None,
    error: Exception,
) -> str:
    place = "" if info is None else f" and the layer {info.name!r}"
    return (
        f"{name_of(method)} raised {type(error).__name__}: {error}. It was given a copy of the "
        f"model, an input of shape {tuple(picture.shape)}, the target {target.name!r}{place}. "
        f"Captum sees modules only, and DeepLift each of them once; a method of ours, such as "
        f"'integrated_gradients', has no such limits."
    )


def _first(found: object) -> Tensor:
    """Return the attributions of the first tensor."""
    while isinstance(found, (tuple, list)):
        found = found[0]
    assert isinstance(found, Tensor), f"Captum gave {type(found).__name__}"
    return found.detach().float().cpu()


def _by_place(
    insp: Inspector, found: Tensor, info: LayerInfo | None, reduction: str
) -> tuple[Tensor, Tensor | None]:
    """Return attributions (1, ...) as one number per place, and the channels before that."""
    grid = None if info is None else grid_of(insp, info)
    if grid is not None and info is not None and found.shape[1:] == info.shape[1:]:
        channels = grid.matrix(found)[0].reshape(-1, *grid.shape)
    elif found.dim() > 2:
        channels = found[0]
    else:
        return found.reshape(1, -1), None
    return reduce_channels(channels, reduction), channels
