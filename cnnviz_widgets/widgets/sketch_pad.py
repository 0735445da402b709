"""The `SketchPad`: draw a picture by hand and let a network see it while the pen moves.

In: an Inspector, and the pen, mouse or finger on an ipycanvas. Out: the Inspector's inputs, after
every movement; all widgets over the same Inspector follow.
"""

from __future__ import annotations

import base64
import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape

import anywidget
import ipycanvas
import ipywidgets
import numpy as np
import traitlets
from numpy.typing import NDArray
from PIL import Image

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.inspection.locks import ModelBusyError
from cnnviz_widgets.rendering.colormap import Rgb
from cnnviz_widgets.rendering.png import png_bytes
from cnnviz_widgets.rendering.strokes import Stroke, fitted_ink, ink_of
from cnnviz_widgets.streaming.worker import LatestWorker, Token
from cnnviz_widgets.words import phrase

from .baking import built
from .intake import picture_size
from .pictured import Pictured
from .spoken import Reader
from .stills import beside, captioned, enlarged

_SIDE = 256  # of the paper, in CSS pixels
_SEEN_SIDE = 96  # of the picture beside it that shows what the network gets
_ANSWER_S = 1.0  # how long a still picture waits for what the network says
_BRUSHES = (6, 40)  # thinnest and thickest, in CSS pixels
_PAPER, _INK = "#000000", "#ffffff"  # as in the pictures of handwriting that networks learn from


@dataclass(frozen=True)
class _Drawing:
    """What the worker is given: all strokes until now."""

    strokes: tuple[Stroke, ...]
    seq: int
    cid: str = "pad"
    kind: str = "drawing"


@dataclass(frozen=True)
class _Shown:
    """What stands beside the paper: what the network gets, and its best classes or a text."""

    pixels: NDArray[np.uint8]
    text: str = ""
    ranked: tuple[tuple[str, str], ...] = ()

    def html(self, say: Callable[[str], str]) -> str:
        """Say it in the language that `say` speaks, the picture pixel by pixel."""
        data = base64.b64encode(png_bytes(np.stack([self.pixels] * 3, axis=2))).decode()
        height, width = self.pixels.shape
        rows = "".join(
            f'<tr><td>{escape(name)}</td><td style="padding-left:12px">{share}</td></tr>'
            for name, share in self.ranked
        )
        return (
            f'<div style="line-height:1.6">{escape(say(phrase("seen")))}</div>'
            f'<img alt="{escape(say(phrase("seen_picture", height=height, width=width)))}" '
            f'src="data:image/png;base64,{data}" '
            f'style="image-rendering:pixelated;width:{_SEEN_SIDE}px">'
        ) + (f"<table>{rows}</table>" if self.ranked else f"<p>{escape(say(self.text))}</p>")

    def caption(self) -> str:
        """Say it in one line of English, for a still picture."""
        return ", ".join(f"{name} {share}" for name, share in self.ranked) or self.text


class _Parts(anywidget.AnyWidget):
    """Names the parts of a pad in the page, and lets the Tab key leave the paper."""

    _esm = built("sketch-pad.js")
    _css = built("sketch-pad.css")

    paper = traitlets.Unicode(help="Name of the paper.").tag(sync=True)


class SketchPad(Pictured, ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Draw with mouse, pen or finger; the network sees it at once.

    Parameters
    ----------
    inspector : Inspector
        Whose inputs the drawing becomes, one picture of the size that it has now. Give it the
        ``mean`` and ``std`` of the network's training pictures: paper is 0 and ink is 1 before
        they are applied.
    fitted : bool
        Whether the drawing is centred, scaled and drawn with a common pen, as the digits of the
        `digits` sample were (`cnnviz_widgets.rendering.strokes.fitted_ink`); else the network
        sees the paper as it is.

    Attributes
    ----------
    inspector : Inspector
        As given; widgets over it follow the pen.
    strokes : tuple of Stroke
        What was drawn, in CSS pixels of a paper of 256 x 256. Set it to draw from Python.

    Raises
    ------
    TypeError
        `inspector` is none.
    ValueError
        Its inputs are no picture.

    Notes
    -----
    Every movement wakes a worker that takes the newest drawing, so the network never lags behind
    the pen by more than one forward pass. The lines on the paper are drawn by the kernel: while a
    cell runs, they wait.
    """

    def __init__(self, inspector: Inspector, *, fitted: bool = True) -> None:
        size = picture_size(inspector)
        self.inspector = inspector
        self._size = size
        self._fitted = fitted
        self._strokes: tuple[Stroke, ...] = ()
        self._is_drawing = False
        self._numbers = itertools.count(1)
        self._is_answered = threading.Event()
        self._shown = _Shown(self._picture(()), phrase("blank"))
        self._make_parts()
        super().__init__(
            [
                self._bar,
                ipywidgets.HBox([self.canvas, self._answer]),
                self._parts,
                Reader(self._speak),
            ],
            layout=ipywidgets.Layout(width="max-content", max_width="100%"),
        )
        self.add_class("cnnviz-pad")
        self._worker: LatestWorker[SketchPad, _Drawing] = LatestWorker(
            self, type(self)._see, on_error=type(self)._report, name="cnnviz-sketch-pad"
        )
        self._listen()
        self._redraw()
        self._is_answered.set()

    # -- parts ----------------------------------------------------------------------------------

    def _make_parts(self) -> None:
        self.canvas = ipycanvas.Canvas(width=_SIDE, height=_SIDE)
        self.canvas.layout = ipywidgets.Layout(width=f"{_SIDE}px", height=f"{_SIDE}px")
        thin, thick = _BRUSHES
        self.brush = ipywidgets.IntSlider(
            18, thin, thick, readout=False,
            layout=ipywidgets.Layout(width="180px"), style={"description_width": "initial"},
        )  # fmt: skip
        self.eraser = ipywidgets.ToggleButton(**_button())
        self.undo_button = ipywidgets.Button(disabled=True, **_button())
        self.clear_button = ipywidgets.Button(disabled=True, **_button())
        self._bar = ipywidgets.HBox([self.brush, self.eraser, self.undo_button, self.clear_button])
        self._answer = ipywidgets.HTML()
        self._parts = _Parts()

    def _speak(self, say: Callable[[str], str]) -> None:
        """Say everything in the reader's language."""
        self._spoken = say
        controls = {"erase": self.eraser, "undo": self.undo_button, "clear": self.clear_button}
        for name, control in controls.items():
            control.description = say(phrase(name))
            control.tooltip = say(phrase(f"{name}_hint"))
        self.brush.description = say(phrase("brush"))
        self._parts.paper = say(phrase("paper"))
        self._answer.value = self._shown.html(say)

    def _listen(self) -> None:
        canvas = self.canvas
        canvas.on_mouse_down(self._pen_down)
        canvas.on_mouse_move(self._pen_move)
        canvas.on_mouse_up(self._pen_up)
        canvas.on_mouse_out(self._pen_up)
        canvas.on_touch_start(lambda points: self._pen_down(*points[0]))
        canvas.on_touch_move(lambda points: self._pen_move(*points[0]))
        canvas.on_touch_end(self._pen_up)
        canvas.on_touch_cancel(self._pen_up)
        self.undo_button.on_click(lambda _button: self.undo())
        self.clear_button.on_click(lambda _button: self.clear())

    # -- drawing --------------------------------------------------------------------------------

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """What was drawn, in the order in which it was."""
        return self._strokes

    @strokes.setter
    def strokes(self, strokes: tuple[Stroke, ...]) -> None:
        self._strokes = tuple(strokes)
        self._redraw()
        self._changed()

    @property
    def answer(self) -> str:
        """What stands beside the paper, as HTML: the best classes, or why there are none."""
        text: str = self._answer.value
        return text

    def undo(self) -> None:
        """Take back the last stroke."""
        self.strokes = self._strokes[:-1]

    def clear(self) -> None:
        """Take a new sheet of paper."""
        self.strokes = ()

    def _pen_down(self, x: float, y: float) -> None:
        self._is_drawing = True
        stroke = Stroke(((x, y),), self.brush.value, self.eraser.value)
        self._strokes += (stroke,)
        with ipycanvas.hold_canvas():
            self._draw(stroke)
        self._changed()

    def _pen_move(self, x: float, y: float) -> None:
        if not self._is_drawing:
            return
        last = self._strokes[-1]
        with ipycanvas.hold_canvas():
            self._draw(replace(last, points=(last.points[-1], (x, y))))
        self._strokes = (*self._strokes[:-1], replace(last, points=(*last.points, (x, y))))
        self._changed()

    def _pen_up(self, *_where: object) -> None:
        self._is_drawing = False

    def _draw(self, stroke: Stroke) -> None:
        canvas = self.canvas
        colour = _PAPER if stroke.erases else _INK
        canvas.fill_style = canvas.stroke_style = colour
        canvas.line_width = stroke.width
        canvas.line_cap = canvas.line_join = "round"
        if len(stroke.points) == 1:
            canvas.fill_circle(*stroke.points[0], stroke.width / 2)
        else:
            canvas.stroke_lines(list(stroke.points))

    def _redraw(self) -> None:
        with ipycanvas.hold_canvas():
            self.canvas.fill_style = _PAPER
            self.canvas.fill_rect(0, 0, _SIDE, _SIDE)
            for stroke in self._strokes:
                self._draw(stroke)

    # -- what the network makes of it -----------------------------------------------------------

    def picture(self) -> NDArray[np.uint8]:
        """Return the drawing as the network gets it, uint8 (H, W), 0 (paper) to 255 (ink)."""
        return self._picture(self._strokes)

    def _picture(self, strokes: Sequence[Stroke]) -> NDArray[np.uint8]:
        if self._fitted:
            ink = fitted_ink(strokes, self._size)
        else:
            ink = ink_of(strokes, self._size, scale=min(self._size) / _SIDE)
        pixels: NDArray[np.uint8] = np.floor(ink * 255 + 0.5).astype(np.uint8)
        return pixels

    def _changed(self) -> None:
        self.undo_button.disabled = self.clear_button.disabled = not self._strokes
        self._is_answered.clear()
        self._worker.submit(_Drawing(self._strokes, next(self._numbers)))

    def _see(self, drawing: _Drawing, token: Token) -> None:
        """Give the newest drawing to the network, in the worker's thread."""
        pixels = self._picture(drawing.strokes)
        image = Image.fromarray(pixels)
        try:
            self.inspector.set_inputs(image, wait=self.inspector.busy_timeout_s)
            best = self.inspector.predictions(3, wait=self.inspector.busy_timeout_s)[0]
        except ModelBusyError:
            token.deliver(self._show, _Shown(pixels, phrase("busy")))
            return
        ranked = tuple((each.name, f"{each.probability:.0%}") for each in best)
        answer = (
            _Shown(pixels, ranked=ranked) if drawing.strokes else _Shown(pixels, phrase("blank"))
        )
        token.deliver(self._show, answer)

    def _report(self, drawing: _Drawing, error: BaseException) -> None:
        text = f"{type(error).__name__}: {error}"
        self._show(_Shown(self._picture(drawing.strokes), text))

    def _show(self, shown: _Shown) -> None:
        self._shown = shown
        self._answer.value = shown.html(self._spoken)
        self._is_answered.set()

    def _still(self) -> Rgb:
        """Draw the paper beside what the network gets of it, over what it says."""
        self._is_answered.wait(_ANSWER_S)
        side = _SIDE // 2
        paper = np.floor(ink_of(self._strokes, (side, side), scale=side / _SIDE) * 255 + 0.5)
        grays = [paper.astype(np.uint8), self.picture()]
        parts = [enlarged(np.stack([gray] * 3, axis=2)[None], side)[0] for gray in grays]
        return captioned(beside(parts), self._shown.caption())

    def close(self) -> None:
        """End the pad; the Inspector keeps the last drawing."""
        worker = getattr(self, "_worker", None)
        if worker is not None:
            worker.close()
        super().close()


def _button() -> dict[str, object]:
    return {"layout": ipywidgets.Layout(width="72px")}
