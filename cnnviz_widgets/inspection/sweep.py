"""Inspection: every wanted layer's gradient from one forward and one backward pass per score.

In: one image of a `Session`, layers and scores. Out: a call of `visit` for each layer and score,
while the backward pass runs.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge

from cnnviz_widgets.inspection.calls import Call, Source
from cnnviz_widgets.inspection.checkpoints import HIDDEN, runs_hidden
from cnnviz_widgets.inspection.course import Course, CourseError, Giving, Passing
from cnnviz_widgets.inspection.explained import ExplainedTarget, Scores
from cnnviz_widgets.inspection.layers import LayerInfo
from cnnviz_widgets.inspection.refusals import in_our_words
from cnnviz_widgets.inspection.runs import (
    InPlaceError,
    Recorded,
    Subject,
    agree,
    gradients,
    guarded,
    run,
)
from cnnviz_widgets.inspection.session import Session
from cnnviz_widgets.inspection.structure import Structure
from cnnviz_widgets.inspection.taps import Check, Checks, Taps, begun
from cnnviz_widgets.inspection.values import Nest, first_tensor, replace_tensors, version_of

Key = tuple[str, int]  # path and call
Visit = Callable[[LayerInfo, Tensor, "Tensor | None", int], object]


@dataclass(frozen=True)
class Sweep:
    """What a sweep explained.

    Attributes
    ----------
    scores : Tensor of shape (K,)
        float32, one for each target; (K, B) of a batch of variants.
    targets : tuple of ExplainedTarget
        As they were resolved.
    """

    scores: Tensor
    targets: tuple[ExplainedTarget, ...]


class _NoBeginningError(RuntimeError):
    """A wanted layer returns a tensor of another's, which is not in the graph."""


class Sweeper:
    """One sweep over one image, or over variants of it.

    Parameters
    ----------
    session : Session
        Whose model.
    subject : Subject
        What the model is given.
    layers : sequence of LayerInfo
        Which layers.
    visit, check : callable
        See `Passes.sweep`.
    """

    _keeps_graph = False

    def __init__(
        self,
        session: Session,
        subject: Subject,
        *,
        layers: Sequence[LayerInfo],
        visit: Visit,
        check: Check | None,
    ) -> None:
        structure = self._structure_of(session)
        self._session = session
        self._subject = subject
        self._infos = {(info.path, info.call): info for info in layers}
        self._visit = visit
        self._check = check
        self._anchor = torch.zeros((), device="cpu", requires_grad=True)
        self._values: dict[Key, Tensor] = {}
        self._visited: set[tuple[Key, int]] = set()
        self._place = 0
        self._views: list[tuple[Tensor, int]] = []  # and how often they had been written to
        self._is_late = False  # whether a gradient would not be the whole one
        self._wanted = [c for c in structure.calls if (c.path, c.call) in self._infos]
        passing = structure.passing
        self._passing = {call for call in self._wanted if passing.by(call)}
        self._first = self._first_call(passing)

    def _structure_of(self, session: Session) -> Structure:
        session.settle()  # so that its calls are those of the trace
        return session.structure

    def _first_call(self, passing: Passing) -> Call | None:
        """Return the call at which the graph can begin; None if that is not known."""
        if not self._wanted:
            return None
        first = self._wanted[0]
        for call in self._wanted[1:]:
            if call.began >= first.ended:
                break
            first = call  # inside the one before, so it ends first
        return passing.before(first) if first in self._passing else first

    def scores(
        self, targets: Sequence[ExplainedTarget], class_names: Sequence[str] | None
    ) -> Tensor:
        """Run the passes; return the score of each target and image, shape (K, B)."""
        session, memory = self._session, self._session.memory
        ways: list[Callable[[], Course]] = []
        first = self._first if self._subject.image is not None else None
        if session.isolated and not memory.recorded_graph:
            if memory.begins_inside and first is not None:
                ways.append(functools.partial(self._short_course, first))
            ways.append(functools.partial(Course.whole, session.trace))
        failed = 0
        scores = None
        for way in ways:
            scores = self._tried(way, targets, class_names)
            if scores is not None:
                break
            failed += 1
        if scores is None:
            scores = self._recorded(targets, class_names)
        # Only now: what fails in every way says nothing about the ways.
        memory.begins_inside &= not (failed and len(ways) > 1)
        memory.recorded_graph |= bool(ways) and failed == len(ways)
        return scores

    def _tried(
        self,
        way: Callable[[], Course],
        targets: Sequence[ExplainedTarget],
        class_names: Sequence[str] | None,
    ) -> Tensor | None:
        """Run the passes on a course; return None where the model does not stand it."""
        try:
            return self._hooked(way(), targets, class_names)
        except _NoBeginningError:
            return self._recorded(targets, class_names)
        except (InPlaceError, CourseError):
            return None

    def _short_course(self, first: Call) -> Course:
        """Return the course that begins with a value."""
        session, subject = self._session, self._subject

        def value(call: Call) -> Tensor | None:
            return subject.traced(session, call)

        course = Course.begun_at(session.trace, first, value)
        tried = (first.path, first.call) in session.memory.begun_at
        return course.with_known(value) if tried and not session.autocasts else course

    def _hooked(
        self,
        course: Course,
        targets: Sequence[ExplainedTarget],
        class_names: Sequence[str] | None,
    ) -> Tensor:
        """Hear the gradients through hooks on the values: the fast way."""
        session, subject = self._session, self._subject
        giving = Giving(course, session.device, rows=subject.rows)
        around = (giving, self._taps(course), Checks(session.trace.calls, self._check))
        with run(session, subject, graph=True, around=around, way=guarded) as scores:
            written = any(version_of(tensor) != count for tensor, count in self._views)
            self._views.clear()
            if self._is_late:
                raise _NoBeginningError
            if written:  # torch leads the graph around them
                msg = "a view was written to"
                raise InPlaceError(msg)
            if giving.spoilt:
                session.renew()
                raise CourseError
            if course.given and not agree(session, subject, scores):
                raise CourseError
            if course.given:
                last = list(course.given)[-1]
                session.memory.begun_at.add((last.path, last.call))
            return self._backward(scores, targets, class_names, None)

    def _recorded(
        self, targets: Sequence[ExplainedTarget], class_names: Sequence[str] | None
    ) -> Tensor:
        """Let a recorder run in-place functions in new memory, and ask for all gradients."""
        session, recorded = self._session, Recorded()
        subject = self._subject.in_graph()  # a layer may return the input itself
        around = (Checks(session.trace.calls, self._check),)
        ran = run(session, subject, graph=True, around=around, way=recorded)
        with in_our_words(session.structure), ran as scores:
            edges: dict[Key, GradientEdge] = {}
            for key in self._infos:
                value, edge = recorded.find(*key)
                if value is not None:
                    self._keep(session.call(Source(*key, "output")), value)
                if edge is not None:
                    edges[key] = edge
            return self._backward(scores, targets, class_names, edges)

    # -- forward ------------------------------------------------------------------------------

    def _taps(self, course: Course) -> Taps:
        first = () if self._first is None else (self._first,)
        return Taps(course, dict.fromkeys((*self._wanted, *first)), self._note)

    def _note(self, call: Call, output: Nest) -> Nest:
        """Take note of a wanted value; let the graph begin here where it has not yet."""
        tensor = first_tensor(output)
        if tensor is None:
            return output
        key = (call.path, call.call)
        if key in self._infos:
            self._keep(call, tensor)
            if not torch.is_grad_enabled() and runs_hidden():
                raise InPlaceError(HIDDEN)
        if not torch.is_grad_enabled() or not (tensor.is_floating_point() or tensor.is_complex()):
            return output
        if call in self._passing and not tensor.requires_grad:
            self._is_late = True  # the model may go on with this very tensor
            return output
        new = tensor if tensor.requires_grad else begun(tensor, self._anchor)
        if new is tensor and tensor._is_view():
            self._views.append((tensor, version_of(tensor)))
        if key in self._infos:
            new.register_hook(self._hook(key))  # type: ignore[no-untyped-call]  # torch's
        if new is tensor:
            return output
        return replace_tensors(output, lambda item: new if item is tensor else item)

    def _hook(self, key: Key) -> Callable[[Tensor], None]:
        me = weakref.ref(self)  # the graph, which holds the hook, may be held by this sweep

        def hear(gradient: Tensor) -> None:
            sweeper = me()
            if sweeper is not None:
                sweeper._hear(key, gradient)

        return hear

    def _keep(self, call: Call, tensor: Tensor) -> None:
        """Hold a value as it is now: that of the trace, or else a copy."""
        key = (call.path, call.call)
        if key not in self._values:
            traced = self._subject.traced(self._session, call)
            self._values[key] = tensor.detach().clone() if traced is None else traced

    def _keep_uncalled(self, key: Key) -> None:
        """Hold a value of a layer that is called in the trace, but not for this image alone."""
        if key in self._values:
            return
        call = self._session.call(Source(*key, "output"))
        traced = self._subject.traced(self._session, call)
        if traced is None and call.value >= 0:
            rows = self._subject.rows if self._subject.row is None else 1
            shape = (rows, *call.shape[1:])
            traced = torch.zeros(shape, dtype=call.dtype, device=self._session.device)
        if traced is not None:
            self._values[key] = traced

    # -- backward -----------------------------------------------------------------------------

    def _backward(
        self,
        scores: Scores,
        targets: Sequence[ExplainedTarget],
        class_names: Sequence[str] | None,
        edges: dict[Key, GradientEdge] | None,
    ) -> Tensor:
        found = [self._subject.part(scores.of_target(t, class_names)) for t in targets]
        for self._place, score in enumerate(found):
            more = self._keeps_graph or self._place + 1 < len(found)
            if score.requires_grad and edges is None:
                gradients(score.sum(), [self._anchor], more=more)
            elif score.requires_grad and edges:
                got = gradients(score.sum(), list(edges.values()), more=more)
                for key, gradient in zip(edges, got, strict=True):
                    self._hear(key, gradient)
            for key in self._infos:
                if (key, self._place) not in self._visited:
                    self._keep_uncalled(key)
                    self._hear(key, None)
        return torch.stack([score.detach().float().cpu().reshape(-1) for score in found])

    def _hear(self, key: Key, gradient: Tensor | None) -> None:
        """Hand a value and its gradient to the visitor."""
        if self._check is not None:
            self._check()
        seen = (key, self._place) in self._visited  # before torch refused the rest of the graph
        self._visited.add((key, self._place))
        if key in self._values and not seen:
            part = None if gradient is None else self._subject.part(gradient)
            self._visit(self._infos[key], self._subject.part(self._values[key]), part, self._place)
