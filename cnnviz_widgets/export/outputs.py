"""Outputs of a cell as HTML: text, tables, pictures; the richest that a still page can show.

In: the outputs of an executed cell. Out: harmless HTML.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from cnnviz_widgets.words import phrase

from .clean import clean_html
from .document import notes
from .markdown import markdown_html

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
Widgets = Callable[[str], "str | None"]
"""Gives the HTML of a widget by the id of its model, or None where it cannot be shown."""

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PROGRESS = re.compile(r"[^\n]*\d+%\|[^\n|]*\| \d[^\n]*\[[^\n]*\]\n?")
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")


def outputs_html(outputs: Sequence[Mapping[str, Any]], widgets: Widgets) -> str:
    """Return HTML of a cell's outputs, in order."""
    lasting = map(_without_progress, _merged(outputs))
    # Lines that only a bar stood between belong together.
    return "".join(_output(each, widgets) for each in _merged([each for each in lasting if each]))


def _without_progress(output: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Leave out how far something was: it is of no interest to a reader who comes later."""
    if (output.get("output_type"), output.get("name")) != ("stream", "stderr"):
        return output
    text = _PROGRESS.sub("", _joined(output.get("text", "")))
    return {**output, "text": text} if text.strip() else None


def _merged(outputs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Put printed texts together that follow each other: a progress bar writes over itself."""
    merged: list[Mapping[str, Any]] = []
    for output in outputs:
        last = merged[-1] if merged else {}
        kind = (output.get("output_type"), output.get("name"))
        if kind[0] == "stream" and kind == (last.get("output_type"), last.get("name")):
            text = _joined(last.get("text", "")) + _joined(output.get("text", ""))
            merged[-1] = {**last, "text": text}
        else:
            merged.append(output)
    return merged


def _output(output: Mapping[str, Any], widgets: Widgets) -> str:
    kind = output.get("output_type")
    if kind == "stream":
        return _text(_joined(output.get("text", "")))
    if kind == "error":
        lines = output.get("traceback") or [f"{output.get('ename')}: {output.get('evalue')}"]
        return _text("\n".join(lines), "page-output page-error")
    data = output.get("data", {})
    return "" if not isinstance(data, Mapping) else _rich(data, widgets)


def _rich(data: Mapping[str, Any], widgets: Widgets) -> str:
    view = data.get(WIDGET_VIEW)
    if isinstance(view, Mapping):
        shown = widgets(str(view.get("model_id")))
        if shown is not None:
            return shown
    for kind in _PICTURES:
        if kind in data:
            picture = picture_html(kind, _joined(data[kind]))
            if picture:
                still = notes([phrase("still")]) if isinstance(view, Mapping) else ""
                return f'<div class="page-output">{picture}{still}</div>'
    if "text/html" in data:
        return f'<div class="page-output">{clean_html(_joined(data["text/html"]))}</div>'
    for kind in ("text/markdown", "text/latex"):
        if kind in data:
            return f'<div class="page-text">{markdown_html(_joined(data[kind]))}</div>'
    return _text(_joined(data.get("text/plain", "")))


def picture_html(kind: str, content: str) -> str:
    """Return an <img> with the picture in it, "" where the content is none of that kind.

    A script in an SVG does not run there.
    """
    if kind == "image/svg+xml":
        content = base64.b64encode(content.encode()).decode()
    try:
        base64.b64decode(content, validate=False)
    except (binascii.Error, ValueError):
        return ""
    letters = re.sub(r"[^A-Za-z0-9+/=]", "", content)
    return f'<img alt="" src="data:{kind};base64,{letters}">'


def _text(text: str, style: str = "page-output") -> str:
    shown = "\n".join(line.rsplit("\r", 1)[-1] for line in _ANSI.sub("", text).split("\n"))
    return f'<div class="{style}"><pre>{escape(shown)}</pre></div>' if shown.strip() else ""


def _joined(text: object) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text)
