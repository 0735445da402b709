"""One HTML file: head, body, the data of its widgets and the script that runs them.

In: HTML of the body, and widgets. Out: the text of the file, with a policy that allows no network.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from html import escape
from os import PathLike
from pathlib import Path

from cnnviz_widgets.widgets.baking import built
from cnnviz_widgets.words import LANGUAGES, Phrase, chosen, phrase, told

from .payload import PageWidget


def checked_file(path: str | PathLike[str]) -> Path:
    """Return the path of a file to write.

    Raises
    ------
    FileNotFoundError
        It is a folder, or its folder does not exist.
    """
    file = Path(path)
    if file.is_dir() or not file.parent.is_dir():
        raise FileNotFoundError(
            f"path={str(file)!r} cannot be written; give a file in a folder that exists."
        )
    return file


def document(title: str, body: str, data: str | None, *, language: str = "") -> str:
    """Return a page.

    Parameters
    ----------
    title : str
        Text.
    body : str
        HTML that has been made or cleaned here; it is written as it is.
    data : str or None
        Of the widgets that `place` gives an element in the body, see `pack_page`; None for none.
    language : str
        That the page is made for; by default the one set, or English.

    Returns
    -------
    str
        HTML. Its Content-Security-Policy allows one script, by its hash, modules that this script
        makes of the page's own data, styles and embedded pictures, and nothing from elsewhere.
    """
    host = built("host.js").read_text(encoding="utf-8").strip() if data else ""
    style = built("page.css").read_text(encoding="utf-8")
    lines = [
        "<!doctype html>",
        f'<html lang="{_tag(language or chosen([]))}">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy(host)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape(title)}</title>",
        f"<style>{style}</style>",
        "</head>",
        "<body>",
        body,
    ]
    if data:
        lines.append(f'<script type="text/plain" id="cnnviz-data">{data}</script>')
        lines.append(f'<script type="module">{host}</script>')
    return "\n".join([*lines, "</body>", "</html>", ""])


def policy(script: str) -> str:
    """Return the Content-Security-Policy of a page that has this script and no other."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    scripts = f"'sha256-{digest}' blob:" if script else "'none'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def place(widget: PageWidget) -> str:
    """Return HTML of the element in which a widget of the page opens."""
    missing = phrase("needs_javascript").texts
    said = (f'<p lang="{_tag(each)}">{escape(missing[each])}</p>' for each in LANGUAGES)
    return (
        f'<div class="page-widget" data-cnnviz-model="{escape(widget.name)}">'
        f"<noscript>{''.join(said)}</noscript></div>"
    )


def notes(texts: Iterable[str]) -> str:
    """Return HTML of remarks about the page."""
    return "".join(f'<p class="page-note"{_told(text)}>{escape(_said(text))}</p>' for text in texts)


def summary(text: str) -> str:
    """Return HTML of what a part of the page that folds is called."""
    return f"<summary{_told(text)}>{escape(_said(text))}</summary>"


def hint(text: str) -> str:
    """Return HTML of what stands above widgets to explain them."""
    return f'<p class="page-hint"{_told(text)}>{escape(_said(text))}</p>'


def _said(text: str) -> str:
    return text.texts[chosen([])] if isinstance(text, Phrase) else text


def _told(text: str) -> str:
    """Return attributes by which the page's script says a text in the reader's language."""
    if not isinstance(text, Phrase):
        return ""
    texts = escape(json.dumps(told(text), ensure_ascii=False))
    return f' lang="{_tag(chosen([]))}" data-cnnviz-told="{texts}"'


def _tag(language: str) -> str:
    return phrase("language_tag").texts[language]
