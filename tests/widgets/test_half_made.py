"""A widget that is refused leaves nothing behind: no widget, no thread, nobody who listens."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable

import pytest
import torch
from ipywidgets.widgets import widget as registry

import cnnviz_widgets as cw
from cnnviz_widgets.inspection import Inspector
from tests.inspection import models
from tests.inspection.promise import unchanged

REFUSED: dict[str, Callable[[Inspector], object]] = {
    "layer": lambda i: cw.LayerBrowser(i, layer="conv9"),
    "picture": lambda i: cw.LayerBrowser(i, image=9),
    "keyword": lambda i: cw.LayerBrowser(i, colour=1),
    "layer of maps": lambda i: cw.CamSlider(i, layer="conv9"),
    "picture of maps": lambda i: cw.SaliencyOverlay(i, image=9),
    "layer of weights": lambda i: cw.FilterGrid(i, layer="conv9"),
    "inputs": lambda i: cw.LayerBrowser(i.model, torch.zeros(0, 3, 4, 4)),
    "class names": lambda i: cw.explore(i.model, i.inputs, class_names=["a"]),
    "keyword of all": lambda i: cw.explore(i, colour=1),
}


def alive(inspector: Inspector) -> tuple[int, int, int]:
    """Count widgets, those who listen to the Inspector, and threads."""
    gc.collect()
    return len(registry._instances), len(inspector._listeners), threading.active_count()


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_leaves_nothing_behind(case: str) -> None:
    model, x = models.built(models.Plain()), models.pictures()
    with unchanged(model, x):
        inspector = Inspector(model, x)
        before = alive(inspector)
        with pytest.raises((TypeError, ValueError)):
            REFUSED[case](inspector)
        assert alive(inspector) == before


def test_each_is_printed_with_what_it_shows() -> None:
    """A box of ipywidgets would print all it holds, pictures too."""
    inspector = Inspector(models.built(models.Plain()), models.pictures())
    made = (cw.LayerBrowser, cw.CamSlider, cw.FilterGrid, cw.ImagePicker, cw.SketchPad, cw.explore)
    names = [*(one.__name__ for one in made[:-1]), "Exploration"]
    assert [repr(one(inspector)) for one in made] == [f"{n}({inspector!r})" for n in names]
    assert repr(cw.FilterGrid(inspector.model)) == "FilterGrid(Plain)"


def test_what_is_made_is_counted() -> None:
    """Else the test above could not fail."""
    inspector = Inspector(models.built(models.Plain()), models.pictures())
    before = alive(inspector)
    widget = cw.LayerBrowser(inspector)
    assert alive(inspector)[:2] > before[:2]
    widget.close()
