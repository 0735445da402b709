"""Inspection: the score that is explained, and its name.

In: a model's output for one pass. Out: the class scores before a final softmax or sigmoid, and
`ExplainedTarget`, one score with its class and kind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from cnnviz_widgets.inspection.outputs import FinalFunction
from cnnviz_widgets.inspection.predictions import class_name
from cnnviz_widgets.inspection.targets import class_index, score_per_image
from cnnviz_widgets.inspection.values import Nest, replace_tensors, tensors_in
from cnnviz_widgets.words import phrase

ScoreFunction = Callable[[Nest], Tensor]
_SATURATED = 1e-3  # of a probability: nearer than this to 0 or 1, gradients are all but gone
_FINAL: dict[str, Callable[[Tensor], Tensor]] = {
    "softmax": lambda logits: logits.softmax(1),
    "log_softmax": lambda logits: logits.log_softmax(1),
    "logsigmoid": torch.nn.functional.logsigmoid,
}


@dataclass(frozen=True)
class ExplainedTarget:
    """One score of one image: what a map explains.

    Attributes
    ----------
    index : int or None
        The class; None where the score is a function or a sum over classes.
    name : str
        Of the class, or of the function.
    score : float
        Its value for the image as it is.
    score_kind : str
        "logit", "probability", "log-probability" or "custom".
    saturated : bool
        Whether the score is a probability so near 0 or 1 that its gradient is all but gone.
    notice : str or None
        What a reader must know of the score, in a full sentence.
    function : callable or None
        ``output -> scalar per image``, where it was given.
    weights : Tensor of shape (K,) or None
        Of the class scores, where the score is their weighted sum.
    """

    index: int | None
    name: str
    score: float
    score_kind: str
    saturated: bool = False
    notice: str | None = None
    function: ScoreFunction | None = field(default=None, repr=False, compare=False)
    weights: Tensor | None = field(default=None, repr=False, compare=False)


# What a pass takes: a target as it was resolved, a class index, or a function of the output.
Explainable = ExplainedTarget | int | ScoreFunction


class Logits(TorchFunctionMode):
    """Note what the final softmax or sigmoid is given, while the model runs.

    Parameters
    ----------
    final : FinalFunction
        Which call of which function it is.

    Attributes
    ----------
    values : Tensor or None
        A copy of its input, in the graph; None until it was called.
    name : str
        Of the function.
    """

    def __init__(self, final: FinalFunction) -> None:
        super().__init__()
        self.values: Tensor | None = None
        self.name = final.name
        self._occurrence = final.occurrence
        self._calls = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # Any: the result of any torch function
        """Run one torch function; copy its input where it is the one."""
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") == self.name:
            if self._calls == self._occurrence:
                self.values = tensors_in((args, kwargs))[0].clone()  # it may work in place
            self._calls += 1
        return func(*args, **kwargs)

    def fit(self, scores: Tensor) -> bool:
        """Tell whether the function makes these scores of the values, class by class."""
        if self.values is None or self.values.numel() != scores.numel():
            return False
        logits = self.values.detach().reshape(scores.shape).float()
        again = _FINAL.get(self.name, torch.sigmoid)(logits)
        return torch.allclose(again, scores.detach().float(), rtol=1e-3, atol=1e-5)


@dataclass(frozen=True)
class Scores:
    """What one pass says, for each of its images.

    Attributes
    ----------
    raw : nest of Tensor
        What the model returned.
    values : Tensor of shape (B, K) or None
        The class scores that are explained: before a final softmax or sigmoid.
    kind : str
        What these are: "logit", "probability" or "log-probability".
    final : Tensor of shape (B, K) or None
        The class scores as the model gave them.
    before : str
        Name of the softmax or sigmoid that was left out; empty without one.
    """

    raw: Nest
    values: Tensor | None
    kind: str
    final: Tensor | None = None
    before: str = ""

    def of_target(self, target: Explainable, class_names: Sequence[str] | None) -> Tensor:
        """Return the target's score for each image, shape (B,) or () of a function."""
        if isinstance(target, ExplainedTarget):
            if target.weights is not None and self.values is not None:
                return self.values @ target.weights.to(self.values)
            target = target.index if target.function is None else target.function  # type: ignore[assignment]  # one of them is there
        return score_per_image(target, self.raw, self.values, class_names)  # type: ignore[arg-type]  # no longer resolved

    def detached(self) -> Scores:
        """Return the same without a graph, to be kept."""
        values = None if self.values is None else self.values.detach()
        raw = replace_tensors(self.raw, Tensor.detach)
        return replace(self, raw=raw, values=values, final=None)


@dataclass(frozen=True)
class ClassScores:
    """The class scores of one image.

    Attributes
    ----------
    numbers : list of float
        By class; empty where there are none.
    kind, before : str
        As in `Scores`.
    """

    numbers: list[float]
    kind: str
    before: str

    def explained(self, index: int, class_names: Sequence[str] | None) -> ExplainedTarget:
        """Return a class as a target."""
        score, kind = self.numbers[index], self.kind
        notice, saturated = None, False
        if self.before:
            notice = phrase("score_before", function=str(self.before))
        elif kind != "logit":
            saturated = _is_saturated(score, kind)
            notice = phrase("score_unclear", kind=phrase(f"score_kind_{kind}"))
        name = class_name(class_names, index, len(self.numbers))
        return ExplainedTarget(index, name, score, kind, saturated=saturated, notice=notice)


class ClassTargets(Sequence[ExplainedTarget]):
    """Classes of one image as targets, each made when it is asked for: a thousand take 2 ms.

    Parameters
    ----------
    scores : ClassScores
        Of the image.
    indices : sequence of int
        Which classes.
    class_names : sequence of str or None
        Of all classes.

    Raises
    ------
    ValueError
        There is no such class.
    """

    def __init__(
        self, scores: ClassScores, indices: Sequence[int], class_names: Sequence[str] | None
    ) -> None:
        for index in {min(indices, default=0), max(indices, default=0)}:
            class_index(index, len(scores.numbers), None)
        self.indices = list(indices)
        self._scores = scores
        self._class_names = class_names

    def __len__(self) -> int:
        return len(self.indices)

    @overload
    def __getitem__(self, place: int) -> ExplainedTarget: ...

    @overload
    def __getitem__(self, place: slice) -> ClassTargets: ...

    def __getitem__(self, place: int | slice) -> ExplainedTarget | ClassTargets:
        if isinstance(place, slice):
            return ClassTargets(self._scores, self.indices[place], self._class_names)
        return self._scores.explained(self.indices[place], self._class_names)

    def distinct(self) -> ClassTargets:
        """Return the same with each class once."""
        once = [*dict.fromkeys(self.indices)]
        if len(once) == len(self):
            return self
        return ClassTargets(self._scores, once, self._class_names)


def indices_of(targets: Sequence[ExplainedTarget]) -> list[int | None]:
    """Return the class of each target, None for one that is no class."""
    if isinstance(targets, ClassTargets):
        return [*targets.indices]
    return [target.index for target in targets]


class OwnScores:
    """What the model says about one image as it is.

    Parameters
    ----------
    scores : Scores
        Of a pass.
    row : int
        The image's place in it.

    Attributes
    ----------
    classes : ClassScores
        The image's class scores.
    """

    def __init__(self, scores: Scores, row: int) -> None:
        self.scores = scores
        self.row = row
        numbers: list[float] = [] if scores.values is None else scores.values[row].tolist()
        self.classes = ClassScores(numbers, scores.kind, scores.before)

    def top(self) -> int:
        """Return the class with the highest score; NaN counts as lowest."""
        numbers = self.classes.numbers
        return max(
            range(len(numbers)),
            key=lambda place: numbers[place] if numbers[place] == numbers[place] else -math.inf,
        )

    def weighted(self, weights: Tensor) -> ExplainedTarget:
        """Return a weighted sum of the class scores as a target.

        Raises
        ------
        ValueError
            There are not as many weights as classes.
        """
        values = self.scores.values
        if values is None or weights.shape != values.shape[1:]:
            classes = (
                "no class scores" if values is None else f"{len(self.classes.numbers)} classes"
            )
            msg = f"target has weights of shape {tuple(weights.shape)}; the model gives {classes}."
            raise ValueError(msg)
        score = float(values[self.row] @ weights.to(values))
        return ExplainedTarget(None, "a sum of classes", score, self.scores.kind, weights=weights)

    def called(self, function: ScoreFunction) -> ExplainedTarget:
        """Return a function of the output as a target."""
        name = getattr(function, "__name__", type(function).__name__)
        found = self.scores.of_target(function, None).reshape(-1)
        score = float(found[self.row if len(found) > self.row else 0])
        return ExplainedTarget(None, str(name), score, "custom", function=function)


def _is_saturated(score: float, kind: str) -> bool:
    if kind == "probability":
        return not _SATURATED < score < 1 - _SATURATED
    return score > -_SATURATED
