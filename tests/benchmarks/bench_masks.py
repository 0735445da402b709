"""How often the brightest place of a map lies on the figure, for every method of the registry.

The pictures are held-out ones of the `shapes` sample, whose figures' pixels are known; those that
the network gets wrong are left out. Maps at a layer are shown for the best layer of each method,
which is chosen on pictures that are not counted.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

import cnnviz_widgets as cw
from cnnviz_widgets.attribution import Map, cam
from cnnviz_widgets.attribution.saliency import saliency
from cnnviz_widgets.attribution.sweep import sweep_maps
from cnnviz_widgets.methods import Method, methods
from tests.benchmarks.figure import Figure, table

_BAR = {"gradcam": 90.0}
_LATE = (
    "layer2.1.relu#2",
    "layer3.0.conv1",
    "layer3.0.relu#1",
    "layer3.0.conv2",
    "layer3.0.relu#2",
)
"""Layers among which the best one is sought where each takes passes of its own."""
_POOLED = "layer3.0.relu#2"
"""The only layer before the global pooling, where CAM is defined."""
_SWEPT = tuple(m.name for m in methods("cam") if m.one_pass and m.name not in {"cam", "fullgrad"})


class Scene(NamedTuple):
    """A picture that the network gets right, and the pixels of its figure."""

    insp: cw.Inspector
    mask: npt.NDArray[np.bool_]


def measure(*, quick: bool) -> list[Figure]:
    """Count hits of every method; fewer pictures for methods that take many passes for each."""
    chosen, counted = (40, 40) if quick else (100, 200)
    few = 4 if quick else 24
    pictures = list(scenes(chosen + counted))
    before, after = pictures[:chosen], pictures[chosen:]
    best = _best_layers(before)
    best |= {name: _best_late_layer(name, before[:few]) for name in ("scorecam", "ablationcam")}
    best |= {"smoothgradcam++": _best_late_layer("smoothgradcam++", before[:few])}
    swept = _swept_hits(after, best)
    found = [
        _figure(method, swept[method.name], len(after), best[method.name])
        for method in methods("cam")
        if method.name in swept
    ]
    for method in (*methods("cam"), *methods("saliency")):
        if method.name not in swept:
            some = after[:few] if method.progressive else after
            layer = _POOLED if method.name == "cam" else best.get(method.name)
            hits = sum(_hit(_map(method, scene, layer), scene.mask) for scene in some)
            found.append(_figure(method, hits, len(some), layer))
    return found


def scenes(count: int) -> Iterator[Scene]:
    """Yield the pictures among the first so many of the sample that the network gets right."""
    sample = cw.samples.load("shapes", images=count)
    assert sample.masks is not None
    for picture, label, mask in zip(sample.images, sample.labels, sample.masks, strict=True):
        insp = cw.Inspector(
            sample.model, picture, class_names=sample.class_names, mean=sample.mean, std=sample.std
        )
        if insp.predictions(1)[0][0].index == int(label):
            yield Scene(insp, mask.numpy())


def brightest(shown: npt.NDArray[np.float32]) -> tuple[int, int]:
    """Return the middle of the places that hold the maximum; maps of cells have many."""
    rows, columns = np.nonzero(shown == np.nanmax(shown))
    return round(float(rows.mean())), round(float(columns.mean()))


def _quietly(_done: int, _total: int, _partial: object) -> None:
    """Draw no bar."""


def _hit(m: Map, mask: npt.NDArray[np.bool_]) -> bool:
    return m.status == "ok" and bool(mask[brightest(m.display(mask.shape))])


def _best_layers(pictures: list[Scene]) -> dict[str, str]:
    hits = {name: Counter[str]() for name in _SWEPT}
    for scene in pictures:
        for name, sweep in sweep_maps(scene.insp, _SWEPT).items():
            for layer in sweep.layers:
                hits[name][layer] += _hit(sweep.map_at(layer, 0), scene.mask)
    return {name: _latest_best(counts) for name, counts in hits.items()}


def _best_late_layer(name: str, pictures: list[Scene]) -> str:
    hits = Counter[str]()
    for scene in pictures:
        for layer in _LATE:
            hits[layer] += _hit(cam(scene.insp, name, layer, report=_quietly), scene.mask)
    return _latest_best(hits)


def _latest_best(hits: Counter[str]) -> str:
    """Return the layer with the most hits, the last one of several; they are in order."""
    return max(reversed(hits), key=lambda layer: hits[layer])


def _swept_hits(pictures: list[Scene], best: dict[str, str]) -> Counter[str]:
    hits = Counter(dict.fromkeys(_SWEPT, 0))
    for scene in pictures:
        layers = sorted({best[name] for name in _SWEPT})
        for name, sweep in sweep_maps(scene.insp, _SWEPT, layers).items():
            place = sweep.map_at(best[name], 0)
            hits[name] += _hit(place, scene.mask)
    return hits


def _map(method: Method, scene: Scene, layer: str | None) -> Map:
    if method.family == "cam":
        return cam(scene.insp, method.name, layer, report=_quietly)
    return saliency(scene.insp, method.name, report=_quietly)


def _figure(method: Method, hits: int, count: int, layer: str | None) -> Figure:
    place = f"at {layer}" if layer else "at the input"
    return Figure(
        f"brightest place of {method.name} is on the figure",
        100 * hits / count,
        "%",
        _BAR.get(method.name),
        "at least",
        note=f"{place}, {count} pictures of shapes",
    )


if __name__ == "__main__":
    sys.stdout.write(table(measure(quick=len(sys.argv) > 1)) + "\n")
