"""What the widgets of a page need, packed into text: modules, state, and stored answers.

In: the widgets of a page. Out: text for the page, which js/src/host/page.ts reads.
"""

from __future__ import annotations

import base64
import json
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cnnviz_widgets.streaming.baked import StoredAnswer
from cnnviz_widgets.streaming.wire import Header, Json
from cnnviz_widgets.words import phrase, tables

from .arrays import Arrays

STEPS = 36
"""Steps of its range that each channel of maps is rounded to, unless it is said otherwise."""
_COMPRESS_LEVEL = 9
_MOST_TRIES = 4
_GZIP = 31  # the format, and a window of 32 kB
_TEXT = 5 / 4
"""Letters for a byte."""
_NOT_STATE = ("_esm", "_css", "_baked", "_words", "_anywidget_id", "layout", "tabindex", "tooltip")
_NOT_STATE_STARTS = ("_model_", "_view_", "_dom_")


@dataclass(frozen=True)
class PageWidget:
    """One widget of a page.

    Attributes
    ----------
    name : str
        By which the page's elements ask for it.
    title : str
        What it is, in words.
    bundle, css : str
        Its ES module and its style sheet.
    state : dict
        Its traits, JSON values alone.
    answers : list of StoredAnswer
        To what its views may ask.
    disabled : tuple of str
        Controls that do nothing without a kernel.
    words : tuple of str
        Sections of the tables of words that its views need besides "shared".
    """

    name: str
    title: str
    bundle: str
    css: str
    state: Header
    answers: list[StoredAnswer]
    disabled: tuple[str, ...]
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Packed:
    """A page's data.

    Attributes
    ----------
    text : str
        ASCII letters in base 85 (RFC 1924, "," for "<"): no "<", no quote and no backslash, so
        that it can stand anywhere in HTML. Five letters are four bytes of gzip.
    left_out : tuple of str
        What did not fit, in words, one text for each widget that lacks something.
    """

    text: str
    left_out: tuple[str, ...]


def pack_page(
    widgets: Sequence[PageWidget], *, max_bytes: float = math.inf, steps: int = STEPS
) -> Packed:
    """Pack all widgets of a page; equal modules and equal arrays are stored once.

    Parameters
    ----------
    widgets : sequence of PageWidget
    max_bytes : float
        Of the text. Each widget has an even share of what is left when its turn comes; what does
        not fit goes.
    steps : int
        Steps of its range that each channel of maps is rounded to, see `Encoder`.
    """
    answers = [widget.answers for widget in widgets]
    text, costs = _packed(widgets, answers, steps)
    fixed = len(gzipped(_fixed(widgets)))
    # What answers cost was measured quickly: by how much they are smaller is known for all of them.
    measured = sum(map(sum, costs)) / max(1.0, len(text) / _TEXT - fixed)
    room = 0.97 * measured * (max_bytes / _TEXT - fixed)
    for _ in range(_MOST_TRIES):
        if len(text) <= max_bytes:
            break
        answers = _fitting(widgets, costs, room)
        text, _costs = _packed(widgets, answers, steps)
        # A layer costs more where the one that it follows from had to go.
        room *= 0.98 * min(1.0, max_bytes / len(text))
    pairs = zip(widgets, answers, strict=True)
    return Packed(
        text, tuple(_lacks(widget, kept) for widget, kept in pairs if _lacks(widget, kept))
    )


def _packed(
    widgets: Sequence[PageWidget], answers: Sequence[Sequence[StoredAnswer]], steps: int
) -> tuple[str, list[list[int]]]:
    """Pack these answers; also return about what each of them costs, in bytes."""
    arrays = Arrays(steps)
    bundles = list(dict.fromkeys(widget.bundle for widget in widgets))
    styles = list(dict.fromkeys(widget.css for widget in widgets))
    described: dict[str, Json] = {}
    costs: list[list[int]] = []
    for group, (widget, kept) in enumerate(zip(widgets, answers, strict=True)):
        taken = [arrays.describe(answer, group) for answer in kept]
        costs.append([cost for _, cost in taken])
        described[widget.name] = {
            "module": bundles.index(widget.bundle),
            "state": widget.state,
            "answers": [each for each, _ in taken],
            "disabled": widget.disabled,
        }
    stream, memory = arrays.packed()
    page: Json = {
        "modules": bundles,
        "styles": styles,
        "words": _words(widgets),
        "language": page_language(widgets),
        "widgets": described,
        "memory": memory,
    }
    text = json.dumps(page, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    whole = b"".join([stream, text.encode(), struct.pack("<I", len(stream))])
    return base64.b85encode(gzipped(whole)).replace(b"<", b",").decode(), costs


def _fixed(widgets: Sequence[PageWidget]) -> bytes:
    """Return what a page holds whatever it leaves out."""
    parts = dict.fromkeys(part for widget in widgets for part in (widget.bundle, widget.css))
    described = [_words(widgets), *(widget.state for widget in widgets)]
    return "".join(parts).encode() + json.dumps(described, ensure_ascii=False).encode()


def _words(widgets: Sequence[PageWidget]) -> Mapping[str, Json]:
    """Return what the page and its widgets say, once for all of them."""
    sections = dict.fromkeys(name for widget in widgets for name in widget.words)
    return tables("shared", "page", *sections)


def page_language(widgets: Sequence[PageWidget]) -> str:
    """Return the language that was set when the widgets were made; "" is that of the browser."""
    return next(
        (str(each.state["_language"]) for each in widgets if each.state.get("_language")), ""
    )


def _fitting(
    widgets: Sequence[PageWidget], costs: Sequence[Sequence[int]], room: float
) -> list[list[StoredAnswer]]:
    """Choose the answers that fit, those that come first before others."""
    chosen: list[list[StoredAnswer]] = []
    for place, (widget, prices) in enumerate(zip(widgets, costs, strict=True)):
        share = room / (len(widgets) - place)
        kept: list[StoredAnswer] = []
        for answer, cost in zip(widget.answers, prices, strict=True):
            if cost <= share:
                share, room = share - cost, room - cost
                kept.append(answer)
        chosen.append(kept)
    return chosen


def _lacks(widget: PageWidget, kept: Sequence[StoredAnswer]) -> str:
    """Say what of a widget is not on the page, "" where all is."""
    missing = len(widget.answers) - len(kept)
    if not missing:
        return ""
    return phrase("left_out", title=widget.title, missing=missing, count=len(widget.answers))


def gzipped(data: bytes) -> bytes:
    """Compress in the way that suits what is left after a guess: small numbers, few repeats."""
    packer = zlib.compressobj(_COMPRESS_LEVEL, wbits=_GZIP, strategy=zlib.Z_FILTERED)
    return packer.compress(data) + packer.flush()


def page_state(state: Header, answers: Sequence[StoredAnswer]) -> Header:
    """Leave out of a widget's state what a page has no use for, and methods without an answer."""
    kept = {
        name: value
        for name, value in state.items()
        if name not in _NOT_STATE and not name.startswith(_NOT_STATE_STARTS)
    }
    methods = kept.get("_methods")
    if isinstance(methods, list):
        stored = {answer.params.get("method") for answer in answers}
        kept["_methods"] = [each for each in methods if each["name"] in stored] or methods
    return kept
