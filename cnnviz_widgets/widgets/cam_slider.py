"""CamSlider: slide class-activation maps through the layers and the classes of a network."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar, cast

import traitlets

from cnnviz_widgets.attribution.cam import cam
from cnnviz_widgets.attribution.map import Map
from cnnviz_widgets.attribution.sweep import CamSweep, grid_layers, sweep_maps
from cnnviz_widgets.inspection.predictions import Prediction
from cnnviz_widgets.inspection.targets import class_index
from cnnviz_widgets.methods.default_layer import default_layer
from cnnviz_widgets.methods.progress import Cancelled
from cnnviz_widgets.methods.registry import find_method, methods
from cnnviz_widgets.rendering.colormap import Rgb, colormap_names
from cnnviz_widgets.streaming.messages import (
    MessageError,
    Request,
    read_name,
    read_names,
    read_whole,
)
from cnnviz_widgets.streaming.wire import Header, Json

from .baking import Wanted
from .base import Answer, Frame, InspectorWidget, Reply, built, checked_choice
from .cam_frames import exact_frame, sweep_frames
from .cam_sweeps import RecentSweeps
from .layer_frames import input_frame
from .method_entries import method_entries
from .stills import captioned, enlarged

SCALES = ("rectified", "signed", "map")
TOP = 10
"""Predictions that the slider over classes goes through."""
MAX_CLASSES = 6
"""Maps side by side."""
MAX_ASKED = 64
STORED_CLASSES = 3
"""Classes whose maps a page without a kernel has of other methods and pictures than those shown."""
_STILL_PX = 256
RECENT_BYTES = 64 << 20
"""Raw maps kept in the kernel, for exact values."""
TELL_EVERY_S = 0.2
"""Seconds between two words on how far a method is."""


class CamSlider(InspectorWidget):
    """Slide through the layers and classes of a network and see where each speaks for what.

    Parameters
    ----------
    model, inputs, class_names, mean, std, output, layers, layouts
        As in `InspectorWidget`: a network and what it takes, or an `Inspector`.
    layer : str, optional
        Layer to open; by default the last whose output has a grid of places.
    targets : sequence of int or str, optional
        Classes side by side, by index or name: ``["bull mastiff", "tabby, tabby cat"]``. None at
        all, the default, is the top prediction of the picture that is shown.
    image : int, optional
        Picture of the batch to show, from 0.
    method : str, optional
        "gradcam" (default), "gradcam++", "hirescam", "layercam" and so on;
        ``cnnviz_widgets.methods.methods("cam")`` lists them.
    scale : {"rectified", "signed", "map"}, optional
        Positive values of all classes on one scale (default); values of both signs on one scale
        centred on zero; or the positive values of each map on its own scale.
    opacity : float, optional
        Of the map over the picture, 0 to 1.
    threshold : float, optional
        Share of the scale below which the picture shows through; a line is drawn there.
    colormap : str, optional
        "viridis" (default), "magma", "cividis" or "gray"; signed maps are drawn with "coolwarm".

    Attributes
    ----------
    inspector : Inspector
        What is explained; `inspector.set_inputs` shows other pictures in every widget over it.
    layer, image, method : str, int, str
        What the view shows; set them from Python and the view follows.
    targets : list of int
        Indices of the classes shown; empty for the top prediction. Names are taken too.
    scale, opacity, threshold, smooth, colormap : str, float, float, bool, str
        How maps are drawn; `smooth` is bilinear, else each value is a rectangle.

    Examples
    --------
    >>> import cnnviz_widgets as cw
    >>> shapes = cw.samples.load("shapes")
    >>> slider = cw.CamSlider(shapes.model, shapes.images, class_names=shapes.class_names)
    >>> slider.targets = ["circle", "ring"]

    Notes
    -----
    Methods that read gradients take one forward pass for all layers and one backward pass for each
    class; their maps go over the wire at once, 1 to 2 bytes a value, those of the likeliest classes
    ahead, so that every slide is the page's own. Methods that perturb (Score-CAM, Ablation-CAM)
    cost one pass for each channel: they run for the layer at which the slider rests, show what
    they have, and stop when something else is chosen.
    """

    _esm = built("cam-slider.js")
    _css = built("cam-slider.css")

    layer = traitlets.Unicode(help="Name of the layer shown.").tag(sync=True)
    targets = traitlets.List(traitlets.Any(), help="Classes; none is the top prediction.").tag(
        sync=True
    )
    method = traitlets.Unicode("gradcam", help="Name of the method.").tag(sync=True)
    scale = traitlets.Unicode("rectified", help=f"One of {SCALES}.").tag(sync=True)
    opacity = traitlets.Float(0.6, min=0, max=1, help="Of the map over the picture.").tag(sync=True)
    threshold = traitlets.Float(0.0, min=0, max=1, help="Share of the scale.").tag(sync=True)
    smooth = traitlets.Bool(True, help="Bilinear between values.").tag(sync=True)
    colormap = traitlets.Unicode("viridis", help="Name of the colormap.").tag(sync=True)
    _methods = traitlets.List(traitlets.Dict(), help="All methods at a layer.").tag(sync=True)
    _grids = traitlets.List(traitlets.Unicode(), help="Layers that have a grid.").tag(sync=True)

    def __init__(self, model: object, inputs: object = None, **options: Any) -> None:
        self._ranked: tuple[int, list[list[Prediction]]] = (-1, [])
        self._recent = RecentSweeps(RECENT_BYTES)
        super().__init__(model, inputs, **options)
        self._methods = [dict(entry) for entry in method_entries("cam")]
        self._grids = [info.name for info in grid_layers(self.inspector)]
        if not self.layer:
            self.layer = self._first_layer()

    def _first_layer(self) -> str:
        """Return the layer to open: the last that can matter to the top prediction."""
        insp = self.inspector
        if not self._grids:
            return insp.layers[-1].name
        if insp.class_count is None:
            return str(self._grids[-1])
        (top,) = insp.passes.targets([None], image=self.image)
        return default_layer(insp, top, self.image)

    def _refresh_index(self) -> None:
        """Stay on a layer that still has a grid."""
        self._grids = [info.name for info in grid_layers(self.inspector)]
        if self.layer not in self._grids:
            self.layer = self._first_layer()
        super()._refresh_index()

    @traitlets.validate("layer")
    def _known_layer(self, proposal: dict[str, Any]) -> str:
        name: str = proposal["value"]
        return self.inspector.find(name).name if name else name

    @traitlets.validate("targets")
    def _known_targets(self, proposal: dict[str, Any]) -> list[int]:
        targets, count = proposal["value"], self.inspector.class_count
        if len(targets) > MAX_CLASSES:
            raise ValueError(f"targets has {len(targets)} classes; give at most {MAX_CLASSES}.")
        if targets and count is None:
            raise ValueError(f"targets={targets!r} names classes, but this model has no scores.")
        return [class_index(each, count or 0, self.inspector.class_names) for each in targets]

    @traitlets.validate("method")
    def _known_method(self, proposal: dict[str, Any]) -> str:
        return find_method(proposal["value"], "cam").name

    @traitlets.validate("scale", "colormap")
    def _known_choice(self, proposal: dict[str, Any]) -> str:
        name = proposal["trait"].name
        allowed = {"scale": SCALES, "colormap": colormap_names()}[name]
        return checked_choice(name, proposal["value"], allowed)

    def _bake_requests(self) -> Iterator[Wanted]:
        """Ask for what is shown, the picture by other methods of one pass, then other pictures."""
        if self.inspector.class_count is None or not self._grids:
            return
        images = sorted(range(self.inspector.batch_size), key=lambda image: image != self.image)
        for image in images:
            yield Wanted("input", {"image": image}, "pictures")
        is_slow = find_method(self.method, "cam").progressive
        if is_slow:
            asked: Header = {"method": self.method, "image": self.image, "layer": self.layer}
            asked["classes"] = list(self.targets) or self._likely(self.image)[:1]
            yield Wanted("map", asked, f"{self.method} maps of {self.layer}")
        quick = [each.name for each in methods("cam") if not each.progressive]
        for name in sorted(quick, key=lambda name: name != self.method):
            few = TOP if name == self.method else STORED_CLASSES
            for target in self._likely(self.image)[:few]:
                yield self._wanted(name, self.image, target)
        for image in images[1:] if not is_slow else ():
            for target in self._likely(image)[:STORED_CLASSES]:
                yield self._wanted(self.method, image, target)

    def _wanted(self, method: str, image: int, target: int) -> Wanted:
        asked: Header = {
            "method": method,
            "image": image,
            "classes": [target],
            "first": self.layer,
        }
        return Wanted("sweep", asked, f"{method} maps of picture {image + 1}")

    def _likely(self, image: int) -> list[int]:
        """Return the classes shown, and those that the slider goes through."""
        ranked = [found.index for found in self._predictions()[image][:TOP]]
        return list(dict.fromkeys([*cast("list[int]", self.targets), *ranked]))

    def _still(self) -> Rgb | None:
        """Lay the map shown first over its picture."""
        target = self.targets[0] if self.targets else None
        method = find_method(self.method, "cam")
        if self.inspector.class_count is None or not self._grids or method.progressive:
            return None
        found = cam(self.inspector, self.method, layer=self.layer, target=target, image=self.image)
        drawn = found.overlay(opacity=self.opacity, colormap=self.colormap)
        caption = f"{method.title} of {found.target_name} at {self.layer}"
        return captioned(enlarged(drawn[None], _STILL_PX)[0], caption)

    def _input(self, request: Request, _reply: Reply) -> Iterator[Frame]:
        yield input_frame(self.inspector, image=read_whole(request.params, "image"), top=TOP)

    def _sweep(self, request: Request, reply: Reply) -> Iterator[Frame]:
        """Send the maps of all layers, those of the layer that is looked at before the others."""
        params = request.params
        method, image = read_name(params, "method"), read_whole(params, "image")
        kept = self._recent.whole(reply.epoch, method, image, _classes(params))
        if kept is not None:
            yield from _maps_of(method, image, *kept)
            yield Frame({"scores": self._scores(params)})
            return
        with contextlib.suppress(Cancelled):
            yield from self._swept(params, [method], [read_name(params, "first")], reply)
            # What works here need not work at every layer; the page asks for the others singly.
            with contextlib.suppress(ValueError):
                yield from self._swept(params, [method], None, reply)
            yield Frame({"scores": self._scores(params)})

    def _ahead(self, request: Request, reply: Reply) -> Iterator[Frame]:
        """Do the same for several methods while nobody waits, and leave it as soon as anybody does.

        They share their passes.
        """
        scores: list[Json] = []
        methods = read_names(request.params, "methods", most=MAX_ASKED)
        with contextlib.suppress(Cancelled, ValueError):
            yield from self._swept(request.params, methods, None, reply, ahead=True)
            scores = self._scores(request.params)
        yield Frame({"scores": scores})

    def _swept(
        self,
        params: Header,
        methods: list[str],
        layers: Sequence[str] | None,
        reply: Reply,
        *,
        ahead: bool = False,
    ) -> Iterator[Frame]:
        image, report = read_whole(params, "image"), _report(reply, ahead=ahead)
        sweeps = sweep_maps(self.inspector, methods, layers, _classes(params), image, report=report)
        for method, sweep in sweeps.items():
            if layers is None:
                self._recent.put(reply.epoch, method, image, sweep)
            for frame in _maps_of(method, image, sweep):
                report(0, 0, None)
                yield frame

    def _map(self, request: Request, reply: Reply) -> Iterator[Frame]:
        """Send the exact maps of one layer, and what there is of them before."""
        with contextlib.suppress(Cancelled):
            frame = exact_frame(self._exact(request.params, reply))
            scores = self._scores(request.params)
            yield replace(frame, fields={**frame.fields, "scores": scores})

    def _exact(self, params: Header, reply: Reply) -> list[Map]:
        layer, method = read_name(params, "layer"), read_name(params, "method")
        classes, image = _classes(params), read_whole(params, "image")
        known = self._recent.find(reply.epoch, method, image, layer, classes)
        if known is not None:
            return known
        so_far: dict[int | None, Map] = {}

        def tell(found: Map, done: int, total: int) -> None:
            so_far[found.target_index] = found
            reply.send(exact_frame(list(so_far.values()), done=done, total=total, final=False))

        report = _report(reply, tell=tell)
        sweep = sweep_maps(self.inspector, [method], [layer], classes, image, report=report)[method]
        return [sweep.map_at(layer, place) for place in range(len(sweep.targets))]

    def _scores(self, params: Header) -> list[Json]:
        """Describe the classes of a request: what is explained of each, and its probability."""
        image = read_whole(params, "image")
        probabilities = {found.index: found.probability for found in self._predictions()[image]}
        explained = self.inspector.passes.targets(_classes(params), image=image)
        return [
            {
                "index": target.index,
                "name": target.name,
                "score": target.score,
                "score_kind": target.score_kind,
                "probability": probabilities.get(target.index or 0),
            }
            for target in explained
        ]

    def _predictions(self) -> list[list[Prediction]]:
        """Return all classes of every picture, ranked once in each state of the model."""
        epoch = self.inspector.epoch  # of before, since another thread may set other pictures
        ranked_epoch, ranked = self._ranked
        if ranked_epoch != epoch:
            ranked = self.inspector.predictions(self.inspector.class_count or 1)
            self._ranked = (epoch, ranked)
        return ranked

    WORDS: ClassVar = ("attribution", "cam_slider")
    ANSWERS: ClassVar[dict[str, Answer]] = {
        "input": _input,
        "sweep": _sweep,
        "ahead": _ahead,
        "map": _map,
    }


def _maps_of(
    method: str, image: int, sweep: CamSweep, places: Sequence[int] | None = None
) -> Iterator[Frame]:
    """Send the maps of a sweep as those of a method and picture."""
    for frame in sweep_frames(sweep, places):
        yield replace(frame, params={"method": method, "image": image})


def _classes(params: Header) -> list[int]:
    """Read which classes a request is about."""
    asked = params.get("classes")
    if not isinstance(asked, list) or not 1 <= len(asked) <= MAX_ASKED:
        raise MessageError(f"classes={asked!r} must be a list of 1 to {MAX_ASKED} classes.")
    return [read_whole({"classes": each}, "classes") for each in asked]


def _report(
    reply: Reply,
    *,
    ahead: bool = False,
    tell: Callable[[Map, int, int], None] | None = None,
) -> Callable[[int, int, Callable[[], Map] | None], None]:
    """Make what a method calls when it has got further: it says how far, or stops the method."""
    told_s = mapped_s = time.monotonic()

    def report(done: int, total: int, partial: Callable[[], Map] | None) -> None:
        nonlocal told_s, mapped_s
        if reply.stale or (ahead and reply.waiting):
            raise Cancelled
        now = time.monotonic()
        if done >= total:
            return
        if tell and partial and now - mapped_s >= TELL_EVERY_S:
            tell(partial(), done, total)
            told_s = mapped_s = now
        elif not ahead and now - told_s >= TELL_EVERY_S:
            told_s = now
            reply.send(Frame({"done": done, "total": total}, final=False, kind="progress"))

    return report
