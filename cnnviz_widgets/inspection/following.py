"""Inspection: a forward pass whose pattern is known, recorded with as few hooks as can be.

In: the `Pattern` of a watched pass. Out: `FollowingRecorder`: the same calls and recipes, and new
values from the few modules whose output or input is held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from cnnviz_widgets.inspection.calls import Call, CallRecorder, Plan, Recipe, Source
from cnnviz_widgets.inspection.values import Nest, first_tensor, replace_tensors


@dataclass(frozen=True)
class Pattern:
    """What a watched pass taught for the next one on inputs of the same shape.

    A pass has a pattern when no number of a tensor reached Python, so that nothing in it can
    depend on the picture, and when turning a few modules' ``inplace`` off is all that keeps the
    kept values.

    Attributes
    ----------
    calls : list of Call
        The module calls.
    kept : dict of Source to (int, tuple of int)
        Value number and shape of everything that is held.
    recipes : dict of int to Recipe
        How the other values are computed.
    skipped : dict of int to Source
        Values for which there was no room.
    out_of_place : frozenset of torch.nn.Module
        Modules of the shadow that must not work in place.
    protect : frozenset of Source
        Values to hand on as copies.
    """

    calls: list[Call]
    kept: dict[Source, tuple[int, tuple[int, ...]]]
    recipes: dict[int, Recipe]
    skipped: dict[int, Source]
    out_of_place: frozenset[nn.Module]
    protect: frozenset[Source]

    @property
    def outputs_of(self) -> frozenset[str]:
        """Paths of the modules whose output is held."""
        return frozenset(source.path for source in self.kept if source.side == "output")

    @property
    def inputs_of(self) -> frozenset[str]:
        """Paths of the modules whose input is held."""
        return frozenset(source.path for source in self.kept if source.side == "input")


class FollowingRecorder(CallRecorder):
    """Take the values that a pattern says are held.

    Parameters
    ----------
    plan : Plan
        As for the watched pass.
    pattern : Pattern
        What that pass taught.
    """

    def __init__(self, plan: Plan, pattern: Pattern) -> None:
        protect = plan.protect | pattern.protect
        super().__init__(plan._replace(protect=protect), frozenset())
        self.calls = pattern.calls
        self.recipes = pattern.recipes
        self.skipped = pattern.skipped
        self._expected = pattern.kept
        self._seen: dict[tuple[str, str], int] = {}

    def enter(self, path: str, _module: nn.Module, args: tuple[Any, ...], kwargs: Any) -> None:
        """Take a module's first input (a forward pre-hook)."""
        self._take_value(path, "input", (args, kwargs))

    def after(self, path: str, output: Nest) -> Nest:
        """Take a module's output (a forward hook); return what the model goes on with."""
        return self._take_value(path, "output", output)

    def _take_value(self, path: str, side: str, nest: Nest) -> Nest:
        number = self._seen.get((path, side), 0) + 1
        self._seen[(path, side)] = number
        source = Source(path, number, side)
        expected = self._expected.get(source)
        if expected is None:
            return nest
        tensor = first_tensor(nest)
        if tensor is None or tensor.shape != expected[1]:
            return nest  # `is_complete` will say so
        if side == "output" and source in self.plan.protect:
            handed_on = tensor.clone()
            self.hold(tensor, expected[0], source)
            return replace_tensors(nest, lambda item: handed_on if item is tensor else item)
        self.hold(tensor, expected[0], source)
        return nest

    def is_complete(self) -> bool:
        """Tell whether everything came as the pattern says, and stayed as it came."""
        return len(self.kept) == len(self._expected) and not self.overwritten()
