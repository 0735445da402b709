"""Files in parts: put together in order, bounded, and handed out once."""

from __future__ import annotations

import pytest

from cnnviz_widgets.streaming import uploads
from cnnviz_widgets.streaming.messages import MessageError
from cnnviz_widgets.streaming.uploads import Uploads


def part(
    data: bytes, place: int = 0, *, upload: int = 1, cid: str = "a"
) -> tuple[object, list[object]]:
    """Return a message as a page sends it, with its buffer as a kernel gets it."""
    content = {"type": "part", "cid": cid, "upload": upload, "place": place}
    return content, [memoryview(data)]


def test_parts_become_a_file_that_is_handed_out_once() -> None:
    found = Uploads()
    assert found.take(*part(b"abc", 0))
    assert found.take(*part(b"de", 1))
    assert found.file("a", 1, 5) == b"abcde"
    with pytest.raises(MessageError, match="0 of 5 bytes of the file came; choose it again"):
        found.file("a", 1, 5)


def test_other_messages_are_left_to_others() -> None:
    found = Uploads()
    assert not found.take({"type": "req"}, [])
    assert not found.take("part", [])


def test_a_new_file_takes_the_place_of_the_one_before() -> None:
    found = Uploads()
    found.take(*part(b"old", 0))
    found.take(*part(b"new", 0, upload=2))
    found.take(*part(b"late", 1))
    assert found.file("a", 2, 3) == b"new"


def test_a_missing_part_is_told_when_the_file_is_asked_for() -> None:
    found = Uploads()
    found.take(*part(b"abc", 0))
    found.take(*part(b"fgh", 2))
    with pytest.raises(MessageError, match="3 of 9 bytes"):
        found.file("a", 1, 9)


def test_views_do_not_disturb_each_other_and_are_few() -> None:
    found = Uploads()
    for cid in "abcde":
        found.take(*part(cid.encode(), cid=cid))
    assert found.file("e", 1, 1) == b"e"
    with pytest.raises(MessageError, match="0 of 1 bytes"):
        found.file("a", 1, 1)


def test_a_file_that_is_too_large_is_refused_while_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uploads, "MAX_FILE_BYTES", 4)
    found = Uploads()
    found.take(*part(b"abc", 0))
    with pytest.raises(MessageError, match="a file of more than 0 MB is not taken"):
        found.take(*part(b"de", 1))


@pytest.mark.parametrize(
    ("name", "value"), [("cid", 3), ("upload", -1), ("upload", "1"), ("place", None)]
)
def test_a_part_that_cannot_be_read_is_refused(name: str, value: object) -> None:
    content, buffers = part(b"abc")
    assert isinstance(content, dict)
    with pytest.raises(MessageError, match=f"{name}="):
        Uploads().take({**content, name: value}, buffers)
