"""Attribution: maps at the input, what mattered pixel by pixel.

In: an `Inspector`, a method and a target. Out: `Map`; for methods that sample or perturb also the
map so far, after every batch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cnnviz_widgets.attribution.map import Floats, Map
from cnnviz_widgets.attribution.status import status_of
from cnnviz_widgets.attribution.sweep import MapReport, checked_inspector
from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.explained import ExplainedTarget
from cnnviz_widgets.inspection.guests import guest_of
from cnnviz_widgets.inspection.inputs import Inputs
from cnnviz_widgets.inspection.targets import Target
from cnnviz_widgets.methods.captum_adapter import explain_with_captum
from cnnviz_widgets.methods.captum_classes import captum_class, takes_target
from cnnviz_widgets.methods.progress import reported
from cnnviz_widgets.methods.registry import Method, checked_parameters, find_method
from cnnviz_widgets.methods.saliency import Saliency, explain
from cnnviz_widgets.words import joined, phrase

_OF_THE_PICTURE = frozenset({"gradient", "input_x_gradient"})
"""Methods that ask for the gradient of the picture as it is, and nothing else."""


def saliency(
    insp: Inspector,
    method: str | type = "gradient",
    target: Target = None,
    image: int = 0,
    *,
    layer: str | None = None,
    inputs: Inputs | None = None,
    report: MapReport | None = None,
    **parameters: object,
) -> Map:
    """Return what mattered at the input for one score of one picture.

    Parameters
    ----------
    insp : Inspector
        Look at a model through it: ``cw.Inspector(model, inputs)``.
    method : str or class
        A name from ``cnnviz_widgets.methods.methods("saliency")``, such as "gradient",
        "integrated_gradients" or "rise"; or a class of `captum.attr`, such as
        ``captum.attr.DeepLift``, which is given a copy of the model.
    target : int, str, callable or None
        Class index, class name, ``output -> scalar per image``, or None for the top prediction of
        the picture as it is, also where the method changes the picture. Where the model ends in a
        softmax, the logit before it is explained.
    image : int
        Place in the batch.
    layer : str, optional
        For "guided_gradcam" the layer of Grad-CAM, by default the last with a grid of places; for a
        Captum class that works at a layer, which.
    inputs : object, optional
        Another picture than that of the Inspector, of the same shape and type; see `cam`.
    report : callable, optional
        ``report(done, total, partial)`` is called after every batch; `partial` gives the map so
        far, with `final` False, and costs no pass. It is called often inside a batch too, with None
        for `partial`; raise `cnnviz_widgets.methods.progress.Cancelled` in it to stop. Without it a
        bar is drawn on standard error after a second.
    **parameters : object
        Settings of the method, as its record lists them; ``baseline`` may also be a number or a
        tensor. For a Captum class the arguments of its constructor and of its ``attribute``.

    Returns
    -------
    Map
        Raw and signed: `values` (H, W) by the setting ``reduction``, `channels` (C, H, W) before
        it. For an input without a second axis of places (sound, features) H is 1.

    Raises
    ------
    TypeError, ValueError
        An argument is not what it must be; the text names it, its value and what to do.
    Cancelled
        `report` raised it.
    """
    insp = guest_of(checked_inspector(insp, "cw.saliency"), inputs)
    theirs = captum_class(method)
    if theirs is not None:
        return _by_captum(insp, theirs, target, image, layer, parameters, report)
    known = find_method(method, "saliency")
    settings = _checked(known, layer, parameters)
    at_input = known.name in _OF_THE_PICTURE
    with torch.inference_mode(mode=False), insp.passes.ahead(list, at_input=at_input):
        return _explained(insp, known, target, image, layer, settings, report)


def _explained(
    insp: Inspector,
    known: Method,
    target: Target,
    image: int,
    layer: str | None,
    settings: Mapping[str, object],
    report: MapReport | None,
) -> Map:
    """Return the map of a method of ours."""
    (explained,) = insp.passes.targets([target], image=image)
    maps = _Maps(insp, known.name, explained, image)
    with reported(report, known.title) as tell:

        def watch(done: int, total: int, so_far: Callable[[], Saliency] | None) -> None:
            tell(done, total, None if so_far is None else lambda: maps.map_of(so_far()))

        found = explain(
            insp, known, explained, image=image, layer=layer, parameters=settings, watch=watch
        )
    return maps.map_of(found, final=True)


def _checked(method: Method, layer: str | None, given: Mapping[str, object]) -> dict[str, object]:
    """Check settings and fill in defaults; a baseline may also be a number or a tensor."""
    if layer is not None and method.name != "guided_gradcam":
        msg = (
            f"layer={layer!r}: {method.name!r} explains the input and takes no layer; maps at a "
            f"layer are made by cw.cam()."
        )
        raise ValueError(msg)
    baseline = given.get("baseline")
    takes = any(parameter.name == "baseline" for parameter in method.parameters)
    if not takes or not isinstance(baseline, (int, float, Tensor)):
        return dict(checked_parameters(method, given))
    named = {name: value for name, value in given.items() if name != "baseline"}
    return {**checked_parameters(method, named), "baseline": baseline}


def _by_captum(
    insp: Inspector,
    method: type,
    target: Target,
    image: int,
    layer: str | None,
    arguments: Mapping[str, object],
    report: MapReport | None,
) -> Map:
    """Return the map of a class of Captum; how many passes it will take is not known."""
    if callable(target):
        msg = f"target={target!r}: Captum explains a class; give its index or name, or None."
        raise TypeError(msg)
    if takes_target(method):
        (explained,) = insp.passes.targets([target], image=image)
    elif target is not None:
        msg = f"target={target!r}: captum.attr.{method.__name__} explains no score of the model."
        raise ValueError(msg)
    else:
        neuron = arguments.get("neuron_selector")
        part = "values" if neuron is None else f"neuron {neuron}"
        explained = ExplainedTarget(None, f"{part} of {layer}", math.nan, "custom")

    def check(passes: int) -> None:
        if report is not None:
            report(passes, passes + 1, None)

    maps = _Maps(insp, f"captum.{method.__name__}", explained, image)
    found, at = explain_with_captum(
        insp, method, explained, image=image, layer=layer, arguments=arguments, check=check
    )
    maps.layer = None if at is None else at.name
    return maps.map_of(found, final=True)


@dataclass
class _Maps:
    """Makes maps of what a method found for one score of one picture."""

    insp: Inspector
    method: str
    target: ExplainedTarget
    image: int
    layer: str | None = None

    def __post_init__(self) -> None:
        self._began_s = time.perf_counter()
        self._picture = self.insp.picture(self.image)

    def map_of(self, found: Saliency, *, final: bool = False) -> Map:
        """Return the map; every note on it is a full sentence."""
        values, volume = _on_a_plane(found.values.numpy())
        status, why = status_of(values, saturated=self.target.saturated)
        if status == "empty" and not values.any():
            why = phrase("all_zero")
        notes = [why, found.note, self.target.notice] if final else [why]
        shape = values.shape if self._picture is None else self._picture.shape
        return Map(
            values=values,
            method=self.method,
            layer=self.layer,
            image=self.image,
            target_index=self.target.index,
            target_name=self.target.name,
            score=self.target.score,
            score_kind=self.target.score_kind,
            status=status,
            size=(shape[0], shape[1]),
            parameters={name: _plain(value) for name, value in found.parameters.items()},
            note=joined(notes),
            picture=self._picture,
            passes=found.passes,
            seconds=time.perf_counter() - self._began_s,
            channels=_channels(found),
            volume=volume,
            completeness_gap=found.gap,
            final=final,
        )


def _plain(value: object) -> object:
    """Return a setting without torch: a tensor as an array."""
    return value.detach().float().cpu().numpy() if isinstance(value, Tensor) else value


def _on_a_plane(values: Floats) -> tuple[Floats, Floats | None]:
    """Return values (*grid) as a map (h, w): a line as one row, a volume's mean over its depth."""
    if values.ndim < 3:
        return np.atleast_2d(values), None
    volume = values.reshape(-1, *values.shape[-2:])
    return volume.mean(0), volume


def _channels(found: Saliency) -> Floats | None:
    """Return the channels (C, h, w); None for a volume, which has no room for them."""
    if found.channels is None or found.channels.dim() > 3:
        return None
    channels: Floats = found.channels.numpy()
    return channels if channels.ndim == 3 else channels[:, None]
