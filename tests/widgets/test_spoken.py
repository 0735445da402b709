"""What widgets and boxes of them bring along to be said, and the language that it is said in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import cnnviz_widgets as cw
from cnnviz_widgets.widgets.explore import explore
from cnnviz_widgets.widgets.layer_browser import LayerBrowser
from cnnviz_widgets.words import language, tables
from tests.widgets.kernel import TinyNet, tiny_inputs


@pytest.fixture(autouse=True)
def _follow_the_browser() -> Iterator[None]:
    yield
    cw.set_language(None)


def test_widgets_follow_the_browser_until_a_language_is_set() -> None:
    widget = LayerBrowser(TinyNet(), tiny_inputs())
    assert (language(), widget._language) == (None, "")
    cw.set_language("zh")
    later = LayerBrowser(TinyNet(), tiny_inputs())
    assert (language(), widget._language, later._language) == ("zh", "zh", "zh")
    cw.set_language(None)
    assert (widget._language, later._language) == ("", "")


def test_a_widget_sends_its_words_and_no_others() -> None:
    state = LayerBrowser(TinyNet(), tiny_inputs()).get_state()
    assert state["_words"] == tables("shared", "layer_browser")
    assert state["_language"] == ""


def test_an_exploration_speaks_as_its_reader_does() -> None:
    found = explore(TinyNet(), tiny_inputs())
    reader = found.children[-1]
    assert found._hint.value.startswith("Slide through the layers")
    reader._preferred = ["zh-CN"]
    assert found._hint.value.startswith("滑动浏览各层")
    assert list(found._tabs.titles) == ["类激活图", "显著图", "滤波器"]
    cw.set_language("en")
    assert found._hint.value.startswith("Slide through the layers")
    found.close()
