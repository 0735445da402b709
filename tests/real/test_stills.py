"""Still pictures of every widget over real networks: small enough for a notebook on GitHub."""

from __future__ import annotations

import pytest

import cnnviz_widgets as cw
from cnnviz_widgets.rendering.strokes import Stroke
from cnnviz_widgets.widgets.pictured import STILL_BYTES
from tests.browser.networks import PICTURES
from tests.real.networks import load, look, needs_data, photograph

pytestmark = [pytest.mark.real, needs_data]


@pytest.mark.parametrize("name", PICTURES)
def test_a_still_picture_fits(name: str) -> None:
    network = load(name)
    inspector = look(network, photograph(network.recipe, PICTURES[name]))
    kinds = (cw.LayerBrowser, cw.CamSlider, cw.SaliencyOverlay, cw.FilterGrid, cw.explore)
    for kind in kinds:
        widget = kind(inspector)
        assert 1000 < len(widget.snapshot()) <= STILL_BYTES, kind
        widget.close()
    pad = cw.SketchPad(inspector)
    pad.strokes = (Stroke([(40, 40), (200, 200)], 30),)
    assert 1000 < len(pad.snapshot()) <= STILL_BYTES
    pad.close()
