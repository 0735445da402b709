"""Inspection: the scores among what a model returns, and what kind of scores they are.

In: the raw output of a model and the user's `output` selector. Out: scores of shape (N, K), and
whether they are logits, probabilities or log-probabilities.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

from torch import Tensor

from cnnviz_widgets.inspection.operations import Operation
from cnnviz_widgets.inspection.values import Nest

Selector = str | int | Callable[[Nest], Tensor]

_KINDS = {
    "softmax": "probability", "Softmax": "probability", "sigmoid": "probability",
    "Sigmoid": "probability", "sigmoid_": "probability", "log_softmax": "log-probability",
    "LogSoftmax": "log-probability", "logsigmoid": "log-probability",
    "LogSigmoid": "log-probability",
}  # fmt: skip
# Functions that leave the scores what they are.
_PASS_ON = {
    "view", "reshape", "flatten", "squeeze", "unsqueeze", "contiguous", "clone", "to", "float",
    "Flatten", "Identity", "Dropout", "__getitem__", "mean", "AdaptiveAvgPool2d",
}  # fmt: skip


def named_tensors(nest: Nest, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield every tensor of a model's output with the way to it, such as ``['aux'][0]``."""
    if isinstance(nest, Tensor):
        yield name, nest
    elif isinstance(nest, Mapping):
        for key, item in nest.items():
            yield from named_tensors(item, f"{name}[{key!r}]")
    elif isinstance(nest, (tuple, list)):
        for index, item in enumerate(nest):
            yield from named_tensors(item, f"{name}[{index}]")
    elif dataclasses.is_dataclass(nest) and not isinstance(nest, type):
        for field in dataclasses.fields(nest):
            yield from named_tensors(getattr(nest, field.name), f"{name}.{field.name}")


def select_scores(raw: Nest, output: Selector | None) -> Tensor | None:
    """Return the class scores of a model's output.

    Parameters
    ----------
    raw : nest of Tensor
        What the model returned.
    output : str, int, callable or None
        Key or attribute, index, or ``raw -> scores``. None takes the output itself when it is a
        tensor, else its only 2-D floating-point tensor.

    Returns
    -------
    Tensor of shape (N, K) or None
        None where there is no tensor of classes, as in a network that gives back a picture.

    Raises
    ------
    ValueError
        Several tensors could be the scores, or `output` picks nothing.
    TypeError
        `output` does not pick a tensor.
    """
    if output is not None:
        return _as_scores(_picked(raw, output), output)
    if isinstance(raw, Tensor):
        return _as_scores(raw, None)
    candidates = [
        (name, tensor)
        for name, tensor in named_tensors(raw)
        if tensor.dim() == 2 and tensor.is_floating_point()
    ]
    if len(candidates) > 1:
        shown = ", ".join(f"output{name} of shape {tuple(t.shape)}" for name, t in candidates)
        msg = (
            f"output=None is ambiguous: {len(candidates)} tensors could be the class scores: "
            f"{shown}. Say which with output=, a key, an index or a function of the model's output."
        )
        raise ValueError(msg)
    return candidates[0][1] if candidates else None


def _as_scores(tensor: Tensor, output: Selector | None) -> Tensor | None:
    if tensor.dim() == 1 and tensor.is_floating_point():
        return tensor[:, None]
    if tensor.dim() == 2 and tensor.is_floating_point():
        return tensor
    if output is None:
        return None
    msg = (
        f"output={output!r} picks a {tensor.dtype} tensor of shape {tuple(tensor.shape)}; class "
        f"scores are a floating-point tensor of shape (N, K). Choose another part of the output."
    )
    raise ValueError(msg)


def _picked(raw: Nest, output: Selector) -> Tensor:
    found: object
    if callable(output):
        found = output(raw)
    else:
        try:
            found = raw[output] if not _has_attribute(raw, output) else getattr(raw, str(output))
        except (KeyError, IndexError, TypeError):
            names = ", ".join(f"output{name}" for name, _ in named_tensors(raw)) or "no tensor"
            msg = (
                f"output={output!r} is not in what the model returned, a {type(raw).__name__} "
                f"with {names}. Give a key, an index or a function."
            )
            raise ValueError(msg) from None
    if not isinstance(found, Tensor):
        msg = (
            f"output={output!r} picks a {type(found).__name__}, not a tensor; give a key, an index "
            f"or a function that returns the scores of shape (N, K)."
        )
        raise TypeError(msg)
    return found


def _has_attribute(raw: Nest, output: Selector) -> bool:
    return (
        isinstance(output, str)
        and not isinstance(raw, Mapping)
        and not isinstance(raw, Tensor)
        and hasattr(raw, output)
    )


def score_kind(operations: Sequence[Operation], value: int) -> str:
    """Return "logit", "probability" or "log-probability" for the value with this number.

    Follows the operations back from the scores to a softmax or sigmoid, module or function.
    """
    for function in reversed(operations):
        if value not in function.outputs:
            continue
        if function.name in _KINDS:
            return _KINDS[function.name]
        if function.name not in _PASS_ON or not function.inputs:
            if function.call and value not in function.inputs:
                continue  # a whole leaf call: what ran inside it was noted before it
            return "logit"
        value = function.inputs[0]
    return "logit"
