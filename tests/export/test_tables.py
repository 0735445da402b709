"""Uneven tables of Markdown: cells are added or left out, and what is no table stays text."""

from __future__ import annotations

import pytest

from cnnviz_widgets.export.markdown import markdown_html
from tests.export.pages import Parts

HEAD = "| a | b |\n|--:|---|\n"


def rows(html: str) -> list[int]:
    """Return how many cells each row has."""
    counts: list[int] = []
    for tag, _ in Parts(html).elements:
        if tag == "tr":
            counts.append(0)
        elif tag in ("td", "th"):
            counts[-1] += 1
    return counts


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("| 1 | 2 |", ["1", "2"]),
        ("| 1 |", ["1"]),
        ("| 1 | 2", ["1", "2"]),
        ("| 1 | 2 | 3 |", ["1", "2"]),
        (r"| 1 \| 2 | *3* |", ["1", "|", "2", "3"]),
        ("|", []),
    ],
)
@pytest.mark.parametrize("before", ["", "> ", "  "])
def test_every_row_has_as_many_cells_as_the_head(before: str, body: str, text: list[str]) -> None:
    lines = [before + line for line in (HEAD + body).split("\n")]
    start = "- x\n\n" if before == "  " else ""
    html = markdown_html(start + "\n".join(lines) + "\n\nrest")
    assert rows(html) == [2, 2]
    words = Parts(html).text.split()
    assert words[words.index("a") :] == ["a", "b", *text, "rest"]
    assert "text-align:right" in html


@pytest.mark.parametrize("source", ["| a | b |\n|---|\n| 1 | 2 |", "| a |\n| b |", "| a | b |"])
def test_what_has_no_line_below_its_head_is_text(source: str) -> None:
    html = markdown_html(source)
    assert rows(html) == []
    assert Parts(html).text.split() == source.split()


def test_a_table_ends_where_its_rows_do() -> None:
    html = markdown_html(f"{HEAD}| 1 |\ntext\n\n{HEAD}| 2 | 3 |")
    assert rows(html) == [2, 2, 2, 2]
    assert Parts(html).text.split() == ["a", "b", "1", "text", "a", "b", "2", "3"]
