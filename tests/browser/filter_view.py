"""A FilterGrid's view in a page, and the pictures of filters that NumPy draws to compare it with.

In: a page that shows the widget; the weights of a layer as torch has them. Out: pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from playwright.sync_api import Locator
from torch import nn

from cnnviz_widgets.rendering.colormap import palette, render_maps
from cnnviz_widgets.rendering.quantise import quantise
from cnnviz_widgets.rendering.ranges import Scale
from tests.browser.layer_view import LayerView, Pixels, compare_all

Floats = npt.NDArray[np.float32]
WIDTH_STEP_PX = 32


class FilterView(LayerView):
    """One view of a FilterGrid: its first stage shows all filters, its second those of one."""

    widget = "filter-grid"
    stage_name = "All filters"

    def width(self) -> int:
        """Return the device pixels that a row of a matrix may take."""
        width: int = self.canvas().evaluate("(canvas) => canvas.width")
        return width // WIDTH_STEP_PX * WIDTH_STEP_PX

    def kernels(self) -> LayerView:
        """Return the stage of the chosen filter's kernels, to be compared like a layer."""
        second = LayerView.__new__(LayerView)
        second.watched, second.root = self.watched, self.root
        second.stage = self.root.get_by_role("region", name="Weights of the filter")
        return second

    def cell(self) -> Locator:
        """Return the cell of the first stage that takes the focus."""
        return self.stage.locator(f'{self.grid_box} [role="gridcell"][tabindex="0"]').first

    def frame(self, selector: str) -> Pixels:
        """Return the canvas in a frame, (height, width, 4) RGBA."""
        handle = self.root.locator(f"{selector} .cnnviz-frame canvas").element_handle()
        assert handle is not None
        return self.watched.pixels(handle)


@dataclass(frozen=True)
class Weight:
    """A weight as a float32 array (filters, inputs, *kernel), and whether it is drawn in colour."""

    values: Floats
    colour: bool

    @property
    def is_matrix(self) -> bool:
        """Whether each filter has one value for each of several inputs."""
        return self.values.shape[1] > 1 and self.size == 1

    @property
    def size(self) -> int:
        """Weights of one kernel."""
        return int(self.values[0, 0].size)


def weights_of(model: nn.Module, inputs: torch.Tensor) -> dict[str, Weight]:
    """Return the weights of plain convolutions and dense layers in execution order."""
    order: list[str] = []
    layers = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, (nn.Conv2d, nn.Linear))
    }
    handles = [
        module.register_forward_hook(lambda *_, name=name: order.append(name))
        for name, module in layers.items()
    ]
    with torch.no_grad():
        model(inputs)
    for handle in handles:
        handle.remove()
    found: dict[str, Weight] = {}
    for name in order:
        values = np.array(layers[name].weight.detach().numpy())
        is_first = not any(weight.values.ndim > 2 for weight in found.values())
        found[name] = Weight(values, values.ndim > 2 and is_first and values.shape[1] == 3)
    return found


def drawn_tiles(weight: Weight, *, mode: str = "layer") -> Pixels:
    """Draw filters as the grid of tiles should: (F, h, w, 3), one pixel for each place."""
    values = weight.values
    if weight.colour:
        return np.stack(
            [_symmetric(values[:, i : i + 1], weight, mode)[..., 0] for i in range(3)], -1
        )
    if values.shape[1] == 1:
        return _symmetric(values, weight, mode)
    norms = np.sqrt((values.astype(np.float64) ** 2).sum(axis=1)).astype(np.float32)
    ends = norms.max(axis=(1, 2))
    codes = quantise(norms, np.zeros_like(ends), ends)
    scale = Scale("layer" if mode == "layer" else "channel")
    return render_maps(codes, np.zeros_like(ends), ends, scale=scale, colormap="viridis")


def _symmetric(values: Floats, weight: Weight, mode: str) -> Pixels:
    """Draw one input's kernels around zero, on the scale of all that `weight` holds."""
    flat = np.abs(weight.values).reshape(len(values), -1)
    ends = flat.max(axis=1)
    codes = quantise(np.ascontiguousarray(values[:, 0]), -ends, ends)
    scale = Scale("layer" if mode == "layer" else "channel", diverging=True)
    name = "gray" if weight.colour else "coolwarm"
    return render_maps(codes, -ends, ends, scale=scale, colormap=name)


def drawn_kernels(weight: Weight, filter_: int) -> Pixels:
    """Draw the kernels of a filter by input, from exact weights on the scale of the layer."""
    end = float(np.abs(weight.values).max())
    shares = (weight.values[filter_].astype(np.float64) + end) / (2 * end)
    places = np.floor(shares * 255 + 0.5).clip(0, 255).astype(int)
    drawn: Pixels = palette("coolwarm")[places.reshape(len(places), *_plane(places.shape[1:]))]
    return drawn


def _plane(kernel: tuple[int, ...]) -> tuple[int, int]:
    height, width = (1,) * (2 - len(kernel)) + kernel
    return height, width


def drawn_rows(weight: Weight, width: int) -> Pixels:
    """Draw a matrix as rows: (F, columns, 3), reduced to `width` columns where it is wider."""
    matrix = weight.values.reshape(len(weight.values), -1)
    factor = -(-matrix.shape[1] // width)
    if factor == 1:
        pictures = _symmetric(matrix[:, None, None], Weight(matrix, colour=False), "layer")
        return pictures[:, 0]
    starts = np.arange(0, matrix.shape[1], factor)
    squares = np.add.reduceat(matrix.astype(np.float64) ** 2, starts, axis=1)
    counts = np.minimum(factor, matrix.shape[1] - starts)
    norms = np.sqrt(squares / counts).astype(np.float32)[:, None]
    ends = norms.max(axis=(1, 2))
    zeros = np.zeros_like(ends)
    codes = quantise(norms, zeros, ends)
    return render_maps(codes, zeros, ends, scale=Scale("layer"), colormap="viridis")[:, 0]


def compare_rows(view: FilterView, expected: Pixels, *, what: str) -> None:
    """Compare every row of a matrix on the canvas, scrolling through all of them."""
    compared = 0
    while compared < len(expected):
        view.scroll_to(compared)
        grid = view.grid()
        pixels = view.pixels()
        scale = grid.tile // expected.shape[1]
        first = grid.scroll // grid.pitch_y
        lines = np.zeros_like(pixels)
        for row in range(first, len(expected)):
            top = row * grid.pitch_y - grid.scroll
            line = expected[row].repeat(scale, axis=0)
            lines[max(0, top) : top + grid.pitch_y, : len(line), :3] = line
            lines[max(0, top) : top + grid.pitch_y, : len(line), 3] = 255
            if top + grid.pitch_y > grid.height:
                break
            compared = max(compared, row + 1)
        wrong = (pixels != lines).any(axis=-1)
        assert not wrong.any(), f"{what}: {wrong.sum()} pixels differ, at {np.argwhere(wrong)[0]}"


def compare_filters(view: FilterView, weight: Weight, *, what: str) -> None:
    """Compare all filters of the layer shown with NumPy's."""
    if weight.is_matrix and not weight.colour:
        compare_rows(view, drawn_rows(weight, view.width()), what=what)
    else:
        compare_all(view, drawn_tiles(weight), what=what)
