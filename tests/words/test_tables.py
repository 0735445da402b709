"""The tables: the same texts and fields in every language, each of them used and none missing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import cnnviz_widgets
from cnnviz_widgets.inspection.layouts import LAYOUTS
from cnnviz_widgets.methods.registry import Method, methods
from cnnviz_widgets.widgets.cam_slider import CamSlider
from cnnviz_widgets.widgets.filter_grid import FilterGrid
from cnnviz_widgets.widgets.image_picker import ImagePicker
from cnnviz_widgets.widgets.layer_browser import LayerBrowser
from cnnviz_widgets.widgets.saliency_overlay import SaliencyOverlay
from cnnviz_widgets.widgets.spoken import SpokenWidget
from cnnviz_widgets.words import LANGUAGES, Phrase, tables
from cnnviz_widgets.words.phrase import fields_of
from cnnviz_widgets.words.tables import sections, whole

PACKAGE = Path(cnnviz_widgets.__file__).parent
OTHERS = [language for language in LANGUAGES if language != "en"]
PYTHON_SECTIONS = ("document", "explore", "failures", "methods", "notes", "notices", "sketch_pad")
"""Sections whose texts Python says; js/test/words.test.ts looks after the others."""
WIDGETS: list[type[SpokenWidget]] = [
    CamSlider,
    FilterGrid,
    ImagePicker,
    LayerBrowser,
    SaliencyOverlay,
]


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_the_same_texts_in_the_same_order(language: str) -> None:
    english = {name: list(table) for name, table in sections("en").items()}
    assert {name: list(table) for name, table in sections(language).items()} == english


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_has_the_same_fields_in_every_language(language: str) -> None:
    fields = {name: fields_of(text) for name, text in whole("en").items()}
    assert {name: fields_of(text) for name, text in whole(language).items()} == fields


def test_no_text_stands_twice() -> None:
    names = [name for table in sections("en").values() for name in table]
    assert len(names) == len(set(names)) == len(whole("en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_says_something_and_every_brace_is_a_field(language: str) -> None:
    for name, text in whole(language).items():
        assert text or name == "between_sentences"
        rest = re.sub(r"\{\w+(\|[^{}|]*\|[^{}|]*)?\}", "", text)
        assert not set("{}|") & set(rest), name


def test_chinese_is_chinese() -> None:
    """A text without any Chinese character is a name, a number or a mark."""
    same = {name for name, text in whole("zh").items() if not re.search(r"[\u4e00-\u9fff]", text)}
    assert same == {
        *("language_tag", "listed", "labelled", "readout", "cam_score"),
        *("explains_score", "size_square", "between_sentences"),
    }


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call of `phrase` in the package, with its place."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if is_call and node.func.id == "phrase":  # type: ignore[attr-defined]
                yield f"{path.name}:{node.lineno}", node  # type: ignore[misc,attr-defined]


def names_in(node: ast.expr) -> set[str]:
    """Names of the texts that an argument can mean; a part that is worked out is any word."""
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    if isinstance(node, ast.IfExp):
        return names_in(node.body) | names_in(node.orelse)
    if isinstance(node, ast.JoinedStr):
        parts = [
            re.escape(str(part.value)) if isinstance(part, ast.Constant) else "[a-z0-9_-]+"
            for part in node.values
        ]
        return {name for name in whole("en") if re.fullmatch("".join(parts), name)}
    return set()


def test_python_says_what_the_tables_have_with_its_fields_and_no_others() -> None:
    found = list(calls())
    assert len(found) > 100
    for place, call in found:
        names = names_in(call.args[0])
        if isinstance(call.args[0], ast.Name):
            continue  # a loop over names, which `test_every_text_of_python_is_said` counts
        assert names, place
        given = {keyword.arg for keyword in call.keywords}
        for name in names:
            assert name in whole("en"), f"{place}: {name}"
            if None not in given:  # no ** of a dict
                assert given == fields_of(whole("en")[name]), f"{place}: {name}"


def test_every_text_of_python_is_said() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    said = {name for _place, call in calls() for name in names_in(call.args[0])}
    for section in PYTHON_SECTIONS:
        for name in sections("en")[section]:
            assert name in said or f'"{name}"' in text, f"{section}: {name}"


@pytest.mark.parametrize("widget", WIDGETS)
def test_a_widget_brings_its_sections_in_all_languages(widget: type[SpokenWidget]) -> None:
    words = widget.words()
    assert words == tables("shared", *widget.WORDS)
    assert set(words) == set(LANGUAGES)
    assert all("layer" in table for table in words.values())


def test_all_that_a_method_says_is_in_every_language() -> None:
    def is_name(text: str) -> bool:
        return not isinstance(text, Phrase)

    def check(method: Method) -> None:
        assert isinstance(method.passes, Phrase)
        assert isinstance(method.summary, Phrase)
        for parameter in method.parameters:
            assert isinstance(parameter.label, Phrase)
            assert isinstance(parameter.help, Phrase)
            assert all(f"choice_{choice}" in whole("en") for choice in parameter.choices)

    every = [*methods("cam"), *methods("saliency")]
    for method in every:
        check(method)
    # Names by which papers know a method are the same in all languages.
    assert [method.title for method in every if is_name(method.title)] == [
        *("Grad-CAM", "Grad-CAM++", "HiResCAM", "LayerCAM", "XGrad-CAM", "Finer-CAM", "CAM"),
        *("Eigen-CAM", "EigenGrad-CAM", "FullGrad", "Smooth Grad-CAM++", "Score-CAM"),
        *("Ablation-CAM", "SmoothGrad", "VarGrad", "RISE"),
    ]


def test_every_layout_that_a_reader_is_asked_about_is_explained() -> None:
    explained = {name for name in whole("en") if name.startswith("layout_")}
    assert explained == {f"layout_{layout}" for layout in LAYOUTS}
