"""Methods as the browser lists them."""

from __future__ import annotations

import json

import pytest

from cnnviz_widgets.methods.registry import methods
from cnnviz_widgets.widgets.method_entries import (
    captum_name,
    method_entries,
    method_of,
    parameter_controls,
    takes_layer,
)


def test_entries_are_plain_values_in_the_registry_s_order() -> None:
    entries = method_entries("saliency", "cam")
    names = [method.name for family in ("saliency", "cam") for method in methods(family)]
    assert [entry["name"] for entry in entries] == names
    assert json.loads(json.dumps(entries)) == entries


def test_every_parameter_has_a_label_a_default_and_what_is_allowed() -> None:
    for entry in method_entries("saliency", "cam"):
        for parameter in entry["parameters"]:
            assert parameter["label"]
            assert f"parameter-{parameter['name']}" in parameter_controls("saliency", "cam")
            if parameter["kind"] == "choice":
                assert parameter["default"] in [name for name, _title in parameter["choices"]]


def test_a_method_is_found_in_either_family_and_errs_in_the_first() -> None:
    assert method_of("gradcam", "saliency", "cam").family == "cam"
    assert method_of("rise", "saliency", "cam").family == "saliency"
    with pytest.raises(ValueError, match="method='gradcamm' is no saliency method"):
        method_of("gradcamm", "saliency", "cam")


def test_a_layer_is_for_cams_and_what_is_guided_by_one() -> None:
    taking = {
        method.name for family in ("saliency", "cam") for method in methods(family)
        if takes_layer(method)
    }  # fmt: skip
    assert taking == {"guided_gradcam", *(method.name for method in methods("cam"))}


def test_what_speaks_against_a_class_does_not_look_like_what_speaks_for_it() -> None:
    usual = {entry["name"]: entry["usual"] for entry in method_entries("saliency", "cam")}
    positive = {name for name, form in usual.items() if form == "positive"}
    assert positive == {"occlusion", "rise", *(method.name for method in methods("cam"))}
    assert set(usual.values()) == {"positive", "absolute"}


def test_classes_of_captum_are_described_like_our_methods() -> None:
    captum = pytest.importorskip("captum.attr")
    assert captum_name(captum.DeepLift) == "captum.DeepLift"
    assert captum_name("captum.attr.DeepLift") == "captum.DeepLift"
    assert captum_name("gradient") is None
    method = method_of("captum.DeepLift", "saliency")
    assert (method.name, method.title) == ("captum.DeepLift", "DeepLift (Captum)")
    assert not takes_layer(method)
