"""The catalogue of methods: complete, consistent, and strict about names and settings."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from cnnviz_widgets.methods.registry import (
    Family,
    Method,
    Parameter,
    checked_parameters,
    find_method,
    methods,
)

EXAMPLE = Method(
    "example", "Example", "cam", "arXiv:0000.00000", True,
    (
        Parameter("samples", "Samples", 10, "int", 1, 100),
        Parameter("noise", "Noise", 0.5, "float", 0),
        Parameter("mode", "Mode", "sum", "choice", choices=("sum", "max")),
        Parameter("centred", "Centred", default=True, kind="bool"),
    ),
    "1 forward", "An example.",
)  # fmt: skip


@pytest.mark.parametrize("family", ["cam", "saliency"])
def test_records_are_consistent(family: Family) -> None:
    known = methods(family)
    assert len({method.name for method in known}) == len(known)
    for method in known:
        assert method.family == family
        assert method.summary.endswith(".")
        assert method.title
        assert method.paper
        assert method.passes
        names = [parameter.name for parameter in method.parameters]
        assert len(set(names)) == len(names)
        defaults = {parameter.name: parameter.default for parameter in method.parameters}
        assert checked_parameters(method, defaults) == defaults
        assert checked_parameters(method, {}) == defaults


def test_the_registry_brings_in_no_torch() -> None:
    code = (
        "import sys, importlib.util as u;"
        "import cnnviz_widgets;"
        "import cnnviz_widgets.methods.registry as r;"
        "r.methods('cam'); r.methods('saliency');"
        "print(sorted({'matplotlib', 'captum', 'ipywidgets', 'tqdm'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("grad-cam", "did you mean 'gradcam'"),
        ("Grad-CAM++", "did you mean 'gradcam\\+\\+'"),
        ("scorcam", "did you mean 'scorecam'"),
        ("EigenCAM", "did you mean 'eigencam'"),
        ("zzz", "there are gradcam, "),
    ],
)
def test_near_matches_are_named(name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"method='.*' is no cam method; .*{hint}"):
        find_method(name, "cam")


def test_a_method_of_the_other_family_is_pointed_at() -> None:
    with pytest.raises(ValueError, match=r"'gradcam' is no saliency method; it is a cam method: "):
        find_method("gradcam", "saliency")


def test_names_are_strings_and_families_known() -> None:
    with pytest.raises(TypeError, match=r"method=3 is a int; give the name of a method"):
        find_method(3, "cam")
    with pytest.raises(ValueError, match=r"family='cams' is not known; choose 'cam' or 'saliency'"):
        methods("cams")


def test_settings_are_filled_in_and_made_plain() -> None:
    found = checked_parameters(EXAMPLE, {"samples": np.int64(3), "noise": np.float32(0.25)})
    assert found == {"samples": 3, "noise": 0.25, "mode": "sum", "centred": True}
    assert [type(value) for value in found.values()] == [int, float, str, bool]
    assert checked_parameters(EXAMPLE, {"noise": 2})["noise"] == 2.0


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        (
            {"sample": 3},
            TypeError,
            r"sample=3 is no parameter .* did you mean 'samples'",
        ),
        ({"sigma": 3}, TypeError, r"sigma=3 is no parameter .* It takes samples, noise, mode"),
        ({"samples": 2.5}, TypeError, r"samples=2.5 of 'example' must be a whole number from 1 to"),
        ({"samples": True}, TypeError, r"samples=True of 'example' must be a whole number"),
        ({"samples": 0}, ValueError, r"samples=0 of 'example' must be a whole number from 1 to"),
        ({"noise": -1}, ValueError, r"noise=-1 of 'example' must be a number of at least 0"),
        ({"noise": float("nan")}, ValueError, r"noise=nan of 'example' must be a number"),
        ({"noise": "much"}, TypeError, r"noise='much' of 'example' must be a number of at least 0"),
        (
            {"mode": "mean"},
            ValueError,
            r"mode='mean' of 'example' is not known; choose one of",
        ),
        ({"centred": 1}, TypeError, r"centred=1 of 'example' must be True or False"),
    ],
)
def test_bad_settings(given: dict[str, object], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        checked_parameters(EXAMPLE, given)


def test_a_method_without_settings_says_so() -> None:
    with pytest.raises(TypeError, match=r"x=1 is no parameter of .* It takes no parameters"):
        checked_parameters(find_method("gradcam", "cam"), {"x": 1})
