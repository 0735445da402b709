"""From the slider's move to the painted picture, in JupyterLab: ours, the floors, and interact.

Every spec is timed alike, by timing.js, in turns; "x" is the median of ratios within a round.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tests.benchmarks import peers
from tests.benchmarks.figure import Figure
from tests.benchmarks.load import quiet
from tests.benchmarks.stage import (
    AT_REST,
    FLOOR,
    Drag,
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
from tests.benchmarks.networks import resnet18

torch.manual_seed(0)
inspector = cw.Inspector(resnet18().eval(), torch.randn(1, 3, 224, 224))
"""

# Layers enough for a drag over 120 that have never been in the page, all of 64 x 56 x 56.
_DEEP = """
import torch
import cnnviz_widgets as cw

torch.manual_seed(0)
network = torch.nn.Sequential(
    torch.nn.Conv2d(3, 64, 3, padding=1),
    *[torch.nn.Conv2d(64, 64, 3, padding=1, groups=64) for _ in range(120)])
inspector = cw.Inspector(network.eval(), torch.randn(2, 3, 56, 56))
"""
_SHOW = "browser = cw.LayerBrowser(inspector)\nbrowser"

_PAINTED = '.cnnviz[data-cnnviz-widget="layer-browser"][data-shown-layer]'
_SPEC = """(name) => {
  const root = document.querySelector('.cnnviz[data-cnnviz-widget="layer-browser"]');
  const slider = root.querySelector('[data-cnnviz-control="layer"]');
  window.cnnvizTiming.specs[name] = {
    set: (value) => window.cnnvizTest.set(slider, value),
    shown: () => Number(root.dataset.shownIndex),
  };
}"""

# Changes the picture and waits until it is painted: of this one the page holds that layer only.
# What follows must start within the 100 ms after which the page begins to fetch ahead.
_UNSEEN = """
  const root = document.querySelector('.cnnviz[data-cnnviz-widget="layer-browser"]');
  const image = root.querySelector('[data-cnnviz-control="image"]');
  await new Promise((resolve) => {
    root.addEventListener("cnnviz:painted", resolve, { once: true });
    window.cnnvizTest.choose(image, 1 - Number(image.value));
  });
"""
_UNSEEN_STEPS = f"""async ([spec, values]) => {{ {_UNSEEN}
  return window.cnnvizTiming.steps(spec, values, {{ settle: 0 }}); }}"""
_UNSEEN_DRAG = f"""async ([spec, values]) => {{ {_UNSEEN}
  return window.cnnvizTiming.drag(spec, values, 0); }}"""

_TRIPS = """async (count) => {
  const stop = window.cnnvizTiming.ticking();
  const took = await window.cnnvizRoundTrip(count);
  stop();
  return took;
}"""

_GRID = """() => {
  const canvas = document.querySelector(".cnnviz .cnnviz-canvas[data-columns]");
  const { columns, pitchX, pitchY, tile } = canvas.dataset;
  return [columns, pitchX, pitchY, tile, canvas.width, canvas.height].map(Number);
}"""

# Frames of layers among the messages received: [layer, time, bytes].
_FRAMES = """() => window.cnnvizTest.traffic.received.flatMap(({ at, content, ...sizes }) => {
  const frame = content?.data?.content;
  if (frame?.type !== "frame" || frame.kind !== "layer") return [];
  return [[frame.params.layer, at, sizes.contentBytes + sizes.bufferBytes]];
})"""

DRAG_VALUES = 120


@dataclass(frozen=True)
class _Size:
    rounds: int
    steps: int
    rest_steps: int
    peer_steps: int
    drags: int


_QUICK = _Size(rounds=2, steps=8, rest_steps=4, peer_steps=1, drags=1)
_FULL = _Size(rounds=9, steps=26, rest_steps=7, peer_steps=2, drags=9)


def measure(*, quick: bool) -> list[Figure]:
    """Measure all of it in one run."""
    size = _QUICK if quick else _FULL
    with stage() as on:
        ours, filled = _open_ours(on)
        indices = ours.evaluate(
            "[l.index for l in inspector.layers if tuple(l.shape[1:]) == (64, 56, 56)]"
        )
        assert isinstance(indices, list)
        misses = on.open("misses", [_DEEP, _SHOW], ready=_PAINTED)
        misses.page.evaluate(_SPEC, "misses")
        floor = on.open_floor(_canvas(ours), len(indices))
        bring_into_view(ours, ".cnnviz .cnnviz-canvas[data-columns]")
        bring_into_view(floor, FLOOR)
        rounds = _rounds(on, ours, floor, misses, indices, size)
        figures = [*_ratios(rounds), *_drags(ours, floor, misses, indices, size.drags), filled]
        check_console(ours, misses)
    return figures


def _open_ours(on: Stage) -> tuple[Notebook, Figure]:
    """Open our browser on ResNet-18; time how long its layers take to be in the page."""
    ours = on.open("ours", [_NETWORK], ready=".jp-Notebook")
    ours.page.evaluate("() => window.cnnvizTest.record(true, true)")
    ours.run(_SHOW)
    ours.page.wait_for_selector(_PAINTED)
    frames: list[list[object]] = []
    for _ in range(20):
        ours.page.wait_for_timeout(1000)
        before, frames = len(frames), ours.page.evaluate(_FRAMES)
        if frames and len(frames) == before:
            break
    first = ours.page.evaluate("() => window.cnnvizTest.painted[0].at")
    ours.page.evaluate("() => window.cnnvizTest.record(false)")
    count = ours.evaluate("len(inspector.layers)")
    came = {str(layer): float(str(at)) for layer, at, _ in reversed(frames)}
    assert isinstance(count, int)
    if len(came) < count:
        msg = f"only {len(came)} of ResNet-18's {count} layers came to the page by themselves"
        raise RuntimeError(msg)
    megabytes = sum(float(str(size)) for _, _, size in frames) / 1e6
    seconds = (max(came.values()) - first) / 1000
    note = f"{count} layers, {megabytes:.1f} MB, after the first picture"
    ours.page.evaluate(_SPEC, "ours")
    return ours, Figure("all layers of ResNet-18 in the page", seconds, "s", 1, note=note)


def _canvas(ours: Notebook) -> peers.Canvas:
    """Read where our widget draws maps of 56 x 56."""
    columns, pitch_x, pitch_y, tile, width, height = ours.page.evaluate(_GRID)
    scale = max(1, tile // peers.MAPS[1])
    corner = max(0, (tile - peers.MAPS[1] * scale) // 2)
    return peers.Canvas(columns, pitch_x, pitch_y, corner, corner, scale, width, height)


def _rounds(
    on: Stage,
    ours: Notebook,
    floor: Notebook,
    misses: Notebook,
    indices: Sequence[int],
    size: _Size,
) -> list[Round]:
    """Time single steps of every spec in turns."""
    trip = on.open("trip", [peers.ROUND_TRIP], ready="text=round trip")
    grids = [_interact(on, bare=bare) for bare in (False, True)]
    places = Places(len(indices))

    def rest(notebook: Notebook, spec: str, path: Sequence[int]) -> float:
        return statistics.median(steps(notebook, spec, path, script=AT_REST))

    def unseen() -> float:
        _forget(misses)
        values = places.rng.choice(np.arange(1, 121), size.steps, replace=False).tolist()
        return statistics.median(steps(misses, "misses", values, script=_UNSEEN_STEPS))

    specs: dict[str, Callable[[], float]] = {
        "ours": lambda: statistics.median(
            steps(ours, "ours", [indices[place] for place in places.walk(size.steps)])
        ),
        "page-only": lambda: statistics.median(steps(floor, "page-only", places.walk(size.steps))),
        "misses": unseen,
        "round trip": lambda: statistics.median(trip.page.evaluate(_TRIPS, size.steps)),
        "ours at rest": lambda: rest(
            ours, "ours", [indices[place] for place in places.walk(size.rest_steps)]
        ),
        "page-only at rest": lambda: rest(floor, "page-only", places.walk(size.rest_steps)),
        "interact": lambda: rest(grids[0], "interact", places.walk(size.peer_steps)),
        "interact, bare": lambda: rest(grids[1], "interact", places.walk(size.peer_steps)),
    }
    return take_turns(specs, rounds=size.rounds)


def _interact(on: Stage, *, bare: bool) -> Notebook:
    """Open ipywidgets.interact over a matplotlib grid; its first step finds the fonts."""
    grid = on.open(f"grid-{bare}", [peers.interact_grid(bare=bare)], ready=".widget-interact img")
    grid.page.evaluate(peers.JAVASCRIPT["interact"])
    steps(grid, "interact", [1])
    return grid


class Places:
    """Random walks over the places of a slider that never stand still."""

    def __init__(self, count: int) -> None:
        self.rng = np.random.default_rng(0)
        self._count = count
        self._last = 0

    def walk(self, length: int) -> list[int]:
        """Return places, each another than the one before, the first another than the last."""
        path = []
        for _ in range(length):
            self._last = (self._last + int(self.rng.integers(1, self._count))) % self._count
            path.append(self._last)
        return path


def _ratios(rounds: Sequence[Round]) -> list[Figure]:
    ms = {name: median(rounds, name)[0] for name in rounds[0]}
    hit, hit_note = ratio(rounds, "ours", ["page-only"])
    miss, miss_note = ratio(rounds, "misses", ["round trip", "page-only"])
    figures = [
        Figure(
            "slide, layer in the page / page-only slider",
            hit,
            bar=1.15,
            note=f"{ms['ours']:.1f} / {ms['page-only']:.1f} ms; {hit_note}",
        ),
        Figure(
            "slide, layer not in the page / (round trip + page-only)",
            miss,
            bar=1.25,
            note=f"{ms['misses']:.1f} / ({ms['round trip']:.1f} + {ms['page-only']:.1f}) ms; "
            + miss_note,
        ),
    ]
    rested, rested_note = ratio(rounds, "ours at rest", ["page-only at rest"])
    figures.append(
        Figure(
            "one move after a pause, in the page / page-only slider",
            rested,
            note=f"{ms['ours at rest']:.1f} / {ms['page-only at rest']:.1f} ms; {rested_note}",
        )
    )
    return [*figures, *_against_interact(rounds)]


def _against_interact(rounds: Sequence[Round]) -> list[Figure]:
    figures = []
    for name, bars in (("interact", (50.0, 150.0)), ("interact, bare", (None, None))):
        milliseconds, _ = median(rounds, name)
        for spec, words, bar in zip(
            ("misses", "ours at rest"), ("per step", "once in the page"), bars, strict=True
        ):
            times, note = ratio(rounds, name, [spec])
            figures.append(
                Figure(
                    f"matplotlib grid in {name} / ours, {words}",
                    times,
                    bar=bar,
                    direction="at least",
                    note=f"{milliseconds:.0f} ms; {note}",
                )
            )
    return figures


def _drags(
    ours: Notebook, floor: Notebook, misses: Notebook, indices: Sequence[int], count: int
) -> list[Figure]:
    """Drag over 120 values, one per animation frame, with the layers in the page and without."""
    turn = len(indices) - 1
    zigzag = [turn - abs(turn - (step + 1) % (2 * turn)) for step in range(DRAG_VALUES)]
    taken: dict[str, list[Drag]] = {"ours": [], "page-only": [], "misses": []}
    for _ in range(count):
        steps(ours, "ours", [indices[1], indices[0]])
        steps(floor, "page-only", [1, 0])
        taken["ours"].append(drag(ours, "ours", [indices[place] for place in zigzag]))
        taken["page-only"].append(drag(floor, "page-only", zigzag))
        _forget(misses)
        values = list(range(1, DRAG_VALUES + 1))
        taken["misses"].append(drag(misses, "misses", values, script=_UNSEEN_DRAG))
    frame_ms = 1000 / 60
    lag, lag_note = _worst_and_median(taken["ours"], "lag")
    late, late_note = _worst_and_median(taken["misses"], "lag")
    painted, painted_note = _worst_and_median(taken["ours"], "painted")
    shown, shown_note = _worst_and_median(taken["misses"], "painted")
    plain = statistics.median(one.lag for one in taken["page-only"])
    wrong = sum(one.wrong for drags in taken.values() for one in drags)
    name = f"drag over {DRAG_VALUES}"
    return [
        Figure(f"{name}, in the page: painted", painted, "", DRAG_VALUES, "at least", painted_note),
        Figure(
            f"{name}, in the page: last picture after the last event",
            lag,
            "ms",
            frame_ms,
            note=f"{lag_note}; page-only {plain:.1f} ms",
        ),
        Figure(f"{name}, not in the page: last picture", late, "ms", 50, note=late_note),
        Figure(f"{name}, not in the page: painted", shown, "", note=shown_note),
        Figure(f"{name}: pictures out of order", wrong, "", 0),
    ]


def _worst_and_median(drags: Sequence[Drag], field: str) -> tuple[float, str]:
    """Return the median over quiet drags, and a note that says what the worst was."""
    figures, note = quiet([(float(getattr(one, field)), one.share) for one in drags])
    worst = min(figures) if field == "painted" else max(figures)
    return statistics.median(figures), f"worst {worst:.4g}; {note.replace('rounds', 'drags')}"


def _forget(misses: Notebook) -> None:
    """Give the network new pictures: of these the page holds nothing but the first layer."""
    steps(misses, "misses", [0])
    misses.run("inspector.set_inputs(torch.randn(2, 3, 56, 56))")
    misses.page.wait_for_timeout(300)
