"""A page of widgets: one file, each module once, a budget, a policy, and text that stays text."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

import cnnviz_widgets as cw
from cnnviz_widgets.export.page import to_html
from tests.export.pages import Parts, assert_harmless, page_data
from tests.widgets.kernel import TinyNet, browser, tiny_inputs

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`&,"


def test_a_page_holds_the_module_once_and_every_answer(tmp_path: Path) -> None:
    inspector = cw.Inspector(TinyNet(), tiny_inputs())
    widgets = [cw.LayerBrowser(inspector), cw.LayerBrowser(inspector, layer="relu")]
    html = to_html(widgets, tmp_path / "page.html").read_text()
    data = page_data(html)
    assert data["modules"] == [widgets[0].bundle]
    assert data["styles"] == [widgets[0].style_sheet]
    assert [each["state"]["layer"] for each in data["widgets"].values()] == ["conv", "relu"]
    for each in data["widgets"].values():
        assert len(each["answers"]) == len(widgets[0].answers(max_bytes=1e9)[0])
        assert "_esm" not in each["state"]
        assert "_baked" not in each["state"]
    assert [each["data-cnnviz-model"] for each in Parts(html).of("div")] == ["w0", "w1"]


def test_shapes_with_four_pictures_stays_within_its_budget(tmp_path: Path) -> None:
    shapes = cw.samples.load("shapes")
    widget = cw.LayerBrowser(shapes.model, shapes.images[:4], class_names=shapes.class_names)
    assert widget.to_html(tmp_path / "page.html").stat().st_size <= 600_000


def test_the_policy_allows_one_script_and_no_network(tmp_path: Path) -> None:
    html = browser()[0].to_html(tmp_path / "page.html").read_text()
    parts = Parts(html)
    (policy,) = [each["content"] for each in parts.of("meta") if "http-equiv" in each]
    script = re.search(r'<script type="module">(.*?)</script>', html, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{digest}' blob:; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "https://" not in html


def test_names_with_markup_stay_text(tmp_path: Path) -> None:
    widget, _ = browser(class_names=(EVIL, "b", "c"))
    html = widget.to_html(tmp_path / "page.html", title=EVIL).read_text()
    assert_harmless(html)
    parts = Parts(html)
    assert EVIL in parts.text
    state = next(iter(page_data(html)["widgets"].values()))["state"]
    assert state["_index"]["classes"][0] == EVIL


def test_what_does_not_fit_is_told_on_the_page_and_here(tmp_path: Path) -> None:
    shapes = cw.samples.load("shapes")
    widget = cw.LayerBrowser(shapes.model, shapes.images[:2])
    with pytest.warns(UserWarning, match=r"LayerBrowser: \d+ of \d+ answers are left out") as told:
        path = widget.to_html(tmp_path / "page.html", max_mb=0.15)
    assert 100_000 < path.stat().st_size <= 165_000
    assert str(told[0].message) in Parts(path.read_text()).text


def test_many_steps_make_a_larger_page(tmp_path: Path) -> None:
    shapes = cw.samples.load("shapes")
    widget = cw.LayerBrowser(shapes.model, shapes.images[:1])
    few, many = (
        widget.to_html(tmp_path / f"{steps}.html", steps=steps).stat().st_size
        for steps in (36, 252)
    )
    assert many > 1.3 * few


def test_a_widget_given_twice_stands_there_once(tmp_path: Path) -> None:
    widget, _ = browser()
    html = to_html([widget, widget], tmp_path / "page.html").read_text()
    assert len(page_data(html)["widgets"]) == 1


@pytest.mark.parametrize(
    ("widgets", "options", "error", "text"),
    [
        ([], {}, ValueError, "widgets is empty"),
        (["no widget"], {}, TypeError, "widgets holds a str"),
        (3, {}, TypeError, r"widgets holds a int; give LayerBrowser, .* what cw.explore\(\) gives"),
        (
            None,
            {"path": "no/page.html"},
            FileNotFoundError,
            r"page.html' cannot be written; give a f",
        ),
        (None, {"max_mb": 0}, ValueError, "max_mb=0 must be above 0"),
        (None, {"steps": 1}, ValueError, "steps=1 must be from 2 to 252"),
    ],
)
def test_wrong_arguments_are_refused(
    tmp_path: Path,
    widgets: list[object] | None,
    options: dict[str, Any],
    error: type[Exception],
    text: str,
) -> None:
    given: Any = [browser()[0]] if widgets is None else widgets
    with pytest.raises(error, match=text):
        to_html(given, **{"path": tmp_path / "page.html", **options})
    assert not (tmp_path / "page.html").exists()
