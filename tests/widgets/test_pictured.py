"""The PNG that stands beside a widget in a notebook's outputs, and can be had by itself."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

import cnnviz_widgets as cw
from cnnviz_widgets.widgets.pictured import STILL_BYTES
from tests.widgets.kernel import browser


def test_a_still_picture_goes_with_the_view() -> None:
    widget, _ = browser()
    bundle = widget._repr_mimebundle_()
    assert bundle is not None
    data, _ = bundle
    assert "application/vnd.jupyter.widget-view+json" in data
    png = base64.b64decode(data["image/png"])
    assert len(png) <= STILL_BYTES == 80_000
    assert Image.open(io.BytesIO(png)).size[0] > 64


def test_no_still_picture_does_not_stop_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    widget, _ = browser()

    def fail() -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(widget, "_still", fail)
    bundle = widget._repr_mimebundle_()
    assert bundle is not None
    assert "image/png" not in bundle[0]
    assert "application/vnd.jupyter.widget-view+json" in bundle[0]


def test_a_snapshot_keeps_its_budget(tmp_path: Any) -> None:
    widget, _ = browser()
    snapshot = widget.snapshot(max_bytes=1500)
    assert len(snapshot) <= 1500
    assert snapshot.save(tmp_path / "still.png").read_bytes() == snapshot


@pytest.mark.parametrize("layer", ["stem.conv", "layer1.0.conv1", "fc"])
def test_filters_have_a_still_picture(layer: str) -> None:
    shapes = cw.samples.load("shapes")
    grid = cw.FilterGrid(shapes.model, layer=layer)
    snapshot = grid.snapshot()
    assert len(snapshot) <= STILL_BYTES
    assert len(np.unique(np.asarray(Image.open(io.BytesIO(snapshot)).convert("L")))) > 10
