"""Inspection: the passes that attribution methods are made of.

In: one image of an Inspector, layers, scores, variants of the image or of a layer's value. Out:
gradients and scores; each call is one pass, or a bounded batch, under the model's lock.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from cnnviz_widgets.inspection.ahead import own_scores, ran_ahead, sweeper
from cnnviz_widgets.inspection.arguments import checked_image
from cnnviz_widgets.inspection.calls import Source
from cnnviz_widgets.inspection.chains import Head
from cnnviz_widgets.inspection.explained import ClassTargets, Explainable, ExplainedTarget, Scores
from cnnviz_widgets.inspection.heads import linear_head
from cnnviz_widgets.inspection.layers import LayerInfo, find_layer
from cnnviz_widgets.inspection.rectifiers import RuleMode, nothing_to_rule, other_nonlinearities
from cnnviz_widgets.inspection.refusals import in_our_words
from cnnviz_widgets.inspection.runs import (
    InPlaceError,
    Recorded,
    Subject,
    gradients,
    guarded,
    in_batches,
    run,
)
from cnnviz_widgets.inspection.scorer import Scorer, scorer
from cnnviz_widgets.inspection.session import Session
from cnnviz_widgets.inspection.sweep import Sweep, Visit
from cnnviz_widgets.inspection.tail import Tail
from cnnviz_widgets.inspection.taps import Check, Checks
from cnnviz_widgets.inspection.targets import Target, class_index
from cnnviz_widgets.words import phrase

Opened = Callable[["float | None"], AbstractContextManager[Session]]


class Passes:
    """Forward and backward passes over one image of an `Inspector`, for attribution methods.

    Every call holds the model's lock for itself alone, so that views are served between them, and
    leaves the model, the inputs and the random generators as they were. Values belong to the
    model: treat them as read-only.

    Parameters
    ----------
    opened : callable
        ``opened(wait)`` holds the lock and gives the session, traced anew if weights changed.
    class_names : sequence of str or None
        Of the Inspector.
    """

    def __init__(self, opened: Opened, class_names: Sequence[str] | None) -> None:
        self._opened = opened
        self._class_names = class_names

    # -- targets ------------------------------------------------------------------------------

    def targets(
        self,
        targets: Sequence[Target | Tensor | ExplainedTarget],
        *,
        image: int = 0,
        wait: float | None = None,
    ) -> Sequence[ExplainedTarget]:
        """Return which scores targets mean for one image, with their values.

        Parameters
        ----------
        targets : sequence of int, str, callable, Tensor or None
            Class index, class name, ``output -> scalar per image``, None for the image's top
            prediction, or K weights: the score is then the weighted sum of the class scores.
        image : int
            Place in the batch.
        wait : float, optional
            Seconds to wait for the model.

        Returns
        -------
        sequence of ExplainedTarget
            Where the model ends in a softmax or sigmoid, the score before it is meant.
        """
        with self._opened(wait) as session:
            place = checked_image(image, session.prepared.batch_size)
            classes = [target for target in targets if type(target) is int]
            if classes and len(classes) == len(targets):
                scores = own_scores(session, place).classes
                if scores.numbers:
                    return ClassTargets(scores, classes, self._class_names)
            return tuple(self._explained(session, target, place) for target in targets)

    def _explained(self, session: Session, target: object, image: int) -> ExplainedTarget:
        if isinstance(target, ExplainedTarget):
            return target
        own = own_scores(session, image)
        if isinstance(target, Tensor):
            return own.weighted(target)
        if callable(target):
            return own.called(target)
        classes = own.classes
        if not classes.numbers:
            own.scores.of_target(target, self._class_names)  # type: ignore[arg-type]  # raises and says why
        if target is None:
            return classes.explained(own.top(), self._class_names)
        index = class_index(target, len(classes.numbers), self._class_names)  # type: ignore[arg-type]  # checked there
        return classes.explained(index, self._class_names)

    # -- layers -------------------------------------------------------------------------------

    @contextlib.contextmanager
    def ahead(
        self,
        layers: Callable[[], Sequence[LayerInfo]],
        *,
        at_input: bool = False,
        wait: float | None = None,
    ) -> Iterator[None]:
        """Let the calls inside share one forward pass, where the picture was not traced.

        A context manager. A trace keeps every layer; the pass here, of a `guest_of`, keeps what
        these layers gave and its graph, and the calls inside take what they need from it. Where
        anything is not as with the Inspector's own picture, and for what else is asked inside,
        the trace is made as always. It does nothing where there is a trace.

        Parameters
        ----------
        layers : callable
            Returns the layers that will be asked for, as they are for the Inspector's own picture;
            what it raises is passed over, as the calls inside will raise it themselves.
        at_input : bool
            Whether the picture's own `input_gradient` will be asked for.
        wait : float, optional
            Seconds to wait for the model.
        """
        with self._opened(wait) as session:
            began = session.memory.ahead is None and ran_ahead(session, layers, at_input=at_input)
        try:
            yield
        finally:
            if began:
                session.memory.ahead = None

    def sweep(
        self,
        layers: Sequence[str],
        targets: Sequence[Target | Tensor | ExplainedTarget],
        visit: Visit,
        *,
        image: int = 0,
        batch: Tensor | None = None,
        check: Check | None = None,
        wait: float | None = None,
    ) -> Sweep:
        """Visit the gradients of scores with respect to layers' values.

        One forward pass whose graph begins at the first of the layers, and one backward pass for
        each target. Nothing is kept: a visitor reduces what it is given.

        Parameters
        ----------
        layers : sequence of str
            Names as in `Inspector.modules`.
        targets : sequence
            As for `targets`.
        visit : callable
            ``visit(info, activation, gradient, target_place)`` is called once for each layer and
            target, in the order of the backward pass. Both tensors have shape (1, ...), the
            model's type and device, and are valid inside the call only. The activation is the
            value before any later in-place function. The gradient is None where the score does
            not depend on the layer. It must not call the Inspector.
        image : int
            Place in the batch.
        batch : Tensor of shape (B, ...), optional
            Variants of the image, as for `scores`, to take in its place. Tensors then have B
            rows, each with the gradient of its own score; or one, and as many visits, where the
            model mixes the images of a batch.
        check : callable, optional
            Called again and again; what it raises ends the sweep.
        wait : float, optional
            Seconds to wait for the model.
        """
        with self._opened(wait) as session:
            place = checked_image(image, session.prepared.batch_size)
            resolved = tuple(self._explained(session, target, place) for target in targets)
            if not resolved:
                msg = "targets is empty; give at least one, such as [None] for the top prediction."
                raise ValueError(msg)
            infos = _found(session, layers)
            subject = Subject.of(session, place)
            given = [subject]
            if batch is not None:
                given = self._variants(session, subject, batch, resolved[0])
            scores = [
                sweeper(session, each, layers=infos, visit=visit, check=check).scores(
                    resolved, self._class_names
                )
                for each in given
            ]
            every = torch.cat(scores, dim=1)
            return Sweep(every[:, 0] if batch is None else every, resolved)

    def _variants(
        self, session: Session, subject: Subject, batch: Tensor, target: ExplainedTarget
    ) -> list[Subject]:
        """Return variants of an image as they have to be run: all at once, or one by one."""

        def work(variants: Subject) -> tuple[Tensor, ...]:
            with run(session, variants) as scores:
                return (self._score_rows(scores, target, variants),)

        if subject.rows == 1 and session.memory.one_by_one is None and len(batch) > 1:
            farthest = int((batch - batch[:1]).flatten(1).abs().amax(1).argmax())
            in_batches(session, subject, batch[[0, farthest]], work)
        if subject.rows > 1 or session.memory.one_by_one is not False:
            return list(subject.each(batch))
        return [subject.variants(batch)]

    def activations(
        self, layers: Sequence[str], *, image: int = 0, wait: float | None = None
    ) -> dict[str, Tensor]:
        """Return layers' values for one image, by the names given, each of shape (1, ...)."""
        with self._opened(wait) as session:
            place = checked_image(image, session.prepared.batch_size)
            subject = Subject(session.prepared.nest, session.prepared.batch_size, place, place)
            found = {}
            for layer, info in zip(layers, _found(session, layers), strict=True):
                ahead = session.memory.ahead
                value = None if ahead is None else ahead.value(info)
                value = session.activation(_source(info)) if value is None else value
                found[layer] = subject.part(value).clone()
            return found

    def tail(self, layer: str, *, image: int = 0, wait: float | None = None) -> Tail:
        """Return the part of the network behind a layer, to run it on other values of the layer."""
        value = self.activations([layer], image=image, wait=wait)[layer]
        return Tail(self._opened, self._class_names, layer=layer, image=image, value=value)

    def linear_head(self, layer: str, *, image: int = 0, wait: float | None = None) -> Head | None:
        """Return d class score / d activation, where it is the same at every place of the layer.

        So it is where nothing but a mean over the grid and one linear layer follow, as after the
        last stage of a ResNet: then no backward pass is needed for any class.

        Returns
        -------
        Head or None
            None where anything else follows: the gradient of a random sum of all class scores is
            compared, or the graph of the pass ahead is read.
        """
        with self._opened(wait) as session:
            place = checked_image(image, session.prepared.batch_size)
            info = find_layer(session.modules, layer)
            key = (info.name, place)
            if key not in session.memory.heads:
                session.memory.heads[key] = linear_head(session, info, place)
            return session.memory.heads[key]

    # -- variants of the image ----------------------------------------------------------------

    def input(self, *, image: int = 0, wait: float | None = None) -> Tensor:
        """Return a copy of the image's first floating-point input tensor, shape (1, ...)."""
        with self._opened(wait) as session:
            place = checked_image(image, session.prepared.batch_size)
            return Subject.of(session, place).first.clone()

    def scores(
        self,
        batch: Tensor,
        target: Explainable,
        *,
        image: int = 0,
        check: Check | None = None,
        wait: float | None = None,
    ) -> Tensor:
        """Return the target's score for variants of the image, without a graph.

        Parameters
        ----------
        batch : Tensor of shape (B, ...)
            What the first floating-point input tensor is to be. Other tensors are repeated. All
            rows run at once, unless the model gives other scores then; that is tried once.
        target : ExplainedTarget, int or callable
            Resolved, or a class index, or ``output -> scalar per image``.
        image : int
            Place in the batch of the Inspector.
        check : callable, optional
            Called before every module call; what it raises ends the pass.
        wait : float, optional
            Seconds to wait for the model.

        Returns
        -------
        Tensor of shape (B,)
            On the model's device, of its type.
        """
        with self._opened(wait) as session:
            subject = Subject.of(session, checked_image(image, session.prepared.batch_size))

            def once(variants: Subject, checks: Checks) -> tuple[Tensor, ...]:
                with run(session, variants, around=(checks,)) as scores:
                    return (self._score_rows(scores, target, variants),)

            def work(variants: Subject) -> tuple[Tensor, ...]:
                checks, laid = Checks(session.structure.calls, check), variants.laid_out(session)
                if laid is not None:
                    try:
                        return once(laid, checks)
                    except RuntimeError as error:
                        if checks.error is error:
                            raise
                        session.memory.channels_last = False  # forward() uses view(), maybe
                return once(variants, checks)

            return in_batches(session, subject, batch, work)[0]

    def _score_rows(self, scores: Scores, target: Explainable, variants: Subject) -> Tensor:
        score = variants.part(scores.of_target(target, self._class_names)).reshape(-1)
        count = variants.rows if variants.row is None else 1
        if len(score) != count:
            msg = f"target={target!r} gave {len(score)} scores for {count} images."
            raise ValueError(msg)
        return score

    def input_gradient(
        self,
        batch: Tensor,
        target: Explainable,
        *,
        rule: str | None = None,
        image: int = 0,
        check: Check | None = None,
        wait: float | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return the target's score for variants of the image, and its gradient for each.

        Parameters
        ----------
        batch, target, image, check, wait
            As for `scores`.
        rule : str or None
            "guided" or "deconvnet": how every ReLU passes gradients back; see `RuleMode`.

        Returns
        -------
        scores : Tensor of shape (B,)
        gradient : Tensor
            Shape of `batch`.

        Raises
        ------
        ValueError
            A rule is asked for and the model has no ReLU.
        """
        with self._opened(wait) as session:
            subject = Subject.of(session, checked_image(image, session.prepared.batch_size))
            ahead = session.memory.ahead
            if ahead is not None and rule is None:
                found = ahead.input_gradient(batch, lambda s: self._score_rows(s, target, subject))
                if found is not None:
                    return found

            def work(variants: Subject) -> tuple[Tensor, ...]:
                if session.isolated and not session.memory.recorded_graph:
                    try:
                        return self._input_gradient(session, variants, target, rule, check)
                    except InPlaceError:
                        session.memory.recorded_graph = True
                with in_our_words(session.structure):
                    return self._input_gradient(session, variants, target, rule, check)

            scores, gradient = in_batches(session, subject, batch, work)
            return scores, gradient

    def _input_gradient(
        self,
        session: Session,
        variants: Subject,
        target: Explainable,
        rule: str | None,
        check: Check | None,
    ) -> tuple[Tensor, Tensor]:
        mode = None if rule is None else RuleMode(rule)
        back = contextlib.ExitStack()
        around = (Checks(session.structure.calls, check, back), *(() if mode is None else (mode,)))
        leaf, subject = variants.with_leaf()
        way = Recorded() if session.memory.recorded_graph or not session.isolated else guarded
        with back, run(session, subject, graph=True, around=around, way=way) as scores:
            if mode is not None and not mode.count:
                others = other_nonlinearities(session.structure.operations)
                raise nothing_to_rule(type(session.model).__name__, others, mode.rule)
            score = self._score_rows(scores, target, subject)
            if not score.requires_grad:
                raise _not_connected(target)
            (gradient,) = gradients(score.sum(), [leaf], more=False)
            if gradient is None:
                raise _not_connected(target)
        return score.detach(), variants.part(gradient)

    @contextlib.contextmanager
    def module(self, *, image: int = 0, wait: float | None = None) -> Iterator[Scorer]:
        """Give a copy of the model as a plain module, for code that puts hooks on it.

        A context manager: holds the model's lock, with gradients enabled, while it is open. The
        module takes variants of the image (B, ...), as `scores` does, and gives (B, K) scores.

        Raises
        ------
        ValueError
            The model cannot be copied.
        """
        with self._opened(wait) as session:
            subject = Subject.of(session, checked_image(image, session.prepared.batch_size))
            with scorer(session, subject) as module:
                yield module

    def rule_notice(self, *, wait: float | None = None) -> str | None:
        """Return a sentence on the nonlinearities that no rule changes; None without any."""
        with self._opened(wait) as session:
            others = other_nonlinearities(session.structure.operations)
        if not others:
            return None
        return phrase("rule_relus_only", names=", ".join(others))


def _source(info: LayerInfo) -> Source:
    return Source(info.path, info.call, "output")


def _found(session: Session, layers: Sequence[str]) -> list[LayerInfo]:
    """Return the layers of these names."""
    known = {info.name: info for info in session.modules}
    return [known.get(layer) or find_layer(session.modules, layer) for layer in layers]


def _not_connected(target: object) -> ValueError:
    msg = (
        f"target={target!r} does not depend on the input through the graph, so there is no "
        f"gradient: the model detaches it, rounds it, or runs under no_grad. Choose another "
        f"target, or a method without gradients, such as 'occlusion'."
    )
    return ValueError(msg)
