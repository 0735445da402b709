"""The command line: `python -m cnnviz_widgets html notebook.ipynb -o page.html [--execute]`."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import nbformat

_BAKED = 6
"""Megabytes baked for each that the page may have, where they are coded more tightly."""


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m cnnviz_widgets", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    html = commands.add_parser("html", help="write a notebook as one HTML file without a kernel")
    html.add_argument("notebook", type=Path)
    html.add_argument("-o", "--output", type=Path, help="the file; default: beside the notebook")
    html.add_argument("--execute", action="store_true", help="run the notebook first")
    html.add_argument("--title", help="of the page; default: the first heading")
    html.add_argument("--max-mb", type=float, default=5.0, help="most megabytes of the page")
    html.add_argument("--timeout", type=float, default=600.0, help="seconds for each cell")
    chosen = parser.parse_args(arguments)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default", UserWarning)
        try:
            target = _checked_target(chosen.notebook, chosen.output)
            _write(chosen, target)
        except (OSError, RuntimeError, ValueError, ImportError) as error:
            sys.stderr.write(f"{parser.prog}: {error}\n")
            return 1
    for each in told:
        sys.stderr.write(f"{parser.prog}: {each.message}\n")
    sys.stdout.write(f"{target}: {target.stat().st_size / 1e6:.2f} MB\n")
    return 0


def _checked_target(notebook: Path, output: Path | None) -> Path:
    """Return the file to write; what is wrong is told before a notebook runs for minutes."""
    if notebook.is_dir() or not notebook.exists():
        raise FileNotFoundError(f"{notebook} is no file; give the path of a notebook.")
    target = output or notebook.with_suffix(".html")
    if target.is_dir() or not target.parent.is_dir():
        raise FileNotFoundError(f"{target} cannot be written; give a file in a folder that exists.")
    if not os.access(target if target.exists() else target.parent, os.W_OK):
        raise PermissionError(f"{target} cannot be written: you may not; give another with -o.")
    if target.exists() and target.samefile(notebook):
        raise ValueError(f"{target} is the notebook itself; give another file with -o.")
    return target


def _read(path: Path) -> nbformat.NotebookNode:
    import nbformat

    try:
        return cast("nbformat.NotebookNode", nbformat.read(path, as_version=4))
    # What is not even a mapping fails somewhere in the conversion of old notebooks.
    except (nbformat.ValidationError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no notebook: {error}") from error


def _write(chosen: argparse.Namespace, target: Path) -> None:
    from cnnviz_widgets.export.execution import execute
    from cnnviz_widgets.export.notebook import notebook_to_html

    content = _read(chosen.notebook)
    folder = chosen.notebook.resolve().parent
    if chosen.execute:
        content = execute(
            content, folder, max_mb=_BAKED * chosen.max_mb, timeout_s=chosen.timeout, progress=True
        )
    title = chosen.title or None
    notebook_to_html(content, target, title=title, max_mb=chosen.max_mb, folder=folder)


if __name__ == "__main__":
    sys.exit(main())
