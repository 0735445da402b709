"""Running a notebook for its page: outputs, baked widgets, errors with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnviz_widgets.__main__ import main
from tests.export.book import write_book
from tests.export.pages import Parts, page_data

CELLS = [
    "import ipywidgets, torch\nimport cnnviz_widgets as cw",
    "insp = cw.Inspector(torch.nn.Conv2d(1, 2, 3), torch.zeros(1, 1, 6, 6))",
    "widget = cw.LayerBrowser(insp)\nipywidgets.VBox([widget])",
    "print('done')",
]


def test_a_notebook_is_run_and_what_it_shows_is_baked(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = write_book(tmp_path / "book.ipynb", *CELLS)
    before = source.read_bytes()
    assert main(["html", str(source), "--execute"]) == 0
    out, err = capfd.readouterr()
    assert out.startswith(f"{tmp_path / 'book.html'}: 0.")
    assert "Executing" in err
    assert source.read_bytes() == before
    html = (tmp_path / "book.html").read_text()
    (widget,) = page_data(html)["widgets"].values()
    assert {answer[0] for answer in widget["answers"]} == {"input", "layer"}
    assert "done" in Parts(html).text
    assert "bake_shown" not in html


def test_an_error_names_the_cell(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = write_book(tmp_path / "book.ipynb", "x = 1", "x / 0")
    assert main(["html", str(source), "-o", str(tmp_path / "page.html"), "--execute"]) == 1
    err = capfd.readouterr().err
    assert "cell 2 of 2 raised" in err
    assert "ZeroDivisionError" in err
    assert not (tmp_path / "page.html").exists()
