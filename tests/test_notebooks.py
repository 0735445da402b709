"""Every notebook runs from top to bottom, and leaves no error and no output in git."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from cnnviz_widgets.export.outputs import WIDGET_VIEW
from cnnviz_widgets.widgets.pictured import STILL_BYTES
from tests.lessons import PATHS, Lesson


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, lesson: Callable[[Path], Lesson]) -> None:
    assert lesson(path).seconds < 60, "a notebook runs in under a minute"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_what_a_notebook_shows_has_a_still_picture(
    path: Path, lesson: Callable[[Path], Lesson]
) -> None:
    """GitHub and other plain viewers show the PNG that is beside a widget."""
    cells = lesson(path).notebook.cells
    shown = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    widgets = [data for data in shown if WIDGET_VIEW in data]
    assert widgets
    for data in widgets:
        assert len(base64.b64decode(data["image/png"])) <= STILL_BYTES


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    for cell in nbformat.read(path, as_version=4).cells:
        assert not cell.get("outputs"), f"{path.name}: clear the outputs before committing"
        assert cell.get("execution_count") is None
