"""Inspection: one pass over a picture that was not traced, for the maps of layers named before.

In: a `Session` whose inputs wait for their trace, and layers. Out: `Ahead`, which ran forward and
serves the scores, values and gradients of these layers, as long as somebody holds it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge

from cnnviz_widgets.inspection.calls import Call, Source
from cnnviz_widgets.inspection.chains import Head, head_of_graph
from cnnviz_widgets.inspection.course import Course
from cnnviz_widgets.inspection.explained import ExplainedTarget, OwnScores, Scores
from cnnviz_widgets.inspection.layers import LayerInfo
from cnnviz_widgets.inspection.layouts import CHANNELS
from cnnviz_widgets.inspection.operations import ParameterWrittenError
from cnnviz_widgets.inspection.outline import OutlineRecorder, outline_of
from cnnviz_widgets.inspection.probe import Probe
from cnnviz_widgets.inspection.runs import (
    Around,
    Forward,
    InPlaceError,
    Said,
    Subject,
    gradients,
    plainly,
    run,
)
from cnnviz_widgets.inspection.session import Session
from cnnviz_widgets.inspection.structure import Structure
from cnnviz_widgets.inspection.sweep import Key, Sweeper, Visit
from cnnviz_widgets.inspection.taps import Check
from cnnviz_widgets.inspection.values import Nest, first_tensor, same_bits

Scored = Callable[[Scores], Tensor]


class Ahead(Sweeper):
    """A forward pass that is run before it is known what will be asked of it.

    A trace keeps every layer's value, which takes a tenth longer than the pass itself; here only
    those of the named layers are. That the model did what it did for the picture before, operation
    by operation, is seen while it runs. Where all the layers have linear heads it is not watched:
    the graph between them and the scores then shows what their maps are made of.

    Parameters
    ----------
    session : Session
        Whose inputs wait for their trace.
    layers : sequence of LayerInfo
        Which layers.
    at_input : bool
        Whether gradients at the input will be asked for.
    watched : bool
        Whether calls and operations are noted while it runs, which takes some per cent of it.
    """

    _keeps_graph = True

    def __init__(
        self, session: Session, layers: Sequence[LayerInfo], *, at_input: bool, watched: bool
    ) -> None:
        subject = Subject.of(session, 0)
        self._leaf: Tensor | None = None
        if at_input:
            self._leaf, subject = subject.with_leaf()
        super().__init__(session, subject, layers=layers, visit=_unheard, check=None)
        self._watched = watched
        self._edges: dict[Key, GradientEdge] = {}
        self._named = dict(self._infos)
        self._heads: dict[Key, Head | None] = {}
        self._recorder: OutlineRecorder | None = None
        self.said: Scores | None = None  # until the graph is no longer there

    def _structure_of(self, session: Session) -> Structure:
        return session.structure

    @classmethod
    def of(
        cls, session: Session, layers: Sequence[LayerInfo], *, at_input: bool, watched: bool
    ) -> Ahead | None:
        """Run the pass; return None where the model did not do what it did before."""
        try:
            ahead = cls(session, layers, at_input=at_input, watched=watched)
            return ahead if ahead._runs() else None
        except (Exception, ParameterWrittenError):  # noqa: BLE001 - the trace meets it again
            return None

    def _runs(self) -> bool:
        structure = self._session.structure
        taps = self._taps(Course.whole(structure))
        way = self._way if self._watched else plainly
        with run(self._session, self._subject, graph=True, around=(taps,), way=way) as said:
            self.said = said
        if self._is_late or taps.surprised:
            return False
        if not self._watched:
            return self._shows_heads()
        recorder = self._recorder
        assert recorder is not None
        return outline_of(recorder) == structure.outline

    def _way(self, probe: Probe, forward: Forward, around: Around) -> Said:
        """Run the shadow, its calls and operations noted."""
        self._recorder = recorder = OutlineRecorder(probe.parameters)
        with contextlib.ExitStack() as stack:
            for listener in around:
                stack.enter_context(listener)
            said: Said = probe.watch(recorder, forward)
        recorder.finish()
        recorder.listed()
        return said

    def _shows_heads(self) -> bool:
        """Tell whether the graph goes from the scores to each layer as linear heads do."""
        shown = self._session.memory.shown_heads
        for info in self._infos.values():
            shown[info.name] = self.head(info) is not None
        return all(shown[info.name] for info in self._infos.values())

    def head(self, info: LayerInfo) -> Head | None:
        """Return the linear head of a layer as the graph shows it; None where it shows none."""
        key = (info.path, info.call)
        if key not in self._heads:
            self._heads[key] = self._read_head(info, key)
        return self._heads[key]

    def _read_head(self, info: LayerInfo, key: Key) -> Head | None:
        edge = self._edges.get(key)
        scores = None if self.said is None else self.said.values
        layout = self._session.layout_of(Source(*key, "output"), info.name).layout
        if scores is None or edge is None or layout not in CHANNELS:
            return None
        return head_of_graph(scores, edge, info.shape, CHANNELS[layout])

    def _note(self, call: Call, output: Nest) -> Nest:
        """Take note as in any sweep, with the recorder looking away, and of the place in it."""
        with torch._C.DisableTorchFunction():
            new = super()._note(call, output)
            old, tensor = first_tensor(output), first_tensor(new)
            if old is None or tensor is None:
                return new
            if tensor is not old and self._recorder is not None:
                self._recorder.alias(tensor, old)
            if (call.path, call.call) in self._infos and tensor.requires_grad:
                self._edges[call.path, call.call] = get_gradient_edge(tensor)
        return new

    def _keep(self, call: Call, tensor: Tensor) -> None:
        value = tensor.detach()
        if not self._watched or call.value not in self._session.structure.only_read:
            value = value.clone()
        self._values.setdefault((call.path, call.call), value)

    def _hear(self, key: Key, gradient: Tensor | None) -> None:
        if key in self._infos:  # else of a layer that is not asked for now
            super()._hear(key, gradient)

    def value(self, info: LayerInfo) -> Tensor | None:
        """Return what a layer gave; None where it was not named."""
        return self._values.get((info.path, info.call))

    def input_gradient(self, batch: Tensor, score: Scored) -> tuple[Tensor, Tensor] | None:
        """Return the score of the picture as it is and its gradient; None where that is not meant.

        Parameters
        ----------
        batch : Tensor of shape (B, ...)
            What is asked for.
        score : callable
            Makes a score (1,) of what the pass said.
        """
        leaf, said = self._leaf, self.said
        if leaf is None or said is None or not same_bits(batch, leaf.detach()):
            return None
        self.said = None  # the graph goes with the gradient
        with torch.enable_grad():
            found = score(said)
            if not found.requires_grad:
                return None
            try:
                (gradient,) = gradients(found.sum(), [leaf], more=False)
            except InPlaceError:
                return None
        return None if gradient is None else (found.detach(), gradient)

    def asked(
        self,
        subject: Subject,
        layers: Sequence[LayerInfo],
        visit: Visit,
        check: Check | None,
        *,
        last: bool,
    ) -> bool:
        """Get ready for a sweep, the last one maybe; tell whether this pass can serve it."""
        infos = {(info.path, info.call): info for info in layers}
        if self.said is None or subject.image is None or not infos.keys() <= self._named.keys():
            return False
        self._infos, self._visit, self._check, self._visited = infos, visit, check, set()
        self._keeps_graph = not last
        return True

    def scores(
        self, targets: Sequence[ExplainedTarget], class_names: Sequence[str] | None
    ) -> Tensor:
        """Run the backward passes of the sweep asked for; see `Sweeper.scores`."""
        assert self.said is not None
        said, edges = self.said, None  # the backward pass then goes down to the first layer
        if self._infos.keys() != self._named.keys():
            edges = {key: edge for key, edge in self._edges.items() if key in self._infos}
        if not self._keeps_graph:
            self.said, self._edges = None, {}
        try:
            with torch.enable_grad():
                return self._backward(said, targets, class_names, edges)
        except InPlaceError:
            self._session.memory.ahead = None
        layers = list(self._infos.values())
        other = Sweeper(
            self._session, self._subject, layers=layers, visit=self._visit, check=self._check
        )
        other._visited |= self._visited
        return other.scores(targets, class_names)


def _unheard(_info: LayerInfo, _value: Tensor, _gradient: Tensor | None, _place: int) -> None:
    """Take no visits."""


def ran_ahead(
    session: Session, layers: Callable[[], Sequence[LayerInfo]], *, at_input: bool
) -> bool:
    """Run a picture that waits for its trace once; tell whether that pass can be used."""
    if not session.may_suppose or session.memory.recorded_graph:
        return False
    with session.supposed():
        try:
            infos = layers()
        except (TypeError, ValueError):
            return False
        ahead = None
        if not at_input and _have_heads(session, infos):
            ahead = Ahead.of(session, infos, at_input=False, watched=False)
        if ahead is None:
            ahead = Ahead.of(session, infos, at_input=at_input, watched=True)
    if ahead is None:
        session.settle()
        return False
    session.is_known = True
    session.memory.ahead = ahead
    return True


def _have_heads(session: Session, infos: Sequence[LayerInfo]) -> bool:
    """Tell whether graphs of earlier passes showed linear heads of all these layers."""
    shown, structure = session.memory.shown_heads, session.structure
    if structure.final_function is not None or structure.score_kind != "logit":
        return False
    return bool(infos) and all(shown.get(info.name) for info in infos)


def own_scores(session: Session, image: int) -> OwnScores:
    """Return what the model says about an image as it is."""
    memory = session.memory
    if image not in memory.scores:
        if memory.ahead is not None and memory.ahead.said is not None:
            memory.scores[image] = OwnScores(memory.ahead.said.detached(), 0)
        elif session.structure.final_function is None or memory.logits_fit is False:
            kind = session.structure.score_kind
            scores = Scores(session.trace.output, session.scores, kind)
            memory.scores[image] = OwnScores(scores, image)
        else:
            subject = Subject.of(session, image)
            with run(session, subject) as scores:
                memory.scores[image] = OwnScores(scores.detached(), subject.row or 0)
    return memory.scores[image]


def sweeper(
    session: Session,
    subject: Subject,
    *,
    layers: Sequence[LayerInfo],
    visit: Visit,
    check: Check | None = None,
    last: bool = True,
) -> Sweeper:
    """Return a sweep, one that goes on from the pass that ran ahead where there is one.

    Parameters
    ----------
    session, subject, layers, visit, check
        As for `Sweeper`.
    last : bool
        Whether the graph of that pass is not needed again.
    """
    ahead = session.memory.ahead
    if ahead is not None and ahead.asked(subject, layers, visit, check, last=last):
        return ahead
    return Sweeper(session, subject, layers=layers, visit=visit, check=check)
