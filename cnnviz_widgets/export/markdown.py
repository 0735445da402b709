"""Markdown as HTML: tables, formulas as MathML, pictures as part of the page.

In: the source of a markdown cell. Out: harmless HTML.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

import mistune
from latex2mathml.converter import convert
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from .clean import HEADING_ID, Pictures, clean_html

_PLUGINS = ["table", "strikethrough", "footnotes", "task_lists", "url", "math"]


class _Renderer(mistune.HTMLRenderer):
    """What the library's own renderer leaves to the reader's browser: formulas, heading ids."""

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        del attrs
        return f'<h{level} id="{heading_id(text)}">{text}</h{level}>\n'

    def block_math(self, text: str) -> str:
        return f"<p>{formula(text, display=True)}</p>\n"

    def inline_math(self, text: str) -> str:
        return formula(text, display=False)


def heading_id(html: str) -> str:
    """Return the id of a heading, from its text, as notebooks make it but for its beginning."""
    text = re.sub(r"<[^>]*>", "", html).strip()
    return HEADING_ID + re.sub(r"[^\w-]+", "-", text)[:80].strip("-")


def markdown_html(source: str, pictures: Pictures | None = None) -> str:
    """Return harmless HTML of Markdown.

    Parameters
    ----------
    source : str
        As in a notebook: with tables, footnotes, raw HTML, and formulas between dollars.
    pictures : callable, optional
        Finds the pictures that it names, see `clean_html`.
    """
    markdown = mistune.create_markdown(
        renderer=_Renderer(escape=False, allow_harmful_protocols=["attachment:"]), plugins=_PLUGINS
    )
    made = str(markdown(source))
    # Links within the notebook point to headings, whose ids have a beginning of our own here.
    linked = re.sub(r'href="#(?!fn|harmful)([^"]+)"', rf'href="#{HEADING_ID}\1"', made)
    return clean_html(linked, pictures)


def formula(latex: str, *, display: bool) -> str:
    """Return a formula as MathML, or as it stands where it cannot be read. To be cleaned."""
    try:
        return str(convert(latex.strip(), display="block" if display else "inline"))
    # The library raises all kinds of errors on what it does not know.
    except Exception:  # noqa: BLE001
        return f"<code>{escape(latex)}</code>"


def code_html(source: str, language: str) -> str:
    """Return code with its words in <span>s of Pygments' classes; everything else is escaped."""
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("text", stripnl=False)
    return str(highlight(source, lexer, HtmlFormatter(nowrap=True))).rstrip("\n")
