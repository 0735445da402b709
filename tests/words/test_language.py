"""The language of the interface: what is set, what a browser prefers, and who is told."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

import cnnviz_widgets as cw
from cnnviz_widgets.words import chosen, follow, language


@pytest.fixture(autouse=True)
def _follow_the_browser() -> Iterator[None]:
    yield
    cw.set_language(None)


def test_a_language_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match=r"language='fr' is not known; give 'en', 'zh', or None"):
        cw.set_language("fr")
    assert language() is None


@pytest.mark.parametrize(
    ("preferred", "expected"),
    [
        (["zh-CN", "en"], "zh"),
        (["zh-Hant-TW"], "zh"),
        (["de", "ZH", "en"], "zh"),
        (["en-GB", "zh"], "en"),
        (["de", "fr"], "en"),
        ([], "en"),
    ],
)
def test_the_first_language_that_is_known_is_chosen(preferred: list[str], expected: str) -> None:
    assert chosen(preferred) == expected
    cw.set_language("zh")
    assert chosen(preferred) == "zh"


def test_what_follows_is_told_as_long_as_it_lives_and_no_longer() -> None:
    class Listener:
        def __init__(self) -> None:
            self.heard: list[str | None] = []

        def speak(self, language: str | None) -> None:
            self.heard.append(language)

    listener = Listener()
    follow(listener)
    for each in ("zh", "en", None):
        cw.set_language(each)
    assert listener.heard == ["zh", "en", None]
    gone = weakref.ref(listener)
    del listener
    gc.collect()
    assert gone() is None
