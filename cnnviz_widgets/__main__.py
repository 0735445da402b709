"""The command line: `python -m cnnviz_widgets html notebook.ipynb -o page.html [--execute]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

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
    target = chosen.output or chosen.notebook.with_suffix(".html")
    try:
        _write(chosen, target)
    except (OSError, RuntimeError, ValueError, ImportError) as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return 1
    sys.stdout.write(f"{target}: {target.stat().st_size / 1e6:.2f} MB\n")
    return 0


def _write(chosen: argparse.Namespace, target: Path) -> None:
    import nbformat

    from cnnviz_widgets.export.execution import execute
    from cnnviz_widgets.export.notebook import notebook_to_html

    content = nbformat.read(chosen.notebook, as_version=4)
    folder = chosen.notebook.resolve().parent
    if chosen.execute:
        content = execute(
            content, folder, max_mb=_BAKED * chosen.max_mb, timeout_s=chosen.timeout, progress=True
        )
    title = chosen.title or None
    notebook_to_html(content, target, title=title, max_mb=chosen.max_mb, folder=folder)


if __name__ == "__main__":
    sys.exit(main())
