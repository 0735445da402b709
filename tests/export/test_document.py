"""The frame of a page: its policy, its title, where its widgets open."""

from __future__ import annotations

import base64
import hashlib

from cnnviz_widgets.export.document import document, notes, place, policy
from cnnviz_widgets.export.payload import PageWidget
from tests.export.pages import Parts

EVIL = "</title><script>alert(1)</script>"


def test_a_page_without_widgets_has_no_script_at_all() -> None:
    html = document("Plain", "<p>text</p>", None)
    assert "script-src 'none'" in html
    assert not Parts(html).of("script")


def test_the_policy_names_the_script_by_its_hash() -> None:
    digest = base64.b64encode(hashlib.sha256(b"run()").digest()).decode()
    allowed = policy("run()")
    assert f"script-src 'sha256-{digest}' blob:;" in allowed
    assert allowed.startswith("default-src 'none';")
    assert "connect-src" not in allowed  # nothing beside default-src lets anything out
    assert "unsafe-eval" not in allowed


def test_the_policy_comes_before_anything_it_governs() -> None:
    html = document("t", "<p>x</p>", "data")
    assert html.index("Content-Security-Policy") < html.index("<style>") < html.index("<script")


def test_titles_notes_and_names_are_text() -> None:
    html = document(EVIL, notes([EVIL]), None)
    assert not Parts(html).of("script")
    assert Parts(html).text.count(EVIL) == 2
    widget = PageWidget('"><script>', "t", "", "", {}, [], ())
    (element,) = Parts(place(widget)).of("div")
    assert element["data-cnnviz-model"] == '"><script>'
