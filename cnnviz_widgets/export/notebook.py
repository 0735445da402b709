"""An executed notebook as one HTML file in which our widgets are alive.

In: a notebook. Out: an HTML file; all that the notebook holds is taken as data, none as code.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from html import unescape
from os import PathLike
from pathlib import Path
from typing import Any, cast

import nbformat

from cnnviz_widgets.words import phrase

from .document import checked_file, document, notes, summary
from .markdown import code_html, markdown_html
from .outputs import outputs_html
from .page import MAX_MB, checked_budget
from .payload import STEPS, pack_page, page_language
from .pictures import Album
from .views import Views


def notebook_to_html(
    notebook: str | PathLike[str] | Mapping[str, Any],
    path: str | PathLike[str],
    *,
    title: str | None = None,
    max_mb: float = MAX_MB,
    steps: int = STEPS,
    folder: str | PathLike[str] | None = None,
) -> Path:
    """Write an executed notebook as one HTML file that opens from disk and needs no network.

    Widgets of this library that were baked are alive in it (`widget.bake()`, or ``python -m
    cnnviz_widgets html --execute``, which bakes all that are shown); others are pictures or words.

    Parameters
    ----------
    notebook : str, path or mapping
        A notebook file, or its content.
    path : str or path
        The HTML file; its folder must exist.
    title : str, optional
        Of the page. Default: the first heading, else the name of the file.
    max_mb, steps
        As in `to_html`.
    folder : str or path, optional
        Where the pictures are that the notebook's text names. Default: the notebook's own.

    Returns
    -------
    Path
        The HTML file.

    Raises
    ------
    FileNotFoundError
        There is no such notebook, or the page cannot be written.
    ValueError
        The file is no notebook, or a number is out of its range.

    Warns
    -----
    UserWarning
        A widget is not alive on the page, or something of it was left out; a picture was not
        found; the notebook has never been run.

    Notes
    -----
    Text that contains markup is shown as far as it is harmless: nothing that a notebook holds, not
    even the code of the widgets in its state, is run by the page. Cells are hidden as their tags
    say: "remove-cell", "remove-input", "remove-output", "hide-input". A link to a notebook near by
    leads to the page of the same name.
    """
    target, max_bytes = checked_file(path), checked_budget(max_mb, steps)
    if isinstance(notebook, Mapping):
        content: Mapping[str, Any] = notebook
        name, home = "Notebook", Path(folder) if folder else None
    else:
        source = Path(notebook)
        content = cast("Mapping[str, Any]", nbformat.read(source, as_version=4))
        name, home = source.stem, Path(folder) if folder else source.parent
    views, album = Views(content), Album(home)
    cells = [_cell(cell, _language(content), views, album) for cell in content["cells"]]
    body = "\n".join(cell for cell in cells if cell)
    packed = None
    remarks: list[str] = [phrase("some_still")] if views.missing else []
    if views.widgets:
        room = max(0.0, max_bytes - len(body.encode()))
        packed = pack_page(views.widgets, max_bytes=room, steps=steps)
        remarks += packed.left_out
    for remark in (*_never_run(content), *album.remarks(), *remarks):
        warnings.warn(remark, stacklevel=2)
    heading = title or first_heading(content) or name
    html = document(
        heading,
        f"<main>{body}{notes(remarks)}</main>",
        packed.text if packed else None,
        language=page_language(views.widgets),
    )
    target.write_text(html, encoding="utf-8")
    return target


def first_heading(notebook: Mapping[str, Any]) -> str | None:
    """Return the text of the first heading in a notebook."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            for found in re.finditer(r"^#+\s+\S.*$", _source(cell), re.MULTILINE):
                text = unescape(re.sub(r"<[^>]*>", "", markdown_html(found[0]))).strip()
                if text:
                    return text
    return None


def _never_run(notebook: Mapping[str, Any]) -> list[str]:
    """Say so where no cell has an output, nor a number."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and _source(cell)]
    if not cells or any(cell.get("outputs") or cell.get("execution_count") for cell in cells):
        return []
    return ["The notebook has never been run, so the page has no outputs; run it, or --execute."]


def _cell(cell: Mapping[str, Any], language: str, views: Views, album: Album) -> str:
    tags = set(cell.get("metadata", {}).get("tags", []))
    if "remove-cell" in tags:
        return ""
    if cell["cell_type"] == "markdown":
        attachments = cell.get("attachments", {})
        html = markdown_html(_source(cell), lambda address: album.find(address, attachments))
        return f'<section class="page-text">{html}</section>'
    if cell["cell_type"] != "code":
        return ""
    code, outputs = _source(cell), ""
    if "remove-output" not in tags:
        outputs = outputs_html(cell.get("outputs", []), views.html)
    if "remove-input" in tags or not code.strip():
        return outputs
    shown = f'<div class="page-code"><pre><code>{code_html(code, language)}</code></pre></div>'
    if "hide-input" in tags:
        shown = f"<details>{summary(phrase('code'))}{shown}</details>"
    return shown + outputs


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)


def _language(notebook: Mapping[str, Any]) -> str:
    return str(notebook.get("metadata", {}).get("kernelspec", {}).get("language", "python"))
