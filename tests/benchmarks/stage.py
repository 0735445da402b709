"""Notebooks in one Chromium over one JupyterLab, ready to be timed, and rounds of timings.

In: notebook cells of peers.py. Out: milliseconds per step, in rounds that take turns.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser

from tests.benchmarks import peers
from tests.benchmarks.load import ForeignLoad, quiet
from tests.browser.chromium import chromium
from tests.browser.lab import JupyterLab
from tests.browser.notebook import Notebook

_TIMING = Path(__file__).with_name("timing.js")

Round = Mapping[str, tuple[float, float]]
"""Name of a spec -> (figure, share of the machine that others used)."""


class Stage:
    """Opens each spec in a page and a kernel of its own."""

    def __init__(self, lab: JupyterLab, browser: Browser) -> None:
        self._lab = lab
        self._browser = browser

    def open(self, name: str, cells: Sequence[str], *, ready: str) -> Notebook:
        """Run `cells` one after the other; wait until the CSS selector `ready` is visible."""
        context = self._browser.new_context(viewport={"width": 1280, "height": 1000})
        page = context.new_page()
        page.add_init_script(path=_TIMING)
        notebook = Notebook(self._lab, page, name=f"{name}.ipynb")
        for source in cells:
            notebook.run(source)
        page.wait_for_selector(ready, timeout=60_000)
        return notebook

    def open_floor(self, canvas: peers.Canvas, count: int) -> Notebook:
        """Open the slider that the page has alone, timed as "page-only"."""
        notebook = self.open(
            "page-only", [peers.page_only(canvas, count=count)], ready="input.page-only"
        )
        notebook.page.evaluate(peers.JAVASCRIPT["page-only"])
        return notebook


@contextmanager
def stage() -> Iterator[Stage]:
    """Start JupyterLab and Chromium; end both."""
    with (
        tempfile.TemporaryDirectory() as home,
        JupyterLab(Path(home) / "home") as lab,
        chromium() as browser,
    ):
        yield Stage(lab, browser)


def check_console(*notebooks: Notebook) -> None:
    """Look whether the timings can be trusted.

    Raises
    ------
    RuntimeError
        The console of a page got errors.
    """
    errors = [error for notebook in notebooks for error in notebook.our_errors()]
    if errors:
        msg = "errors in the console while timing: " + "; ".join(errors)
        raise RuntimeError(msg)


FLOOR = "input.page-only + canvas"
"""Where the floor draws."""
_WHOLE = """(selector) => {
  const picture = document.querySelector(selector);
  picture.scrollIntoView({ block: "end" });
  const { top, bottom } = picture.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight + 1;
}"""


def bring_into_view(notebook: Notebook, selector: str) -> None:
    """Scroll until a picture can be seen whole: the page does not paint what is out of view.

    Raises
    ------
    RuntimeError
        It is larger than the page.
    """
    if not notebook.page.evaluate(_WHOLE, selector):
        msg = f"{selector} cannot be seen whole, so that its paint cannot be timed"
        raise RuntimeError(msg)


_STEPS = "([spec, values]) => window.cnnvizTiming.steps(spec, values)"
AT_REST = "([spec, values]) => window.cnnvizTiming.steps(spec, values, { rest: true })"
"""Script of `steps` for moves after a pause, with no frames running."""
_DRAG = "([spec, values]) => window.cnnvizTiming.drag(spec, values)"


def steps(
    notebook: Notebook, spec: str, values: Sequence[int], *, script: str = _STEPS
) -> list[float]:
    """Move a control through `values`; milliseconds from each move to its painted picture.

    `script` is what does it in the page, a function of [spec, values].

    Raises
    ------
    RuntimeError
        A value was never painted.
    """
    took: list[float | None] = notebook.page.evaluate(script, [spec, list(values)])
    done = [ms for ms in took if ms is not None]
    if len(done) < len(took):
        msg = f"{spec}: {len(took) - len(done)} of {len(took)} values were never painted"
        raise RuntimeError(msg)
    return done


def take_turns(specs: Mapping[str, Callable[[], float]], *, rounds: int) -> list[Round]:
    """Measure every spec once a round, so that all see the same machine."""
    taken: list[Round] = []
    for _ in range(rounds):
        figures: dict[str, tuple[float, float]] = {}
        for name, measure in specs.items():
            with ForeignLoad() as load:
                figure = measure()
            figures[name] = (figure, load.share)
        taken.append(figures)
    return taken


def median(rounds: Sequence[Round], name: str) -> tuple[float, str]:
    """Return the median of a spec over its quiet rounds, and a note on them."""
    figures, note = quiet([turn[name] for turn in rounds])
    return statistics.median(figures), note


def ratio(rounds: Sequence[Round], top: str, bottom: Sequence[str]) -> tuple[float, str]:
    """Return the median over quiet rounds of `top` / sum of `bottom`, paired, and a note."""
    pairs = [
        (
            turn[top][0] / sum(turn[name][0] for name in bottom),
            max(turn[name][1] for name in (top, *bottom)),
        )
        for turn in rounds
    ]
    figures, note = quiet(pairs)
    return statistics.median(figures), note


@dataclass(frozen=True)
class Drag:
    """What a drag of one value per animation frame showed.

    Attributes
    ----------
    painted : int
        Values that were painted, in order.
    wrong : int
        Pictures of a value that had not been set, or of one before the picture shown last.
    lag : float
        Milliseconds from the last value's event to its paint.
    share : float
        Of the machine, used by others meanwhile.
    """

    painted: int
    wrong: int
    lag: float
    share: float


def drag(notebook: Notebook, spec: str, values: Sequence[int], *, script: str = _DRAG) -> Drag:
    """Drag a control through `values`, one per animation frame, and wait for the last picture.

    `script` is what does it in the page, a function of [spec, values].
    """
    with ForeignLoad() as load:
        seen = notebook.page.evaluate(script, [spec, list(values)])
    shown = [value for _, value in seen["paints"]]
    painted, wrong = in_order(values, shown, before=seen["before"])
    lag = seen["paints"][-1][0] - seen["sets"][-1]
    return Drag(painted, wrong, lag if shown[-1] == values[-1] else float("inf"), load.share)


def in_order(sent: Sequence[int], shown: Sequence[object], *, before: object) -> tuple[int, int]:
    """Match what was shown with what was sent.

    Parameters
    ----------
    sent, shown : sequence
        Values of the control, and of the picture after each paint.
    before : object
        What the picture showed when the first value was sent.

    Returns
    -------
    painted : int
        Values of `sent` that were shown, in order.
    wrong : int
        Changes of the picture to a value that is not one of those that follow the last.
    """
    place = painted = wrong = 0
    for value in shown:
        if value == before:
            continue
        before = value
        rest = list(sent[place:])
        if value in rest:
            place += rest.index(int(str(value))) + 1
            painted += 1
        else:
            wrong += 1
    return painted, wrong
