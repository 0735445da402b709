"""One measured figure beside its bar, and the table of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """A measured figure.

    Parameters
    ----------
    what : str
        What was measured, in words.
    value : float
        The figure, in `unit`.
    unit : str
        "x" for a ratio, else a unit of measure, or "" for a count.
    bar : float or None
        The figure's bound; None for a figure that is only shown.
    direction : "at most" or "at least"
        Which side of the bar is the good one.
    note : str
        What a reader must know to judge it: the parts of a ratio, samples left out, noise.
    """

    what: str
    value: float
    unit: str = "x"
    bar: float | None = None
    direction: Literal["at most", "at least"] = "at most"
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the figure is on the good side of its bar; None without a bar."""
        if self.bar is None:
            return None
        return self.value <= self.bar if self.direction == "at most" else self.value >= self.bar


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as an aligned text table: what, figure, bar, holds?, note."""
    rows = [("what", "figure", "bar", "holds?", "note")]
    for figure in figures:
        sign = {"at most": "<=", "at least": ">="}[figure.direction]
        bar = "" if figure.bar is None else f"{sign} {_quantity(figure.bar, figure.unit)}"
        verdict = {None: "", True: "yes", False: "NO"}[figure.holds]
        rows.append((figure.what, _quantity(figure.value, figure.unit), bar, verdict, figure.note))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    rows.insert(1, tuple("-" * width for width in [*widths, 4]))  # type: ignore[arg-type]  # five
    return "\n".join(
        " | ".join(
            [*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]
        ).rstrip()
        for row in rows
    )


def _quantity(value: float, unit: str) -> str:
    digits = 0 if float(value).is_integer() or abs(value) >= 1000 else 3 if abs(value) < 10 else 1
    return f"{value:,.{digits}f}{' ' if unit not in {'', 'x', '%'} else ''}{unit}"
