"""SaliencyOverlay: what in a picture a class score depends on, by several methods side by side."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets

from cnnviz_widgets.attribution.cam import cam
from cnnviz_widgets.attribution.map import Map
from cnnviz_widgets.attribution.saliency import saliency
from cnnviz_widgets.attribution.sweep import MapReport, grid_layers
from cnnviz_widgets.inspection.targets import class_index
from cnnviz_widgets.methods.progress import Cancelled
from cnnviz_widgets.methods.registry import Family, Method, checked_parameters, methods
from cnnviz_widgets.rendering.colormap import Rgb, colormap_names
from cnnviz_widgets.streaming.messages import Request, read_whole
from cnnviz_widgets.streaming.wire import Header

from .baking import Wanted
from .base import Answer, Frame, InspectorWidget, Reply, built, checked_choice
from .layer_frames import input_frame
from .method_entries import (
    captum_name,
    method_entries,
    method_entry,
    method_of,
    parameter_controls,
    takes_layer,
    usual_form,
)
from .saliency_frames import (
    Question,
    RecentFrames,
    map_frame,
    partial_frame,
    progress_frame,
    read_question,
    sorted_parameters,
)
from .saliency_stills import Look, drawn, saliency_still

SHOWS = ("both", "picture", "map")
FORMS = ("usual", "absolute", "signed", "positive")
FAMILIES: tuple[Family, ...] = ("saliency", "cam")
TOP = 10
"""Predictions that the slider over classes goes through."""
MAX_PANELS = 6
PANEL_KINDS = tuple(f"panel:{slot}" for slot in range(MAX_PANELS))
"""A kind for each place, since a request replaces only what waits of the same kind."""
RECENT_BYTES = 32 << 20
PARTIAL_EVERY_S = 0.2
"""Seconds between two maps so far: often enough to watch, seldom enough to cost little."""
SILENCE_S = 0.5
"""Seconds after which a method that has no map to show says at least how far it is."""


class SaliencyOverlay(InspectorWidget):
    """Lay maps over the picture that say what a class score depends on.

    Parameters
    ----------
    model, inputs, class_names, mean, std, output, layers, layouts
        As in `InspectorWidget`: a network and what it takes, or an `Inspector`.
    method : str, class, or sequence of them, optional
        One method, or several side by side: "gradient" (default), "integrated_gradients",
        "smoothgrad", "rise"... and the CAMs; ``cnnviz_widgets.methods.methods`` lists them. Also
        classes of Captum, ``captum.attr.DeepLift`` or "captum.DeepLift".
    target : int or str, optional
        Class to explain, by index or name; by default each picture's top prediction.
    image : int, optional
        Picture of the batch, from 0.
    layer : str, optional
        For methods at a layer; by default the last that has a spatial grid.
    show : {"both", "picture", "map"}, optional
        The map over the picture (default), or one of them alone.
    opacity : float, optional
        Of the map over the picture, 0 to 1.
    form : {"usual", "absolute", "signed", "positive"}, optional
        Which values are drawn: all by their size, all with their sign on a scale centred on zero,
        or those above zero. Usual is "positive" for CAMs, occlusion and RISE, and "absolute"
        for the others.
    percentile : float, optional
        Where the scale ends, in percent of the values drawn, by size: 99 by default, 100 for no
        clipping.

    Attributes
    ----------
    inspector : Inspector
        What is explained; `inspector.set_inputs` shows other pictures in every widget over it.
    panels : list of dict
        One for each map: ``{"method": "smoothgrad", "parameters": {"samples": 50}}``. Parameters
        that are left out have their defaults.
    target, image, layer : int or None, int, str or None
        What the view explains; set them from Python and the view follows.
    show, opacity, form, percentile, smooth, colormap : str, float, str, float, bool, str
        How maps are drawn; `smooth` is bilinear, else each value is a rectangle.

    Examples
    --------
    >>> import cnnviz_widgets as cw
    >>> shapes = cw.samples.load("shapes")
    >>> overlay = cw.SaliencyOverlay(shapes.model, shapes.images, class_names=shapes.class_names)
    >>> overlay.panels = [{"method": "gradient"}, {"method": "rise"}]

    Notes
    -----
    Methods that sample or perturb send the map so far about five times a second, and stop within
    one batch when the view cancels them or asks for something else. Finished maps are kept, in the
    kernel and in the page, so that going back costs nothing.
    """

    _esm = built("saliency-overlay.js")
    _css = built("saliency-overlay.css")

    NEEDS_KERNEL: ClassVar[tuple[str, ...]] = (
        *("add", "cancel", "again", "layer"),
        *parameter_controls(*FAMILIES),
    )

    panels = traitlets.List(traitlets.Dict(), help="Method and parameters of each map.").tag(
        sync=True
    )
    target = traitlets.Union(
        [traitlets.Int(min=0), traitlets.Unicode()],
        default_value=None,
        allow_none=True,
        help="Class; None is the top prediction.",
    ).tag(sync=True)
    layer = traitlets.Unicode(
        None, allow_none=True, help="For methods at a layer; None is the last with a grid."
    ).tag(sync=True)
    show = traitlets.Unicode("both", help=f"One of {SHOWS}.").tag(sync=True)
    opacity = traitlets.Float(0.6, min=0, max=1, help="Of the map over the picture.").tag(sync=True)
    form = traitlets.Unicode("usual", help=f"One of {FORMS}.").tag(sync=True)
    percentile = traitlets.Float(99.0, min=0, max=100, help="End of the scale.").tag(sync=True)
    smooth = traitlets.Bool(True, help="Bilinear between values.").tag(sync=True)
    colormap = traitlets.Unicode("viridis", help="Name of the colormap.").tag(sync=True)
    _methods: traitlets.List[Any] = traitlets.List(help="All methods, with their parameters.").tag(
        sync=True
    )

    _grids: traitlets.List[str] = traitlets.List(help="Layers that have a grid.").tag(sync=True)

    def __init__(
        self,
        model: object,
        inputs: object = None,
        *,
        method: str | type | Sequence[str | type] = "gradient",
        **options: Any,
    ) -> None:
        chosen = [method] if isinstance(method, (str, type)) else list(method)
        options.setdefault("panels", [{"method": name} for name in chosen])
        self._recent = RecentFrames(RECENT_BYTES)
        super().__init__(model, inputs, **options)
        self._list_methods()
        self._grids = [info.name for info in grid_layers(self.inspector)]

    @property
    def method(self) -> str:
        """Method of the first map; setting it keeps the others."""
        name: str = self.panels[0]["method"]
        return name

    @method.setter
    def method(self, name: str) -> None:
        self.panels = [{"method": name}, *self.panels[1:]]

    @traitlets.observe("panels")
    def _list_methods(self, _change: object = None) -> None:
        """List our methods, and those of Captum's that are shown."""
        named = [method_of(panel["method"], *FAMILIES) for panel in self.panels]
        theirs = {method.name: method for method in named if captum_name(method.name)}
        self._methods = [
            *method_entries(*FAMILIES),
            *(method_entry(method) for method in theirs.values()),
        ]

    def _refresh_index(self) -> None:
        """Stay on a layer that still exists."""
        self._grids = [info.name for info in grid_layers(self.inspector)]
        if self.layer not in {layer.name for layer in self.inspector.modules}:
            self.layer = None
        super()._refresh_index()

    @traitlets.validate("panels")
    def _known_panels(self, proposal: dict[str, Any]) -> list[dict[str, Any]]:
        panels = proposal["value"]
        if not 1 <= len(panels) <= MAX_PANELS:
            raise ValueError(f"panels has {len(panels)} entries; give 1 to {MAX_PANELS}.")
        return [_checked_panel(panel) for panel in panels]

    @traitlets.validate("target")
    def _known_target(self, proposal: dict[str, Any]) -> int | None:
        target, count = proposal["value"], self.inspector.class_count
        if target is None:
            return None
        if count is None:
            raise ValueError(
                f"target={target!r} names a class, but this model has no class scores."
            )
        return class_index(target, count, self.inspector.class_names)

    @traitlets.validate("layer")
    def _known_layer(self, proposal: dict[str, Any]) -> str | None:
        name: str | None = proposal["value"]
        return None if name is None else self.inspector.find(name).name

    @traitlets.validate("show", "form", "colormap")
    def _known_choice(self, proposal: dict[str, Any]) -> str:
        name = proposal["trait"].name
        allowed = {"show": SHOWS, "form": FORMS, "colormap": colormap_names()}[name]
        return checked_choice(name, proposal["value"], allowed)

    def _bake_requests(self) -> Iterator[Wanted]:
        """Ask what is on the screen, then quick maps of other pictures, classes and methods."""
        insp = self.inspector
        images = sorted(range(insp.batch_size), key=lambda image: image != self.image)
        for image in images:
            yield Wanted("input", {"image": image}, "pictures")
        slots = range(len(self.panels))
        quick = [slot for slot in slots if not self._method(slot).progressive]
        for image in images:
            for slot in slots if image == self.image else quick:
                yield self._wanted(slot, image, self.target, f"maps of picture {image + 1}")
        ranked = insp.predictions(TOP) if insp.has_scores else [[] for _ in images]
        for image in images:
            for prediction in ranked[image]:
                for slot in quick:
                    what = f"maps of other classes of picture {image + 1}"
                    yield self._wanted(slot, image, prediction.index, what)
        others = [method for method in methods("saliency") if not method.progressive]
        for image in images:
            what = f"maps of other methods of picture {image + 1}"
            for target in (self.target, *(prediction.index for prediction in ranked[image])):
                for slot in slots:
                    for method in others:
                        if method.name != self.panels[slot]["method"]:
                            yield self._wanted(slot, image, target, what, instead=method)

    def _wanted(
        self, slot: int, image: int, target: int | None, what: str, *, instead: Method | None = None
    ) -> Wanted:
        """Ask for a panel's map, or for what it shows when another method is chosen in it."""
        method = instead or self._method(slot)
        params: Header = {
            "method": method.name if instead else self.panels[slot]["method"],
            "parameters": {} if instead else self.panels[slot]["parameters"],
            "target": target,
            "image": image,
            "layer": self.layer if takes_layer(method) else None,
        }
        return Wanted(PANEL_KINDS[slot], params, what)

    def _method(self, slot: int) -> Method:
        return method_of(self.panels[slot]["method"], *FAMILIES)

    def _still(self) -> Rgb | None:
        """Draw the maps shown first, save those that take their time and are not there yet."""
        epoch = self.inspector.check()
        picture = self.inspector.picture(self.image)
        look = Look(self.show, self.opacity, self.percentile, self.smooth, self.colormap)
        parts: list[Rgb] = []
        titles: list[str] = []
        for slot in range(len(self.panels)):
            method = self._method(slot)
            question = read_question(self._wanted(slot, self.image, self.target, "").params)
            if method.progressive and self._recent.get(question, epoch) is None:
                continue
            try:
                values = self._finished(question, epoch, lambda *_: None).arrays["values"]
            except ValueError:  # a method that cannot work on this model; the view says why
                continue
            form = usual_form(method) if self.form == "usual" else self.form
            parts.append(drawn(values.astype(np.float32), picture, form, look))
            titles.append(method.title)
        if not parts and picture is not None:
            return saliency_still([picture], "The picture that goes in")
        return saliency_still(parts, ", ".join(titles))

    def _input(self, request: Request, _reply: Reply) -> Iterator[Frame]:
        yield input_frame(self.inspector, image=read_whole(request.params, "image"), top=TOP)

    def _panel(self, request: Request, reply: Reply) -> Iterator[Frame]:
        """Send the map that a panel asks for, and before it what there is so far."""
        try:
            question = read_question(request.params)
            yield self._finished(question, reply.epoch, _report(reply, question))
        except Cancelled:
            return

    def _finished(self, question: Question, epoch: int, report: MapReport) -> Frame:
        """Return a finished map, from memory if it is there."""
        frame = self._recent.get(question, epoch)
        if frame is None:
            frame = map_frame(self._computed(question, report))
            self._recent.put(question, epoch, frame)
        return frame

    def _computed(self, question: Question, report: MapReport) -> Map:
        method = method_of(question.method, *FAMILIES)
        return (cam if method.family == "cam" else saliency)(
            self.inspector,
            method.name,
            target=question.target,
            image=question.image,
            layer=question.layer if takes_layer(method) else None,
            report=report,
            **dict(question.parameters),
        )

    WORDS: ClassVar = ("attribution", "saliency_overlay")
    ANSWERS: ClassVar[dict[str, Answer]] = {
        "input": _input,
        **dict.fromkeys(PANEL_KINDS, _panel),
    }


def _checked_panel(panel: Mapping[str, Any]) -> dict[str, Any]:
    """Return a panel with the parameters that differ from their defaults, checked."""
    unknown = sorted(set(panel) - {"method", "parameters"})
    if unknown or "method" not in panel:
        raise ValueError(
            f"panels has the entry {dict(panel)!r}; give 'method' and, if you like, 'parameters'."
        )
    given = panel.get("parameters") or {}
    theirs = captum_name(panel["method"])
    if theirs is not None:
        return {"method": theirs, "parameters": dict(sorted_parameters(given))}
    method = method_of(panel["method"], *FAMILIES)
    values = checked_parameters(method, given)
    defaults = {parameter.name: parameter.default for parameter in method.parameters}
    changed = {name: value for name, value in values.items() if value != defaults[name]}
    return {"method": method.name, "parameters": changed}


def _report(reply: Reply, question: Question) -> MapReport:
    """Make what a method calls when it has got further: it sends how far, or stops the method."""
    is_counted = captum_name(question.method) is None
    told_s, mapped_s = time.monotonic(), -math.inf

    def report(done: int, total: int, partial: Callable[[], Map] | None) -> None:
        nonlocal told_s, mapped_s
        if reply.stale:
            raise Cancelled
        now = time.monotonic()
        if partial is not None and done < total and now - mapped_s >= PARTIAL_EVERY_S:
            reply.send(partial_frame(partial(), done=done, total=total))
            mapped_s = told_s = now
        elif now - told_s >= SILENCE_S:
            reply.send(progress_frame(done, total if is_counted else 0))
            told_s = now

    return report
