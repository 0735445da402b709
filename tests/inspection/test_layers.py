"""Layers by name."""

from __future__ import annotations

import pytest

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.layers import find_layer, normal_name
from tests.benchmarks.networks import resnet18
from tests.inspection import models


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    """Return a ResNet-18 on a small picture."""
    return Inspector(resnet18(), models.pictures(1, 3, 32, 32))


def test_resnet18_has_its_published_figures(inspector: Inspector) -> None:
    """60 leaf calls (relu twice in each of 8 blocks), 11.69 M parameters."""
    assert len(inspector.layers) == 60
    assert [info.index for info in inspector.layers] == list(range(60))
    assert sum(i.parameters for i in inspector.layers) == 11_689_512
    assert inspector.find("layer3").parameters == 2_099_712
    assert inspector.find("layer3").index == -1
    order = [info.name for info in inspector.modules]
    assert order.index("layer1") < order.index("layer1.0") < order.index("layer1.0.conv1")


def test_containers_can_be_asked_for(inspector: Inspector) -> None:
    assert inspector.find("layer1.0").type == "BasicBlock"
    assert inspector.activation("layer1").equal(inspector.activation("layer1.1.relu#2"))


@pytest.mark.parametrize(
    ("layer", "error", "text"),
    [
        ("layer5.conv1", ValueError, r"layer='layer5.conv1' is not a layer of this model; close"),
        ("xyz", ValueError, r"layer='xyz' is not a layer.*see insp.layers for all 60"),
        ("layer1.0.relu#3", ValueError, r"close matches: 'layer1.0.relu#2'|'layer1.0.relu#1'"),
        ("layer1.0.relu", ValueError, r"is called 2 times; say which: 'layer1.0.relu#1'"),
        (3, TypeError, r"layer=3 is a int; give the name of a layer as a string, such as 'conv1'"),
        ("", ValueError, r"layer='' is not a layer of this model"),
    ],
)
def test_unknown_layers(
    inspector: Inspector, layer: object, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        find_layer(inspector.modules, layer)


def test_names_of_wrapped_models(inspector: Inspector) -> None:
    assert normal_name("_orig_mod.features._orig_mod.0") == "features.0"
    assert inspector.find("module.conv1").name == "conv1"
    assert inspector.find("conv1#1").name == "conv1"


def test_frozen_parameters_are_counted_apart() -> None:
    model = models.Plain()
    model.conv1.requires_grad_(False)
    found = Inspector(model, models.pictures()).find("conv1")
    assert (found.parameters, found.trainable) == (112, 0)
