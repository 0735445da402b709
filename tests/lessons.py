"""The notebooks of `notebooks/`, each run and baked once for all tests that ask for it.

In: a notebook file. Out: what `python -m cnnviz_widgets html --execute` makes a page of.
"""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import nbformat
from jupyter_core.utils import ensure_event_loop

from cnnviz_widgets.export.execution import execute

PATHS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
_BAKED_MB = 30.0
"""What the command line bakes for a page of its usual size."""


@dataclass(frozen=True)
class Lesson:
    """A notebook that has run.

    Attributes
    ----------
    path : Path
        Of the notebook, without outputs.
    notebook : NotebookNode
        With outputs and the baked state of its widgets.
    """

    path: Path
    notebook: nbformat.NotebookNode

    @property
    def seconds(self) -> float:
        """How long its cells ran, without what was baked after them."""
        times = [cell.metadata.get("execution", {}) for cell in self.notebook.cells]
        return sum(
            _time(each["shell.execute_reply"]) - _time(each["iopub.execute_input"])
            for each in times
            if each
        )


def run_lesson(path: Path) -> Lesson:
    """Run a notebook and bake its widgets, in a thread of its own.

    Playwright keeps an event loop in the tests' thread, and the kernel's client wants another.
    """
    with ThreadPoolExecutor(1) as pool:
        return Lesson(path, pool.submit(_execute, path).result())


def _execute(path: Path) -> nbformat.NotebookNode:
    content = nbformat.read(path, as_version=4)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # what has no room is told, and expected
            return execute(content, path.parent, max_mb=_BAKED_MB)
    finally:
        ensure_event_loop().close()  # the client leaves it open, for the next one in this thread


def _time(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
