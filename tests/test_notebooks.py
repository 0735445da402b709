"""Every notebook runs from top to bottom, and leaves no error and no output in git."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from cnnviz_widgets.export.outputs import WIDGET_VIEW
from cnnviz_widgets.widgets.pictured import STILL_BYTES
from cnnviz_widgets.words import LANGUAGES
from cnnviz_widgets.words.tables import whole
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


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_names_controls_as_the_interface_does(path: Path) -> None:
    """In English in its text, and in both languages where these are listed."""
    text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    listed = re.findall(r"\*([^*\n]+)\* ([\u4e00-\u9fff]+)", text)
    known = {tuple(whole(language)[name] for language in LANGUAGES) for name in whole("en")}
    assert set(listed) <= known
    named = set(re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", text))
    assert named & {english for english, _ in known} <= {english for english, _ in listed}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_cites_its_sources_in_its_text(path: Path) -> None:
    *cells, last = [cell.source for cell in nbformat.read(path, as_version=4).cells]
    names = re.findall(r"^- (?:[A-Z][.-]+ ?)*([A-Z][a-z]+).*\b\d{4}\b", last, re.MULTILINE)
    assert names
    assert [name for name in names if name not in "\n".join(cells)] == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_asks_questions_and_has_answers_to_unfold(path: Path) -> None:
    text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    asked = text.count("**Question.**")
    assert asked in (2, 3)
    assert (
        len(re.findall(r"<summary>Answer</summary>\n\n.+?\n\n</details>", text, re.DOTALL)) == asked
    )
