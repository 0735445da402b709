"""Inspection: the part of a network behind one layer, run on other values of that layer.

In: one layer call of a `Session` and one image. Out: `Tail`, the scores that follow from values.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cnnviz_widgets.inspection.calls import Call, Source
from cnnviz_widgets.inspection.course import Course, Giving
from cnnviz_widgets.inspection.explained import Explainable, Scores
from cnnviz_widgets.inspection.layers import find_layer
from cnnviz_widgets.inspection.runs import (
    Around,
    InPlaceError,
    Runs,
    Subject,
    agree,
    guarded,
    near,
    plainly,
    run,
)
from cnnviz_widgets.inspection.session import Session
from cnnviz_widgets.inspection.swapped import SwapError, Swapped, TooManyRowsError
from cnnviz_widgets.inspection.taps import Check, Checks, Taps
from cnnviz_widgets.inspection.values import Nest, first_tensor, replace_tensors

_NUMBERS = 1 << 20  # of one batch of variants, so that it stays in the cache


@dataclass(frozen=True)
class TailWay:
    """How the tail behind a layer can be run.

    Attributes
    ----------
    call : Call
        The layer's.
    course : Course
        What happens.
    copied : bool
        Whether values have to be copied where they are repeated.
    batched : bool
        Whether several values can be run at once.
    """

    call: Call
    course: Course
    copied: bool
    batched: bool

    @property
    def is_short(self) -> bool:
        """Whether only what follows the layer is run."""
        return bool(self.course.given)

    @property
    def is_given(self) -> bool:
        """Whether the layer does not run, so that any value can be given in its place."""
        return self.call in self.course.given


class Tail:
    """What follows one layer call, for one image.

    Only modules that are called after the layer run, and Python code between modules; modules
    that were called before give back what they gave. Where the model does not stand that, as its
    own scores show, the whole network runs with the layer's value replaced.

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
        if values.shape[1:] != self.value.shape[1:] or not len(values):
            msg = (
                f"values has shape {tuple(values.shape)}; the layer gives "
                f"(B, {', '.join(map(str, self.value.shape[1:]))}) with B >= 1."
            )
            raise ValueError(msg)
        with self._opened(wait) as session:
            subject = Subject.of(session, self._image)
            way = self._way(session, subject)
            batches: Iterable[Tensor] = [values] if way.batched else values[:, None]
            checks = Checks(session.trace.calls, check)
            return torch.cat(
                [self._row_scores(session, subject, way, part, target, checks) for part in batches]
            )

    def channel_scores(
        self,
        target: Explainable,
        *,
        replacement: Tensor | float = 0.0,
        done: Callable[[int, int, Tensor], object] | None = None,
        check: Check | None = None,
        wait: float | None = None,
    ) -> Tensor:
        """Return the target's score with each channel of the layer replaced, one at a time.

        Much faster than `scores` of as many variants where what follows the layer keeps channels
        apart until it has become small: BatchNorm, ReLU, sums, pooling, and one dense layer.

        Parameters
        ----------
        target, check, wait
            As in `scores`; the lock is held for one batch at a time.
        replacement : Tensor or float
            What to put in the channel's place: broadcast to the layer's value.
        done : callable, optional
            ``done(count, total, scores)`` is called after each batch with the scores (count,) so
            far; what it raises ends the call.

        Returns
        -------
        Tensor of shape (C,)
        """
        other = torch.as_tensor(replacement, dtype=self.value.dtype, device=self.value.device)
        other = _laid_as(other.expand_as(self.value), self.value)
        axis = self._channel_axis(wait)
        total = self.value.shape[axis]
        found: list[Tensor] = []
        while len(found) < total:
            with self._opened(wait) as session:
                part = self._swapped(session, other, axis, len(found), target, check)
            found += part.unbind()
            if done is not None:
                done(len(found), total, torch.stack(found))
        return torch.stack(found)

    def _channel_axis(self, wait: float | None) -> int:
        with self._opened(wait) as session:
            info = find_layer(session.modules, self._layer)
            layout = session.layout_of(Source(info.path, info.call, "output"), info.name).layout
        return self.value.dim() - 1 if layout in {"NLC", "NHWC"} else 1

    def _swapped(
        self,
        session: Session,
        other: Tensor,
        axis: int,
        start: int,
        target: Explainable,
        check: Check | None,
    ) -> Tensor:
        """Return the scores of the next batch of channels."""
        subject, key = Subject.of(session, self._image), (self._layer, self._image)
        way = self._way(session, subject)
        checks = Checks(session.trace.calls, check)
        total = self.value.shape[axis]
        swaps = session.memory.swaps
        if key not in swaps:
            swaps[key] = total if way.is_given and way.batched and axis == 1 else 0
        while swaps[key]:
            channels = range(start, min(start + swaps[key], total))
            try:
                found = self._as_two(session, subject, way, other, channels, target, checks)
            except TooManyRowsError as error:
                swaps[key] = min(error.rows, swaps[key] - 1)
                continue
            except (InPlaceError, SwapError):
                found = None
            if found is not None and (start or self._holds(session, found, other, target)):
                return found
            swaps[key] = 0
        rows = max(1, _NUMBERS // self.value.numel()) if way.batched else 1
        channels = range(start, min(start + rows, total))
        values = self._with_swapped(other, channels, axis)
        return self._row_scores(session, subject, way, values, target, checks)

    def _as_two(
        self,
        session: Session,
        subject: Subject,
        way: TailWay,
        other: Tensor,
        channels: range,
        target: Explainable,
        checks: Checks,
    ) -> Tensor:
        """Run variants as two values; see `Swapped`."""
        session_device, most = session.device, _NUMBERS

        def same(value: Tensor) -> Tensor:
            return Swapped.of(value.clone(), None, channels, most=most)

        variants = Swapped.of(self.value.clone(), other.clone(), channels, most=most)
        giving = Giving(
            way.course,
            session_device,
            rows=len(channels),
            repeat=same,
            instead={way.call: variants},
        )
        given = replace_tensors(subject.nest, same)
        inputs = Subject(given, len(channels), None, None)
        with run(session, inputs, around=(giving, checks), way=guarded, copied=False) as scores:
            return scores.of_target(target, self._class_names).reshape(-1)

    def _holds(self, session: Session, found: Tensor, other: Tensor, target: Explainable) -> bool:
        """Tell whether some of the scores are those of the variants themselves."""
        places = sorted({0, len(found) // 2, len(found) - 1})
        values = torch.cat([self._with_swapped(other, range(p, p + 1), 1) for p in places])
        subject = Subject.of(session, self._image)
        way, checks = self._way(session, subject), Checks((), None)
        expected = self._row_scores(session, subject, way, values, target, checks)
        return near(found[places], expected)

    def _with_swapped(self, other: Tensor, channels: range, axis: int) -> Tensor:
        values = self.value.repeat(len(channels), *[1] * (self.value.dim() - 1))
        for row, channel in enumerate(channels):
            values[row].select(axis - 1, channel).copy_(other[0].select(axis - 1, channel))
        return values

    def _row_scores(
        self,
        session: Session,
        subject: Subject,
        way: TailWay,
        values: Tensor,
        target: Explainable,
        checks: Checks,
    ) -> Tensor:
        like, runs = self.value, plainly
        with _replaced(session, subject, way, values, like, checks, runs) as (scores, variants):
            return variants.part(scores.of_target(target, self._class_names)).reshape(-1)

    def _way(self, session: Session, subject: Subject) -> TailWay:
        """Return how the tail can be run; tried once for each layer and image."""
        key = (self._layer, self._image)
        if key not in session.memory.tails:
            session.memory.tails[key] = self._tried(session, subject)
        return session.memory.tails[key]

    def _tried(self, session: Session, subject: Subject) -> TailWay:
        info = find_layer(session.modules, self._layer)
        source = Source(info.path, info.call, "output")
        call = session.call(source)
        size = session.prepared.batch_size
        every = Subject(session.prepared.nest, size, self._image, self._image)
        own = every.part(session.activation(source))  # weights may be others than for self.value
        whole = Course.whole(session.trace)
        ways = [TailWay(call, whole, copied=False, batched=subject.rows == 1)]
        if session.isolated and subject.rows == 1 and session.memory.begins_inside:

            def value(given: Call) -> Tensor | None:
                found = subject.traced(session, given)
                return None if found is None or found.shape[:1] != (1,) else found

            short = Course.begun_at(session.trace, call, value)
            if short.given:
                modes = ((False, True), (True, True), (False, False))
                ways = [TailWay(call, short, copied=c, batched=b) for c, b in modes] + ways
        for way in ways:
            if self._works(session, subject, way, own, guarded):
                return way
        last = TailWay(call, whole, copied=False, batched=False)
        if self._works(
            session, subject, last, own, plainly
        ):  # what the model raises is raised here
            return last
        msg = (
            f"the model gives other scores when the value of layer={self._layer!r} is handed to "
            f"it, so no other values of it can be tried; choose another layer or method."
        )
        raise RuntimeError(msg)

    def _works(
        self, session: Session, subject: Subject, way: TailWay, own: Tensor, runs: Runs
    ) -> bool:
        """Tell whether the layer's own value gives the model's scores, whatever is beside it."""
        values, row = own, subject.row
        if way.batched:
            values, row = torch.cat((values, torch.zeros_like(values))), 0
        like, checks = self.value, Checks((), None)
        try:
            with _replaced(session, subject, way, values, like, checks, runs) as (scores, variants):
                return agree(session, replace(variants, row=row, image=self._image), scores)
        except InPlaceError:
            return False


@contextlib.contextmanager
def _replaced(
    session: Session,
    subject: Subject,
    way: TailWay,
    values: Tensor,
    like: Tensor,
    checks: Checks,
    runs: Runs,
) -> Iterator[tuple[Scores, Subject]]:
    """Run the network with the layer's value replaced; yield the scores and whose they are."""
    rows, course = len(values), way.course
    values = _laid_as(values, like)
    variants = replace(subject, image=None) if subject.rows > 1 else subject.repeated(rows)
    repeat = _repeater(rows) if way.copied else None
    if way.is_given:
        instead = {way.call: values}
        listeners: Around = (
            Giving(course, session.device, rows=rows, repeat=repeat, instead=instead),
        )
    else:  # the layer gives more than one tensor, or the whole network runs
        listeners = (
            Giving(course, session.device, rows=rows, repeat=repeat),
            Taps(course, [way.call], _Replacing(values, subject)),
        )
    around = (*listeners, checks)
    repeated = way.is_short and rows > 1 and not way.copied
    with run(session, variants, around=around, way=runs, copied=not repeated) as scores:
        yield scores, variants


def _repeater(rows: int) -> Callable[[Tensor], Tensor]:
    return lambda value: _laid_as(value.expand(rows, *value.shape[1:]), value)


def _laid_as(values: Tensor, like: Tensor) -> Tensor:
    """Return a copy that lies in memory as another value, so that views of it are views, too."""
    inner = sorted(range(1, like.dim()), key=like.stride, reverse=True)
    order = [0, *inner]
    back = sorted(range(like.dim()), key=order.__getitem__)
    copy = values.permute(order).clone(memory_format=torch.contiguous_format)
    return copy.permute(back)


class _Replacing:
    """Give the model other values in place of a call's output; see `Taps`."""

    def __init__(self, values: Tensor, subject: Subject) -> None:
        self._values = values
        self._subject = subject

    def __call__(self, _call: Call, output: Nest) -> Nest:
        """Return the output with its first tensor replaced."""
        old = first_tensor(output)
        new = self._values.clone()  # the model may write to it
        if self._subject.row is not None and self._subject.rows > 1 and old is not None:
            row = self._subject.row
            new = torch.cat((old[:row], new, old[row + 1 :]))
        return replace_tensors(output, lambda item: new if item is old else item)
