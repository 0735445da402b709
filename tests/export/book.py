"""A notebook on disk, of code cells that were never run."""

from __future__ import annotations

from pathlib import Path

import nbformat


def write_book(path: Path, *cells: str) -> Path:
    """Write a notebook with a cell for each source; return its path."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(book, path)
    return path
