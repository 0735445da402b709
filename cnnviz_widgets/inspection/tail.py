"""Inspection: the part of a network behind one layer, run on other values of that layer.

In: one layer call of a `Session` and one image. Out: `Tail`, the scores that follow from values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from torch import Tensor

from cnnviz_widgets.inspection.calls import Call, Source
from cnnviz_widgets.inspection.explained import Explainable
from cnnviz_widgets.inspection.layers import find_layer
from cnnviz_widgets.inspection.runs import Subject, run
from cnnviz_widgets.inspection.session import Session
from cnnviz_widgets.inspection.taps import Check, Checks, Taps
from cnnviz_widgets.inspection.values import Nest, first_tensor, replace_tensors


class Tail:
    """What follows one layer call, for one image.

    Parameters
    ----------
    opened : callable
        ``opened(wait)`` holds the lock and gives the session.
    class_names : sequence of str or None
        Of the Inspector.
    layer : str
        Name of the layer.
    image : int
        Place in the batch.
    value : Tensor of shape (1, ...)
        What the layer gave.

    Attributes
    ----------
    value : Tensor of shape (1, ...)
        As given.
    """

    def __init__(
        self,
        opened: Callable[[float | None], AbstractContextManager[Session]],
        class_names: Sequence[str] | None,
        *,
        layer: str,
        image: int,
        value: Tensor,
    ) -> None:
        self.value = value
        self._opened = opened
        self._class_names = class_names
        self._layer = layer
        self._image = image

    def scores(
        self,
        values: Tensor,
        target: Explainable,
        *,
        check: Check | None = None,
        wait: float | None = None,
    ) -> Tensor:
        """Return the target's score for other values of the layer.

        Parameters
        ----------
        values : Tensor of shape (B, ...)
            What the layer is to give, one row for each variant.
        target, check, wait
            As in `Passes.scores`.

        Returns
        -------
        Tensor of shape (B,)
            As the whole network would give with the layer's value replaced.
        """
        with self._opened(wait) as session:
            subject = Subject.of(session, self._image)
            first = subject.first
            variants = subject.variants(first.expand(len(values), *first.shape[1:]))
            info = find_layer(session.modules, self._layer)
            call = session.call(Source(info.path, info.call, "output"))
            around = (Taps([call], _Replacing(values)), Checks(session.trace.calls, check))
            with run(session, variants, around=around) as scores:
                return scores.of_target(target, self._class_names)


class _Replacing:
    """Give the model other values in place of a call's output; see `Taps`."""

    def __init__(self, values: Tensor) -> None:
        self._values = values

    def __call__(self, _call: Call, output: Nest) -> Nest:
        """Return the output with its first tensor replaced."""
        old = first_tensor(output)
        return replace_tensors(output, lambda item: self._values if item is old else item)
