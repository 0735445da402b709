"""A notebook in a JupyterLab tab: write cells, run them, and look at what the page shows.

In: a server (lab.py) and a Playwright page. Out: outputs, and what a `WatchedPage` has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.lab import JupyterLab
from tests.browser.watched_page import WatchedPage


class Notebook(WatchedPage):
    """A notebook open in a page.

    Parameters
    ----------
    lab : JupyterLab
        A running server.
    page : Page
        A fresh Playwright page; it is sent to the notebook.
    name : str
        The notebook's file name under the server's root. It is made when it does not exist.
    cells : sequence of str
        Sources of the code cells of a notebook that is made.
    kernel : str
        Name of the kernel that a notebook that is made asks for.
    """

    def __init__(
        self,
        lab: JupyterLab,
        page: Page,
        *,
        name: str,
        cells: Sequence[str] = (),
        kernel: str = "python3",
    ) -> None:
        super().__init__(page, noise=lab.noise)
        self.lab = lab
        self.name = name
        path = lab.root / name
        if not path.exists():
            path.write_text(notebook_text(cells, kernel))
        self._open()

    def _open(self) -> None:
        self.page.goto(self.lab.page_url(self.name))
        self._wait_until_open()

    def _wait_until_open(self) -> None:
        # An async predicate is always true for wait_for_function; ask again from here.
        for _ in range(300):
            if self.page.evaluate(
                "async (name) => !!(await window.cnnvizTest?.opened(name))", self.name
            ):
                return
            self.page.wait_for_timeout(100)
        log = self.lab.log[-2000:]
        msg = f"{self.name} did not open within 30 s; the server's log ends:\n{log}"
        raise RuntimeError(msg)

    def run(self, source: str, *, wait: bool = True) -> int:
        """Put `source` into a new last cell, run it, and return the cell's place.

        Raises
        ------
        AssertionError
            The cell raised; the text has its traceback.
        """
        index: int = self.page.evaluate(
            "([source, wait]) => window.cnnvizTest.run(source, wait)", [source, wait]
        )
        if wait:
            self.check(index)
        return index

    def run_cell(self, index: int, *, wait: bool = True) -> None:
        """Run the cell at place `index`."""
        self.page.evaluate(
            "([index, wait]) => window.cnnvizTest.runCell(index, wait)", [index, wait]
        )
        if wait:
            self.check(index)

    def outputs(self, index: int) -> list[Mapping[str, object]]:
        """Return the outputs of a cell, as nbformat has them."""
        outputs: list[Mapping[str, object]] = self.page.evaluate(
            "(index) => window.cnnvizTest.cell(index).outputs", index
        )
        return outputs

    def check(self, index: int) -> None:
        """Raise AssertionError with the traceback when the cell at `index` raised."""
        for output in self.outputs(index):
            if output["output_type"] == "error":
                lines = output["traceback"]
                assert isinstance(lines, list)
                raise AssertionError(re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines)))

    def text(self, index: int) -> str:
        """Return what the cell at `index` printed, stdout and stderr together."""
        parts = [o["text"] for o in self.outputs(index) if o["output_type"] == "stream"]
        return "".join("".join(part) if isinstance(part, list) else str(part) for part in parts)

    def evaluate(self, expression: str) -> object:
        """Return the value of a Python expression in the kernel; it must be JSON."""
        index = self.run(f"import json as _json; print(_json.dumps({expression}))")
        value: object = json.loads(self.text(index))
        return value

    def restart(self) -> None:
        """Restart the kernel; what the cells show stays."""
        self.page.evaluate("() => window.cnnvizTest.restart()")

    def reload(self) -> None:
        """Save the notebook and load the page again; the kernel lives on."""
        self.page.evaluate("() => window.cnnvizTest.save()")
        self._open()

    def theme(self, *, dark: bool) -> None:
        """Change to one of JupyterLab's two themes; the server remembers it."""
        name = "JupyterLab Dark" if dark else "JupyterLab Light"
        self.page.evaluate(
            "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })",
            name,
        )
        self.page.wait_for_selector(f'body[data-jp-theme-name="{name}"]', state="attached")

    def screenshot(self, path: Path) -> None:
        """Save what the page shows as a PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)


def notebook_text(cells: Sequence[str], kernel: str = "python3") -> str:
    """Return the text of a notebook file with these code cells."""
    return json.dumps(
        {
            "cells": [
                {
                    "cell_type": "code",
                    "execution_count": None,
                    "id": f"cell-{place}",
                    "metadata": {},
                    "outputs": [],
                    "source": source,
                }
                for place, source in enumerate(cells)
            ],
            "metadata": {
                "kernelspec": {"display_name": kernel, "language": "python", "name": kernel},
                "language_info": {"name": "python"},
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )
