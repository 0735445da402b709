from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from cnnviz_widgets.streaming import (
    Cancel,
    Hello,
    MessageError,
    Request,
    failure,
    frame,
    parse_message,
    read_name,
    read_names,
    read_whole,
    welcome,
)

ASK: dict[str, Any] = {
    "type": "req",
    "cid": "c1",
    "seq": 4,
    "kind": "layer",
    "params": {"layer": "conv1", "image": 0, "tile": 64},
}


def test_messages_are_read() -> None:
    hello = {"type": "hello", "v": 1, "cid": "c1", "dpr": 2, "visible": True}
    assert parse_message(hello) == Hello("c1", 1, 2.0, visible=True)
    assert parse_message({"type": "cancel", "cid": "c1", "seq": 9}) == Cancel("c1", 9)
    assert parse_message(ASK) == Request("c1", 4, "layer", ASK["params"])


def test_a_request_keeps_its_own_params() -> None:
    params = {"image": 0}
    request = parse_message({**ASK, "params": params})
    params["image"] = 5
    assert isinstance(request, Request)
    assert request.params == {"image": 0}
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.seq = 5  # type: ignore[misc]  # that it cannot be set is the point


def test_an_error_says_who_was_wrong() -> None:
    with pytest.raises(MessageError, match=r"params=None must be an object") as caught:
        parse_message({**ASK, "params": None})
    error = caught.value
    assert (error.cid, error.seq, error.kind) == ("c1", 4, "layer")
    assert "Reload the page" in error.hint
    with pytest.raises(MessageError, match=r"cid=7 must be a text") as caught:
        parse_message({"type": "cancel", "cid": 7, "seq": True, "kind": ["layer"]})
    assert (caught.value.cid, caught.value.seq, caught.value.kind) == (None, None, None)


@pytest.mark.parametrize("content", [None, 3, "hello", [], {1: 2}])
def test_what_is_no_message_is_refused(content: object) -> None:
    with pytest.raises(MessageError, match=r"^message=.* must be an object\.$"):
        parse_message(content)


def test_a_wrong_value_is_not_repeated_at_length() -> None:
    with pytest.raises(MessageError, match="cid=") as caught:
        parse_message({**ASK, "cid": "x" * 10_000_000})
    assert len(str(caught.value)) < 200


def test_names() -> None:
    assert read_name({"layer": "relu#2"}, "layer") == "relu#2"
    assert read_names({"layers": ["a", "b"]}, "layers") == ["a", "b"]
    assert read_names({"layers": []}, "layers") == []


@pytest.mark.parametrize("value", [None, "", 3, ["a"], True, "x" * 1001])
def test_what_is_no_name_is_refused(value: object) -> None:
    with pytest.raises(MessageError, match=r"layer=.* must be a text of 1 to 1000 characters"):
        read_name({"layer": value}, "layer")
    with pytest.raises(MessageError, match=r"layers=.* must be a text of 1 to 1000 characters"):
        read_names({"layers": ["a", value]}, "layers")


@pytest.mark.parametrize("value", [None, "ab", {"a": 1}, ("a",), ["a"] * 4])
def test_what_is_no_list_of_names_is_refused(value: object) -> None:
    with pytest.raises(MessageError, match=r"layers=.* must be a list of at most 3 names"):
        read_names({"layers": value}, "layers", most=3)


def test_whole_numbers() -> None:
    assert read_whole({"tile": 1}, "tile", low=1, high=4) == 1
    assert read_whole({"tile": 4}, "tile", low=1, high=4) == 4


@pytest.mark.parametrize("value", [None, 0, 5, -1, 2.0, 2.5, "2", True, [2], 10**400])
def test_what_is_no_whole_number_is_refused(value: object) -> None:
    with pytest.raises(MessageError, match=r"tile=.* must be a whole number from 1 to 4"):
        read_whole({"tile": value}, "tile", low=1, high=4)


@pytest.mark.parametrize("value", [None, 0, -1, True, "2", float("nan"), float("inf"), 17])
def test_a_pixel_ratio_must_be_one(value: object) -> None:
    hello = {"type": "hello", "v": 1, "cid": "c1", "dpr": value, "visible": True}
    with pytest.raises(MessageError, match=r"dpr=.* must be a number above 0, up to 16"):
        parse_message(hello)


def test_answers() -> None:
    request = Request("c1", 4, "layer", {"layer": "conv1"})
    assert welcome("c1", 3) == {"type": "welcome", "v": 1, "cid": "c1", "epoch": 3}
    assert frame(request, {"note": None}, epoch=3, ms=1.5) == {
        "type": "frame",
        "cid": "c1",
        "seq": 4,
        "kind": "layer",
        "params": {"layer": "conv1"},
        "epoch": 3,
        "final": True,
        "ms": 1.5,
        "note": None,
    }
    part = frame(request, epoch=3, ms=1, kind="channel", params={"layer": "fc"}, final=False)
    assert part["kind"] == "channel"
    assert part["params"] == {"layer": "fc"}
    assert part["final"] is False
    assert request.params == {"layer": "conv1"}


def test_failures() -> None:
    assert failure("no", hint=None, cid="c1", seq=4, kind="layer") == {
        "type": "err",
        "cid": "c1",
        "seq": 4,
        "kind": "layer",
        "message": "no",
        "hint": None,
    }
    assert failure("no", hint="reload", cid=None, seq=None, kind=None)["cid"] == ""
