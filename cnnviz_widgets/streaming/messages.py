"""What browser and kernel say: requests read strictly, and the headers of the answers.

In: message contents as the widget's comm delivers them. Out: frozen dataclasses for the worker,
dicts for `wire.pack`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

from .wire import PROTOCOL_VERSION, Header, Json

MAX_CID = 64
MAX_NAME = 1000
MAX_SEQ = 2**53 - 1
MAX_TILE = 4096
MAX_COUNT = 2**31 - 1
MAX_PREFETCH_LAYERS = 4096
MAX_PREFETCH_BYTES = 1 << 30
MAX_PIXEL_RATIO = 16.0
_SHOWN = 60
"""Characters of a wrong value that an error repeats."""


class MessageError(ValueError):
    """A message from the browser that cannot be understood.

    Attributes
    ----------
    cid, seq, kind : str, int, str or None
        What could be read of them, so that the answer reaches the request that was wrong.
    hint : str
        What to do.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.cid: str | None = None
        self.seq: int | None = None
        self.kind: str | None = None
        self.hint = "Reload the page; if it happens again, restart the kernel."


@dataclass(frozen=True)
class Hello:
    """A view has appeared: its pixel ratio (device px per CSS px), and whether it can be seen."""

    cid: str
    version: int
    dpr: float
    visible: bool


@dataclass(frozen=True)
class Cancel:
    """The answer to `seq` is no longer wanted."""

    cid: str
    seq: int


@dataclass(frozen=True)
class LayerParams:
    """All channels of a layer for one picture, reduced to tiles of `tile` device pixels."""

    layer: str
    image: int
    tile: int


@dataclass(frozen=True)
class ChannelParams:
    """One channel at full resolution, exact."""

    layer: str
    image: int
    channel: int


@dataclass(frozen=True)
class InputParams:
    """One input picture and what the network says of it."""

    image: int


@dataclass(frozen=True)
class PrefetchParams:
    """Layers to send while nothing else is asked for, the nearest first.

    At most `budget` bytes of them ("bytes" on the wire).
    """

    layers: tuple[str, ...]
    image: int
    tile: int
    budget: int


Params: TypeAlias = "LayerParams | ChannelParams | InputParams | PrefetchParams"


@dataclass(frozen=True)
class Request:
    """A view asks for something.

    Attributes
    ----------
    cid : str
        Which view asks.
    seq : int
        Rises with every new request of that view.
    kind : str
        One of `KINDS`.
    params : LayerParams, ChannelParams, InputParams or PrefetchParams
        As the kind needs.
    asked : dict
        The parameters as they came, for the answer's header.
    """

    cid: str
    seq: int
    kind: str
    params: Params
    asked: Header


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _text(fields: Mapping[str, object], key: str, *, longest: int = MAX_NAME) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise MessageError(f"{key}={_shown(value)} must be a text of 1 to {longest} characters.")
    return value


def _whole(fields: Mapping[str, object], key: str, *, low: int = 0, high: int = MAX_COUNT) -> int:
    value = fields.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise MessageError(f"{key}={_shown(value)} must be a whole number from {low} to {high}.")
    return value


def _mapping(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise MessageError(f"{name}={_shown(value)} must be an object.")
    return value


def _layer(fields: Mapping[str, object]) -> LayerParams:
    tile = _whole(fields, "tile", low=1, high=MAX_TILE)
    return LayerParams(_text(fields, "layer"), _whole(fields, "image"), tile)


def _channel(fields: Mapping[str, object]) -> ChannelParams:
    return ChannelParams(_text(fields, "layer"), _whole(fields, "image"), _whole(fields, "channel"))


def _input(fields: Mapping[str, object]) -> InputParams:
    return InputParams(_whole(fields, "image"))


def _prefetch(fields: Mapping[str, object]) -> PrefetchParams:
    names = fields.get("layers")
    if not isinstance(names, list) or len(names) > MAX_PREFETCH_LAYERS:
        raise MessageError(
            f"layers={_shown(names)} must be a list of at most {MAX_PREFETCH_LAYERS} names."
        )
    layers = tuple(_text({"layers": name}, "layers") for name in names)
    tile = _whole(fields, "tile", low=1, high=MAX_TILE)
    budget = _whole(fields, "bytes", high=MAX_PREFETCH_BYTES)
    return PrefetchParams(layers, _whole(fields, "image"), tile, budget)


_READERS: dict[str, Callable[[Mapping[str, object]], Params]] = {
    "layer": _layer,
    "channel": _channel,
    "input": _input,
    "prefetch": _prefetch,
}
KINDS = tuple(_READERS)
"""What a view can ask for."""


def parse_message(content: object) -> Hello | Request | Cancel:
    """Read a message from the browser.

    Parameters
    ----------
    content : object
        The content of a custom message, any JSON value.

    Returns
    -------
    Hello, Request or Cancel
        Fields that are not known are left aside.

    Raises
    ------
    MessageError
        When a field is missing, of another type, out of range, or the page speaks another version.
    """
    fields = _mapping(content, "message")
    try:
        return _parse(fields)
    except MessageError as error:
        _name_sender(error, fields)
        raise


def _parse(fields: Mapping[str, object]) -> Hello | Request | Cancel:
    sort = fields.get("type")
    if sort not in ("hello", "req", "cancel"):
        raise MessageError(f"type={_shown(sort)} must be one of hello, req, cancel.")
    cid = _text(fields, "cid", longest=MAX_CID)
    if sort == "hello":
        return _hello(fields, cid)
    seq = _whole(fields, "seq", high=MAX_SEQ)
    if sort == "cancel":
        return Cancel(cid, seq)
    kind = fields.get("kind")
    if not isinstance(kind, str) or kind not in _READERS:
        raise MessageError(f"kind={_shown(kind)} must be one of {', '.join(KINDS)}.")
    params = _mapping(fields.get("params"), "params")
    # The copy is shallow: contents come from parsed JSON and belong to this message alone.
    return Request(cid, seq, kind, _READERS[kind](params), cast("Header", dict(params)))


def _hello(fields: Mapping[str, object], cid: str) -> Hello:
    version = _whole(fields, "v")
    if version != PROTOCOL_VERSION:
        raise MessageError(
            f"the page speaks version {version} and the kernel version {PROTOCOL_VERSION}; "
            "reload the page and restart the kernel."
        )
    dpr, visible = fields.get("dpr"), fields.get("visible")
    if (
        not isinstance(dpr, (int, float))
        or isinstance(dpr, bool)
        or not (math.isfinite(dpr) and 0 < dpr <= MAX_PIXEL_RATIO)
    ):
        raise MessageError(
            f"dpr={_shown(dpr)} must be a number above 0, up to {MAX_PIXEL_RATIO:g}."
        )
    if not isinstance(visible, bool):
        raise MessageError(f"visible={_shown(visible)} must be true or false.")
    return Hello(cid, version, float(dpr), visible)


def _name_sender(error: MessageError, fields: Mapping[str, object]) -> None:
    """Note on the error what can be read of who asked."""
    cid, seq, kind = fields.get("cid"), fields.get("seq"), fields.get("kind")
    if isinstance(cid, str) and len(cid) <= MAX_CID:
        error.cid = cid
    if isinstance(seq, int) and not isinstance(seq, bool) and 0 <= seq <= MAX_SEQ:
        error.seq = seq
    if isinstance(kind, str) and kind in _READERS:
        error.kind = kind


def welcome(cid: str, epoch: int) -> Header:
    """Answer a hello: the kernel is there, and `epoch` is the state that it would show."""
    return {"type": "welcome", "v": PROTOCOL_VERSION, "cid": cid, "epoch": epoch}


def frame(
    request: Request,
    fields: Mapping[str, Json] | None = None,
    *,
    epoch: int,
    ms: float,
    kind: str | None = None,
    params: Mapping[str, Json] | None = None,
    final: bool = True,
) -> Header:
    """Header of an answer, without its arrays (`wire.pack` adds them).

    Parameters
    ----------
    request : Request
        What is answered.
    fields : mapping, optional
        The kind's own fields.
    epoch : int
        State of the inspector that the answer shows.
    ms : float
        Milliseconds that the kernel needed.
    kind, params : optional
        Where they differ from the request's: a frame of a prefetch is of kind "layer" with that
        layer's params.
    final : bool
        No more frames follow for this request.
    """
    return {
        "type": "frame",
        "cid": request.cid,
        "seq": request.seq,
        "kind": request.kind if kind is None else kind,
        "params": dict(request.asked if params is None else params),
        "epoch": epoch,
        "final": final,
        "ms": ms,
        **(fields or {}),
    }


def failure(
    message: str, *, hint: str | None, cid: str | None, seq: int | None, kind: str | None
) -> Header:
    """Say that a request failed: what happened, and what to do (None: nothing known)."""
    return {
        "type": "err",
        "cid": cid,
        "seq": seq,
        "kind": kind,
        "message": message,
        "hint": hint,
    }
