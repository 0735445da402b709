"""From the move of CamSlider's sliders to the painted map, beside a slider that the page has alone.

Timed as bench_slider.py does, in rounds that take turns. The page-only slider draws one picture of
224 px whose pixels are all in the page, through a table of colours, as large on screen as ours.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks import peers
from tests.benchmarks.bench_slider import DRAG_VALUES, Places
from tests.benchmarks.figure import Figure
from tests.benchmarks.stage import (
    FLOOR,
    Round,
    Stage,
    bring_into_view,
    check_console,
    drag,
    median,
    ratio,
    stage,
    steps,
    take_turns,
)
from tests.browser.notebook import Notebook

_NETWORK = """
import torch
import cnnviz_widgets as cw
from cnnviz_widgets.widgets.cam_slider import CamSlider
from tests.benchmarks.networks import resnet18

torch.manual_seed(0)
inspector = cw.Inspector(resnet18().eval(), torch.randn(1, 3, 224, 224), mean=[0.5], std=[0.25])
"""
_SHOW = "slider = CamSlider(inspector, targets={targets})\nslider"
_PAINTED = '.cnnviz[data-cnnviz-widget="cam-slider"][data-shown-layer]'

# Two controls of one view: the layer by its place, the class by its place among the likeliest.
_SPECS = """([name, classes]) => {
  const root = document.querySelector('.cnnviz[data-cnnviz-widget="cam-slider"]');
  const control = (which) => root.querySelector(`[data-cnnviz-control="${which}"]`);
  window.cnnvizTiming.specs[`${name} layers`] = {
    set: (value) => window.cnnvizTest.set(control("layer"), value),
    shown: () => Number(root.dataset.shownIndex),
  };
  window.cnnvizTiming.specs[`${name} classes`] = {
    set: (value) => window.cnnvizTest.set(control("target"), value),
    shown: () => classes.indexOf(Number(root.dataset.shownTarget)),
  };
}"""

_WIDTH = "() => document.querySelector('.cnnviz-panel canvas').getBoundingClientRect().width"
_RESIZE = """(width) => {
  document.querySelector("input.page-only + canvas").style.width = `${width}px`;
}"""

_RECEIVED = "() => window.cnnvizTest.traffic.received.reduce((sum, { size }) => sum + size, 0)"


@dataclass(frozen=True)
class _Size:
    rounds: int
    steps: int
    drags: int


_QUICK = _Size(rounds=2, steps=8, drags=1)
_FULL = _Size(rounds=9, steps=26, drags=5)


def measure(*, quick: bool) -> list[Figure]:
    """Measure all of it in one run."""
    size = _QUICK if quick else _FULL
    with stage() as on:
        one, classes, first = _open(on, "one", "[]")
        two, _, _ = _open(on, "two", "[1, 2]")
        canvas = peers.Canvas(1, 224, 224, 0, 0, 4, 224, 224)
        layers = one.evaluate(
            "[info.index for info in inspector.layers if info.name in slider._grids]"
        )
        assert isinstance(layers, list)
        floor = on.open_floor(canvas, len(layers))
        width = one.page.evaluate(_WIDTH)
        floor.page.evaluate(_RESIZE, width)
        bring_into_view(floor, FLOOR)
        for notebook in (one, two):
            bring_into_view(notebook, ".cnnviz .cnnviz-panels")
        rounds = _rounds(one, two, floor, layers, len(classes), size)
        figures = [*_ratios(rounds), *_drags(one, layers, size.drags), *first]
        check_console(one, two)
    return figures


def _open(on: Stage, name: str, targets: str) -> tuple[Notebook, list[int], list[Figure]]:
    """Open a CamSlider on ResNet-18 and wait until all that comes by itself is in the page."""
    notebook = on.open(name, [_NETWORK], ready=".jp-Notebook")
    page = notebook.page
    page.evaluate("() => window.cnnvizTest.record(true)")
    started = page.evaluate("() => performance.now()")
    notebook.run(_SHOW.format(targets=targets))
    page.wait_for_selector(_PAINTED)
    painted = page.evaluate("() => window.cnnvizTest.painted[0].at")
    for _ in range(60):
        before = page.evaluate(_RECEIVED)
        page.wait_for_timeout(1000)
        if page.evaluate(_RECEIVED) == before:
            break
    seconds = page.evaluate("() => window.cnnvizTest.traffic.received.at(-1).at") - started
    megabytes = page.evaluate(_RECEIVED) / 1e6
    page.evaluate("() => window.cnnvizTest.record(false)")
    classes = notebook.evaluate("[found.index for found in inspector.predictions(10)[0]]")
    assert isinstance(classes, list)
    page.evaluate(_SPECS, [name, classes])
    note = (
        f"10 classes, 5 methods, {megabytes:.1f} MB; first map {(painted - started) / 1000:.2f} s"
    )
    figure = Figure(
        "CamSlider: all that comes ahead is in the page", seconds / 1000, "s", note=note
    )
    return notebook, classes, [figure]


def _rounds(
    one: Notebook,
    two: Notebook,
    floor: Notebook,
    layers: Sequence[int],
    classes: int,
    size: _Size,
) -> list[Round]:
    """Time single steps of every spec in turns."""
    over_layers, over_classes = Places(len(layers)), Places(classes)

    def layer_steps(notebook: Notebook, spec: str) -> float:
        path = [layers[place] for place in over_layers.walk(size.steps)]
        return statistics.median(steps(notebook, spec, path))

    def class_steps() -> float:
        return statistics.median(steps(one, "one classes", over_classes.walk(size.steps)))

    def floor_steps() -> float:
        return statistics.median(steps(floor, "page-only", over_layers.walk(size.steps)))

    return take_turns(
        {
            "layers": lambda: layer_steps(one, "one layers"),
            "page-only": floor_steps,
            "classes": class_steps,
            "two classes": lambda: layer_steps(two, "two layers"),
        },
        rounds=size.rounds,
    )


def _ratios(rounds: Sequence[Round]) -> list[Figure]:
    figures = []
    floor, _ = median(rounds, "page-only")
    for spec, words, bar in (
        ("layers", "slide over layers", 1.15),
        ("classes", "slide over classes", 1.15),
        ("two classes", "slide over layers, two classes side by side", None),
    ):
        times, note = ratio(rounds, spec, ["page-only"])
        milliseconds, _ = median(rounds, spec)
        figures.append(
            Figure(
                f"CamSlider: {words} / page-only slider",
                times,
                bar=bar,
                note=f"{milliseconds:.1f} / {floor:.1f} ms; {note}",
            )
        )
    return figures


def _drags(one: Notebook, layers: Sequence[int], count: int) -> list[Figure]:
    """Drag over the layers, one value per animation frame."""
    turn = len(layers) - 1
    path = [layers[turn - abs(turn - (n + 1) % (2 * turn))] for n in range(DRAG_VALUES)]
    taken = []
    for _ in range(count):
        steps(one, "one layers", [layers[1], layers[0]])
        taken.append(drag(one, "one layers", path))
    painted = statistics.median(each.painted for each in taken)
    lag = statistics.median(each.lag for each in taken)
    wrong = sum(each.wrong for each in taken)
    name = f"CamSlider: drag over {DRAG_VALUES}"
    return [
        Figure(f"{name}: painted", painted, "", DRAG_VALUES, "at least"),
        Figure(f"{name}: last map after the last event", lag, "ms", 1000 / 60),
        Figure(f"{name}: maps out of order", wrong, "", 0),
    ]
