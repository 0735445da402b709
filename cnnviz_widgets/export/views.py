"""The widgets of a notebook, from its saved state: ours live, boxes around them, others as words.

In: the widget state in a notebook's metadata. Out: HTML, and the widgets that it needs.
"""

from __future__ import annotations

import base64
import binascii
import importlib
from collections.abc import Mapping
from functools import cache
from html import escape
from itertools import zip_longest
from typing import Any, cast

from cnnviz_widgets.streaming.baked import StoredAnswer, unpack_answers
from cnnviz_widgets.streaming.wire import Header, PayloadError
from cnnviz_widgets.widgets.baking import BakedWidget
from cnnviz_widgets.words import Phrase, phrase, tables

from .clean import clean_html
from .document import hint, place, summary
from .outputs import outputs_html
from .payload import PageWidget, page_state

STATE = "application/vnd.jupyter.widget-state+json"
_OURS = {
    f"cnnviz_widgets.widgets.{module}.{name}": (f"cnnviz_widgets.widgets.{module}", name)
    for module, name in {
        "layer_browser": "LayerBrowser",
        "filter_grid": "FilterGrid",
        "saliency_overlay": "SaliencyOverlay",
        "cam_slider": "CamSlider",
        "image_picker": "ImagePicker",
    }.items()
}
_BOXES = ("BoxModel", "HBoxModel", "VBoxModel", "GridBoxModel", "TabModel", "AccordionModel")
_ROWS = ("BoxModel", "HBoxModel")
_PROGRESS = ("FloatProgressModel", "IntProgressModel")
_PLAIN = (*_PROGRESS, "HTMLModel", "LabelModel")
_DRAWN_BY_A_KERNEL = ("CanvasModel", "MultiCanvasModel")
_REFERENCE = "IPY_MODEL_"


class Views:
    """The widgets of one notebook.

    Parameters
    ----------
    notebook : mapping
        The notebook, whose metadata hold the state of its widgets.

    Attributes
    ----------
    widgets : list of PageWidget
        Those that were asked for and are live on the page.
    missing : int
        Widgets of ours that could not be shown live: nothing was baked, or no state was saved.
    """

    def __init__(self, notebook: Mapping[str, Any]) -> None:
        saved = notebook.get("metadata", {}).get("widgets", {}).get(STATE, {})
        self._models: Mapping[str, Any] = saved.get("state", {})
        self.widgets: list[PageWidget] = []
        self.missing = 0
        self._known: dict[str, PageWidget] = {}
        self._open: set[str] = set()

    def html(self, model_id: str) -> str | None:
        """Return HTML of a widget, None where a still picture must do."""
        model = self._models.get(model_id)
        if model is None:
            self.missing += 1
            return None
        state, kind = model.get("state", {}), str(model.get("model_name"))
        if state.get("_anywidget_id") in _OURS:
            return self._live(model_id, model)
        if kind == "OutputModel":
            return self._outputs(model_id, state)
        if kind in _PROGRESS or self._is_a_bar(state):
            return ""  # how far something was is of no interest to a reader who comes later
        if kind in _BOXES:
            shown = self._box(model_id, state, row=kind in _ROWS)
            is_drawing = "data-cnnviz-model" not in shown and self._holds_a_drawing(model_id, set())
            return None if is_drawing else shown
        if kind in ("HTMLModel", "HTMLMathModel"):
            text = str(state.get("value", ""))
            if text in _phrases():
                return hint(_phrases()[text])
            return f'<div class="page-output">{clean_html(text)}</div>'
        return _words(state)

    def _live(self, model_id: str, model: Mapping[str, Any]) -> str | None:
        widget = self._known.get(model_id)
        if widget is None:
            answers = _answers(model)
            if not answers:
                self.missing += 1
                return None
            widget = _page_widget(f"w{len(self.widgets)}", model["state"], answers)
            self._known[model_id] = widget
            self.widgets.append(widget)
        return place(widget)

    def _is_a_bar(self, state: Mapping[str, Any]) -> bool:
        """Tell whether a box is a progress bar with its figures, as tqdm makes it."""
        kinds = [self._models.get(name, {}).get("model_name") for name in _children(state)]
        return any(kind in _PROGRESS for kind in kinds) and all(kind in _PLAIN for kind in kinds)

    def _outputs(self, model_id: str, state: Mapping[str, Any]) -> str:
        """Return what was printed and shown in a widget that collects it, as `interact` does."""
        if model_id in self._open:
            return ""  # it holds itself
        self._open.add(model_id)
        shown = outputs_html(state.get("outputs", []), self.html)
        self._open.remove(model_id)
        return shown

    def _holds_a_drawing(self, model_id: str, seen: set[str]) -> bool:
        """Tell whether a kernel draws a part of it, so that only a still picture shows it all."""
        model = self._models.get(model_id, {})
        if model_id in seen or not model:
            return False
        seen.add(model_id)
        names = _children(model.get("state", {}))
        is_drawn = model.get("model_name") in _DRAWN_BY_A_KERNEL
        return is_drawn or any(self._holds_a_drawing(name, seen) for name in names)

    def _box(self, model_id: str, state: Mapping[str, Any], *, row: bool) -> str:
        if model_id in self._open:
            return ""  # it holds itself
        self._open.add(model_id)
        shown = [self.html(name) or "" for name in _children(state)]
        self._open.remove(model_id)
        titles = state.get("titles")
        if isinstance(titles, list) and any(titles):
            named = zip_longest(map(str, titles[: len(shown)]), shown, fillvalue="")
            folded = (
                f'<details class="page-tab"{"" if place else " open"}>'
                f"{summary(_phrases().get(title, title))}{html}</details>"
                for place, (title, html) in enumerate(named)
            )
            return f'<div class="page-box">{"".join(folded)}</div>'
        return f'<div class="page-box{" page-row" if row else ""}">{"".join(shown)}</div>'


def _page_widget(name: str, state: Header, answers: list[StoredAnswer]) -> PageWidget:
    """Take the state as data; the code is always that of the installed library."""
    module, kind = _OURS[str(state["_anywidget_id"])]
    widget = cast("type[BakedWidget]", getattr(importlib.import_module(module), kind))
    return PageWidget(
        name,
        kind,
        widget.class_bundle(),
        widget.class_style_sheet(),
        page_state(state, answers),
        answers,
        widget.NEEDS_KERNEL,
        widget.WORDS,
    )


@cache
def _phrases() -> Mapping[str, Phrase]:
    """Return the words of `explore`, which are saved in one language, by what they are in each."""
    known = map(phrase, tables("explore")["en"])
    return {text: each for each in known for text in each.texts.values()}


def _children(state: Mapping[str, Any]) -> list[str]:
    """Return the ids of the models in a box."""
    children = [str(child) for child in state.get("children", [])]
    return [each.removeprefix(_REFERENCE) for each in children if each.startswith(_REFERENCE)]


def _answers(model: Mapping[str, Any]) -> list[StoredAnswer]:
    for buffer in model.get("buffers", []):
        if buffer.get("path") == ["_baked"] and buffer.get("encoding") == "base64":
            try:
                return unpack_answers(base64.b64decode(buffer["data"]))
            except (PayloadError, binascii.Error):
                return []
    return []


def _words(state: Mapping[str, Any]) -> str:
    """Name a control of another library that does nothing here."""
    parts = [state.get("description"), state.get("value")]
    said = ": ".join(str(part) for part in parts if isinstance(part, (str, int, float)) and part)
    return f'<p class="page-note">{escape(said)}</p>' if said else ""
