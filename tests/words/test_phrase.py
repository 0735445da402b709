"""Phrases: English strings that know the other languages, alone, joined, copied and sent."""

from __future__ import annotations

import copy
import pickle

import pytest

from cnnviz_widgets.words import joined, phrase, told
from cnnviz_widgets.words.phrase import filled

LEFT_OUT = "tokens_left_out"


def test_a_phrase_is_the_english_string_with_its_fields() -> None:
    assert phrase(LEFT_OUT, count=2) == "2 class or register tokens left out"
    assert phrase(LEFT_OUT, count=1) == "1 class or register token left out"
    assert phrase(LEFT_OUT, count=2).texts["zh"] == "省略了 2 个类别词元或寄存器词元"


def test_a_phrase_in_a_field_is_said_in_each_language() -> None:
    said = phrase("score_unclear", kind=phrase("score_kind_probability"))
    assert "The score is a probability:" in said
    assert "此得分是概率" in said.texts["zh"]
    plain = phrase("score_unclear", kind="probability")
    assert plain == said
    assert "此得分是probability" in plain.texts["zh"]  # a string is the same everywhere


@pytest.mark.parametrize(
    ("template", "fields", "expected"),
    [
        ("{a} of {b}", {"a": "1", "b": "{a}"}, "1 of {a}"),
        ("{n} map{n||s}", {"n": "1"}, "1 map"),
        ("{n} map{n||s}", {"n": "0"}, "0 maps"),
        ("{n|one|several}", {"n": "1,000"}, "several"),
        ("plain", {}, "plain"),
    ],
)
def test_templates_are_filled_in(template: str, fields: dict[str, str], expected: str) -> None:
    assert filled(template, fields) == expected


def test_what_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError, match="no_such_text"):
        phrase("no_such_text")
    with pytest.raises(KeyError, match="count"):
        phrase(LEFT_OUT)


def test_sentences_are_joined_as_each_language_does() -> None:
    both = joined([phrase("all_zero"), None, "", phrase("none_passed")])
    assert both == f"{phrase('all_zero')} {phrase('none_passed')}"
    assert told(both) == {
        "en": both,
        "zh": phrase("all_zero").texts["zh"] + phrase("none_passed").texts["zh"],
    }
    assert joined([None, phrase("all_zero")]) is phrase("all_zero")
    assert joined([None, ""]) is None


def test_copies_know_all_languages() -> None:
    said = phrase("all_zero")
    for twin in (copy.copy(said), copy.deepcopy(said), pickle.loads(pickle.dumps(said))):
        assert twin == said
        assert told(twin) == told(said)


def test_what_is_told_is_by_language_where_it_has_several() -> None:
    assert told(phrase("code")) == {"en": "Code", "zh": "代码"}
    assert told("conv1") == "conv1"
    assert told(None) is None
