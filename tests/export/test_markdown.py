"""Markdown of notebooks: formulas, tables, code, headings; markup in it does nothing."""

from __future__ import annotations

import pytest

from cnnviz_widgets.export.markdown import code_html, formula, markdown_html
from tests.export.pages import Parts


def tags(html: str) -> list[str]:
    return [tag for tag, _ in Parts(html).elements]


def test_formulas_become_mathml() -> None:
    html = markdown_html(r"Inline $\frac{a}{b} < 1$ and" "\n\n$$\\sum_{i=1}^n x_i$$\n")
    assert tags(html).count("math") == 2
    assert "mfrac" in tags(html)
    assert "munderover" in tags(html)
    assert "$" not in Parts(html).text


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ("text\n\\begin{align}\na &= b \\\\\n&= c_1 * d * e\n\\end{align}\nmore", 2),
        ("\\begin{equation}\nE = m_1 c^2\n\\end{equation}", 0),
        ("$$\\begin{aligned} a &= b \\end{aligned}$$", 1),
        ("$$\n\\begin{gather*}\na \\\\ b\n\\end{gather*}\n$$", 2),
        ("1. in a list\n\n   $$\n   a_1 * b * c_1\n   $$", 0),
    ],
)
def test_formulas_stand_in_lines_of_their_own(source: str, rows: int) -> None:
    html = markdown_html(source)
    assert tags(html).count("math") == 1
    assert tags(html).count("mtr") == rows
    assert not {"em", "code"} & set(tags(html))
    assert "&" not in Parts(html).text
    assert "begin" not in Parts(html).text


def test_equal_signs_are_below_each_other_and_names_upright() -> None:
    html = markdown_html(r"$$\begin{split} a &= \mathrm{ReLU}(b) \end{split}$$")
    assert [each.get("style") for each in Parts(html).of("mtd")] == [
        "text-align:right",
        "text-align:left",
    ]
    assert {"mathvariant": "normal"} in Parts(html).of("mi")


@pytest.mark.parametrize(
    "latex", [r"\text{<script>alert(1)</script>}", r"\href{javascript:alert(1)}{x}", r"\frac{", "}"]
)
def test_formulas_that_are_none_or_worse_do_nothing(latex: str) -> None:
    html = markdown_html(f"$${latex}$$")
    assert "script" not in tags(html)
    assert all("href" not in attributes for _, attributes in Parts(html).elements)
    assert isinstance(formula(latex, display=True), str)


def test_tables_and_answers_to_unfold() -> None:
    source = "| a | b |\n|--:|---|\n| 1 | 2 |\n\n<details><summary>Q</summary>\n\n*A*\n\n</details>"
    html = markdown_html(source)
    assert {"table", "th", "td", "details", "summary", "em"} <= set(tags(html))
    assert "text-align:right" in html


@pytest.mark.parametrize("before", ["", "> ", "- "])
def test_tables_stand_in_lists_and_quotes_and_hold_formulas(before: str) -> None:
    lines = ["text", "", "| a | b |", "|---|---|", r"| $|x|$ | $5 |", "| $5 | $6 |"]
    rest = "  " if before == "- " else before
    html = markdown_html("\n".join([before + lines[0], *(rest + line for line in lines[1:])]))
    assert tags(html).count("td") == 4
    assert tags(html).count("math") == 1
    assert "$5" in Parts(html).text


def test_what_is_done_and_what_is_not() -> None:
    html = markdown_html("- [ ] read\n- [x] *think*\n\n  twice\n- rest")
    assert Parts(html).text.split() == [
        "\N{BALLOT BOX}",
        "read",
        "\N{BALLOT BOX WITH CHECK}",
        "think",
        "twice",
        "rest",
    ]
    assert "em" in tags(html)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("02_next.ipynb", "02_next.html"),
        ("a/b.ipynb#part", "a/b.html#part"),
        ("https://example.org/c.ipynb", "https://example.org/c.ipynb"),
        ("c.ipynb.txt", "c.ipynb.txt"),
    ],
)
def test_links_to_other_notebooks_lead_to_their_pages(address: str, expected: str) -> None:
    (link,) = Parts(markdown_html(f"[next]({address})")).of("a")
    assert link["href"] == expected


def test_headings_can_be_linked_to() -> None:
    html = markdown_html("[down](#Two-words)\n\n## Two *words*")
    (link,) = Parts(html).of("a")
    (heading,) = Parts(html).of("h2")
    assert link["href"] == f"#{heading['id']}"


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "![x](javascript:alert(1))",
        "<img src=x onerror=alert(1)>",
        "[x]: javascript:alert(1)\n\n[x]",
        "<javascript:alert(1)>",
        '[a](https://e.example "x\\" onmouseover=alert(1)")',
    ],
)
def test_markup_in_markdown_does_nothing(source: str) -> None:
    for tag, attributes in Parts(markdown_html(source)).elements:
        assert tag in ("p", "a", "img")
        assert not any(name.startswith("on") for name in attributes)
        assert not str(attributes.get("href", "")).startswith(("javascript", "vbscript"))
        assert "src" not in attributes


def test_code_is_text_in_coloured_words() -> None:
    html = code_html('x = "</script><b>"  # <i>', "python")
    assert tags(html)
    assert set(tags(html)) == {"span"}
    assert Parts(html).text == 'x = "</script><b>"  # <i>'
    assert code_html("<b>", "no such language") == "&lt;b&gt;"
