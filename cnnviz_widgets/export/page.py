"""One page of some widgets.

In: widgets. Out: an HTML file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from os import PathLike
from pathlib import Path

from cnnviz_widgets.widgets.baking import MB, BakedWidget

from .document import document, place
from .payload import PageWidget, page_state

MAX_MB = 4.0
"""Of the answers of all widgets of a page, compressed, unless it is said otherwise."""


def to_html(
    widgets: BakedWidget | Sequence[BakedWidget],
    path: str | PathLike[str],
    *,
    title: str | None = None,
    max_mb: float | None = None,
) -> Path:
    """Write widgets as one HTML file that opens from disk and needs no network.

    Parameters
    ----------
    widgets : widget or sequence of widgets
        In the order in which they stand on the page. Those over one Inspector follow each other,
        as they do in a notebook.
    path : str or path
        The file; its folder must exist.
    title : str, optional
        Of the page. Default: the name of the model.
    max_mb : float, optional
        Most megabytes for the answers of all widgets together.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TypeError
        Something is no widget of this library.
    ValueError
        There is no widget, or `max_mb` is not above 0.
    """
    chosen = [widgets] if isinstance(widgets, BakedWidget) else list(widgets)
    for widget in chosen:
        if not isinstance(widget, BakedWidget):
            raise TypeError(
                f"widgets holds a {type(widget).__name__}; give LayerBrowser, FilterGrid, "
                "SaliencyOverlay or CamSlider."
            )
    if not chosen:
        raise ValueError("widgets is empty; give at least one widget.")
    limit = MAX_MB if max_mb is None else max_mb
    if not limit > 0:
        raise ValueError(f"max_mb={max_mb} must be above 0 megabytes.")
    parts = page_widgets(chosen, max_bytes=limit * MB)
    name = title or chosen[0].title()
    body = "".join(place(part) for part in parts)
    target = Path(path)
    target.write_text(
        document(name, f'<h1 class="page-title">{escape(name)}</h1>\n{body}', parts),
        encoding="utf-8",
    )
    return target


def page_widgets(widgets: Iterable[BakedWidget], *, max_bytes: float) -> list[PageWidget]:
    """Take widgets as they are now, with the answers for a page; the budget is shared evenly."""
    chosen = list(dict.fromkeys(widgets))
    share = max_bytes / max(1, len(chosen))
    return [_page_widget(f"w{number}", each, share) for number, each in enumerate(chosen)]


def _page_widget(name: str, widget: BakedWidget, max_bytes: float) -> PageWidget:
    answers, _left_out = widget.answers(max_bytes=max_bytes)
    return PageWidget(
        name,
        widget.bundle,
        widget.style_sheet,
        page_state(widget.get_state()),
        answers,
        widget.NEEDS_KERNEL,
    )
