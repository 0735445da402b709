"""Inspection: what the network says about each picture.

In: scores of shape (N, K) and their kind. Out: the best classes with score and probability.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Prediction:
    """One class for one picture.

    Attributes
    ----------
    index : int
        Place in the model's output, from 0.
    name : str
        The class's name, or its index as text.
    score : float
        The number that the model gave.
    probability : float
        In [0, 1]: softmax over the scores, sigmoid of a single score, or what the model's own
        softmax or sigmoid gave.
    """

    index: int
    name: str
    score: float
    probability: float

    def __repr__(self) -> str:
        return (
            f"Prediction({self.index}, {self.name!r}, score {self.score:.4g}, "
            f"probability {self.probability:.3g})"
        )


def probabilities(scores: Tensor, kind: str) -> Tensor:
    """Return float32 probabilities of shape (N, K) for scores of this kind."""
    scores = scores.detach().float()
    if kind == "probability":
        return scores
    if kind == "log-probability":
        return scores.exp()
    return scores.sigmoid() if scores.shape[1] == 1 else scores.softmax(dim=1)


def checked_class_names(
    names: Sequence[str] | None, scores: Tensor | None
) -> tuple[str, ...] | None:
    """Return the user's class names, if they fit the scores of shape (N, K).

    Raises
    ------
    TypeError
        They are not a sequence of strings.
    ValueError
        There are not K of them (or two, for a single score).
    """
    if names is None:
        return None
    listed = isinstance(names, Iterable) and not isinstance(names, str)
    if not listed or not all(isinstance(name, str) for name in names):
        ordered = "; give [class_names[i] for i in range(len(class_names))]"
        hint = ordered if isinstance(names, Mapping) else ""
        msg = (
            f"class_names={reprlib.repr(names)} must be a sequence of strings, one for each "
            f"class{hint}."
        )
        raise TypeError(msg)
    classes = len(names) if scores is None else scores.shape[1]
    allowed = (1, 2) if classes == 1 else (classes,)
    if len(names) not in allowed:
        msg = (
            f"class_names has {len(names)} names, but the model's output has {classes} classes; "
            f"give {' or '.join(str(number) for number in allowed)} names."
        )
        raise ValueError(msg)
    return tuple(names)


def class_name(class_names: Sequence[str] | None, index: int, classes: int) -> str:
    """Return the name of a class.

    A single output with two names is the score of the second: ("no", "yes") names it "yes".
    """
    if class_names is None:
        return str(index)
    return class_names[1] if classes == 1 and len(class_names) == 2 else class_names[index]


def labels_of(scores: Tensor, class_names: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return the names of the K classes of scores (N, K); None without class names."""
    if class_names is None:
        return None
    classes = scores.shape[1]
    return tuple(class_name(class_names, index, classes) for index in range(classes))


def top_predictions(
    scores: Tensor, kind: str, class_names: Sequence[str] | None, k: int
) -> list[list[Prediction]]:
    """Return for each picture its k most probable classes, best first; NaN counts as lowest.

    Parameters
    ----------
    scores : Tensor of shape (N, K)
        What the model gave.
    kind : str
        "logit", "probability" or "log-probability".
    class_names : sequence of str or None
        K names, or two for a single output.
    k : int
        How many at most; fewer where the model has fewer classes.
    """
    chances = probabilities(scores, kind).cpu()
    values = scores.detach().float().cpu()
    classes = values.shape[1]
    order = torch.nan_to_num(values, nan=-torch.inf).argsort(dim=1, descending=True, stable=True)
    return [
        [
            Prediction(
                index,
                class_name(class_names, index, classes),
                float(values[image, index]),
                float(chances[image, index]),
            )
            for index in order[image, :k].tolist()
        ]
        for image in range(values.shape[0])
    ]
