"""Training: the same bytes each time, shown on a few steps; global settings put back."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn

from cnnviz_widgets.samples import shapes, train
from cnnviz_widgets.samples.loading import normalised
from cnnviz_widgets.samples.networks import ShapeNet


def short(name: str) -> train.Task:
    """A task of a few steps."""
    if name == "digits":
        whole = train.task("digits")
        return dataclasses.replace(
            whole, images=whole.images[:96], labels=whole.labels[:96], epochs=2, batch=32
        )
    images, _, labels = shapes.scenes(shapes.TRAINING_SEED, 32)
    pictures, classes = normalised(images, shapes.MEAN, shapes.STD), torch.from_numpy(labels)
    vary = train._turned
    return train.Task(ShapeNet, pictures, classes, pictures, classes, vary, 2, 1e-3, 16)


@pytest.mark.parametrize("name", ["shapes", "digits"])
def test_a_few_steps_give_the_same_file(name: str, tmp_path: Path) -> None:
    sums = []
    for turn in range(2):
        torch.manual_seed(turn)
        with train.reproducible():
            model = train.fit(short(name))
        train.write(model, {"epochs": 2, "held_out_accuracy": 0.5}, tmp_path / "w.safetensors")
        sums.append(hashlib.sha256((tmp_path / "w.safetensors").read_bytes()).hexdigest())
    assert sums[0] == sums[1]
    assert not model.training


def test_settings_are_put_back_also_after_an_error() -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()

    def interrupted() -> None:
        with train.reproducible():
            assert torch.are_deterministic_algorithms_enabled()
            assert torch.get_num_threads() == 1
            torch.rand(3)
            raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        interrupted()
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.equal(torch.get_rng_state(), state)


def test_training_pictures_are_not_the_held_out_ones() -> None:
    what = train.task("digits")
    seen = {picture.numpy().tobytes() for picture in what.images}
    assert not any(picture.numpy().tobytes() in seen for picture in what.test_images)
    assert len(set(shapes.CLASS_NAMES)) == 10
    assert shapes.TRAINING_SEED != shapes.HELD_OUT_SEED


def test_figures_are_stored_as_one_text(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    train.write(nn.Linear(2, 1), {"pictures": 3, "epochs": 2}, path)
    with safe_open(path, framework="pt") as stored:
        assert json.loads(stored.metadata()["training"]) == {"epochs": 2, "pictures": 3}


def test_accuracy_by_hand() -> None:
    logits = torch.tensor([[2.0, 1.0], [0.0, 3.0], [5.0, 4.0], [1.0, 0.0]])
    assert train.accuracy(nn.Identity(), logits, torch.tensor([0, 1, 1, 0])) == 0.75


def test_turning_keeps_every_pixel_of_a_picture() -> None:
    torch.manual_seed(3)
    batch = torch.arange(2 * 3 * 4 * 4, dtype=torch.float32).view(2, 3, 4, 4)
    kinds = set()
    for _ in range(60):
        turned = train._turned(batch)
        assert torch.equal(turned.flatten(2).sort().values, batch.flatten(2))
        kinds.add(turned.numpy().tobytes())
    assert len(kinds) == 8


def test_handling_keeps_paper_and_moves_ink() -> None:
    torch.manual_seed(3)
    batch = torch.full((8, 1, 32, 32), -0.6)
    batch[:, :, 8:24, 12:20] = 2.0
    moved: Tensor = train._handled(batch)
    assert moved.shape == batch.shape
    assert torch.allclose(moved[:, :, 0, 0], torch.tensor(-0.6), atol=1e-6)
    assert moved.amax() <= 2.0 + 1e-5
    ink = (moved + 0.6).sum(dim=(1, 2, 3)) / (batch + 0.6).sum(dim=(1, 2, 3))
    assert ((ink > 0.6) & (ink < 1.5)).all()
    assert len(set(ink.tolist())) == 8
