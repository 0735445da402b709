"""Inspection: the scores among what a model returns, and what kind of scores they are.

In: the raw output of a model and the user's `output` selector. Out: scores of shape (N, K), and
whether they are logits, probabilities or log-probabilities.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor
from torch.overrides import TorchFunctionMode

from cnnviz_widgets.inspection.operations import Operation
from cnnviz_widgets.inspection.values import Nest, ValueNumbers, tensors_in

Selector = str | int | Callable[[Nest], Tensor]

_KINDS = {
    "softmax": "probability", "Softmax": "probability", "sigmoid": "probability",
    "Sigmoid": "probability", "sigmoid_": "probability", "log_softmax": "log-probability",
    "LogSoftmax": "log-probability", "logsigmoid": "log-probability",
    "LogSigmoid": "log-probability",
}  # fmt: skip
# Functions that leave the scores what they are.
_PASS_ON = {
    "view", "reshape", "flatten", "squeeze", "squeeze_", "unsqueeze", "contiguous", "clone", "to",
    "float", "double", "half", "bfloat16", "cpu", "detach", "dropout", "Flatten", "Identity",
    "Dropout", "__getitem__", "__get__", "select", "narrow", "chunk", "split", "unbind", "t",
    "transpose", "permute", "mean", "adaptive_avg_pool2d", "AdaptiveAvgPool2d", "data",
}  # fmt: skip

# Functions that put values one behind the other.
_JOINS = {"stack", "cat", "concat", "concatenate", "vstack", "row_stack", "hstack"}


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


def select_scores(raw: Nest, output: Selector | None, batch_size: int) -> Tensor | None:
    """Return the class scores of a model's output.

    Parameters
    ----------
    raw : nest of Tensor
        What the model returned.
    output : str, int, callable or None
        Key or attribute, index, or ``raw -> scores``. None takes the output itself when it is a
        tensor, else its only 2-D floating-point tensor with a row for each image.
    batch_size : int
        Images in the batch, N. A single number for each image is taken as (N, 1), and K numbers
        for a batch of one as (1, K).

    Returns
    -------
    Tensor of shape (N, K) or None
        None where there is no tensor of classes, as in a network that gives back a picture.

    Raises
    ------
    ValueError
        Several tensors could be the scores, or `output` picks nothing, or nothing with N rows.
    TypeError
        `output` does not pick a tensor.
    """
    if output is not None:
        return _as_scores(_picked(raw, output), output, batch_size)
    if isinstance(raw, Tensor):
        return _as_scores(raw, None, batch_size)
    candidates = [
        (name, tensor)
        for name, tensor in named_tensors(raw)
        if tensor.dim() == 2 and tensor.is_floating_point() and len(tensor) == batch_size
    ]
    if len(candidates) > 1:
        shown = ", ".join(f"output{name} of shape {tuple(t.shape)}" for name, t in candidates)
        msg = (
            f"output=None is ambiguous: {len(candidates)} tensors could be the class scores: "
            f"{shown}. Say which with output=, a key, an index or a function of the model's output."
        )
        raise ValueError(msg)
    return candidates[0][1] if candidates else None


def _as_scores(tensor: Tensor, output: Selector | None, batch_size: int) -> Tensor | None:
    if tensor.is_floating_point():
        rows = tensor.shape[0] if tensor.dim() else 1
        if tensor.dim() == 2 and rows == batch_size:
            return tensor
        if tensor.dim() < 2 and batch_size in {rows, 1}:
            return tensor.reshape(batch_size, -1)
    if output is None:
        return None
    msg = (
        f"output={output!r} picks a {tensor.dtype} tensor of shape {tuple(tensor.shape)}; class "
        f"scores are a floating-point tensor of shape (N, K), here ({batch_size}, K). Choose "
        f"another part of the output."
    )
    raise ValueError(msg)


def _picked(raw: Nest, output: Selector) -> Tensor:
    found = _called(raw, output) if callable(output) else _part(raw, output)
    if not isinstance(found, Tensor):
        msg = (
            f"output={output!r} picks a {type(found).__name__}, not a tensor; give a key, an index "
            f"or a function that returns the scores of shape (N, K)."
        )
        raise TypeError(msg)
    return found


def _called(raw: Nest, output: Callable[[Nest], Tensor]) -> object:
    try:
        return output(raw)
    except Exception as error:
        msg = (
            f"output={output!r} raised {type(error).__name__}: {error}; it was given what the "
            f"model returned, {_seen(raw)}."
        )
        raise ValueError(msg) from error


def _part(raw: Nest, output: str | int) -> object:
    if isinstance(raw, Tensor):
        msg = (
            f"output={output!r} picks a part of a tuple, dict or dataclass, but the model returned "
            f"{_seen(raw)}; leave output out, or give a function of it."
        )
        raise ValueError(msg)  # noqa: TRY004 - the value of `output` is what is wrong
    try:
        return getattr(raw, str(output)) if _has_attribute(raw, output) else raw[output]
    except (KeyError, IndexError, TypeError):
        msg = (
            f"output={output!r} is not in what the model returned, {_seen(raw)}. Give a key, an "
            f"index or a function."
        )
        raise ValueError(msg) from None


def _seen(raw: Nest) -> str:
    if isinstance(raw, Tensor):
        return f"a tensor of shape {tuple(raw.shape)}"
    names = ", ".join(f"output{name}" for name, _ in named_tensors(raw)) or "no tensor"
    return f"a {type(raw).__name__} with {names}"


def _has_attribute(raw: Nest, output: Selector) -> bool:
    return isinstance(output, str) and not isinstance(raw, Mapping) and hasattr(raw, output)


class _Watch(TorchFunctionMode):
    """Note what a selector does with a model's output, as the recorder does inside the model."""

    def __init__(self, values: ValueNumbers) -> None:
        super().__init__()
        self.operations: list[Operation] = []
        self._values = values

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # Any: the result of any torch function
        given = tensors_in((args, kwargs or {}))
        inputs = tuple(self._values.number(tensor) for tensor in given)
        result = func(*args, **(kwargs or {}))
        outputs = tuple(self._values.number(tensor) for tensor in tensors_in(result))
        name = getattr(func, "__name__", "")
        self.operations.append(Operation(name, "", 0, inputs, outputs, (), (), ()))
        return result


class FinalFunction(NamedTuple):
    """The softmax or sigmoid that gives the scores: its name, and which of its calls, from 0."""

    name: str
    occurrence: int


class ScoreOrigin(NamedTuple):
    """Where the scores come from.

    Attributes
    ----------
    value : int
        Their value number; -1 where there are no scores.
    kind : str
        "logit", "probability" or "log-probability".
    final : FinalFunction or None
        The torch function that made probabilities of logits, if one did.
    """

    value: int
    kind: str
    final: FinalFunction | None


def score_origin(
    raw: Nest,
    output: Selector | None,
    batch_size: int,
    *,
    operations: Sequence[Operation],
    values: ValueNumbers,
) -> ScoreOrigin:
    """Return where the scores in a model's output come from, and their kind.

    Parameters
    ----------
    raw, output, batch_size
        As in `select_scores`.
    operations : sequence of Operation
        What the model did.
    values : ValueNumbers
        Those of the same pass.
    """
    with _Watch(values) as watch:
        scores = select_scores(raw, output, batch_size)
        if scores is None:
            return ScoreOrigin(-1, "logit", None)
    value = values.number(scores)
    everything = (*operations, *watch.operations)
    return ScoreOrigin(value, score_kind(everything, value), final_function(everything, value))


def score_kind(operations: Sequence[Operation], value: int) -> str:
    """Return "logit", "probability" or "log-probability" for the value with this number.

    Follows the operations back from the scores to a softmax or sigmoid, module or function; where
    they were joined, as of one softmax for each row, to those of all parts.
    """
    found = _final_places(operations, value)
    kinds = {_KINDS[operations[place].name] if place >= 0 else "logit" for place in found.places}
    return kinds.pop() if len(kinds) == 1 else "logit"


def final_function(operations: Sequence[Operation], value: int) -> FinalFunction | None:
    """Return the softmax or sigmoid function behind the value with this number; None without.

    None also where values were joined behind it: then what it is given is only a part.
    """
    found = _final_places(operations, value)
    place = found.places[0]
    if place < 0 or found.joined:
        return None
    made = operations[place].outputs
    for index in range(place, -1, -1):  # a leaf call is noted right after the function inside it
        function = operations[index]
        if not function.call and function.name in _KINDS and function.outputs == made:
            before = operations[:index]
            return FinalFunction(
                function.name, sum(not o.call and o.name == function.name for o in before)
            )
    return None


class _Found(NamedTuple):
    """Places of the operations that values come from, -1 for others, and whether any joined."""

    places: list[int]
    joined: bool


def _final_places(operations: Sequence[Operation], value: int) -> _Found:
    """Return the places of the softmax or sigmoid that a value, or its parts, come from."""
    for place in range(len(operations) - 1, -1, -1):
        function = operations[place]
        if value not in function.outputs:
            continue
        if function.name in _KINDS:
            return _Found([place], joined=False)
        if function.name in _JOINS and not function.call and function.inputs:
            before = operations[:place]
            parts = [_final_places(before, part).places for part in dict.fromkeys(function.inputs)]
            return _Found([found for part in parts for found in part], joined=True)
        if function.name not in _PASS_ON or not function.inputs:
            if function.call and value not in function.inputs:
                continue  # a whole leaf call: what ran inside it was noted before it
            break
        value = function.inputs[0]
    return _Found([-1], joined=False)
