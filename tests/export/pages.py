"""What a page holds, read in Python: the reverse of `pack_page`, and the parts of a document."""

from __future__ import annotations

import base64
import gzip
import json
import re
import struct
from html.parser import HTMLParser
from typing import Any


def page_data(html: str) -> dict[str, Any]:
    """Return the JSON that the host reads: modules, styles, widgets, memory."""
    found = re.search(r'<script type="text/plain" id="cnnviz-data">([^<]*)</script>', html)
    assert found is not None
    whole = gzip.decompress(base64.b85decode(found[1].replace(",", "<")))
    (start,) = struct.unpack("<I", whole[-4:])
    data: dict[str, Any] = json.loads(whole[start:-4])
    return data


class Parts(HTMLParser):
    """The elements and the text of a document, as a browser would see them, scripts apart."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._raw = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._raw = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self._raw = ""

    def handle_data(self, data: str) -> None:
        if not self._raw:
            self.text += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def assert_harmless(html: str) -> None:
    """Check that nothing in a page could run but its one script."""
    parts = Parts(html)
    scripts = [(each.get("type"), each.get("src")) for each in parts.of("script")]
    assert scripts in ([], [("text/plain", None), ("module", None)])
    for tag, attributes in parts.elements:
        assert tag not in ("iframe", "object", "embed", "form", "base", "link", "svg", "template")
        for name, value in attributes.items():
            assert not name.startswith("on"), f"<{tag} {name}={value!r}>"
            if name in ("href", "src", "xlink:href", "action", "formaction"):
                kind = (value or "").strip().lower()
                assert not kind.startswith(("javascript", "vbscript")), f"<{tag} {name}={value!r}>"
                assert tag == "img" or not kind.startswith("data:"), f"<{tag} {name}={value!r}>"
    assert html.count("Content-Security-Policy") >= 1
