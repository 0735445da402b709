"""What browser and kernel say: requests read strictly, and the headers of the answers.

In: message contents as the widget's comm delivers them. Out: frozen dataclasses for the worker,
dicts for `wire.pack`.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from .wire import PROTOCOL_VERSION, Header, Json

MAX_CID = 64
MAX_KIND = 64
MAX_NAME = 1000
MAX_NAMES = 4096
MAX_SEQ = 2**53 - 1
MAX_COUNT = 2**31 - 1
MAX_PIXEL_RATIO = 16.0

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60  # characters of a wrong value that an error repeats


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
class Request:
    """A view asks for something.

    Attributes
    ----------
    cid : str
        Which view asks.
    seq : int
        Rises with every new request of that view.
    kind : str
        What is asked for; the widget knows which kinds there are.
    params : dict
        As they came; read them with `read_name`, `read_names` and `read_whole`.
    """

    cid: str
    seq: int
    kind: str
    params: Header


def _shown(value: object) -> str:
    return _short.repr(value)


def read_name(fields: Mapping[str, object], key: str, *, longest: int = MAX_NAME) -> str:
    """Read a text that must be there.

    Parameters
    ----------
    fields : mapping
        A message, or the params of a request.
    key : str
        Which field.
    longest : int
        Characters allowed; one is needed.

    Raises
    ------
    MessageError
        When it is missing, no text, empty or too long.
    """
    value = fields.get(key)
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise MessageError(f"{key}={_shown(value)} must be a text of 1 to {longest} characters.")
    return value


def read_names(fields: Mapping[str, object], key: str, *, most: int = MAX_NAMES) -> list[str]:
    """Read a list of at most `most` texts.

    Raises
    ------
    MessageError
        When it is missing, no list, too long, or an entry is no name.
    """
    values = fields.get(key)
    if not isinstance(values, list) or len(values) > most:
        raise MessageError(f"{key}={_shown(values)} must be a list of at most {most} names.")
    return [read_name({key: value}, key) for value in values]


def read_whole(
    fields: Mapping[str, object], key: str, *, low: int = 0, high: int = MAX_COUNT
) -> int:
    """Read a whole number from `low` to `high`, both allowed.

    Raises
    ------
    MessageError
        When it is missing, no whole number, or outside.
    """
    value = fields.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise MessageError(f"{key}={_shown(value)} must be a whole number from {low} to {high}.")
    return value


def _mapping(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise MessageError(f"{name}={_shown(value)} must be an object.")
    return value


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
    cid = read_name(fields, "cid", longest=MAX_CID)
    if sort == "hello":
        return _hello(fields, cid)
    seq = read_whole(fields, "seq", high=MAX_SEQ)
    if sort == "cancel":
        return Cancel(cid, seq)
    kind = read_name(fields, "kind", longest=MAX_KIND)
    params = _mapping(fields.get("params"), "params")
    # The copy is shallow: contents come from parsed JSON and belong to this message alone.
    return Request(cid, seq, kind, cast("Header", dict(params)))


def _hello(fields: Mapping[str, object], cid: str) -> Hello:
    version = read_whole(fields, "v")
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
    if isinstance(kind, str) and len(kind) <= MAX_KIND:
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
        "params": dict(request.params if params is None else params),
        "epoch": epoch,
        "final": final,
        "ms": ms,
        **(fields or {}),
    }


def failure(
    message: Json, *, hint: Json, cid: str | None, seq: int | None, kind: str | None
) -> Header:
    """Say that a request failed: what happened, and what to do (None: nothing known), as told."""
    return {
        "type": "err",
        "cid": cid or "",
        "seq": seq,
        "kind": kind,
        "message": message,
        "hint": hint,
    }
