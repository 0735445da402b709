"""Attribution: the maps of many layers and classes of one picture, from as few passes as possible.

In: an `Inspector`, methods, layers and targets. Out: a `CamSweep` for each method, whose maps are
made into `Map`s only when they are looked at.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

import torch
from torch import Tensor

from cnnviz_widgets.attribution.map import Floats, Map
from cnnviz_widgets.attribution.status import status_of
from cnnviz_widgets.inspection import Inspector, LayerInfo
from cnnviz_widgets.inspection.explained import ClassTargets, ExplainedTarget, indices_of
from cnnviz_widgets.inspection.guests import guest_of
from cnnviz_widgets.inspection.inputs import Inputs
from cnnviz_widgets.inspection.pictures import picture_of
from cnnviz_widgets.inspection.targets import Target
from cnnviz_widgets.methods.cam_case import CamCase, Partial
from cnnviz_widgets.methods.cam_family import ONE_FORWARD, cam_maps
from cnnviz_widgets.methods.fullgrad import input_grid
from cnnviz_widgets.methods.gradient_sweep import linear_heads
from cnnviz_widgets.methods.layer_grid import LayerGrid, grid_of, layers_and_grids, spatial_layers
from cnnviz_widgets.methods.progress import reported
from cnnviz_widgets.methods.registry import Method, Value, checked_parameters, find_method
from cnnviz_widgets.rendering.colormap import Rgb
from cnnviz_widgets.words import joined, phrase

MapReport = Callable[[int, int, "Callable[[], Map] | None"], None]
"""``report(done, total, partial)``: passes done and to do in all, and how to get the map so far.

`partial` is None where there is none; calling it costs no pass and gives a `Map` whose `final` is
False. What a report raises ends the method.
"""
T = TypeVar("T")
Key = tuple[str, "int | str"]
"""Layer name and class index; a function of the output has its name for an index."""


class Shown:
    """The input that maps are laid over, made into a picture when the first map is looked at.

    Parameters
    ----------
    insp : Inspector
        Whose input, as it is now.
    image : int
        Place in the batch.
    """

    def __init__(self, insp: Inspector, image: int) -> None:
        self._tensor = insp._session.prepared.first  # the stages that know torch share it
        self._normalisation = insp.normalisation
        self._image = image

    @cached_property
    def picture(self) -> Rgb | None:
        """The input as people see it, (H, W, 3); None where it is no picture."""
        return picture_of(self._tensor, self._image, self._normalisation)[0]

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width of the picture; one row for an input that is itself a row."""
        if self.picture is not None:
            return self.picture.shape[0], self.picture.shape[1]
        shape = self._tensor.shape
        return (1, shape[2]) if len(shape) == 3 else None


@dataclass(frozen=True)
class Circumstances:
    """What all maps of a sweep have in common; see `Map` for the meaning of most."""

    method: str
    parameters: Mapping[str, Value]
    image: int
    shown: Shown
    passes: tuple[int, int] = (0, 0)
    seconds: float = 0.0
    note: str | None = None
    gaps: Mapping[str, Sequence[float]] = field(default_factory=dict)
    final: bool = True


class CamSweep(Mapping[Key, Map]):
    """The maps of one method, by layer name and class index.

    ``sweep["layer4", 281]`` is a `Map`; it is made when it is asked for. A class can be asked for
    by its name, too.

    Parameters
    ----------
    values : dict of str to ndarray of float32, shape (K, P)
        Raw maps by layer, one row for each target.
    grids : dict of str to LayerGrid
        How the P places of each layer lie.
    targets : sequence of ExplainedTarget
        The K scores.
    circumstances : Circumstances
        The rest.

    Attributes
    ----------
    layers : tuple of str
        Names, in execution order; "" is the input.
    """

    def __init__(
        self,
        values: Mapping[str, Floats],
        grids: Mapping[str, LayerGrid],
        targets: Sequence[ExplainedTarget],
        circumstances: Circumstances,
    ) -> None:
        self.layers = tuple(values)
        self._targets = targets
        self._values = values
        self._grids = grids
        self._circumstances = circumstances

    # What is said of each target is made when it is asked for: of 1000 classes, few are looked at.

    @cached_property
    def targets(self) -> tuple[ExplainedTarget, ...]:
        """The scores explained."""
        return tuple(self._targets)

    @cached_property
    def _places(self) -> dict[int | str, int]:
        return {
            self._targets[place].name if index is None else index: place
            for place, index in enumerate(indices_of(self._targets))
        }

    @cached_property
    def _names(self) -> dict[str, int]:
        return {target.name: place for place, target in enumerate(self.targets)}

    def __repr__(self) -> str:
        method = self._circumstances.method
        return f"CamSweep({method!r}, {len(self.layers)} layers x {len(self._targets)} targets)"

    def __len__(self) -> int:
        return len(self.layers) * len(self._targets)

    def __iter__(self) -> Iterator[Key]:
        return ((layer, target) for layer in self.layers for target in self._places)

    def __getitem__(self, key: Key) -> Map:
        """Return the map of a layer and class.

        Raises
        ------
        KeyError
            It is not in the sweep.
        """
        layer, target = key if isinstance(key, tuple) and len(key) == 2 else (None, None)
        place = self._places.get(target) if target is not None else None
        place = self._names.get(str(target)) if place is None else place
        if layer not in self._values or place is None:
            shown = ", ".join(repr(known) for known in [*self._places][:5])
            msg = f"{key!r} is not in the sweep; ask for (layer, target): targets are {shown}."
            raise KeyError(msg)
        return self.map_at(layer, place)

    def values_of(self, layer: str) -> Floats:
        """Return the raw maps of a layer for all targets, float32 (K, h, w), as in `Map.values`."""
        return self._flat(layer, self._found(layer))[0]

    def _found(self, layer: str) -> Floats:
        """Return the values of a layer, (K, *grid)."""
        if layer not in self._values:
            shown = ", ".join(repr(known) for known in self.layers[:5])
            msg = f"layer={layer!r} is not in the sweep; layers are {shown}; see sweep.layers."
            raise KeyError(msg)
        return self._values[layer]

    def map_at(self, layer: str, place: int) -> Map:
        """Return the map of a layer for the target at this place in `targets`."""
        known, target = self._circumstances, self._targets[place]
        planes, volumes = self._flat(layer, self._found(layer)[place : place + 1])
        values = planes[0]
        status, why = status_of(values, saturated=target.saturated)
        if status == "empty" and not values.any() and self._grids[layer].before:
            why = phrase("all_zero_class_token")
        gaps = known.gaps.get(layer)
        notes = [why, known.note, target.notice] if known.final else [why]
        return Map(
            values=values,
            method=known.method,
            layer=layer or None,
            image=known.image,
            target_index=target.index,
            target_name=target.name,
            score=target.score,
            score_kind=target.score_kind,
            status=status,
            size=known.shown.size or (values.shape[0], values.shape[1]),
            parameters=known.parameters,
            note=joined(notes),
            picture=known.shown.picture,
            passes=known.passes,
            seconds=known.seconds,
            volume=None if volumes is None else volumes[0],
            completeness_gap=None if gaps is None else gaps[place],
            final=known.final,
        )

    def _flat(self, layer: str, values: Floats) -> tuple[Floats, Floats | None]:
        """Return maps (K, P) as (K, h, w), and those of a volume as (K, D, h, w) too."""
        grid = self._grids[layer]
        if len(grid.shape) < 3:
            return values.reshape(-1, *grid.picture_shape), None
        volumes = values.reshape(-1, *grid.shape)
        return volumes.mean(1), volumes


def _distinct(targets: Sequence[ExplainedTarget]) -> Sequence[ExplainedTarget]:
    """Return each score once."""
    if isinstance(targets, ClassTargets):
        return targets.distinct()
    return [*{t.name if t.index is None else t.index: t for t in targets}.values()]


def _listed(given: Iterable[T] | str, name: str) -> list[T]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        msg = f"{name}={given!r} must be a sequence, such as [{given!r}]."
        raise TypeError(msg)
    return list(given)


def grid_layers(insp: Inspector) -> tuple[LayerInfo, ...]:
    """Return the layers, leaves and containers, whose output has a grid of places."""
    return tuple(info for info in insp.modules if grid_of(insp, info) is not None)


def checked_inspector(insp: object, call: str) -> Inspector:
    """Return `insp`, or raise a TypeError that says how to make one."""
    if not isinstance(insp, Inspector):
        msg = (
            f"insp={type(insp).__name__} is no Inspector; make one first: "
            f"{call}(cw.Inspector(model, inputs), ...)."
        )
        raise TypeError(msg)
    return insp


def cam_sweep(
    insp: Inspector,
    method: str = "gradcam",
    layers: Sequence[str] | None = None,
    targets: Sequence[Target] | None = None,
    image: int = 0,
    *,
    inputs: Inputs | None = None,
    report: MapReport | None = None,
    **parameters: object,
) -> CamSweep:
    """Return the maps of one method at many layers, for many scores, of one picture.

    Gradient methods take one forward pass for all of them and one backward pass for each target;
    none at all where the layer feeds global average pooling and one dense layer.

    Parameters
    ----------
    insp : Inspector
        Look at a model through it: ``cw.Inspector(model, inputs)``.
    method : str
        A name from ``cnnviz_widgets.methods.methods("cam")``.
    layers : sequence of str, optional
        Names as in ``insp.layers``; all leaf layers with a grid of places by default, for "cam"
        those where it is defined.
    targets : sequence of int, str, callable or None, optional
        As for `cam`; the top prediction alone by default. ``range(1000)`` is all of 1000 classes.
    image : int
        Place in the batch.
    inputs : object, optional
        Another picture than that of the Inspector, as for `cam`.
    report : callable, optional
        ``report(done, total, partial)`` is told how far the sweep is; what it raises ends it.
    **parameters : object
        Settings of the method.

    Returns
    -------
    CamSweep
        A mapping from (layer name, class index) to `Map`.

    Raises
    ------
    TypeError, ValueError
        An argument is not what it must be; the text names it, its value and what to do.
    """
    insp = guest_of(checked_inspector(insp, "cw.cam_sweep"), inputs)
    name = find_method(method, "cam").name
    for what, listed in (("layers", layers), ("targets", targets)):
        if listed is not None and not _listed(listed, what):
            msg = f"{what} is empty; name at least one, or leave it out."
            raise ValueError(msg)
    if name == "cam" and layers is None:
        every = [info.name for info in spatial_layers(insp)]
        layers = list(linear_heads(insp, every, image)) or every[-1:]
    given = {name: parameters}
    return sweep_maps(insp, [name], layers, targets, image, parameters=given, report=report)[name]


def sweep_maps(
    insp: Inspector,
    methods: Sequence[str],
    layers: Sequence[str] | None = None,
    targets: Sequence[Target | ExplainedTarget] | None = None,
    image: int = 0,
    *,
    parameters: Mapping[str, Mapping[str, object]] | None = None,
    report: MapReport | None = None,
) -> dict[str, CamSweep]:
    """Return the maps of several methods at once; those that can share a pass do.

    Parameters
    ----------
    insp : Inspector
        Look at a model through it.
    methods : sequence of str
        Names from ``cnnviz_widgets.methods.methods("cam")``.
    layers, targets, image, report
        As in `cam_sweep`. No layer at all is the input, which "fullgrad" alone knows.
    parameters : mapping of str to mapping, optional
        Settings by method.

    Returns
    -------
    dict of str to CamSweep
        By method.
    """
    began_s = time.perf_counter()
    found = [find_method(name, "cam") for name in methods]
    settings = {
        method.name: checked_parameters(method, (parameters or {}).get(method.name, {}))
        for method in found
    }
    with (
        torch.inference_mode(mode=False),  # maps of a caller in it could not be added up
        ahead(insp, [*settings], lambda: _grids_of(insp, layers)),
    ):
        return _sweeps(insp, found, layers, targets, image, settings, report, began_s)


def ahead(
    insp: Inspector, methods: Sequence[str], layers: Callable[[], Iterable[LayerInfo]]
) -> contextlib.AbstractContextManager[None]:
    """Let all that methods ask inside a block share one forward pass; see `Passes.ahead`."""
    if not ONE_FORWARD.issuperset(methods):
        return contextlib.nullcontext()
    return insp.passes.ahead(lambda: list(layers()))


def _grids_of(insp: Inspector, layers: Sequence[str] | None) -> dict[LayerInfo, LayerGrid]:
    if layers is None:
        return spatial_layers(insp)
    return layers_and_grids(insp, _listed(layers, "layers"))


def _sweeps(
    insp: Inspector,
    found: Sequence[Method],
    layers: Sequence[str] | None,
    targets: Sequence[Target | ExplainedTarget] | None,
    image: int,
    settings: Mapping[str, Mapping[str, Value]],
    report: MapReport | None,
    began_s: float,
) -> dict[str, CamSweep]:
    grids = _grids_of(insp, layers)
    wanted = _listed([None] if targets is None else targets, "targets")
    resolved = _distinct(insp.passes.targets(wanted, image=image))
    shown = Shown(insp, image)
    facts = {name: Circumstances(name, given, image, shown) for name, given in settings.items()}
    title = found[0].title if len(found) == 1 else f"{len(found)} methods"
    with reported(report, title) as tell:

        def watch(done: int, total: int, so_far: Callable[[], Partial] | None) -> None:
            tell(done, total, None if so_far is None else lambda: _partial(case, facts, so_far()))

        case = CamCase(insp, grids, resolved, image, watch)
        maps = cam_maps(case, list(settings), settings)
    seconds = time.perf_counter() - began_s
    return {name: _sweep(case, facts[name], maps[name], seconds) for name in settings}


def _sweep(
    case: CamCase, known: Circumstances, maps: Mapping[str, Tensor], seconds: float
) -> CamSweep:
    gaps = {layer: gaps for (method, layer), gaps in case.gaps.items() if method == known.method}
    facts = replace(
        known,
        passes=(case.forward, case.backward),
        seconds=seconds,
        note=case.notes.get(known.method),
        gaps=gaps,
    )
    values = {layer: _numpy(found) for layer, found in maps.items()}
    return CamSweep(values, _grids(case, values), case.targets, facts)


def _partial(case: CamCase, facts: Mapping[str, Circumstances], so_far: Partial) -> Map:
    """Return the map so far of one method, layer and target."""
    known = replace(facts[so_far.method], passes=(case.forward, case.backward), final=False)
    target = case.targets[so_far.place]
    values = {so_far.layer: _numpy(so_far.values[None])}
    return CamSweep(values, _grids(case, values), [target], known).map_at(so_far.layer, 0)


def _grids(case: CamCase, layers: Iterable[str]) -> dict[str, LayerGrid]:
    return {layer: case.grid(layer) if layer else input_grid(case) for layer in layers}


def _numpy(maps: Tensor) -> Floats:
    values: Floats = maps.detach().to(device="cpu", dtype=torch.float32).numpy()
    return values
