"""The command line: a notebook in, a page out, errors as one line and a status."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnviz_widgets.__main__ import main
from tests.export.book import write_book


def test_the_page_stands_beside_the_notebook(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = write_book(tmp_path / "book.ipynb", "x = 1")
    assert main(["html", str(source), "--title", "A & B"]) == 0
    assert capfd.readouterr().out == f"{tmp_path / 'book.html'}: 0.00 MB\n"
    assert "<title>A &amp; B</title>" in (tmp_path / "book.html").read_text()


def test_a_missing_notebook_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["html", str(tmp_path / "none.ipynb")]) == 1
    assert "none.ipynb" in capfd.readouterr().err


def test_a_budget_of_nothing_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = write_book(tmp_path / "book.ipynb", "x = 1")
    assert main(["html", str(source), "--max-mb", "0"]) == 1
    assert "max_mb=0.0 must be above 0 megabytes" in capfd.readouterr().err


def test_nothing_to_do_is_no_command() -> None:
    with pytest.raises(SystemExit):
        main([])
