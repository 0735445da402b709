"""How large pages without a kernel are, and how soon they show something."""

from __future__ import annotations

import statistics
import tempfile
import warnings
from pathlib import Path

import nbformat

from tests.benchmarks.figure import Figure

_NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
_ROUNDS = 5
_LESSON_ROUNDS = 3


def measure(*, quick: bool) -> list[Figure]:
    """Weigh the page of a LayerBrowser, and of notebooks; time the first picture from disk."""
    import cnnviz_widgets as cw

    shapes = cw.samples.load("shapes")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inspector = cw.Inspector(
            shapes.model,
            shapes.images[:4],
            class_names=shapes.class_names,
            mean=shapes.mean,
            std=shapes.std,
        )
        browser = cw.LayerBrowser(inspector)
        page = browser.to_html(folder / "page.html")
        still = max(len(widget.snapshot()) for widget in (browser, cw.CamSlider(inspector)))
        note = "40 layers, 4 pictures, 36 steps"
        figures = [
            Figure("page of a LayerBrowser on shapes", _mb(page), "MB", 0.6, note=note),
            Figure("still picture of a widget, PNG", still / 1e3, "kB", 80),
            Figure("first picture of that page, from disk", _first_ms(page), "ms", 1000),
        ]
        sources = sorted(_NOTEBOOKS.glob("*.ipynb"))[: 1 if quick else None]
        for source in sources:
            figures += _lesson(source, folder)
    return figures


def _lesson(source: Path, folder: Path) -> list[Figure]:
    """Run a notebook, and weigh and open its page as `python -m cnnviz_widgets html` makes it."""
    from cnnviz_widgets.export.execution import execute
    from cnnviz_widgets.export.notebook import notebook_to_html

    content = execute(nbformat.read(source, as_version=4), source.parent, max_mb=30)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        page = notebook_to_html(content, folder / f"{source.stem}.html", folder=source.parent)
    first = _first_ms(page, rounds=_LESSON_ROUNDS)
    note = "; ".join(str(each.message) for each in told)
    return [
        Figure(f"page of {source.stem}", _mb(page), "MB", 5, note=note),
        Figure(f"first picture of {source.stem}, from disk", first, "ms", 1000),
    ]


def _mb(path: Path) -> float:
    return path.stat().st_size / 1e6


def _first_ms(path: Path, *, rounds: int = _ROUNDS) -> float:
    """Open a page from disk several times; return the median time to its first painted map."""
    from tests.browser.chromium import chromium
    from tests.browser.saved_page import SavedPage

    times: list[float] = []
    with chromium() as browser:
        for _ in range(rounds):
            page = SavedPage(browser, path)
            times.append(page.first_ms() or float("nan"))
            page.check()
            page.close()
    return statistics.median(times)
