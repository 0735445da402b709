"""One page of some widgets.

In: widgets. Out: an HTML file.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from html import escape
from os import PathLike
from pathlib import Path

from cnnviz_widgets.rendering.quantise import LEVELS
from cnnviz_widgets.widgets.baking import MB, BakedWidget
from cnnviz_widgets.widgets.explore import Exploration

from .document import checked_file, document, notes, place
from .payload import STEPS, PageWidget, pack_page, page_state

Shown = BakedWidget | Exploration
MAX_MB = 5.0
"""Of a page, unless it is said otherwise."""
_RAW_SHARE = 8
"""Bytes of answers that are looked at for each byte that a page may have."""


def to_html(
    widgets: Shown | Sequence[Shown],
    path: str | PathLike[str],
    *,
    title: str | None = None,
    max_mb: float = MAX_MB,
    steps: int = STEPS,
) -> Path:
    """Write widgets as one HTML file that opens from disk and needs no network.

    Parameters
    ----------
    widgets : widget or sequence of widgets
        In the order in which they stand on the page; what `explore` gives stands for its own.
        Those over one Inspector follow each other, as they do in a notebook.
    path : str or path
        The file; its folder must exist.
    title : str, optional
        Of the page. Default: what the first widget is.
    max_mb : float
        Most megabytes of the page, about. What does not fit is left out, the least needed first;
        the page says so at its end, and a warning does here.
    steps : int
        Steps of its own range that each channel of a map is rounded to, 2 to 252: few make a small
        page, 252 keep what the widget shows in a notebook. With fewer, layers that follow from
        others (a ReLU from what it is given, say) are not stored but worked out in the page, within
        three steps.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TypeError
        Something is no widget of this library.
    FileNotFoundError
        The file cannot be written; this is told before any work is done.
    ValueError
        There is no widget, or a number is out of its range.

    Warns
    -----
    UserWarning
        Something was left out.
    """
    chosen = _checked(widgets)
    target = checked_file(path)
    max_bytes = checked_budget(max_mb, steps)
    parts = [
        _page_widget(f"w{number}", widget, _RAW_SHARE * max_bytes)
        for number, widget in enumerate(dict.fromkeys(chosen))
    ]
    packed = pack_page(parts, max_bytes=max_bytes, steps=steps)
    name = title or chosen[0].title()
    body = "".join(place(part) for part in parts)
    heading = f'<h1 class="page-title">{escape(name)}</h1>'
    html = f"<main>{heading}\n{body}{notes(packed.left_out)}</main>"
    target.write_text(document(name, html, packed.text), encoding="utf-8")
    for text in packed.left_out:
        warnings.warn(text, stacklevel=2)
    return target


def checked_budget(max_mb: float, steps: int) -> float:
    """Return the bytes that a page may have.

    Raises
    ------
    ValueError
        A number is out of its range.
    """
    if not max_mb > 0:
        raise ValueError(f"max_mb={max_mb} must be above 0 megabytes.")
    if not 2 <= steps <= LEVELS:
        raise ValueError(f"steps={steps} must be from 2 to {LEVELS}.")
    return max_mb * MB


def _checked(widgets: Shown | Sequence[Shown]) -> list[BakedWidget]:
    given = list(widgets) if isinstance(widgets, Sequence) else [widgets]
    chosen: list[BakedWidget] = []
    for widget in given:
        if isinstance(widget, Exploration):
            chosen += widget.parts
        elif isinstance(widget, BakedWidget):
            chosen.append(widget)
        else:
            raise TypeError(
                f"widgets holds a {type(widget).__name__}; give LayerBrowser, FilterGrid, "
                "SaliencyOverlay, CamSlider, ImagePicker or what cw.explore() gives."
            )
    if not chosen:
        raise ValueError("widgets is empty; give at least one widget.")
    return chosen


def _page_widget(name: str, widget: BakedWidget, max_bytes: float) -> PageWidget:
    answers, _left_out = widget.answers(max_bytes=max_bytes)
    return PageWidget(
        name,
        widget.title(),
        widget.bundle,
        widget.style_sheet,
        page_state(widget.get_state(), answers),
        answers,
        widget.NEEDS_KERNEL,
        widget.WORDS,
    )
