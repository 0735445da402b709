"""Inspection: a copy of the model as one plain module from an image to its explained scores.

In: a `Session` and one image. Out: `Scorer`, for code that wants a module to put hooks on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection.explained import Logits
from cnnviz_widgets.inspection.outputs import select_scores
from cnnviz_widgets.inspection.probe import uncompiled
from cnnviz_widgets.inspection.randomness import RandomState
from cnnviz_widgets.inspection.runs import Subject
from cnnviz_widgets.inspection.session import Session
from cnnviz_widgets.inspection.shadow import Shadow
from cnnviz_widgets.inspection.values import replace_tensors, tensors_in


class Scorer(nn.Module):
    """The model as a module from variants of an image to class scores.

    Attributes
    ----------
    model : torch.nn.Module
        A copy of the user's model, made for this; layers are found in it by their paths. It
        shares the user's weights, frozen.
    """

    def __init__(self, session: Session, subject: Subject, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self._session = session
        self._subject = subject

    def forward(self, batch: Tensor) -> Tensor:
        """Return the scores (B, K), before a final softmax or sigmoid, of variants (B, ...)."""
        subject, session = self._subject.variants(batch), self._session
        final = session.structure.final_function
        logits = None if final is None else Logits(final)
        with logits or contextlib.nullcontext(), uncompiled():
            given = replace_tensors(subject.nest, torch.clone)  # the model may write to it
            raw = session.prepared.invoke(self.model, given)
            scores = select_scores(raw, session.selector, subject.rows)
        if scores is None:
            msg = "the model gives no class scores (B, K); give output= to Inspector."
            raise ValueError(msg)
        if logits is not None and logits.fit(scores):
            assert logits.values is not None
            return logits.values.reshape(scores.shape)
        return scores


@contextlib.contextmanager
def scorer(session: Session, subject: Subject) -> Iterator[Scorer]:
    """Make a fresh copy of the model for code that leaves hooks and flags behind.

    Raises
    ------
    ValueError
        The model cannot be copied, or mixes the images of a batch.
    """
    shadow = Shadow(session.model, session.own_parameters)
    if not shadow.isolated:
        msg = (
            f"model={type(session.model).__name__} cannot be copied ({shadow.reason}), so nothing "
            f"that puts hooks on it can be used; choose a method of our own."
        )
        raise ValueError(msg)
    if subject.rows > 1:
        msg = "the model mixes the images of a batch, so none can be explained alone; give one."
        raise ValueError(msg)
    before = RandomState.now(tensors_in(subject.nest))
    try:
        with shadow.guard(), torch.inference_mode(mode=False), torch.enable_grad():
            yield Scorer(session, subject, shadow.module).eval()
    finally:
        before.restore()
