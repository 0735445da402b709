"""Methods: what a saliency method is given, and what it gives back.

In: one picture, the score to explain, and functions that run the model on batches like it. Out: an
`Attribution`: one number per input value, or per place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Tensor

from cnnviz_widgets.methods.progress import Report

Rule = Literal["guided", "deconvnet"]

_AT_ONCE = {"cpu": 6e9}
"""Multiply-adds of one batch: about 0.2 s on two cores, so that nobody waits long for a stop."""
_AT_ONCE_ELSEWHERE = 6e11
_MOST_AT_ONCE = 32
_MOST_VALUES = 64_000_000
"""Values of all layers in one batch: 256 MB in float32, which a graph holds about twice."""
_UNKNOWN_PER_VALUE = 12_000
"""Multiply-adds per input value where they are not known: those of ResNet-18."""


class Scores(Protocol):
    """Runs the model forward."""

    def __call__(self, batch: Tensor) -> Tensor:
        """Return the explained score (B,) of inputs (B, ...)."""


class Gradients(Protocol):
    """Runs the model forward and back to its input."""

    def __call__(self, batch: Tensor, rule: Rule | None) -> tuple[Tensor, Tensor]:
        """Return the scores (B,) and their gradients (B, ...), passed through ReLUs by a rule."""


class Attribution(NamedTuple):
    """What a method found.

    Attributes
    ----------
    values : Tensor of float32, shape (C, *grid)
        Signed and raw. C is 1 where the method does not tell channels apart.
    gap : float or None
        Integrated Gradients: sum of the attributions minus the difference of scores that they
        should add up to.
    note : str or None
        What a reader should know, in a sentence.
    resolved : dict of str to object
        Settings that the method chose itself.
    """

    values: Tensor
    gap: float | None = None
    note: str | None = None
    resolved: dict[str, object] | None = None


@dataclass
class Case:
    """One picture and one score: what every method is given.

    Attributes
    ----------
    picture : Tensor of shape (1, C, *grid) or (1, F)
        The input as the model takes it.
    score : float
        The score of `picture` that is explained.
    run_scores, run_gradients : callable
        The model on batches of inputs like `picture`; only methods below call them.
    black : Tensor of shape (C,) or None
        What a black pixel is after normalisation; None where that is not known: zero then.
    at_once : int
        Inputs in a batch.
    report : callable
        Told after every batch.
    forward, backward : int
        Passes so far, each of one input.
    """

    picture: Tensor
    score: float
    run_scores: Scores
    run_gradients: Gradients
    report: Report
    black: Tensor | None = None
    at_once: int = 1
    forward: int = field(default=0, init=False)
    backward: int = field(default=0, init=False)

    @property
    def grid(self) -> tuple[int, ...]:
        """Places along each spatial axis; for an input (N, F) its features."""
        return tuple(self.picture.shape[2:] if self.picture.dim() > 2 else self.picture.shape[1:])

    def scores(self, batch: Tensor) -> Tensor:
        """Return the score of each input, float32, shape (B,)."""
        self.forward += len(batch)
        return self.run_scores(batch).float()

    def gradients(self, batch: Tensor, rule: Rule | None = None) -> tuple[Tensor, Tensor]:
        """Return the scores (B,) and their gradients (B, ...), both float32."""
        self.forward += len(batch)
        self.backward += len(batch)
        scores, gradients = self.run_gradients(batch, rule)
        return scores.float(), gradients.float()

    def batches(self, total: int, partial: Callable[[], Tensor] | None = None) -> Iterator[range]:
        """Walk through the numbers 0 to total - 1 in batches, and report after each.

        Parameters
        ----------
        total : int
            Inputs to run.
        partial : callable, optional
            The map so far; asked for only by who wants to show it, and not before the first batch.
        """
        self.report(0, total, None)
        for start in range(0, total, self.at_once):
            done = min(start + self.at_once, total)
            yield range(start, done)
            self.report(done, total, partial)


def inputs_at_once(picture: Tensor, multiply_adds: int | None, values: int = 0) -> int:
    """Return how many inputs to run in one batch: as many as keep it short and small.

    The number depends on the model and on the kind of device, never on how many there are to run,
    so that memory does not either.

    Parameters
    ----------
    picture : Tensor of shape (1, ...)
        The input.
    multiply_adds : int or None
        Of a forward pass of one input, where they are known.
    values : int
        In the outputs of all layers for one input.
    """
    work = multiply_adds or picture.numel() * _UNKNOWN_PER_VALUE
    budget = _AT_ONCE.get(picture.device.type, _AT_ONCE_ELSEWHERE)
    most = min(budget // work, _MOST_VALUES // max(values, 1), _MOST_AT_ONCE)
    return max(int(most), 1)


def by_place(picture: Tensor, values: Tensor) -> Tensor:
    """Return values (B, *grid), one for each place, with the axes of the picture to multiply it."""
    return values[:, None] if picture.dim() > 2 else values


def seeded(seed: int) -> torch.Generator:
    """Return a generator of its own, on the CPU so that every device sees the same numbers."""
    return torch.Generator("cpu").manual_seed(seed)


def exact_product(weights: Tensor, values: Tensor) -> Tensor:
    """Return ``weights @ values`` in their own type, also where the caller runs under autocast."""
    kind = values.device.type
    if not torch.is_autocast_enabled(kind):
        return weights @ values
    with torch.autocast(kind, enabled=False):
        return weights @ values
