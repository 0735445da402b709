"""From any picture to what a network takes: every form gives the same numbers, or a clear error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import cnnviz_widgets as cw
from cnnviz_widgets.inspection.decoding import Step
from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.widgets.intake import (
    Choice,
    Intake,
    choice_of,
    picture_size,
    sample_choices,
)

PIXELS = np.random.default_rng(5).integers(0, 256, (4, 6, 3), dtype=np.uint8)
VALUES = torch.from_numpy(PIXELS.astype(np.float32) / 255).permute(2, 0, 1)
NORMALISED = Step("normalised")


def inspector_of(channels: int = 3, **options: Any) -> Inspector:
    """An Inspector whose network takes pictures of 4 x 6 pixels."""
    model = nn.Sequential(nn.Conv2d(channels, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Inspector(model, torch.rand(2, channels, 4, 6), **options)


def test_every_form_of_a_picture_gives_the_same_numbers(tmp_path: Path) -> None:
    path = tmp_path / "noise.png"
    Image.fromarray(PIXELS).save(path)
    inspector = inspector_of(mean=[0.5, 0.4, 0.3], std=[0.2, 0.3, 0.4])
    inspector.set_inputs(path)
    expected = inspector.inputs
    intake = Intake(inspector, (4, 6), None)
    for picture in (path, str(path), Image.fromarray(PIXELS), PIXELS):
        taken = intake.taken(choice_of(picture), "crop")
        assert torch.equal(taken.inputs, expected)
        assert taken.steps == (NORMALISED,)
    for tensor in (expected, expected[0]):
        taken = intake.taken(choice_of(tensor), "crop")
        assert torch.equal(taken.inputs, expected)
        assert taken.steps == ()
    assert choice_of(path).name == "noise.png"
    assert choice_of(path, "mine").name == "mine"


@pytest.mark.parametrize("pixels", [PIXELS[:, :, 0], PIXELS[:, :, :1]])
def test_grey_for_colour_and_colour_for_grey(pixels: Any) -> None:
    colour = Intake(inspector_of(3), (4, 6), None).taken(choice_of(pixels), "crop")
    assert torch.equal(colour.inputs[0], VALUES[:1].expand(3, -1, -1))
    assert colour.steps == (Step("coloured"),)
    grey = Intake(inspector_of(1), (4, 6), None).taken(choice_of(PIXELS), "crop")
    levels = np.asarray(Image.fromarray(PIXELS).convert("L"))
    assert torch.equal(grey.inputs[0, 0], torch.from_numpy(levels / np.float32(255)))
    assert grey.steps == (Step("grey"),)


def test_a_network_without_convolutions_is_given_what_it_takes() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(24, 3))
    inspector = Inspector(model, torch.rand(1, 1, 4, 6))
    taken = Intake(inspector, (4, 6), None).taken(choice_of(PIXELS), "crop")
    assert taken.inputs.shape == (1, 1, 4, 6)


def test_own_preprocessing_is_given_rgb_and_believed() -> None:
    seen = []

    def half(image: Image.Image) -> torch.Tensor:
        seen.append((image.mode, image.size))
        return torch.full((3, 4, 6), 0.5)

    intake = Intake(inspector_of(mean=[0.5], std=[0.5]), (4, 6), half)
    taken = intake.taken(choice_of(PIXELS[:2, :, 0]), "crop")
    assert seen == [("RGB", (6, 2))]
    assert torch.equal(taken.inputs, torch.full((1, 3, 4, 6), 0.5))
    assert taken.steps == (Step("preprocessed", name="half"),)


@pytest.mark.parametrize(
    ("made", "error", "message"),
    [
        (None, TypeError, r"preprocess: <lambda> returned a NoneType; it must return a tensor"),
        (torch.zeros(2, 3, 4, 4), ValueError, r"returned shape \(2, 3, 4, 4\); it must be \(C"),
    ],
)
def test_own_preprocessing_that_gives_no_picture(
    made: Any, error: type[Exception], message: str
) -> None:
    intake = Intake(inspector_of(), (4, 6), lambda _image: made)
    with pytest.raises(error, match=message):
        intake.taken(choice_of(PIXELS), "crop")


def test_small_pictures_have_one_size() -> None:
    intake = Intake(inspector_of(), (100, 200), None)
    for choice in (choice_of(PIXELS), Choice("", VALUES), Choice("", torch.zeros(3, 300, 300))):
        assert intake.thumbnail(choice).shape == (48, 96, 3)
    same = Intake(inspector_of(), (4, 6), None).thumbnail(Choice("", VALUES))
    np.testing.assert_array_equal(same, PIXELS)


def test_samples_and_their_names(tmp_path: Path) -> None:
    path = tmp_path / "noise.png"
    Image.fromarray(PIXELS).save(path)
    inspector = inspector_of()

    def names(samples: object) -> list[str]:
        return [choice.name for choice in sample_choices(samples, inspector)]

    sample = cw.samples.load("digits", images=2)
    assert names(sample) == [sample.class_names[label] for label in sample.labels.tolist()]
    assert names([path, PIXELS]) == ["noise.png", ""]
    assert names({"mine": path}) == ["mine"]
    own = sample_choices(None, inspector)
    assert [choice.name for choice in own] == ["", ""]
    assert isinstance(own[1].picture, torch.Tensor)
    assert torch.equal(own[1].picture, inspector.inputs[1])


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        ("one.png", TypeError, "samples='one.png' is a str; give a list of pictures"),
        (torch.zeros(3, 4, 4), ValueError, r"samples has shape \(3, 4, 4\); give \(N, C, H, W\)"),
        ([3], TypeError, "picture=3 is a int"),
    ],
)
def test_samples_that_are_no_pictures(
    samples: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        sample_choices(samples, inspector_of())


@pytest.mark.parametrize(
    ("picture", "error", "message"),
    [
        (3, TypeError, "picture=3 is a int; give a path, a PIL image"),
        (np.zeros((3, 3)), ValueError, r"picture is an array of float64, shape \(3, 3\)"),
        (np.zeros(3, np.uint8), ValueError, r"picture is an array of uint8, shape \(3,\)"),
        (torch.zeros(2, 3, 4, 4), ValueError, r"shape \(2, 3, 4, 4\); give one picture \(C, H"),
        ("no/such.png", FileNotFoundError, "is not a file; give the path of a picture"),
    ],
)
def test_what_is_no_picture_is_refused(
    picture: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        choice_of(picture)


def test_inspectors_that_hold_no_pictures_are_refused() -> None:
    with pytest.raises(TypeError, match=r"inspector=int is no Inspector; make one with cnnviz"):
        picture_size(3)  # type: ignore[arg-type]  # the point of the test
    dense = Inspector(nn.Sequential(nn.Linear(4, 3)), torch.zeros(1, 4))
    with pytest.raises(ValueError, match="its inputs are no picture, so there is nothing to draw"):
        picture_size(dense)
    with pytest.raises(ValueError, match="give preprocess=, a function that makes of a PIL image"):
        Intake(inspector_of(4), (4, 6), None)
    assert Intake(inspector_of(4), (4, 6), lambda image: torch.zeros(4, 4, 6)).name == "<lambda>"
