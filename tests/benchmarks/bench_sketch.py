"""Drawing on a SketchPad: how often a linked view follows the pen, and how far behind it is.

JupyterLab, kernel and Chromium on this machine. The pen moves once per animation frame, one second
at a time, and rests. Counted are the paints of a LayerBrowser over the same Inspector while it
moves; the lag is from its last movement to the last paint.
"""

from __future__ import annotations

import statistics

from tests.benchmarks.figure import Figure
from tests.benchmarks.stage import check_console, stage

_LOAD = """
import cnnviz_widgets as cw
sample = cw.samples.load("digits")
inspector = cw.Inspector(sample.model, sample.images, class_names=sample.class_names,
                         mean=sample.mean, std=sample.std)
pad = cw.SketchPad(inspector)
pad
"""
_SHOW = "cw.LayerBrowser(inspector)"
_PAINTED = '.cnnviz[data-cnnviz-widget="layer-browser"][data-shown-layer]'
_STROKE = """async ([moves, turn]) => {
  const paper = document.querySelector("canvas[width='256']");
  const view = document.querySelector('.cnnviz[data-cnnviz-widget="layer-browser"]');
  const { left, top } = paper.getBoundingClientRect();
  const painted = [];
  const note = () => painted.push(performance.now());
  view.addEventListener("cnnviz:painted", note);
  const say = (type, step) => {
    const angle = turn + (5 * step) / moves;
    const clientX = left + 128 + (30 + 60 * (step / moves)) * Math.cos(angle);
    const clientY = top + 128 + (30 + 60 * (step / moves)) * Math.sin(angle);
    paper.dispatchEvent(new MouseEvent(type, { clientX, clientY, bubbles: true }));
  };
  const frame = () => new Promise(requestAnimationFrame);
  const begun = performance.now();
  say("mousedown", 0);
  for (let step = 1; step <= moves; step++) { await frame(); say("mousemove", step); }
  const ended = performance.now();
  say("mouseup", moves);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  view.removeEventListener("cnnviz:painted", note);
  const seconds = (ended - begun) / 1000;
  return [painted.filter((at) => at <= ended).length / seconds, painted.at(-1) - ended];
}"""
_MOVES = 60


def measure(*, quick: bool) -> list[Figure]:
    """Draw strokes with rests between them."""
    with stage() as on:
        notebook = on.open("sketch", [_LOAD, _SHOW], ready=_PAINTED)
        strokes = 3 if quick else 12
        samples: list[list[float]] = [
            notebook.page.evaluate(_STROKE, [_MOVES, turn]) for turn in range(strokes)
        ]
        check_console(notebook)
    rates, lags = zip(*samples, strict=True)
    note = f"{strokes} strokes of {_MOVES} movements, digits network"
    return [
        Figure(
            "drawing: updates of a linked LayerBrowser per second",
            statistics.median(rates), "/s", 10, "at least", f"slowest {min(rates):.1f}; {note}",
        ),
        Figure(
            "drawing: last movement of the pen to the paint that shows it",
            statistics.median(lags), "ms", 150, note=f"longest {max(lags):.0f} ms; {note}",
        ),
    ]  # fmt: skip
