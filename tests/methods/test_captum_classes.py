"""Which classes of Captum can explain an input, and where their arguments go."""

from __future__ import annotations

import pytest

from cnnviz_widgets.methods.captum_classes import (
    captum_class,
    gives_layer,
    split_arguments,
    takes_layer,
    takes_target,
)

attr = pytest.importorskip("captum.attr")


def test_a_name_of_ours_is_no_class() -> None:
    assert captum_class("gradient") is None
    assert captum_class(3) is None


@pytest.mark.parametrize("name", ["captum.DeepLift", "captum.attr.DeepLift"])
def test_a_name_behind_captum(name: str) -> None:
    assert captum_class(name) is attr.DeepLift


@pytest.mark.parametrize(
    ("name", "layer", "at_layer", "target"),
    [
        ("Saliency", False, False, True),
        ("LayerGradCam", True, True, True),
        ("GuidedGradCam", True, False, True),
        ("NeuronGradient", True, False, False),
        ("LayerActivation", True, True, False),
        ("NoiseTunnel", False, False, True),
    ],
)
def test_what_a_class_works_on(name: str, layer: bool, at_layer: bool, target: bool) -> None:
    method = getattr(attr, name)
    assert takes_layer(method) == layer
    assert gives_layer(method) == at_layer
    assert takes_target(method) == target


def test_arguments_go_to_the_constructor_or_to_the_call() -> None:
    given = {"multiply_by_inputs": False, "n_steps": 3}
    assert split_arguments(attr.IntegratedGradients, given) == (
        {"multiply_by_inputs": False},
        {"n_steps": 3},
    )


def test_what_is_given_by_us_cannot_be_given() -> None:
    with pytest.raises(TypeError, match="additional_forward_args=1 is no argument of captum"):
        split_arguments(attr.Saliency, {"additional_forward_args": 1})
