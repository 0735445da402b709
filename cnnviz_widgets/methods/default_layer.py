"""Methods: the layer that is meant when none is named.

In: an Inspector and a target. Out: the last layer with a grid of places that can matter.
"""

from __future__ import annotations

from torch import Tensor

from cnnviz_widgets.inspection.explained import ExplainedTarget
from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.inspection.layers import LayerInfo
from cnnviz_widgets.methods.layer_grid import spatial_layers


def likely_layers(insp: Inspector, layer: str | None) -> list[LayerInfo]:
    """Return the layers that are looked at for maps at a layer, or where none is named."""
    if layer is not None:
        return [insp.find(layer)]
    grids = spatial_layers(insp)
    last = list(grids)[-1:]
    return list(grids) if any(grids[info].before + grids[info].after for info in last) else last


def default_layer(insp: Inspector, target: ExplainedTarget, image: int) -> str:
    """Return the name of the last layer whose output has a grid of places.

    In a network with class tokens the score may read these alone behind the last layers, where no
    place matters any more: the last layer is taken from whose places a gradient comes, which costs
    a pass forward and back.

    Raises
    ------
    ValueError
        No layer has a grid.
    """
    grids = spatial_layers(insp)
    if not grids:
        msg = (
            "layer=None: no layer of this model has an output with a grid of places; use "
            "cw.saliency(), or say what the axes of a layer mean with insp.set_layout()."
        )
        raise ValueError(msg)
    last = next(reversed(grids))
    if not grids[last].before + grids[last].after:
        return last.name
    reached: set[str] = set()

    def visit(info: LayerInfo, _value: Tensor, gradient: Tensor | None, _place: int) -> None:
        if gradient is not None and bool(grids[info].matrix(gradient).any()):
            reached.add(info.name)

    names = [info.name for info in grids]
    insp.passes.sweep(names, [target], visit, image=image)
    return next((name for name in reversed(names) if name in reached), last.name)
