"""Bytes on the wire for every value shown: the frame's binary part and its JSON header."""

from __future__ import annotations

import torch

from tests.benchmarks.figure import Figure
from tests.benchmarks.view import View

_BAR = 1.05


def measure(*, quick: bool) -> list[Figure]:
    """Weigh the frames of one 64 x 56 x 56 layer, and of every layer of two networks."""
    from tests.benchmarks import networks

    figures: list[Figure] = []
    for name in ["resnet18"] if quick else ["resnet18", "resnet50"]:
        torch.manual_seed(0)
        figures += _weigh(name, getattr(networks, name)().eval())
    return figures


def _weigh(name: str, model: torch.nn.Module) -> list[Figure]:
    import cnnviz_widgets as cw

    browser = cw.LayerBrowser(model, torch.randn(1, 3, 224, 224))
    view = View(browser)
    figures: list[Figure] = []
    values = sent = 0
    for layer in browser.inspector.layers:
        (frame,) = view.ask("layer", layer=layer.name, image=0, tile=browser.tile)
        size = frame.header_bytes + frame.payload_bytes
        values, sent = values + frame.values, sent + size
        if tuple(layer.shape[1:]) == (64, 56, 56) and not figures and name == "resnet18":
            figures.append(
                Figure("wire: bytes per value, 64 x 56 x 56", size / frame.values, "", _BAR)
            )
    browser.close()
    what = f"wire: bytes per value, all {len(browser.inspector.layers)} layers of {name}"
    note = f"{sent / 1e6:.1f} MB, {frame.header_bytes} B of them the last layer's header"
    return [*figures, Figure(what, sent / values, "", _BAR, note=note)]
