"""Frames of a saliency map, without a widget: what is asked, what is sent, and what is kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from cnnviz_widgets.attribution.map import Map
from cnnviz_widgets.rendering.quantise import dequantise
from cnnviz_widgets.streaming.messages import MessageError
from cnnviz_widgets.widgets.base import Frame
from cnnviz_widgets.widgets.saliency_frames import (
    Question,
    RecentFrames,
    map_frame,
    partial_frame,
    progress_frame,
    read_question,
)

ASKED = {"method": "rise", "parameters": {"seed": 3, "masks": 9}, "target": None, "image": 1}


def found(values: npt.ArrayLike, **facts: object) -> Map:
    """A map of 2 classes' logits, as methods make it."""
    known: dict[str, object] = {
        "method": "rise",
        "layer": None,
        "image": 1,
        "target_index": 2,
        "target_name": "cat",
        "score": 4.5,
        "score_kind": "logit",
        "status": "ok",
        "size": (2, 3),
        "passes": (9, 0),
        "seconds": 0.25,
    }
    return Map(values=np.asarray(values, np.float32), **{**known, **facts})  # type: ignore[arg-type]


def question(image: int) -> Question:
    return Question("rise", (), None, image, None)


def test_a_question_is_the_same_in_whatever_order_its_parameters_come() -> None:
    asked = read_question(ASKED)
    assert asked == Question("rise", (("masks", 9), ("seed", 3)), None, 1, None)
    other = {**ASKED, "parameters": {"masks": 9, "seed": 3}, "layer": None}
    assert read_question(other) == asked
    assert hash(read_question(other)) == hash(asked)


def test_a_question_may_name_a_class_and_a_layer() -> None:
    asked = read_question({**ASKED, "parameters": None, "target": 7, "layer": "conv"})
    assert (asked.parameters, asked.target, asked.layer) == ((), 7, "conv")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"method": ""}, "method='' must be a text of 1 to 1000 characters"),
        ({"target": "cat"}, "target='cat' must be a whole number"),
        ({"target": -1}, "target=-1 must be a whole number from 0"),
        ({"image": None}, "image=None must be a whole number"),
        ({"layer": 3}, "layer=3 must be a text"),
        ({"parameters": [1]}, r"parameters=\[1\] must be an object of names and values"),
        ({"parameters": {"masks": [1]}}, r"parameters\['masks'\]=\[1\] must be a number, text or"),
    ],
)
def test_a_wrong_question_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(MessageError, match=message):
        read_question({**ASKED, **wrong})


def test_the_finished_map_is_exact_and_says_what_it_is() -> None:
    values = np.array([[-1, 0, 1e-30], [np.nan, np.inf, 3]], np.float32)
    frame = map_frame(found(values, note="A note.", status="nonfinite", layer="conv"))
    np.testing.assert_array_equal(frame.arrays["values"], values)
    assert frame.final
    assert frame.fields == {
        "layer": "conv",
        "status": "nonfinite",
        "note": "A note.",
        "target": {"index": 2, "name": "cat", "score": 4.5, "score_kind": "logit"},
        "forward": 9,
        "backward": 0,
        "seconds": 0.25,
    }


def test_what_is_no_score_is_left_out() -> None:
    frame = map_frame(found([[1]], score=float("nan"), target_index=None))
    assert dict(frame.fields)["target"] == {
        "index": None, "name": "cat", "score": None, "score_kind": "logit",
    }  # fmt: skip


def test_a_map_so_far_costs_a_byte_a_value() -> None:
    values = np.array([[-2, 0, 1], [4, 3, 2.5]], np.float32)
    frame = partial_frame(found(values), done=9, total=90)
    codes, ends = frame.arrays["codes"], frame.arrays["range"]
    assert codes.dtype == np.uint8
    assert codes.shape == (1, 2, 3)
    np.testing.assert_array_equal(ends, [-2, 4])
    decoded = dequantise(codes, ends[:1], ends[1:])  # type: ignore[arg-type]  # of type uint8
    np.testing.assert_allclose(decoded[0], values, atol=6 / 504 + 1e-6)
    assert (frame.final, frame.fields["done"], frame.fields["total"]) == (False, 9, 90)


def test_how_far_a_method_is_can_be_said_without_a_map() -> None:
    frame = progress_frame(3, 10)
    assert (frame.fields, dict(frame.arrays), frame.final) == ({"done": 3, "total": 10}, {}, False)


def frame_of(size: int) -> Frame:
    return Frame({}, {"values": np.zeros(size, np.uint8)})


def test_the_least_recently_used_frame_goes_first() -> None:
    recent = RecentFrames(30)
    frames = [frame_of(10) for _ in range(4)]
    for image in range(3):
        recent.put(question(image), 1, frames[image])
    assert recent.get(question(0), 1) is frames[0]
    recent.put(question(3), 1, frames[3])
    kept = [recent.get(question(image), 1) is not None for image in range(4)]
    assert kept == [True, False, True, True]


def test_a_frame_of_another_state_is_not_given_and_soon_forgotten() -> None:
    recent = RecentFrames(30)
    recent.put(question(0), 1, frame_of(10))
    assert recent.get(question(0), 2) is None
    recent.put(question(1), 2, frame_of(30))
    assert recent.get(question(0), 1) is None
    assert recent.get(question(1), 2) is not None


def test_a_frame_is_kept_once_and_one_that_is_too_large_not_at_all() -> None:
    recent = RecentFrames(30)
    for _ in range(4):
        recent.put(question(0), 1, frame_of(20))
    recent.put(question(1), 1, frame_of(10))
    assert recent.get(question(0), 1) is not None
    recent.put(question(2), 1, frame_of(31))
    assert recent.get(question(2), 1) is None
    assert recent.get(question(0), 1) is not None
