"""Figures of maps: pictures in a row, and a legend beside them."""

from __future__ import annotations

import numpy as np
import pytest

from cnnviz_widgets.attribution.figure import map_figure


@pytest.mark.parametrize(("rows", "columns"), [(64, 64), (64, 128), (96, 64)])
def test_a_legend_is_about_as_tall_as_the_pictures(rows: int, columns: int) -> None:
    picture = np.zeros((rows, columns, 3), np.uint8)
    drawing = map_figure([picture, picture], high=1, colormap="viridis", label="l", title="t")
    drawing.draw_without_rendering()
    first, _second, legend = (axis.get_window_extent() for axis in drawing.axes)
    assert 0.7 < legend.height / first.height < 1.1
