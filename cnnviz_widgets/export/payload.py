"""What the widgets of a page need, packed into text: modules, state, and stored answers.

In: the widgets of a page. Out: text for the page, which js/src/host/page.ts reads.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterable
from dataclasses import dataclass

from cnnviz_widgets.streaming.baked import Memory, StoredAnswer
from cnnviz_widgets.streaming.wire import Header, Json

_COMPRESS_LEVEL = 9
_NOT_STATE = ("_esm", "_css", "_baked", "_anywidget_id", "layout", "tabindex", "tooltip")
_NOT_STATE_STARTS = ("_model_", "_view_", "_dom_")


@dataclass(frozen=True)
class PageWidget:
    """One widget of a page.

    Attributes
    ----------
    name : str
        By which the page's elements ask for it.
    bundle, css : str
        Its ES module and its style sheet.
    state : dict
        Its traits, JSON values alone.
    answers : list of StoredAnswer
        To what its views may ask.
    disabled : tuple of str
        Controls that do nothing without a kernel.
    """

    name: str
    bundle: str
    css: str
    state: Header
    answers: list[StoredAnswer]
    disabled: tuple[str, ...]


def pack_page(widgets: Iterable[PageWidget]) -> str:
    """Pack all widgets of a page; equal modules and equal arrays are stored once.

    Returns
    -------
    str
        ASCII letters in base 85 (RFC 1924, "," for "<"): no "<", no quote and no backslash, so
        that it can stand anywhere in HTML. Five letters are four bytes of gzip.
    """
    memory = Memory()
    modules: dict[str, int] = {}
    described: dict[str, Json] = {}
    for widget in widgets:
        described[widget.name] = {
            "module": modules.setdefault(widget.bundle, len(modules)),
            "state": widget.state,
            "answers": memory.describe(widget.answers),
            "disabled": widget.disabled,
        }
    page: Json = {"modules": list(modules), "widgets": described}
    packed = gzip.compress(memory.closed(page), _COMPRESS_LEVEL, mtime=0)
    return base64.b85encode(packed).replace(b"<", b",").decode()


def page_state(state: Header) -> Header:
    """Leave out of a widget's state what a page has no use for."""
    return {
        name: value
        for name, value in state.items()
        if name not in _NOT_STATE and not name.startswith(_NOT_STATE_STARTS)
    }
