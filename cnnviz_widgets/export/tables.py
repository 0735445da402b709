"""Tables of Markdown whose rows are longer or shorter than their head.

In: the parser of Markdown at the head of a table. Out: the table, with as many cells in each row as
the head has, as notebooks show it; the library alone takes it for text.
"""

from __future__ import annotations

import re

from mistune import BlockParser, BlockState, Markdown
from mistune.plugins.table import TABLE_PATTERN, parse_table

_BAR = re.compile(r"(?<!\\)\|")


def even_tables(markdown: Markdown) -> None:
    """Let a parser that knows tables take uneven ones."""
    markdown.block.register("table", TABLE_PATTERN, _parse, before="paragraph")


def _parse(block: BlockParser, found: re.Match[str], state: BlockState) -> int | None:
    width = len(_cells(found[0]))
    lines, end = [found[0]], found.end()
    while end < state.cursor_max:
        line = state.get_line(end)
        if not line.lstrip(" ").startswith("|"):
            break
        # The second line is what makes it a table: it has to have as many cells by itself.
        lines.append(line if len(lines) == 1 else _even(line, width))
        end += len(line)
    inner = state.child_state("".join(lines))
    head = re.match(TABLE_PATTERN, inner.src)
    if head is None or not parse_table(block, head, inner) or inner.tokens[0]["type"] != "table":
        return None
    state.append_token(inner.tokens[0])
    return end


def _even(row: str, width: int) -> str:
    cells = _cells(row)[:width]
    return "|" + "|".join([*cells, *[" "] * (width - len(cells))]) + "|\n"


def _cells(row: str) -> list[str]:
    inside = row.strip().removeprefix("|")
    return _BAR.split(re.sub(r"(?<!\\)\|$", "", inside))
