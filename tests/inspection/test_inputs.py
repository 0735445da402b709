"""From what a user gives to tensors, and what is said about inputs that will not do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.data import TensorDataset

from cnnviz_widgets.inspection.inputs import Normalisation, prepare
from cnnviz_widgets.inspection.readings import ModelInput, Prepared

RGB = ModelInput(2, 3, "conv1", torch.device("cpu"), torch.float32)
GRAY = ModelInput(2, 1, "conv1", torch.device("cpu"), torch.float32)
PIXELS = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
HALF = Normalisation((0.5,), (0.5,))


def tensor_of(inputs: Any, model: ModelInput = RGB, norm: Normalisation | None = None) -> Any:
    """Prepare inputs and return the nest of tensors."""
    return prepare(inputs, model, norm).nest


def test_one_picture_in_all_its_forms_is_one_tensor(tmp_path: Path) -> None:
    """A PIL image, an array, a path, a list and a uint8 tensor give the same numbers."""
    expected = torch.tensor(PIXELS / 255, dtype=torch.float32).permute(2, 0, 1)[None]
    path = tmp_path / "picture.png"
    Image.fromarray(PIXELS).save(path)
    channels_first = torch.tensor(PIXELS).permute(2, 0, 1)
    for form in (Image.fromarray(PIXELS), PIXELS, path, str(path), [PIXELS], channels_first):
        assert torch.equal(tensor_of(form), expected)
        assert torch.equal(tensor_of(form, RGB, HALF), (expected - 0.5) / 0.5)


def test_ranks_and_batches() -> None:
    image = torch.zeros(3, 4, 5)
    assert tensor_of(image).shape == (1, 3, 4, 5)
    assert prepare([image, image + 1], RGB, None).batch_size == 2
    sound = ModelInput(1, 2, "conv", torch.device("cpu"), torch.float32)
    assert tensor_of(torch.zeros(2, 9), sound).shape == (1, 2, 9)
    dense = ModelInput(None, None, "", torch.device("cpu"), torch.float32)
    assert tensor_of(torch.zeros(7), dense).shape == (1, 7)
    assert tensor_of(np.zeros((2, 7)), dense).dtype == torch.float32


def test_gray_pictures_for_models_of_one_channel() -> None:
    gray = np.arange(20, dtype=np.uint8).reshape(4, 5)
    for form in (gray, gray[:, :, None], Image.fromarray(gray)):
        assert torch.equal(tensor_of(form, GRAY)[0, 0], torch.tensor(gray / 255).float())
    assert tensor_of(PIXELS, GRAY).shape == (1, 1, 4, 5)
    assert tensor_of(gray, RGB).shape == (1, 3, 4, 5)


def test_transparent_parts_of_a_picture_are_white(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    clear = np.concatenate([PIXELS, np.zeros((4, 5, 1), np.uint8)], axis=2)
    Image.fromarray(clear).save(path)
    for form in (path, Image.fromarray(clear)):
        assert (tensor_of(form) == 1).all()


def test_a_picture_turned_by_its_camera_stands_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    Image.fromarray(PIXELS).save(tmp_path / "turned.jpg", exif=exif)
    assert tensor_of(tmp_path / "turned.jpg").shape == (1, 3, 5, 4)


def test_types_follow_the_model() -> None:
    half = ModelInput(2, 3, "conv1", torch.device("cpu"), torch.float16)
    assert tensor_of(torch.zeros(1, 3, 4, 5, dtype=torch.float64), half).dtype == torch.float16
    assert tensor_of((torch.zeros(1, 2, dtype=torch.int64),), half)[0].dtype == torch.int64


def test_several_inputs_are_arguments_or_keywords() -> None:
    a, b = torch.zeros(2, 3), torch.ones(2, 1)
    called: list[Any] = []

    class Spy(nn.Module):
        def forward(self, *args: object, **keywords: object) -> None:
            called.append((args, keywords))

    for inputs in ((a, b), {"left": a, "right": b}):
        prepared = prepare(inputs, RGB, None)
        assert isinstance(prepared, Prepared)
        prepared.invoke(Spy(), prepared.nest)
    assert len(called[0][0]) == 2
    assert list(called[1][1]) == ["left", "right"]


BAD: list[tuple[Any, type[Exception], str]] = [
    (3, TypeError, r"inputs=3 is a int, nothing to look at; give a tensor \(N, C, H, W\)"),
    ([torch.zeros(3)], ValueError, r"^inputs\[0\] has shape \(3,\), 1 axis; .* takes \(N, C, H"),
    (torch.zeros(0, 3, 4, 5), ValueError, r"shape \(0, 3, 4, 5\), an empty batch"),
    (torch.tensor(1.0), ValueError, r"shape \(\), no picture; give at least one image"),
    (torch.zeros(2, 3, 4, 0), ValueError, r"shape \(2, 3, 4, 0\), no picture"),
    ([], ValueError, r"inputs=\[\] is an empty list"),
    ((), ValueError, r"inputs=\(\) holds no tensor"),
    ({"x": torch.zeros(0, 2)}, ValueError, r"inputs\['x'\] has shape \(0, 2\); it needs a batch"),
    (("text",), TypeError, r"inputs\[0\] is a str; a tuple or dict of inputs holds tensors"),
    ([torch.zeros(3, 4, 5), torch.zeros(3, 4, 6)], ValueError, r"inputs\[1\] has shape \(3, 4"),
    (np.zeros((2, 4, 5, 3), np.uint8), ValueError, r"uint8 array of shape \(2, 4, 5, 3\)"),
    (np.array(["a"]), TypeError, r"inputs is an array of <U1"),
    ([torch.zeros(2, 3, 4, 5), torch.tensor([1, 7])], ValueError, r"\[1\] .* Labels are not look"),
    ([[torch.zeros(3, 4, 5)]], TypeError, r"is a list, .* give torch.tensor\(...\) of them\.$"),
    (TensorDataset(torch.zeros(2, 3, 4, 5)), TypeError, r"TensorDataset, .* it: inputs\[0\]\[0\]"),
    ("https://a.org/b.png", ValueError, r"='https://a.org/b.png' is an address; nothing is downl"),
    ("nowhere.png", FileNotFoundError, r"inputs='nowhere.png' is not a file"),
]  # fmt: skip


@pytest.mark.parametrize(("inputs", "error", "text"), BAD)
def test_bad_inputs_say_what_is_allowed(inputs: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        prepare(inputs, RGB, None)


def test_labels_beside_pictures_are_told_where_the_model_fails() -> None:
    prepared = prepare((torch.zeros(2, 3, 4, 5), torch.tensor([1, 7])), RGB, None)
    assert prepared.remark == "The last of the inputs looks like labels: if it is, leave it out."
    assert prepare((torch.zeros(2, 3, 4, 5), torch.zeros(2)), RGB, None).remark is None


def test_a_normalisation_for_bytes_is_refused_for_pictures() -> None:
    norm = Normalisation((123.0, 116.0, 103.0), (58.0, 57.0, 57.0))
    with pytest.raises(ValueError, match=r"mean=\[123.0, .* divide both by 255 if they are for 0"):
        prepare(np.zeros((4, 5, 3), np.uint8), RGB, norm)


def test_a_directory_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is a directory; give the path of one picture in it"):
        prepare(tmp_path, RGB, None)


def test_later_writes_of_the_user_change_nothing() -> None:
    x = torch.ones(1, 3, 4, 5)
    for inputs in (x, [x], (x,), {"x": x}):
        prepared = prepare(inputs, RGB, None)
        x.zero_()
        assert prepared.first.sum() == 60
        x.fill_(1)


def test_a_file_that_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "text.png"
    path.write_text("not a picture")
    with pytest.raises(ValueError, match=r"text.png' is not a picture that can be read"):
        prepare(path, RGB, None)


def test_pictures_for_models_that_take_none() -> None:
    many = ModelInput(2, 11, "stem", torch.device("cpu"), torch.float32)
    with pytest.raises(
        ValueError, match=r"first convolution 'stem' takes 11 channels and 2 spatial"
    ):
        prepare(Image.fromarray(PIXELS), many, None)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_pictures_that_are_not_finite(value: float) -> None:
    picture = torch.zeros(1, 3, 4, 5)
    picture[0, 1, 2, 3] = value
    with pytest.raises(ValueError, match=r"holds 1 values .* of 60, the first at \(0, 1, 2, 3\)"):
        prepare(picture, RGB, None)


def test_normalisation_goes_there_and_back() -> None:
    norm = Normalisation.of([0.1, 0.2, 0.3], [0.5, 1.0, 2.0], 3)
    assert norm is not None
    x = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    by_hand = (float(x[1, 2, 0, 0]) - 0.3) / 2.0
    assert norm.apply(x)[1, 2, 0, 0] == pytest.approx(by_hand, abs=1e-6)
    torch.testing.assert_close(norm.undo(norm.apply(x)), x)
    assert Normalisation.of(None, None, 3) is None


@pytest.mark.parametrize(
    ("mean", "std", "text"),
    [
        ([0.5, 0.5], None, r"mean=\[0.5, 0.5\] has 2 numbers, but .* 3 channels"),
        ([0.5] * 3, [1.0], r"mean has 3 numbers and std 1"),
        ([0.5] * 3, [1.0, 0.0, 1.0], r"std=\[1.0, 0.0, 1.0\] must be positive"),
        ([float("nan")] * 3, None, r"must be one finite number for each channel"),
        ("abc", None, r"mean='abc' must be one finite number"),
    ],
)
def test_bad_mean_and_std(mean: Any, std: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Normalisation.of(mean, std, 3)
