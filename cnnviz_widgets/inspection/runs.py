"""Inspection: forward passes of the shadow on one image, or on variants of it.

In: a `Session` and inputs of one's own. Out: `Scores`, with whatever listened to the pass.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge

from cnnviz_widgets.inspection.calls import Call, Plan
from cnnviz_widgets.inspection.explained import Logits, Scores
from cnnviz_widgets.inspection.operations import OperationRecorder, ParameterWrittenError
from cnnviz_widgets.inspection.outputs import select_scores
from cnnviz_widgets.inspection.probe import Probe, uncompiled
from cnnviz_widgets.inspection.refusals import is_refusal
from cnnviz_widgets.inspection.session import Session
from cnnviz_widgets.inspection.swapped import TooManyRowsError
from cnnviz_widgets.inspection.values import Nest, replace_tensors, tensors_in

Around = Sequence[AbstractContextManager[object]]
Said = tuple[Nest, "Tensor | None"]  # what a model returned, and the class scores in it
Forward = Callable[[nn.Module], Said]
Runs = Callable[[Probe, Forward, Around], Said]


class InPlaceError(RuntimeError):
    """Torch cannot take gradients of this pass, as a function overwrote what they need."""


@dataclass(frozen=True)
class Subject:
    """What a pass is given: one image of the batch, or variants of it.

    Attributes
    ----------
    nest : nest of Tensor
        Inputs of the model.
    rows : int
        Images in them.
    row : int or None
        Which is meant; None means all, as of variants.
    image : int or None
        Its place in the session's batch; None where the inputs were changed.
    """

    nest: Nest
    rows: int
    row: int | None
    image: int | None

    @classmethod
    def of(cls, session: Session, image: int) -> Subject:
        """Take one image out of a session's batch, if the model gives it the same scores then."""
        size = session.prepared.batch_size
        if size > 1:
            if session.memory.alone is None:
                session.memory.alone = _same_alone(session)
            if session.memory.alone:
                return _alone(session, image)
        return cls(session.prepared.nest, size, image, image)

    @property
    def first(self) -> Tensor:
        """The image's part of the first floating-point tensor: the picture where there is one.

        Raises
        ------
        ValueError
            There is none.
        """
        for tensor in tensors_in(self.nest):
            if tensor.is_floating_point():
                return self.part(tensor)
        msg = (
            "inputs holds no floating-point tensor that could be changed by degrees; choose a "
            "method that works at a layer."
        )
        raise ValueError(msg)

    def variants(self, batch: Tensor) -> Subject:
        """Return inputs with this image's first floating-point tensor changed in B ways.

        Parameters
        ----------
        batch : Tensor of shape (B, ...)
            One row for each variant. Other tensors are repeated.
        """
        first = self.first
        if batch.shape[1:] != first.shape[1:]:
            msg = (
                f"batch has shape {tuple(batch.shape)}; variants of this input have shape "
                f"(B, {', '.join(map(str, first.shape[1:]))})."
            )
            raise ValueError(msg)
        repeated = self.repeated(len(batch))
        waiting = [batch]

        def changed(tensor: Tensor) -> Tensor:
            return waiting.pop() if tensor.is_floating_point() and waiting else tensor

        return replace(repeated, nest=replace_tensors(repeated.nest, changed))

    def repeated(self, count: int) -> Subject:
        """Return this image several times."""

        def often(tensor: Tensor) -> Tensor:
            batched = tensor.dim() > 0 and tensor.shape[0] == 1
            return tensor.expand(count, *tensor.shape[1:]) if batched else tensor

        return Subject(replace_tensors(self.nest, often), count, None, None)

    def each(self, batch: Tensor) -> Iterator[Subject]:
        """Yield inputs for one variant after the other."""
        for variant in batch[:, None]:
            if self.rows == 1:
                yield self.variants(variant)
                continue
            assert self.row is not None
            rest = self.nest_with(variant)
            yield Subject(rest, self.rows, self.row, None)

    def nest_with(self, variant: Tensor) -> Nest:
        """Return the inputs of all images, with the first tensor of this image changed."""
        waiting = [variant]

        def changed(tensor: Tensor) -> Tensor:
            if not (tensor.is_floating_point() and waiting):
                return tensor
            assert self.row is not None
            return torch.cat((tensor[: self.row], waiting.pop(), tensor[self.row + 1 :]))

        return replace_tensors(self.nest, changed)

    def laid_out(self, session: Session) -> Subject | None:
        """Return the same with the pictures' channels last in memory; None where it is no use.

        Convolutions on a CPU then take a tenth to a sixth less time (ResNet-18, two cores).
        """
        first = next((t for t in tensors_in(self.nest) if t.is_floating_point()), None)
        if first is None or first.dim() != 4 or first.device.type != "cpu":
            return None
        convolves = any(type(call.module) is nn.Conv2d for call in session.structure.calls)
        if not session.memory.channels_last or not convolves:
            return None
        laid = first.contiguous(memory_format=torch.channels_last)
        nest = replace_tensors(self.nest, lambda tensor: laid if tensor is first else tensor)
        return replace(self, nest=nest)

    def with_leaf(self) -> tuple[Tensor, Subject]:
        """Return the first floating-point tensor as a leaf of a graph, and inputs that hold it."""
        found = next(tensor for tensor in tensors_in(self.nest) if tensor.is_floating_point())
        with torch.inference_mode(mode=False):
            leaf = found.detach().clone().requires_grad_()
        nest = replace_tensors(self.nest, lambda tensor: leaf if tensor is found else tensor)
        return leaf, replace(self, nest=nest)

    def in_graph(self) -> Subject:
        """Return the same inputs as leaves of a graph."""

        def leaf(tensor: Tensor) -> Tensor:
            if not (tensor.is_floating_point() or tensor.is_complex()):
                return tensor
            with torch.inference_mode(mode=False):
                return tensor.detach().clone().requires_grad_()

        return replace(self, nest=replace_tensors(self.nest, leaf))

    def part(self, tensor: Tensor) -> Tensor:
        """Return the rows that are meant of a value of the pass, shape (1, ...) of one image."""
        if self.row is None or self.rows == 1 or not tensor.dim():
            return tensor
        return tensor[self.row : self.row + 1] if tensor.shape[0] == self.rows else tensor

    def traced(self, session: Session, call: Call) -> Tensor | None:
        """Return the value that the trace holds of a call, as this pass would give it."""
        kept = None if self.image is None else session.trace.value(call.value)
        size = session.prepared.batch_size
        if kept is None or self.image is None or self.rows == size:
            return kept
        batched = kept.dim() > 0 and kept.shape[0] == size
        return kept[self.image : self.image + 1] if batched else None


def _alone(session: Session, image: int) -> Subject:
    size = session.prepared.batch_size

    def row(tensor: Tensor) -> Tensor:
        batched = tensor.dim() > 0 and tensor.shape[0] == size
        return tensor[image : image + 1] if batched else tensor

    return Subject(replace_tensors(session.prepared.nest, row), 1, 0, image)


def _same_alone(session: Session) -> bool:
    """Tell whether the model gives the first image its scores also without the others."""
    subjects = [_alone(session, 0)]
    given, size = session.prepared.nest, session.prepared.batch_size
    batched = [t for t in tensors_in(given) if t.dim() and len(t) == size]
    if all(map(_is_one_value, batched)):  # says nothing about images that differ
        nest = replace_tensors(given, lambda tensor: _with_others(tensor, size))
        subjects.append(Subject(nest, size, 0, 0))
    try:
        for subject in subjects:
            with run(session, subject) as scores:
                if not agree(session, subject, scores):
                    return False
    except Exception:  # noqa: BLE001 - a model may refuse other sizes of batches in any way
        return False
    return True


def _is_one_value(rows: Tensor) -> bool:
    """Tell whether all rows are the same but for rounding."""
    if rows.is_complex():
        rows = torch.view_as_real(rows)
    return near(rows, rows[:1].expand_as(rows))


def _with_others(tensor: Tensor, size: int) -> Tensor:
    """Return a batch with all images but the first changed."""
    if tensor.dim() == 0 or len(tensor) != size:
        return tensor
    first, rest = tensor[:1], tensor[1:]
    if tensor.is_floating_point():
        ramp = torch.linspace(-1, 1, rest.numel(), device=rest.device, dtype=torch.float32)
        rest = rest + ramp.view(rest.shape).to(rest.dtype) * (rest.abs().max() + 1)
    else:  # tokens, maybe, of which no others may be allowed
        rest = rest.roll(1, -1) if rest.dim() > 1 else rest
    return torch.cat((first, rest))


def agree(session: Session, subject: Subject, scores: Scores) -> bool:
    """Tell whether a pass on an image as it is said what the trace says of it."""
    image = subject.image
    assert image is not None
    row = subject.row or 0
    if session.scores is not None:
        return scores.final is not None and near(scores.final[row], session.scores[image])
    ours, theirs = tensors_in(scores.raw), tensors_in(session.trace.output)
    return len(ours) == len(theirs) and all(
        near(a[row], b[image] if len(b) == session.prepared.batch_size else b[row])
        for a, b in zip(ours, theirs, strict=True)
        if a.dim() and len(a) > row
    )


def near(a: Tensor, b: Tensor) -> bool:
    """Tell whether two values are the same but for rounding, as another batch size may round."""
    if a.shape != b.shape:
        return False
    loose = 1e-4 if a.dtype in {torch.float32, torch.float64} else 1e-2
    a, b = a.detach().float(), b.detach().float()
    scale = float(torch.nan_to_num(b, posinf=0, neginf=0).abs().max()) if b.numel() else 0.0
    return torch.allclose(a, b, rtol=0, atol=loose * scale + 1e-12, equal_nan=True)


@contextlib.contextmanager
def run(
    session: Session,
    subject: Subject,
    *,
    graph: bool = False,
    around: Around = (),
    way: Runs | None = None,
    copied: bool = True,
) -> Iterator[Scores]:
    """Run the shadow; when the block ends, everything is put back.

    Parameters
    ----------
    session : Session
        Whose model.
    subject : Subject
        What it is given.
    graph : bool
        Whether to build the graph; the block then runs with gradients enabled.
    around : sequence of context managers
        What is to be open during the forward pass alone.
    way : callable, optional
        ``way(probe, forward, around)`` runs ``forward(module)`` in another way than `plainly`.
    copied : bool
        Whether the model is given copies of the inputs, as it may write to them.
    """
    logits = _listener(session)

    def forward(module: nn.Module) -> tuple[Nest, Tensor | None]:
        inputs = replace_tensors(subject.nest, _own) if copied else subject.nest
        raw = session.prepared.invoke(module, inputs)
        return raw, select_scores(raw, session.selector, subject.rows)

    with session.running(graph=graph) as probe:
        listeners = (*around, *(() if logits is None else (logits,)))
        raw, values = (way or plainly)(probe, forward, listeners)
        if logits is not None and logits.values is not None and values is not None:
            if session.memory.logits_fit is None:
                session.memory.logits_fit = logits.fit(values)
            if session.memory.logits_fit and logits.values.numel() == values.numel():
                found = logits.values.reshape(values.shape)
                yield Scores(raw, found, "logit", final=values, before=logits.name)
                return
        yield Scores(raw, values, session.structure.score_kind, final=values)


def in_batches(
    session: Session,
    subject: Subject,
    batch: Tensor,
    work: Callable[[Subject], tuple[Tensor, ...]],
) -> tuple[Tensor, ...]:
    """Work on all variants at once, or one by one where the model mixes the images of a batch.

    Parameters
    ----------
    session, subject
        Whose model, and the image.
    batch : Tensor of shape (B, ...)
        Variants of the image.
    work : callable
        ``work(variants)`` returns tensors with a row for each; the first holds scores.
    """
    memory, variants = session.memory, subject.rows == 1 and subject.variants(batch)
    if variants and (len(batch) == 1 or not memory.one_by_one):
        try:
            together = work(variants)
        except (RuntimeError, ValueError, TypeError, IndexError, AssertionError):
            if len(batch) == 1 or memory.one_by_one is not None:
                raise
        else:
            if len(batch) == 1:
                return together
            if memory.one_by_one is not None:
                return together
            if near(together[0][-1:], work(subject.variants(batch[-1:]))[0]):
                if not _is_one_value(batch):  # else other variants may still be mixed
                    memory.one_by_one = False
                return together
    singly = [work(one) for one in subject.each(batch)]
    memory.one_by_one = True
    return tuple(torch.cat(column) for column in zip(*singly, strict=True))


def _own(tensor: Tensor) -> Tensor:
    """Return a copy that the model may write to, in the graph where the tensor is."""
    return tensor.clone() if tensor.requires_grad else tensor.detach().clone()


def _listener(session: Session) -> Logits | None:
    final = session.structure.final_function
    return None if final is None or session.memory.logits_fit is False else Logits(final)


def plainly(probe: Probe, forward: Forward, around: Around) -> Said:
    """Run the shadow with nobody listening but what `around` adds."""
    with probe.shadow.guard(), uncompiled(), contextlib.ExitStack() as stack:
        for listener in around:
            stack.enter_context(listener)
        return forward(probe.shadow.module)


def guarded(probe: Probe, forward: Forward, around: Around) -> Said:
    """Run the shadow plainly; what torch refuses to build a graph of is an `InPlaceError`."""
    try:
        return plainly(probe, forward, around)
    except TooManyRowsError:
        raise
    except Exception as error:
        if any(getattr(listener, "error", None) is error for listener in around):
            raise  # somebody asked to stop
        raise InPlaceError(str(error)) from error


class Recorded:
    """Run the shadow recorded, with in-place functions in new memory, and find values after.

    It is slower than a plain pass by some per cent, and holds every value.
    """

    def __init__(self) -> None:
        self._recorder: OperationRecorder | None = None

    def __call__(self, probe: Probe, forward: Forward, around: Around) -> Said:
        """Run it."""
        plan = Plan(graph=True, copies=False)
        self._recorder = recorder = OperationRecorder(plan, probe.parameters)
        try:
            with contextlib.ExitStack() as stack:
                for listener in around:
                    stack.enter_context(listener)
                said: Said = probe.watch(recorder, forward)
        except ParameterWrittenError as error:
            msg = (
                f"forward() writes to the parameters {sorted(error.names)} here, but did not with "
                f"the inputs as they were given; call refresh() of the Inspector."
            )
            raise RuntimeError(msg) from None
        recorder.finish()
        return said

    def find(self, path: str, number: int) -> tuple[Tensor | None, GradientEdge | None]:
        """Return a module call's output, and its place in the graph."""
        assert self._recorder is not None
        for call in self._recorder.calls:
            if call.path == path and call.call == number:
                edge = self._recorder.edge(call.value)
                kept = self._recorder.kept.get(call.value)
                leaf = getattr(edge.node, "variable", None) if edge is not None else None
                return (leaf if kept is None else kept.tensor), edge
        return None, None


def gradients(
    score: Tensor, of: Sequence[Tensor | GradientEdge], *, more: bool
) -> list[Tensor | None]:
    """Return the gradients of a score; None for what it does not depend on.

    Parameters
    ----------
    score : Tensor of shape ()
        In the graph.
    of : sequence of Tensor or GradientEdge
        With respect to which values.
    more : bool
        Whether the graph is needed again.

    Raises
    ------
    InPlaceError
        Torch refuses, because a function overwrote what the backward pass needs.
    """
    try:
        return list(torch.autograd.grad(score, list(of), retain_graph=more, allow_unused=True))  # type: ignore[arg-type]  # either kind
    except RuntimeError as error:
        if not is_refusal(error):
            raise
        raise InPlaceError(str(error)) from error
