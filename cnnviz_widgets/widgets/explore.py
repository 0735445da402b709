"""`explore`: the four widgets over one Inspector, in one view that explains itself.

In: a model and its inputs. Out: an `Exploration`, an ipywidgets box that lays them side by side
where there is room. The views follow each other in the page.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ipywidgets

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.rendering.colormap import Rgb
from cnnviz_widgets.words import phrase

from .base import InspectorWidget, inspector_of
from .cam_slider import CamSlider
from .filter_grid import FilterGrid
from .image_picker import ImagePicker
from .layer_browser import LayerBrowser
from .pictured import Pictured
from .saliency_overlay import SaliencyOverlay
from .spoken import Reader
from .stills import beside

_LEAST_PX = 560  # two columns only where each view has room for its controls


class Exploration(Pictured, ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Four linked widgets over one Inspector, and a picker of pictures where it is wanted.

    Parameters
    ----------
    inspector : Inspector
        What they show.
    picker : bool
        Whether an `ImagePicker` stands above them.

    Attributes
    ----------
    inspector : Inspector
        As given.
    layers, cams, saliency, filters : LayerBrowser, CamSlider, SaliencyOverlay, FilterGrid
        The widgets; each can be used and set on its own.
    picker : ImagePicker or None
        Offers the pictures of the Inspector, and takes others.
    """

    def __init__(self, inspector: Inspector, *, picker: bool = False) -> None:
        self.inspector = inspector
        self.cams = CamSlider(inspector)
        self.layers = LayerBrowser(inspector, layer=self.cams.layer)
        self.saliency = SaliencyOverlay(inspector)
        self.filters = FilterGrid(inspector)
        self.picker = ImagePicker(inspector) if picker else None
        self._hint = ipywidgets.HTML()
        self._tabs = ipywidgets.Tab([self.cams, self.saliency, self.filters])
        columns = [self.layers, self._tabs]
        for column in columns:
            column.layout.flex = f"1 1 {_LEAST_PX}px"
            column.layout.min_width = "0"
        row = ipywidgets.Box(columns, layout=ipywidgets.Layout(flex_flow="row wrap"))
        above = [] if self.picker is None else [self.picker]
        super().__init__([self._hint, *above, row, Reader(self._speak)])

    def _speak(self, say: Callable[[str], str]) -> None:
        """Say what is not the widgets' own in the reader's language."""
        self._hint.value = say(phrase("explore_hint"))
        names = ("explore_cams", "explore_saliency", "explore_filters")
        self._tabs.titles = [say(phrase(name)) for name in names]

    def to_html(self, path: str | Path, *, title: str | None = None, max_mb: float = 5.0) -> Path:
        """Write the views to one page that needs no kernel; see `cnnviz_widgets.to_html`."""
        from cnnviz_widgets.export.page import to_html

        return to_html(self, path, title=title, max_mb=max_mb)

    @property
    def parts(self) -> list[InspectorWidget]:
        """The widgets, in the order in which they stand."""
        above = [] if self.picker is None else [self.picker]
        return [*above, self.layers, self.cams, self.saliency, self.filters]

    def _display_(self) -> object:
        """Lay the views out for marimo, which asks for this and knows no boxes of ipywidgets."""
        import marimo

        folded = dict(zip(self._tabs.titles, self._tabs.children, strict=True))
        row = marimo.hstack([self.layers, marimo.ui.tabs(folded)], widths="equal", wrap=True)
        above = [] if self.picker is None else [self.picker]
        return marimo.vstack([marimo.md(self._hint.value), *above, row])

    def _still(self) -> Rgb | None:
        """Draw the maps of a layer beside the class map, as far as there are any."""
        views = [self.layers._still(), self.cams._still()]
        parts = [view for view in views if view is not None]
        return beside(parts) if parts else None

    def close(self) -> None:
        """End all of them; the Inspector stays usable."""
        for widget in self.parts:
            widget.close()
        super().close()


def explore(
    model: object, inputs: object = None, *, picker: bool = False, **options: object
) -> Exploration:
    """Look at a network from all sides: the first thing to call on a model of your own.

    Parameters
    ----------
    model : torch.nn.Module or Inspector
        A network, or an `Inspector` that already holds one.
    inputs : optional
        What the network takes, as `Inspector` describes it. Not with an `Inspector`.
    picker : bool
        Whether pictures of your own can be chosen: an `ImagePicker` stands above the others.
    **options
        ``class_names``, ``mean``, ``std`` and the others of `Inspector`.

    Returns
    -------
    Exploration
        Show it as the last value of a cell.

    Raises
    ------
    TypeError, ValueError
        As `Inspector`.
    """
    given = {"inputs": inputs, **options}
    inspector = inspector_of(
        model, {name: each for name, each in given.items() if each is not None}
    )
    return Exploration(inspector, picker=picker)
