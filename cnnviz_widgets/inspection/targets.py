"""Inspection: which number a gradient is taken of.

In: a user's `target` (class index, class name, callable or None). Out: one scalar per image.
"""

from __future__ import annotations

import difflib
import operator
import reprlib
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from cnnviz_widgets.inspection.values import Nest

Target = int | str | Callable[[Nest], Tensor] | None


def class_index(target: int | str, classes: int, class_names: Sequence[str] | None) -> int:
    """Return the place of a class in the scores.

    Raises
    ------
    ValueError
        There is no such class.
    TypeError
        `target` is neither an index nor a name.
    """
    if isinstance(target, str):
        return _named(target, classes, class_names)
    try:
        index = operator.index(target)
    except TypeError:
        index = None
    if index is None or isinstance(target, bool):
        several = isinstance(target, (list, tuple, Tensor))
        hint = " One at a time; cw.cam_sweep() takes several." if several else ""
        msg = (
            f"target={reprlib.repr(target)} is a {type(target).__name__}; a target is a class "
            f"index, a class name, a function of the model's output, or None for the top "
            f"prediction.{hint}"
        )
        raise TypeError(msg)
    if not 0 <= index < classes:
        msg = f"target={index} is not a class of this model; it has {classes}: 0 to {classes - 1}."
        raise ValueError(msg)
    return index


def resolved(target: Target, scores: Tensor | None, class_names: Sequence[str] | None) -> Target:
    """Return a class as its index in scores (N, K), anything else as it is."""
    if target is None or callable(target) or scores is None:
        return target
    return class_index(target, scores.shape[1], class_names)


def _named(name: str, classes: int, class_names: Sequence[str] | None) -> int:
    if class_names is None:
        msg = (
            f"target={name!r} is a class name, but the Inspector has no class names; give "
            f"class_names=, or the index of the class, 0 to {classes - 1}."
        )
        raise ValueError(msg)
    if name in class_names:
        return min(list(class_names).index(name), classes - 1)
    close = difflib.get_close_matches(name, class_names, n=3, cutoff=0.4)
    near = ", ".join(repr(item) for item in close) if close else "none"
    msg = (
        f"target={name!r} is not a class name; close matches: {near}; "
        f"see insp.class_names for all {len(class_names)}."
    )
    raise ValueError(msg)


def score_per_image(
    target: Target, raw: Nest, scores: Tensor | None, class_names: Sequence[str] | None
) -> Tensor:
    """Return the target's score for each image, attached to the graph.

    Parameters
    ----------
    target : int, str, callable or None
        Class index, class name, ``output -> scalar per image``, or None for each image's top class.
    raw : nest of Tensor
        What the model returned; a callable is given this.
    scores : Tensor of shape (N, K) or None
        The class scores.
    class_names : sequence of str or None
        Names of the K classes.

    Returns
    -------
    Tensor of shape (N,)
    """
    if callable(target):
        return _called(target, raw)
    if scores is None:
        msg = (
            f"target={target!r}: this model's output has no tensor of class scores; give output= "
            f"to Inspector, or a function of the model's output as target."
        )
        raise ValueError(msg)
    if target is None:
        top = torch.nan_to_num(scores.detach(), nan=-torch.inf).argmax(dim=1)
        return scores.gather(1, top[:, None])[:, 0]
    return scores[:, class_index(target, scores.shape[1], class_names)]


def _called(target: Callable[[Nest], Tensor], raw: Nest) -> Tensor:
    score = target(raw)
    if not isinstance(score, Tensor) or not score.is_floating_point() or score.dim() > 1:
        kind = type(score).__name__
        seen = f"{score.dtype} of shape {tuple(score.shape)}" if isinstance(score, Tensor) else kind
        msg = (
            f"target={target!r} returned {seen}; it must return one floating-point number per "
            f"image, a tensor of shape (N,)."
        )
        raise ValueError(msg)
    return score
