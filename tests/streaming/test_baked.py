"""Stored answers: what goes in comes out, equal arrays are stored once, the same gives the same."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from cnnviz_widgets.streaming.baked import (
    StoredAnswer,
    StoredFrame,
    pack_answers,
    unpack_answers,
)
from cnnviz_widgets.streaming.wire import Header, PayloadError, pack


def stored(**arrays: object) -> StoredFrame:
    header, payload = pack({"note": "ünï </script>"}, {k: np.asarray(v) for k, v in arrays.items()})
    return StoredFrame(header, payload)


def answer(layer: str, *frames: StoredFrame) -> StoredAnswer:
    params: Header = {"layer": layer, "image": 0, "tile": 64}
    return StoredAnswer("layer", params, frames)


ONES = stored(codes=np.ones((2, 3, 5), np.uint8))
FLOATS = stored(values=np.arange(7, dtype=np.float32))
EMPTY = stored()


def test_answers_come_back_as_they_were() -> None:
    answers = [answer("a", ONES, FLOATS), answer("b", EMPTY), answer("c", ONES)]
    assert unpack_answers(pack_answers(answers)) == answers


def test_equal_arrays_are_stored_once() -> None:
    noise = stored(codes=np.random.default_rng(0).integers(0, 256, (4, 50, 50), np.uint8))
    once = len(pack_answers([answer("a", noise)]))
    assert len(pack_answers([answer(str(i), noise) for i in range(20)])) < once + 500


def test_arrays_begin_at_multiples_of_8() -> None:
    memory = gzip.decompress(pack_answers([answer("a", ONES), answer("b", FLOATS)]))
    np.testing.assert_array_equal(np.frombuffer(memory, "<f4", 7, offset=32), np.arange(7))


def test_the_same_answers_give_the_same_bytes() -> None:
    assert pack_answers([answer("a", ONES)]) == pack_answers([answer("a", ONES)])


@pytest.mark.parametrize(
    "wrong", [b"", b"no gzip", gzip.compress(b"", mtime=0), gzip.compress(b"[]1234", mtime=0)]
)
def test_other_bytes_are_refused(wrong: bytes) -> None:
    with pytest.raises(PayloadError, match="hold no answers"):
        unpack_answers(wrong)
