"""HTML that came with a notebook, made harmless: no script, no style, nothing from elsewhere.

In: HTML as anyone may have written it. Out: HTML of known elements and attributes only.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import nh3

HEADING_ID = "section-"
"""How the id of a heading begins; no other id is let through, for the page's own must be unique."""

Pictures = Callable[[str], "str | None"]
"""Gives the data: URL of a picture by the address that the notebook has for it, or None."""

_MATH = (
    *("math", "mrow", "mi", "mo", "mn", "ms", "mtext", "mspace", "mfrac", "msqrt", "mroot"),
    *("msup", "msub", "msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd"),
    *("mstyle", "mpadded", "mphantom", "menclose"),
)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_TAGS = (set(nh3.ALLOWED_TAGS) | set(_MATH)) - {"map", "area"}
_ATTRIBUTES = {
    **{tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()},
    **{tag: {"id"} for tag in _HEADINGS},
    "td": {"colspan", "rowspan", "style"},
    "th": {"colspan", "rowspan", "scope", "style"},
    "img": {"src", "alt", "width", "height", "style"},
    "details": {"open"},
    "math": {"display"},
    "mo": {"stretchy", "fence", "separator"},
    "mspace": {"width"},
    "mi": {"mathvariant"},
    "mtd": {"columnspan", "style"},
}
_ALERTS = {"alert", "alert-info", "alert-success", "alert-warning", "alert-danger"}
"""Classes of the boxes that notebooks have for a tip or a warning."""
_PLAYED = re.compile(
    r"<(?:iframe|video|audio|source)\b[^<>]*?\ssrc=[\"']?(https?://[^\"'\s<>]+)[^<>]*>",
    re.IGNORECASE,
)
_EMBEDDED = re.compile(r"\s*(data|attachment):", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*")


def clean_html(html: str, pictures: Pictures | None = None) -> str:
    """Make HTML harmless.

    Parameters
    ----------
    html : str
    pictures : callable, optional
        Finds the pictures that `img` elements name; without it only embedded ones stay.

    Returns
    -------
    str
        The text stays; elements and attributes that are not known go, scripts and styles with what
        they hold. Links lead to http, https, mailto or a place near the file; films and pages from
        elsewhere are links, too.
    """

    def attribute(tag: str, name: str, value: str) -> str | None:
        if (tag, name) == ("img", "src"):
            return _picture(value, pictures)
        if name == "href" and _EMBEDDED.match(value):
            return None  # of no use to a reader, and a page of its own that nobody has looked at
        if name == "id" and not value.startswith(HEADING_ID):
            return None
        return value

    linked = _PLAYED.sub(r'<a href="\1">\1</a>', html)
    cleaned: str = nh3.clean(
        linked,
        tags=_TAGS,
        clean_content_tags={"script", "style", "template", "iframe", "object"},
        attributes=_ATTRIBUTES,
        attribute_filter=attribute,
        # What may be wider than the window is scrolled, with the arrow keys, too.
        set_tag_attribute_values={"table": {"tabindex": "0"}},
        allowed_classes={"div": _ALERTS},
        # No colours: what a teacher has chosen on white is not to be read in the dark.
        filter_style_properties={"text-align", "width", "image-rendering"},
        url_schemes={"http", "https", "mailto", "data", "attachment"},
        link_rel="noopener noreferrer",
    )
    return cleaned


def _picture(address: str, pictures: Pictures | None) -> str | None:
    if address.startswith("data:"):
        return address if _PICTURE.fullmatch(address) else None
    return pictures(address) if pictures else None
