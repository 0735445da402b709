"""The records of the saliency methods say what the functions do."""

from __future__ import annotations

import inspect

import pytest

from cnnviz_widgets.methods import Method, methods
from cnnviz_widgets.methods.baselines import BASELINES
from cnnviz_widgets.methods.gradients import REDUCTIONS
from cnnviz_widgets.methods.integrated_gradients import RULES
from cnnviz_widgets.methods.saliency import FUNCTIONS

METHODS = methods("saliency")


def test_every_method_has_a_function() -> None:
    assert [method.name for method in METHODS] == list(FUNCTIONS)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_defaults_are_those_of_the_function(method: Method) -> None:
    signature = inspect.signature(FUNCTIONS[method.name])
    defaults = {
        name: parameter.default
        for name, parameter in signature.parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    listed = {p.name: p.default for p in method.parameters if p.name != "reduction"}
    assert listed == defaults


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_controls_can_be_built(method: Method) -> None:
    """Every parameter has a label and help in words, and its default lies in its limits."""
    choices = {"reduction": REDUCTIONS, "baseline": BASELINES, "rule": RULES}
    for parameter in method.parameters:
        assert parameter.label[0].isupper()
        assert parameter.help.endswith(".")
        if parameter.kind == "choice":
            assert parameter.choices == choices[parameter.name]
            assert parameter.default in parameter.choices
        else:
            assert parameter.low is not None
            assert parameter.high is not None
            assert parameter.low <= float(parameter.default) <= parameter.high


def test_those_that_sample_are_progressive() -> None:
    progressive = {method.name for method in METHODS if method.progressive}
    sampled = {"integrated_gradients", "smoothgrad", "vargrad", "occlusion", "rise"}
    assert progressive == sampled
    assert {method.name for method in METHODS if not method.signed} == {"vargrad"}
