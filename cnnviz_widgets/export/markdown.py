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
from .tables import even_tables

_PLUGINS = ["table", "strikethrough", "footnotes", "task_lists", "url", "math"]
_PLUGINS += [
    f"mistune.plugins.{what}.{what}_in_{where}"
    for what in ("table", "math")
    for where in ("list", "quote")
]
_ENVIRONMENT = (
    r"^ {0,3}\\begin\{(?P<environment_name>(?:equation|align|gather|multline|eqnarray)\*?)\}"
    r"(?P<environment_text>[\s\S]*?)\\end\{(?P=environment_name)\}[ \t]*(?:\n|$)"
)
"""A formula that stands without dollars."""
_ENVIRONMENTS = {
    **dict.fromkeys(("align", "aligned", "eqnarray"), "align*"),  # without numbers
    **dict.fromkeys(("gather", "gathered", "multline"), "matrix"),
}
"""What the library draws, or draws as a notebook does, by the name that authors use."""
_ENVIRONMENT_NAME = re.compile(rf"\\(begin|end)\{{({'|'.join(_ENVIRONMENTS)})\*?\}}")
_MATH_IN_ROW = re.compile(r"\$(?! )[^$\n]*[^$ \n]\$(?!\d)")
_OTHER_NOTEBOOK = re.compile(r'(href="(?![a-zA-Z][a-zA-Z0-9+.-]*:|//)[^"#?]+)\.ipynb(?=["#?])')
"""A link to a notebook near by. A page's reader has the page of it beside this one, if anything."""
_BOX = {True: "\N{BALLOT BOX WITH CHECK}", False: "\N{BALLOT BOX}"}


class _Renderer(mistune.HTMLRenderer):
    """What the library's own renderer leaves to the reader's browser: formulas, heading ids."""

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        del attrs
        return f'<h{level} id="{heading_id(text)}">{text}</h{level}>\n'

    def block_math(self, text: str) -> str:
        return f"<p>{formula(text, display=True)}</p>\n"

    def inline_math(self, text: str) -> str:
        return formula(text, display=False)

    def task_list_item(self, text: str, checked: bool = False) -> str:
        start = "<p>" if text.startswith("<p>") else ""
        return f"<li>{start}{_BOX[checked]} {text.removeprefix(start)}</li>\n"


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
    even_tables(markdown)
    markdown.block.register("environment", _ENVIRONMENT, _parse_environment, before="list")
    rows = re.sub(r"^[ >]*\|.*$", _without_bars_in_formulas, source, flags=re.MULTILINE)
    made = str(markdown(rows))
    # Links within the notebook point to headings, whose ids have a beginning of our own here.
    linked = re.sub(r'href="#(?!fn|harmful)([^"]+)"', rf'href="#{HEADING_ID}\1"', made)
    return clean_html(_OTHER_NOTEBOOK.sub(r"\1.html", linked), pictures)


def _parse_environment(_block: Any, found: re.Match[str], state: mistune.BlockState) -> int:
    name, text = found["environment_name"].rstrip("*"), found["environment_text"]
    latex = text if name == "equation" else rf"\begin{{{name}}}{text}\end{{{name}}}"
    state.append_token({"type": "block_math", "raw": latex})
    return found.end()


def _without_bars_in_formulas(row: re.Match[str]) -> str:
    """Write the bars of formulas in a row of a table so that they end no cell."""
    return _MATH_IN_ROW.sub(lambda found: re.sub(r"(?<!\\)\|", r"\\vert ", found[0]), row[0])


def formula(latex: str, *, display: bool) -> str:
    """Return a formula as MathML, or as it stands where it cannot be read. To be cleaned."""
    known = _ENVIRONMENT_NAME.sub(lambda at: rf"\{at[1]}{{{_ENVIRONMENTS[at[2]]}}}", latex)
    try:
        made = str(convert(known.strip(), display="block" if display else "inline"))
        return re.sub(r'columnalign="(\w+)"', r'style="text-align:\1"', made)
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
