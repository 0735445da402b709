"""The layer that is meant when none is named."""

from __future__ import annotations

import pytest
from torch import nn

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods.default_layer import default_layer
from tests.methods.cam_networks import Pooled, Transformer, Windows, built, picture


@pytest.mark.parametrize(
    ("network", "layer"),
    [
        (Pooled(), "relu2"),
        (Windows(), "norm2"),
        (Transformer(read="mean"), "norm"),
        (Transformer(), "blocks.1.qkv"),
    ],
)
def test_the_last_layer_whose_places_can_matter(network: nn.Module, layer: str) -> None:
    insp = Inspector(built(network), picture(1, 3, 12, 16))
    (target,) = insp.passes.targets([None])
    assert default_layer(insp, target, 0) == layer


def test_no_layer_has_a_grid() -> None:
    insp = Inspector(nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)), picture(1, 4))
    (target,) = insp.passes.targets([None])
    with pytest.raises(ValueError, match=r"layer=None: no layer of this model has an output with"):
        default_layer(insp, target, 0)
