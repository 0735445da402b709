"""Inspection: what to say where torch takes no gradient of a model's pass.

In: the error of a backward pass, and the model's `Structure`. Out: an error that says what
happened, where, and what to do.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from cnnviz_widgets.inspection.structure import Structure
from cnnviz_widgets.inspection.targets import Target

_WRITTEN = "modified by an inplace operation"
_CHECKPOINTED = "use_reentrant"
_RUN_AGAIN = "torch.utils.checkpoint: "  # another way than before, as our hooks were gone
_WITHOUT = "a method without gradients, such as 'scorecam' or 'occlusion'"


def is_refusal(error: RuntimeError) -> bool:
    """Tell whether torch refuses a gradient because of how the model is written."""
    return any(part in str(error) for part in (_WRITTEN, _CHECKPOINTED, _RUN_AGAIN))


@contextlib.contextmanager
def in_our_words(structure: Structure) -> Iterator[None]:
    """Say of a refusal inside the block what it means for the user.

    Parameters
    ----------
    structure : Structure
        What the model does.
    """
    try:
        yield
    except RuntimeError as error:
        if _CHECKPOINTED in str(error):
            msg = (
                f"torch cannot take this gradient: the model calls torch.utils.checkpoint with "
                f"use_reentrant=True, which hides what is inside. Give it use_reentrant=False, as "
                f"torch recommends, or choose {_WITHOUT}."
            )
        elif _WRITTEN in str(error):
            msg = (
                f"torch cannot take this gradient: the model writes in place to {_what(error)}, "
                f"which the gradient needs as it was{_where(error, structure)}. Write y = y + z "
                f"there for y += z, f(y) for f_(y), and no part of y in place, or choose "
                f"{_WITHOUT}."
            )
        else:
            raise
        raise RuntimeError(msg) from error


def not_connected(path: str, target: Target) -> ValueError:
    """Return the error for a score in whose graph a layer has no part."""
    msg = (
        f"target={target!r} does not depend on layer={path!r} through the graph, so there is no "
        f"gradient: the model detaches it, runs it under no_grad, or does not use it. Choose "
        f"another layer or target."
    )
    return ValueError(msg)


def _what(error: RuntimeError) -> str:
    function, shape = _function(error), _shape(error)
    size = f" of shape {shape}" if shape else ""
    return f"a value{size}{f' that {function}() gave' if function else ''}"


def _where(error: RuntimeError, structure: Structure) -> str:
    """Say in which layer the value was made, where that is known."""
    function, shape = _function(error), _shape(error)
    paths = [
        operation.path
        for operation in structure.operations
        if not operation.call
        and operation.name.rstrip("_") == function
        and shape in operation.output_shapes
    ]
    if not paths:
        return ""
    places = " or ".join(
        f"layer {path!r}" if path else "the model's own forward()" for path in dict.fromkeys(paths)
    )
    return f"; it was made in {places}"


def _function(error: RuntimeError) -> str:
    """Return the name of the function that gave the value, as torch tells it."""
    found = re.search(r"output \d+ of ([A-Za-z]\w*?)(?:Backward\d*)?,", str(error))
    return "" if found is None else found[1].lower()


def _shape(error: RuntimeError) -> tuple[int, ...]:
    found = re.search(r"\[torch\.[\w.]+ \[([\d, ]+)\]\]", str(error))
    return () if found is None else tuple(map(int, found[1].split(", ")))
