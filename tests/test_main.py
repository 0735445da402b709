"""The command line: a notebook in, a page out, errors as one line and a status."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cnnviz_widgets.__main__ import main
from tests.export.book import write_book


def test_the_page_stands_beside_the_notebook(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = write_book(tmp_path / "book.ipynb", "x = 1")
    assert main(["html", str(source), "--title", "A & B"]) == 0
    out, err = capfd.readouterr()
    assert out == f"{tmp_path / 'book.html'}: 0.00 MB\n"
    assert err.startswith("python -m cnnviz_widgets: The notebook has never been run, so the page")
    assert err.count("\n") == 1
    assert "<title>A &amp; B</title>" in (tmp_path / "book.html").read_text()


def test_a_missing_notebook_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["html", str(tmp_path / "none.ipynb")]) == 1
    assert "none.ipynb" in capfd.readouterr().err


@pytest.mark.parametrize(
    "text", ["", "no JSON", "[1]", '{"a": 1}', '{"nbformat": 4, "nbformat_minor": 5}', "<html>"]
)
def test_a_file_that_is_no_notebook_is_told(
    text: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "odd 文.ipynb"
    source.write_text(text)
    assert main(["html", str(source)]) == 1
    assert f"{source} is no notebook: " in capfd.readouterr().err


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("none/page.html", "cannot be written; give a file in a folder that exists."),
        (".", "cannot be written; give a file in a folder that exists."),
        ("book.ipynb", "is the notebook itself; give another file with -o."),
    ],
)
def test_where_nothing_can_be_written_nothing_is_run(
    target: str, said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = write_book(tmp_path / "book.ipynb", "open('ran', 'w')")
    before = source.read_bytes()
    assert main(["html", str(source), "-o", str(tmp_path / target), "--execute"]) == 1
    assert said in capfd.readouterr().err
    assert not (tmp_path / "ran").exists()
    assert source.read_bytes() == before


def test_a_place_that_may_not_be_written_is_told_at_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_book(tmp_path / "book.ipynb", "open('ran', 'w')")
    monkeypatch.setattr(os, "access", lambda path, _mode: path != tmp_path)  # root may anything
    assert main(["html", str(source), "--execute"]) == 1
    assert "book.html cannot be written: you may not" in capfd.readouterr().err
    assert not (tmp_path / "ran").exists()


def test_a_notebook_comes_from_a_pipe(tmp_path: Path) -> None:
    book = write_book(tmp_path / "book.ipynb", "x = 1").read_bytes()
    target = tmp_path / "page.html"
    command = [sys.executable, "-m", "cnnviz_widgets", "html", "/dev/stdin", "-o", str(target)]
    subprocess.run(command, input=book, check=True)
    assert '<span class="n">x</span>' in target.read_text()


def test_a_budget_of_nothing_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = write_book(tmp_path / "book.ipynb", "x = 1")
    assert main(["html", str(source), "--max-mb", "0"]) == 1
    assert "max_mb=0.0 must be above 0 megabytes" in capfd.readouterr().err


def test_nothing_to_do_is_no_command() -> None:
    with pytest.raises(SystemExit):
        main([])
