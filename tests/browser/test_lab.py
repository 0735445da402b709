"""The harness itself: a cell's output, an error, a restart and a reload arrive as they should."""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import JupyterLab

pytestmark = pytest.mark.browser


def test_a_notebook_runs_restarts_and_survives_a_reload(
    lab: JupyterLab, open_notebook: OpenNotebook
) -> None:
    notebook = open_notebook(["value = 6 * 7"])
    notebook.run_cell(0)
    assert notebook.evaluate("value") == 42
    assert len(lab.kernels()) == 1
    with pytest.raises(AssertionError, match="ZeroDivisionError: division by zero"):
        notebook.run("1 / 0")
    notebook.reload()
    assert notebook.evaluate("value + 1") == 43
    notebook.restart()
    assert notebook.evaluate("'value' in globals()") is False


def test_errors_of_the_page_are_collected(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook()
    notebook.page.evaluate("() => console.error('a widget went wrong')")
    notebook.page.evaluate("() => setTimeout(() => { throw new Error('thrown later') })")
    notebook.page.wait_for_timeout(100)
    seen = "\n".join(notebook.our_errors())
    assert "a widget went wrong" in seen
    assert "thrown later" in seen
    notebook.errors.clear()
