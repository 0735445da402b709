"""The base of every widget: an Inspector, the traits that are saved, a worker for its views.

In: messages of the browser and changes of the Inspector. Out: frames. State travels as traits,
pixels as messages; a frame says all about itself and never refers to a trait.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, cast

import numpy as np
import numpy.typing as npt
import traitlets

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.streaming import messages, wire
from cnnviz_widgets.streaming.baked import StoredAnswer, StoredFrame
from cnnviz_widgets.streaming.worker import LatestWorker, Token
from cnnviz_widgets.words import Phrase, joined, told

from .baking import BakedWidget, built
from .index import Index, build_index

__all__ = [
    "Answer",
    "Frame",
    "InspectorWidget",
    "Reply",
    "Watched",
    "built",
    "checked_choice",
]

_COMMON = ("type", "cid", "seq", "epoch", "final", "ms")
"""What a frame's header has of its request or of the moment, and a stored one does without."""


@dataclass(frozen=True)
class Frame:
    """One answer: the kind's own fields, and arrays for the buffer.

    `kind`, `params` and `final` are given where they differ from the request's (see
    `messages.frame`).
    """

    fields: Mapping[str, wire.Json] = field(default_factory=dict)
    arrays: Mapping[str, npt.NDArray[np.generic]] = field(default_factory=dict)
    kind: str | None = None
    params: Mapping[str, wire.Json] | None = None
    final: bool = True


class Reply:
    """One answer on its way: what an answering method asks, and another way to send its frames.

    Attributes
    ----------
    epoch : int
        State of the model that the answer is about.
    """

    def __init__(
        self,
        request: messages.Request,
        token: Token,
        epoch: int,
        send: Callable[[wire.Header, list[bytes]], object],
    ) -> None:
        self.epoch = epoch
        self._request = request
        self._token = token
        self._send = send
        self._started = time.perf_counter()

    @property
    def stale(self) -> bool:
        """Whether nobody wants the answer any more."""
        return self._token.stale

    @property
    def waiting(self) -> bool:
        """Whether any other request waits, of whatever view and kind."""
        return self._token.waiting

    def send(self, frame: Frame) -> bool:
        """Send a frame now, from within a report of progress, say; tell whether it went out."""
        header = messages.frame(
            self._request,
            frame.fields,
            epoch=self.epoch,
            ms=round((time.perf_counter() - self._started) * 1e3, 2),
            kind=frame.kind,
            params=frame.params,
            final=frame.final,
        )
        packed, payload = wire.pack(header, frame.arrays)
        sent = self._token.deliver(self._send, packed, [payload])
        self._started = time.perf_counter()
        return sent


class _Calm:
    """Stands for a worker's token where an answer is computed at once: nothing ends or waits."""

    stale = waiting = False

    def deliver(self, send: Callable[..., object], *args: object) -> bool:
        """Call ``send(*args)``."""
        send(*args)
        return True


Answer = Callable[[Any, messages.Request, Reply], Iterable[Frame]]
"""A widget's method that answers one kind of request, frame by frame."""


class Watched(Protocol):
    """What a widget shows and follows: an Inspector, or something that changes like one."""

    busy_timeout_s: float

    @property
    def epoch(self) -> int:
        """Goes up whenever what was shown became stale."""

    def check(self, *, wait: float | None = None) -> int:
        """Look whether the weights were written to since; return the epoch."""

    def on_change(self, listener: Callable[[], object]) -> None:
        """Call a function whenever `epoch` has gone up."""


class InspectorWidget(BakedWidget):
    """What all widgets have in common.

    Parameters
    ----------
    model : torch.nn.Module or Inspector
        A network, or an `Inspector` that already holds one: widgets over the same Inspector share
        its one forward pass.
    inputs : optional
        What the network takes, as `Inspector` describes it. Not with an `Inspector`.
    class_names, mean, std, output, layers, layouts : optional
        As in `Inspector`. Not with an `Inspector`.
    linked : bool, optional
        Whether its views and those of the other widgets over the same Inspector follow each other
        in a page: choose a layer, channel, class or picture in one and the others show it. True
        by default.
    image : int, optional
        Picture of the batch to show, from 0.
    **traits
        First values of the widget's own traits.

    Raises
    ------
    TypeError
        For an argument that is not known, is missing, or does not go with an `Inspector`.
    ValueError
        For inputs that cannot be shown; see `Inspector`.
    """

    _index = traitlets.Dict(help="Layers, classes and number of pictures.").tag(sync=True)
    linked = traitlets.Bool(True, help="Follow the other views of the Inspector.").tag(sync=True)
    image = traitlets.Int(0, min=0, help="Picture of the batch.").tag(sync=True)

    ANSWERS: ClassVar[dict[str, Answer]] = {}
    """Kind of request -> the method that answers it."""

    OPTIONS: ClassVar[tuple[str, ...]] = ()
    """Names of arguments of the widget's own that are no traits."""

    def __init__(
        self,
        model: object,
        inputs: object = None,
        *,
        class_names: object = None,
        mean: object = None,
        std: object = None,
        output: object = None,
        layers: object = None,
        layouts: object = None,
        **traits: object,
    ) -> None:
        given = {
            "inputs": inputs,
            "class_names": class_names,
            "mean": mean,
            "std": std,
            "output": output,
            "layers": layers,
            "layouts": layouts,
        }
        self._reject_unknown(traits, known=given)
        self._watched = self._watch(model, {k: v for k, v in given.items() if v is not None})
        super().__init__(_index=dict(self._make_index()), **traits)
        self._worker: LatestWorker[InspectorWidget, messages.Request] = LatestWorker(
            self, type(self)._answer, on_error=type(self)._report
        )
        self._watched.on_change(self._refresh_index)
        self.on_msg(type(self)._receive)

    def _watch(self, model: object, given: Mapping[str, object]) -> Watched:
        """Take what is given as an Inspector, which is what most widgets show."""
        self.inspector = inspector_of(model, given)
        return self.inspector

    def _make_index(self) -> Index:
        """Describe what there is to show."""
        return build_index(self.inspector)

    @classmethod
    def _reject_unknown(cls, traits: Mapping[str, object], *, known: Iterable[str]) -> None:
        """Traitlets would take a misspelt argument in silence."""
        inherited = set(BakedWidget.class_trait_names())
        own = [n for n in cls.class_trait_names() if not n.startswith("_") and n not in inherited]
        taken = [*known, *cls.OPTIONS, *own]
        for name in traits:
            if name not in taken and name != "layout":
                raise TypeError(
                    f"{cls.__name__} got {name}={traits[name]!r}, which it does not know"
                    f"{_near(name, taken)} It takes {', '.join(taken)}."
                )

    def close(self) -> None:
        """End the widget: its worker stops, its views disappear, the Inspector stays usable."""
        worker = getattr(self, "_worker", None)
        if worker is not None:
            worker.close()
        super().close()

    def _refresh_index(self) -> None:
        """Tell the views that what they show is stale, and forget what was baked."""
        if self._baked:
            self._set_baked(b"")
        index = self._make_index()
        self.image = min(self.image, max(0, index["batch"] - 1))
        self._index = dict(index)

    @traitlets.validate("image")
    def _known_image(self, proposal: dict[str, Any]) -> int:
        image, batch = int(proposal["value"]), self._index["batch"]
        if image >= max(1, batch):
            raise ValueError(f"image={image} must be from 0 to {batch - 1}: there are {batch}.")
        return image

    def _receive(self, content: object, _buffers: object = None) -> None:
        """Take a message: note what is asked and return at once, since a cell may be waiting."""
        try:
            message = messages.parse_message(content)
        except messages.MessageError as error:
            self.send(
                messages.failure(
                    str(error), hint=error.hint, cid=error.cid, seq=error.seq, kind=error.kind
                )
            )
            return
        if isinstance(message, messages.Hello):
            self.send(messages.welcome(message.cid, self._watched.epoch))
        elif isinstance(message, messages.Cancel):
            self._worker.cancel(message.cid, message.seq)
        else:
            self._worker.submit(message)

    def _answer(self, request: messages.Request, token: Token) -> None:
        """Compute one request in the worker's thread and send its frames."""
        answer = self.ANSWERS.get(request.kind)
        if answer is None:
            kinds = ", ".join(self.ANSWERS)
            raise messages.MessageError(f"kind={request.kind!r} must be one of {kinds}.")
        epoch = self._watched.check(wait=self._watched.busy_timeout_s)
        reply = Reply(request, token, epoch, self.send)
        for frame in answer(self, request, reply):
            if not reply.send(frame):
                return

    def _stored_answer(self, kind: str, params: wire.Header) -> StoredAnswer:
        request = messages.Request("", 0, kind, params)
        frames: list[StoredFrame] = []

        def keep(header: wire.Header, payloads: list[bytes]) -> None:
            if not (header["final"] or payloads[0]):
                return  # how far a long method was
            own = {name: value for name, value in header.items() if name not in _COMMON}
            if own["kind"] == kind and own["params"] == params:
                del own["kind"], own["params"]
                if not header["final"]:
                    return  # what a long method had so far
            frames.append(StoredFrame(own, payloads[0]))

        epoch = self._watched.check(wait=self._watched.busy_timeout_s)
        reply = Reply(request, cast("Token", _Calm()), epoch, keep)
        for frame in self.ANSWERS[kind](self, request, reply):
            reply.send(frame)
        return StoredAnswer(kind, params, tuple(frames))

    def _report(self, request: messages.Request, error: BaseException) -> None:
        """Show an error in the view that asked; in Python it shows where the user calls."""
        hint = joined(getattr(error, "__notes__", [])) or getattr(error, "hint", None)
        self.send(
            messages.failure(
                told(_said(error)),
                hint=told(hint),
                cid=request.cid,
                seq=request.seq,
                kind=request.kind,
            )
        )


def _said(error: BaseException) -> str:
    """Return an error's text: in all languages where it is ours and was made so."""
    first = error.args[0] if error.args else None
    if isinstance(first, Phrase):
        return first
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"


def inspector_of(model: object, given: Mapping[str, object]) -> Inspector:
    """Take the Inspector as it is, or make one of a model."""
    if isinstance(model, Inspector):
        if given:
            name = next(iter(given))
            raise TypeError(
                f"{name}=... was given together with an Inspector, which has its own; "
                f"leave {name} out, or pass the model instead of the Inspector."
            )
        return model
    if "inputs" not in given:
        raise TypeError(
            f"inputs is missing: {type(model).__name__} needs something to look at; pass a tensor "
            "(N, C, H, W), a picture, or an Inspector in place of the model."
        )
    # The Inspector checks every argument itself and names the one that is wrong.
    return Inspector(cast("Any", model), **cast("dict[str, Any]", dict(given)))


def checked_choice(name: str, value: str, allowed: Iterable[str]) -> str:
    """Return `value` if it is allowed, else raise a ValueError that lists what is."""
    choices = list(allowed)
    if value in choices:
        return value
    raise ValueError(f"{name}={value!r} is not one of {', '.join(choices)}{_near(value, choices)}")


def _near(given: str, known: Sequence[str]) -> str:
    """Return the end of a sentence about a wrong name: what was meant, if that can be told."""
    close = difflib.get_close_matches(given, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else "."
