"""The public names: each is there, imported late; a wrong one is answered with the right ones."""

from __future__ import annotations

import doctest
import re
import sys
from pathlib import Path

import pytest

import cnnviz_widgets as cw


@pytest.mark.parametrize("name", cw.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    value = getattr(cw, name)
    assert value is getattr(cw, name)
    assert name in dir(cw)


def test_completion_offers_public_names_alone() -> None:
    assert {name for name in dir(cw) if not name.startswith("__")} == set(cw.__all__)
    assert {name for name in dir(cw.samples) if not name.startswith("__")} == {"Sample", "load"}


@pytest.mark.parametrize("name", cw.__all__)
def test_examples_run_as_they_stand(name: str) -> None:
    value = getattr(cw, name)
    for one in doctest.DocTestFinder(recurse=False).find(value, name, globs={}):
        assert doctest.DocTestRunner(verbose=False).run(one).failed == 0


def test_a_function_is_no_module_of_the_same_name() -> None:
    assert callable(cw.cam)
    assert callable(cw.saliency)
    assert callable(cw.samples.load)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nbformat", None)
    monkeypatch.delitem(sys.modules, "cnnviz_widgets.export.notebook", raising=False)
    monkeypatch.delitem(vars(cw), "notebook_to_html", raising=False)
    with pytest.raises(
        ModuleNotFoundError, match=r"needs nbformat, of the extra html: pip install"
    ):
        _ = cw.notebook_to_html
    project = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    extra = project.split("\nhtml = [")[1].split("]")[0]
    assert re.findall(r'"([\w-]+)', extra) == cw._HTML.split()


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(
        AttributeError, match=r"no attribute 'LayerBrowsr'; it has CamSlider, CamSweep, "
    ):
        _ = cw.LayerBrowsr
