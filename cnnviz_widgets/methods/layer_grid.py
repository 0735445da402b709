"""Methods: where on the picture the values of a layer lie.

In: what is known of the axes of a layer's output. Out: `LayerGrid`, which turns the output of one
picture into channels x places and back; tokens that stand for no place are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from cnnviz_widgets.inspection.axes import Grid
from cnnviz_widgets.inspection.calls import Source
from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.inspection.layers import LayerInfo
from cnnviz_widgets.inspection.layouts import CHANNELS
from cnnviz_widgets.inspection.session import Session
from cnnviz_widgets.words import phrase


@dataclass(frozen=True)
class LayerGrid:
    """The places of one layer's output.

    Attributes
    ----------
    layout : str
        "NCHW", "NHWC", "NCL", "NCDHW" or "NLC".
    shape : tuple of int
        Places along each axis: (H, W), (L,) or (D, H, W).
    before, after : int
        Tokens before and after those on the grid, such as class tokens.
    """

    layout: str
    shape: tuple[int, ...]
    before: int = 0
    after: int = 0

    @property
    def places(self) -> int:
        """How many there are."""
        return math.prod(self.shape)

    @property
    def picture_shape(self) -> tuple[int, int]:
        """Height and width of a map: one row for an axis alone, one slice of a volume."""
        height, width = (1, 1, *self.shape)[-2:]
        return height, width

    def channels(self, shape: tuple[int, ...]) -> int:
        """Return how many channels an output of this shape has."""
        return shape[CHANNELS[self.layout]]

    def matrix(self, values: Tensor) -> Tensor:
        """Return a layer's values of one or several pictures as channels x places.

        Parameters
        ----------
        values : Tensor of shape (B, ...)
            An activation or gradient in this layout.

        Returns
        -------
        Tensor of shape (B, C, P)
            float32 and contiguous; the same memory where that is possible.
        """
        flat = self._on_grid(values)
        if CHANNELS[self.layout] < 0:
            flat = flat.transpose(1, 2)
        return flat.float().contiguous()

    def cleared(self, value: Tensor) -> Tensor:
        """Return a copy of a layer's output that is zero at every place.

        Parameters
        ----------
        value : Tensor of shape (1, ...)
            The output; tokens that stand for no place keep their values.
        """
        copy = value.clone(memory_format=torch.contiguous_format)
        self._on_grid(copy).zero_()
        return copy

    def _on_grid(self, values: Tensor) -> Tensor:
        """View the values as (B, C, P) or (B, P, C)."""
        if self.layout == "NLC":
            return values[:, self.before : values.shape[1] - self.after]
        return values.flatten(1, 2) if self.layout == "NHWC" else values.flatten(2)


def grid_of(insp: Inspector, info: LayerInfo) -> LayerGrid | None:
    """Return where a layer's values lie on the picture; None where they have no places.

    Parameters
    ----------
    insp : Inspector
        Whose layer.
    info : LayerInfo
        The layer.

    Returns
    -------
    LayerGrid or None
        None for vectors, for one place alone, and where the axes or the tokens' places are not
        known.
    """
    session = insp._session  # the stages that know torch share it
    found = session.layout_of(Source(info.path, info.call, "output"), info.name)
    shape = tuple(info.shape)
    if found.layout not in CHANNELS or len(shape) != len(found.layout):
        return None
    if found.layout == "NLC":
        return _token_grid(session, shape, found.grid)
    places = shape[1:-1] if CHANNELS[found.layout] < 0 else shape[2:]
    return LayerGrid(found.layout, places) if math.prod(places) > 1 else None


def _token_grid(session: Session, shape: tuple[int, ...], grid: Grid | None) -> LayerGrid | None:
    if grid is not None:
        on_grid = LayerGrid("NLC", (grid.height, grid.width), grid.before, grid.after)
        return on_grid if on_grid.places > 1 else None
    # Places in a row are a grid only for an input that is itself a row.
    is_row = session.prepared.first.dim() == 3 and shape[1] > 1
    return LayerGrid("NLC", (shape[1],)) if is_row else None


def layer_and_grid(insp: Inspector, layer: str) -> tuple[LayerInfo, LayerGrid]:
    """Return a layer by name, with its grid.

    Raises
    ------
    TypeError, ValueError
        There is no such layer, or its output has no places on the picture.
    """
    return next(iter(layers_and_grids(insp, [layer]).items()))


def layers_and_grids(insp: Inspector, layers: Iterable[str]) -> dict[LayerInfo, LayerGrid]:
    """Return layers by name, with their grids, in the order given; see `layer_and_grid`."""
    by_name = {info.name: info for info in insp.modules}
    found = {}
    for layer in layers:
        known = by_name.get(layer) if isinstance(layer, str) else None
        info = known or insp.find(layer)  # which knows other spellings, and raises
        grid = grid_of(insp, info)
        if grid is None:
            raise ValueError(_no_places(insp, info))
        found[info] = grid
    return found


def spatial_layers(insp: Inspector) -> dict[LayerInfo, LayerGrid]:
    """Return the leaf layers whose output has places on the picture, in execution order."""
    found = ((info, grid_of(insp, info)) for info in insp.layers)
    return {info: grid for info, grid in found if grid is not None}


def _no_places(insp: Inspector, info: LayerInfo) -> str:
    last = next(reversed(spatial_layers(insp)), None)
    other = phrase("hint_other_layer", layer=repr(last.name)) if last else phrase("hint_saliency")
    layer, shape = repr(info.name), str(tuple(info.shape))
    if info.layout == "NLC":
        return phrase("no_token_grid", layer=layer, shape=shape, hint=other)
    name = "no_axes" if info.layout == "?" else "no_grid"
    return phrase(name, layer=layer, shape=shape, hint=other)
