"""ImagePicker from the kernel's side: files, samples and Python in, the Inspector's inputs out."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

import cnnviz_widgets as cw
from cnnviz_widgets.inspection.decoding import Step
from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.widgets.image_picker import ImagePicker
from tests.widgets.kernel import Sent, ask, listen

SAMPLE = cw.samples.load("shapes", images=3)
RNG = np.random.default_rng(5)
PIXELS = RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)


def png(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@functools.cache
def shapes() -> Inspector:
    """The shapes network, once for all tests."""
    return Inspector(
        SAMPLE.model,
        SAMPLE.images,
        class_names=SAMPLE.class_names,
        mean=SAMPLE.mean,
        std=SAMPLE.std,
    )


def opened(**options: Any) -> tuple[ImagePicker, Sent]:
    """A picker over the shapes network with its three pictures, and what it sends."""
    shapes().set_inputs(SAMPLE.images)
    widget = ImagePicker(shapes(), **options)
    return widget, listen(widget)


@pytest.fixture
def picker() -> Iterator[tuple[ImagePicker, Sent]]:
    widget, sent = opened(samples=SAMPLE)
    yield widget, sent
    widget.close()


def send_file(widget: ImagePicker, data: bytes, *, upload: int = 1, size: int = 100) -> None:
    """Send a file as a view does, in parts of `size` bytes."""
    for place in range((len(data) + size - 1) // size):
        part = {"type": "part", "cid": "view", "upload": upload, "place": place}
        widget._handle_custom_msg(part, [memoryview(data[place * size : (place + 1) * size])])


def given(widget: ImagePicker) -> torch.Tensor:
    tensor: torch.Tensor = widget.inspector.inputs
    return tensor


def normalised(pixels: NDArray[np.uint8]) -> torch.Tensor:
    values = torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)[None]
    mean, std = (torch.tensor(each)[:, None, None] for each in (SAMPLE.mean, SAMPLE.std))
    return (values - mean) / std


# -- files ------------------------------------------------------------------------------------


def test_a_png_of_the_size_arrives_bit_for_bit(picker: tuple[ImagePicker, Sent]) -> None:
    widget, sent = picker
    send_file(widget, png(PIXELS))
    ask(widget, 1, "choose", upload=1, name="noise.png", size=len(png(PIXELS)))
    frame = sent.wait(1)
    np.testing.assert_array_equal(sent.arrays(frame)["rgb"], PIXELS)
    assert torch.equal(given(widget), normalised(PIXELS))
    assert (frame["kind"], frame["params"]) == ("input", {"image": 0})
    assert frame["epoch"] == widget.inspector.epoch == widget._index["epoch"]
    assert widget._chosen == {
        "name": "noise.png",
        "sample": -1,
        "steps": [["normalised", 0, 0, ""]],
    }


def test_a_file_is_read_as_the_inspector_reads_a_path(
    picker: tuple[ImagePicker, Sent], tmp_path: Path
) -> None:
    widget, _ = picker
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.jpg"
    Image.fromarray(PIXELS).save(path, exif=exif)
    widget.choose(path)
    chosen = given(widget)
    widget.inspector.set_inputs(path)
    assert torch.equal(chosen, given(widget))


def test_a_request_that_comes_twice_is_answered_twice(picker: tuple[ImagePicker, Sent]) -> None:
    widget, sent = picker
    data = png(PIXELS)
    send_file(widget, data)
    for seq in (1, 2):
        ask(widget, seq, "choose", upload=1, name="noise.png", size=len(data))
        assert sent.wait(seq)["type"] == "frame"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello", "the file is not a picture that can be read"),
        (png(PIXELS)[:500], "the picture is broken"),
    ],
)
def test_a_file_that_is_no_picture_changes_nothing(
    picker: tuple[ImagePicker, Sent], data: bytes, message: str
) -> None:
    widget, sent = picker
    widget.choose_sample(1)
    before, chosen = given(widget), widget._chosen
    send_file(widget, data)
    ask(widget, 1, "choose", upload=1, name="x", size=len(data))
    failure = sent.wait(1)
    assert failure["kind"] == "choose"
    assert failure["message"]["en"].startswith(message)
    assert torch.equal(given(widget), before)
    assert widget._chosen == chosen


def test_a_file_that_did_not_come_whole(picker: tuple[ImagePicker, Sent]) -> None:
    widget, sent = picker
    send_file(widget, b"abc")
    ask(widget, 1, "choose", upload=1, name="x", size=9)
    assert sent.wait(1)["message"] == "3 of 9 bytes of the file came; choose it again."


def test_a_part_that_cannot_be_read_is_told(picker: tuple[ImagePicker, Sent]) -> None:
    widget, sent = picker
    widget._handle_custom_msg({"type": "part", "cid": "view", "upload": -1}, [])
    (failure,) = [content for content, _ in sent.messages if content["type"] == "err"]
    assert (failure["cid"], failure["kind"]) == ("view", "choose")


# -- samples ----------------------------------------------------------------------------------


def test_a_sample_is_taken_as_it_is(picker: tuple[ImagePicker, Sent]) -> None:
    widget, sent = picker
    ask(widget, 1, "choose", sample=2)
    sent.wait(1)
    assert torch.equal(given(widget), SAMPLE.images[2:3])
    assert widget._chosen["sample"] == 2
    assert widget.steps == ()
    ask(widget, 2, "choose", sample=3)
    assert sent.wait(2)["message"] == "sample 3 is not there: there are 3, counted from 0."


def test_samples_are_sent_as_small_pictures(picker: tuple[ImagePicker, Sent]) -> None:
    widget, sent = picker
    ask(widget, 1, "samples")
    small = sent.arrays(sent.wait(1))["rgb"]
    assert small.shape == (3, 64, 64, 3)
    widget.choose_sample(1)
    np.testing.assert_array_equal(small[1], widget.inspector.picture(0))


def test_by_default_the_pictures_of_the_inspector_are_offered() -> None:
    widget, _ = opened()
    widget.choose_sample(2)
    widget.choose_sample(1)
    assert torch.equal(given(widget), SAMPLE.images[1:2])
    widget.close()


def test_no_samples_at_all_are_no_trouble() -> None:
    widget, sent = opened(samples=[])
    ask(widget, 1, "samples")
    assert sent.arrays(sent.wait(1)) == {}
    widget.close()


# -- what becomes of a picture ----------------------------------------------------------------


def test_what_was_done_is_listed_and_follows_the_fit(picker: tuple[ImagePicker, Sent]) -> None:
    widget, sent = picker
    widget.choose(RNG.integers(0, 256, (64, 128, 3), dtype=np.uint8), name="wide")
    assert widget.steps == (Step("cropped", 64, 64), Step("normalised"))
    ask(widget, 1, "choose", fit="pad")
    sent.wait(1)
    assert [step.kind for step in widget.steps] == ["shrunk", "padded", "normalised"]
    widget.fit = "stretch"
    assert [step.kind for step in widget.steps] == ["stretched", "normalised"]
    assert widget._chosen["name"] == "wide"
    ask(widget, 2, "choose", fit="melt")
    assert "fit='melt' is not one of crop, pad, stretch" in sent.wait(2)["message"]


def test_own_preprocessing_takes_the_place_of_the_fit() -> None:
    widget, _ = opened(preprocess=lambda image: torch.full((3, 64, 64), image.width / 100))
    widget.choose(PIXELS[:10, :20])
    assert torch.equal(given(widget), torch.full((1, 3, 64, 64), 0.2))
    assert [(step.kind, step.name) for step in widget.steps] == [("preprocessed", "<lambda>")]
    widget.close()


# -- what is said of it -----------------------------------------------------------------------


def test_what_is_said_ends_with_the_picture(picker: tuple[ImagePicker, Sent]) -> None:
    widget, _ = picker
    widget.choose_sample(1)
    with torch.no_grad():
        next(SAMPLE.model.parameters()).mul_(1.0)  # other weights, the same picture
    widget.inspector.check()
    assert widget._chosen["sample"] == 1
    widget.inspector.set_inputs(SAMPLE.images[2:])
    assert widget._chosen == {}
    widget.fit = "pad"
    assert torch.equal(given(widget), SAMPLE.images[2:])


def test_a_picture_of_the_batch_that_is_gone_is_not_shown(
    picker: tuple[ImagePicker, Sent],
) -> None:
    widget, _ = picker
    widget.image = 2
    widget.choose_sample(1)
    assert widget.image == 0
    with pytest.raises(ValueError, match="image=1 must be from 0 to 0"):
        widget.image = 1


def test_the_still_and_the_baked_page(picker: tuple[ImagePicker, Sent]) -> None:
    widget, _ = picker
    widget.choose_sample(1)
    with Image.open(io.BytesIO(widget.snapshot())) as still:
        assert still.size[0] >= 192
    assert widget.bake().answers == 2


# -- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"samples": "one.png"}, TypeError, "samples='one.png' is a str; give a list of pictures"),
        ({"preprocess": 3}, TypeError, "preprocess=3 must be a function of a PIL image"),
        ({"size": 64}, ValueError, "size=64 must be a height and a width"),
        ({"fit": "melt"}, ValueError, "fit='melt' is not one of crop, pad, stretch"),
        ({"sample": []}, TypeError, "sample=.*did you mean"),
    ],
)
def test_arguments_are_checked(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        opened(**options)
