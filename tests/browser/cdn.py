"""Stands in for the CDNs from which nbconvert's pages load ipywidgets: nothing leaves the machine.

In: a page. Out: its requests are answered with files of node_modules and of this environment.
"""

from __future__ import annotations

import re
from pathlib import Path

import anywidget
from playwright.sync_api import Page, Route

_PACKAGES = Path(__file__).parents[2] / "node_modules"
_WIDGETS = Path(anywidget.__file__).parent
_FILES = {
    r"require(\.min)?\.js$": _PACKAGES / "requirejs/require.js",
    r"embed-amd\.js$": _PACKAGES / "@jupyter-widgets/html-manager/dist/embed-amd.js",
    r"anywidget@[^/]*/dist/index\.js$": _WIDGETS / "nbextension/index.js",
}
_UNUSED = r"mathjax|mermaid"


def answer_from_here(page: Page) -> None:
    """Answer a page's requests to the network; those that nothing here answers fail."""
    page.route(re.compile("^https?:"), _answer)


def _answer(route: Route) -> None:
    url = route.request.url
    for pattern, path in _FILES.items():
        if re.search(pattern, url):
            route.fulfill(path=path, content_type="text/javascript")
            return
    if re.search(_UNUSED, url):
        route.fulfill(body="", content_type="text/javascript")
    else:
        route.abort()
