"""Outputs of cells: the richest that a still page can show, and nothing that runs."""

from __future__ import annotations

from typing import Any

import pytest

from cnnviz_widgets.export.outputs import WIDGET_VIEW, outputs_html
from tests.export.pages import Parts

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


def shown(**data: object) -> str:
    names = {"png": "image/png", "svg": "image/svg+xml", "html": "text/html", "plain": "text/plain"}
    names |= {"markdown": "text/markdown", "js": "application/javascript", "view": WIDGET_VIEW}
    output: dict[str, Any] = {
        "output_type": "display_data",
        "data": {names[name]: value for name, value in data.items()},
    }
    return outputs_html([output], lambda model: f"<b>{model}</b>" if model == "known" else None)


def test_printed_text_loses_its_colours_and_its_overwritten_lines() -> None:
    text = "\x1b[31mred\x1b[0m\n10 %\r20 %\r100 %\n<b>"
    html = outputs_html([{"output_type": "stream", "text": text}], lambda _: None)
    assert Parts(html).text == "red\n100 %\n<b>"
    assert [tag for tag, _ in Parts(html).elements] == ["div", "pre"]


def test_a_progress_bar_in_pieces_is_one_line() -> None:
    pieces = ["\r 0 %", "\r50 %", "\r100 %\n"]
    bar = [{"output_type": "stream", "name": "stderr", "text": piece} for piece in pieces]
    done = {"output_type": "stream", "name": "stdout", "text": ["do", "ne"]}
    html = outputs_html([*bar, done], lambda _: None)
    assert Parts(html).text == "100 %\ndone"


def test_how_far_something_was_is_not_told_afterwards() -> None:
    bar = "Grad-CAM: 100%|##########| 72/72 [00:01<00:00, 44.92pass/s]"
    pieces = [f"careful\rGrad-CAM:  50%|#####     | 36/72 [00:00<00:00, 44.92pass/s]\r{bar}\n", "!"]
    both = [{"output_type": "stream", "name": "stderr", "text": piece} for piece in pieces]
    assert Parts(outputs_html(both, lambda _: None)).text == "!"
    printed = {"output_type": "stream", "name": "stdout", "text": bar}
    assert Parts(outputs_html([printed], lambda _: None)).text == bar


def test_lines_with_a_bar_between_them_stand_together() -> None:
    texts = (
        ("stdout", "one\n"),
        ("stderr", "m:  50%|#    | 1/2 [00:00<00:00]\r"),
        ("stdout", "two\n"),
    )
    outputs = [{"output_type": "stream", "name": name, "text": text} for name, text in texts]
    parts = Parts(outputs_html(outputs, lambda _: None))
    assert parts.text == "one\ntwo\n"
    assert len(parts.of("pre")) == 1


def test_an_error_shows_its_traceback() -> None:
    error = {"output_type": "error", "ename": "E", "evalue": "<v>", "traceback": ["a", "\x1b[1mb"]}
    html = outputs_html([error], lambda _: None)
    assert Parts(html).text == "a\nb"
    assert "page-error" in html


def test_a_widget_goes_before_its_still_picture() -> None:
    assert shown(view={"model_id": "known"}, png=PNG) == "<b>known</b>"
    still = Parts(shown(view={"model_id": "other"}, png=PNG))
    assert still.of("img")
    assert still.text == "A still picture. It needs a kernel: run the notebook to use it."


def test_a_picture_goes_before_text() -> None:
    (picture,) = Parts(shown(png=PNG, plain="<Figure>")).of("img")
    assert picture["src"] == f"data:image/png;base64,{PNG}"


def test_svg_is_a_picture_in_which_nothing_runs() -> None:
    html = shown(svg="<svg onload='alert(1)'><script>alert(1)</script></svg>")
    (picture,) = Parts(html).of("img")
    assert str(picture["src"]).startswith("data:image/svg+xml;base64,")
    assert "script" not in html


@pytest.mark.parametrize("wrong", ['x" onerror="alert(1)', "<script>"])
def test_a_picture_that_is_none_breaks_out_of_nothing(wrong: str) -> None:
    html = shown(png=wrong, plain="text")
    for tag, attributes in Parts(html).elements:
        assert tag in ("div", "img", "pre")
        assert set(attributes) <= {"class", "alt", "src"}


def test_html_is_cleaned_and_scripts_are_not_shown() -> None:
    assert "onclick" not in shown(html="<p onclick='alert(1)'>x</p>")
    assert Parts(shown(js="alert(1)", plain="<Javascript>")).text == "<Javascript>"


def test_nothing_is_nothing() -> None:
    assert outputs_html([{"output_type": "display_data", "data": {}}], lambda _: None) == ""
    assert outputs_html([{"output_type": "execute_result"}], lambda _: None) == ""
