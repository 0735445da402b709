"""Methods: what the methods that make maps at layers are given.

In: an Inspector, layers, resolved targets and settings. Out: `CamCase`, which every such method
takes, and counts of the passes that it cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from cnnviz_widgets.inspection.explained import ExplainedTarget
from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.inspection.layers import LayerInfo
from cnnviz_widgets.methods.case import inputs_at_once
from cnnviz_widgets.methods.layer_grid import LayerGrid
from cnnviz_widgets.methods.registry import Value

Settings = Mapping[str, Mapping[str, Value]]
"""Each method's parameters, by its name."""
LayerMaps = dict[str, Tensor]
"""Maps (K, P) for K targets, by the name of their layer; float32, raw and signed."""
Provider = Callable[["CamCase", Sequence[str], Settings], dict[str, LayerMaps]]
"""Makes the maps of some methods, by their names, in as few passes as they need together."""


class Partial(NamedTuple):
    """A map so far: of which method, layer and place among the targets; values (P,)."""

    method: str
    layer: str
    place: int
    values: Tensor


Watch = Callable[[int, int, "Callable[[], Partial] | None"], None]
"""``watch(done, total, partial)``: passes done and to do in all, and how to get the map so far.

Called between batches; what it raises ends the method.
"""


@dataclass
class CamCase:
    """Layers and scores of one picture.

    Attributes
    ----------
    insp : Inspector
        Whose model.
    layers : dict of LayerInfo to LayerGrid
        At which layers; by name, never by their place in a list.
    targets : sequence of ExplainedTarget
        K scores.
    image : int
        Place in the batch.
    watch : callable
        Told how far a method is; what it raises ends the method.
    notes : dict of str to str
        By method: what a reader of its maps should know.
    gaps : dict of (str, str) to list of float
        By method and layer: how far each target's map is from adding up to what it promises.
    forward, backward : int
        Passes so far, each of one input, or of a part of the network on one variant of its value.
    """

    insp: Inspector
    layers: dict[LayerInfo, LayerGrid]
    targets: Sequence[ExplainedTarget]
    image: int
    watch: Watch
    notes: dict[str, str] = field(default_factory=dict)
    gaps: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    forward: int = 0
    backward: int = 0

    @property
    def names(self) -> list[str]:
        """Names of the layers."""
        return [info.name for info in self.layers]

    def grid(self, name: str) -> LayerGrid:
        """Return the grid of a layer by its name."""
        return next(grid for info, grid in self.layers.items() if info.name == name)

    def empty(self, methods: Sequence[str]) -> dict[str, LayerMaps]:
        """Return maps that are all zero, to be filled in."""
        targets = len(self.targets)
        return {
            method: {
                info.name: torch.zeros(targets, grid.places, dtype=torch.float32, device="cpu")
                for info, grid in self.layers.items()
            }
            for method in methods
        }

    def at_once(self, picture: Tensor) -> int:
        """Return how many inputs run in one batch, all layers counted, also those not shown."""
        leaves = [info for info in self.insp._session.modules if info.is_leaf]
        multiply_adds = sum(info.multiply_adds or 0 for info in leaves) or None
        values = sum(math.prod(info.shape[1:]) for info in leaves)
        return inputs_at_once(picture, multiply_adds, values)


@dataclass
class Progress:
    """How far the passes for one map are, among those for all maps.

    Attributes
    ----------
    case : CamCase
        Which maps.
    method, layer, place : str, str, int
        Which map: `place` counts targets.
    before, total : int
        Passes for maps before this one, and for all.
    done : int
        Passes for this one so far.
    """

    case: CamCase
    method: str
    layer: str
    place: int
    before: int
    total: int
    done: int = 0

    def __post_init__(self) -> None:
        self._epoch = self.case.insp.epoch

    @property
    def target(self) -> ExplainedTarget:
        """The score that the map explains."""
        return self.case.targets[self.place]

    def __call__(self, done: int, values: Callable[[], Tensor] | None) -> None:
        """Tell the watcher, with a function that gives the map so far, (P,).

        Raises
        ------
        RuntimeError
            The model or its inputs changed since the first pass.
        """
        self.done = done
        if self.case.insp.epoch != self._epoch:
            msg = (
                f"method={self.method!r}: the model or its inputs changed while it ran; ask again."
            )
            raise RuntimeError(msg)
        partial = None
        if values is not None:
            partial = lambda: Partial(self.method, self.layer, self.place, values())  # noqa: E731
        self.case.watch(self.before + done, self.total, partial)

    def again(self) -> None:
        """Tell the watcher the same as before, from within a pass, so that it can stop that."""
        self(self.done, None)
