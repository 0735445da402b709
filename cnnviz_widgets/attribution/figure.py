"""Attribution: a map as a matplotlib figure.

In: pictures, the largest value and words. Out: a figure that shows itself in a notebook. Imported
late, because matplotlib takes its time.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence

from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure

from cnnviz_widgets.rendering import palette
from cnnviz_widgets.rendering.colormap import TABLE_SIZE, Rgb

_LETTERS_PER_INCH = 14
"""Of what is written along the legend."""


class ShownFigure(Figure):
    """A figure that a notebook draws, also where pyplot was never imported."""

    def _repr_png_(self) -> bytes:
        return as_png(self)


def map_figure(
    pictures: Sequence[Rgb], *, high: float, colormap: str, label: str, title: str
) -> ShownFigure:
    """Draw pictures in a row, with a legend from 0 to the largest value.

    Parameters
    ----------
    pictures : sequence of uint8 arrays (H, W, 3)
        Already in colours.
    high : float
        The value of the colormap's upper end.
    colormap : str
        One of ``cnnviz_widgets.rendering.colormap_names()``.
    label, title : str
        Words at the legend and above the pictures.
    """
    rows, columns = pictures[0].shape[:2]
    tall = min(max(3 * rows / columns, 1.5), 6.0)  # as the pictures are, with room for the legend
    drawing = ShownFigure(figsize=(1.2 + 3 * len(pictures), 0.4 + tall), layout="constrained")
    axes = drawing.subplots(1, len(pictures), squeeze=False)[0]
    for axis, picture in zip(axes, pictures, strict=True):
        axis.imshow(picture)
        axis.set_axis_off()
    table = ListedColormap(palette(colormap)[:TABLE_SIZE] / 255)
    scale = ScalarMappable(Normalize(0, high or 1.0), table)
    said = "\n".join(textwrap.wrap(label, int(_LETTERS_PER_INCH * tall)))
    drawing.colorbar(scale, ax=list(axes), label=said, shrink=0.8)
    lines = [part for line in title.split("\n") for part in textwrap.wrap(line, 100)]
    drawing.suptitle("\n".join(lines), fontsize=9)
    return drawing


def as_png(drawing: Figure) -> bytes:
    """Return a figure as a PNG file."""
    file = io.BytesIO()
    drawing.savefig(file, format="png", dpi=100)
    return file.getvalue()
