"""How a model may read a tensor: the model decides, and an error is explained."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.inputs import prepare
from cnnviz_widgets.inspection.readings import ModelInput
from tests.inspection import models


def test_what_the_first_convolution_says() -> None:
    model = nn.Sequential(nn.Identity(), nn.Conv3d(4, 2, 3)).to(torch.bfloat16)
    read = ModelInput.of(model)
    assert (read.spatial, read.channels, read.layer) == (3, 4, "1")
    assert read.dtype == torch.bfloat16
    bare = ModelInput.of(nn.ReLU())
    assert (bare.spatial, bare.channels, bare.dtype) == (None, None, torch.float32)


class Reads(nn.Module):
    """Convolutions, the first of which says the wrong thing about the input."""

    def __init__(self, forward: Callable[[Reads, Tensor], Tensor]) -> None:
        super().__init__()
        self.line = nn.Conv1d(1, 4, 3, padding=1)
        self.plane = nn.Conv2d(3, 4, 3, padding=1)
        self.step = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.step(self, x)


CASES: dict[str, tuple[Callable[[Reads, Tensor], Tensor], tuple[int, ...]]] = {
    "the stem comes second": (lambda m, x: m.plane(x).mean((2, 3)), (2, 3, 8, 8)),
    "flat pixels": (lambda m, x: m.plane(x.view(-1, 3, 8, 8)).mean((2, 3)), (2, 192)),
    "frames": (lambda m, x: m.plane(x.flatten(0, 1)).mean((2, 3)), (2, 5, 3, 8, 8)),
    "raw audio": (lambda m, x: m.line(x.unsqueeze(1)).mean(2), (2, 64)),
}


@pytest.mark.parametrize("case", CASES)
def test_the_model_decides_which_rank_it_takes(case: str) -> None:
    forward, shape = CASES[case]
    inspector = Inspector(Reads(forward).eval(), torch.rand(shape))
    assert inspector.batch_size == 2


def test_one_image_is_read_as_a_batch_of_one() -> None:
    assert Inspector(models.built(models.Plain()), torch.rand(3, 8, 9)).batch_size == 1
    assert Inspector(nn.Sequential(nn.Linear(4, 3)), torch.rand(4)).batch_size == 1


BAD: list[tuple[tuple[int, ...], str]] = [
    ((3,), r"shape \(3,\), 1 axis; .* 'conv1' takes \(N, C, H, W\).* it raised RuntimeError: "),
    ((1, 1, 3, 4, 5), r"5 axes; .* or one image \(C, H, W\).* Tried as given, it raised"),
    ((2, 8, 9, 3), r"its 3 channels last; .* 'conv1' takes them first: .*permute\(0, 3, 1, 2\)"),
    ((8, 9, 3), r"its 3 channels last; .*permute\(2, 0, 1\) of a tensor, inputs.transpose\(2"),
]


@pytest.mark.parametrize(("shape", "text"), BAD)
@pytest.mark.parametrize("as_array", [False, True])
def test_where_the_model_fails_the_shape_is_explained(
    shape: tuple[int, ...], text: str, as_array: bool
) -> None:
    x = np.zeros(shape, np.float32) if as_array else torch.zeros(shape)
    with pytest.raises(ValueError, match=text):
        Inspector(models.Plain(), x)


def test_the_turn_that_is_named_is_right() -> None:
    x = torch.zeros(2, 8, 9, 3)
    assert Inspector(models.Plain(), x.permute(0, 3, 1, 2)).batch_size == 2


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_where_the_model_fails_the_type_is_explained(dtype: torch.dtype) -> None:
    kind = str(dtype).removeprefix("torch.")
    text = rf"^inputs is a tensor of {kind}; .* 'conv1' takes float32: give inputs.float\(\)"
    with pytest.raises(ValueError, match=text):
        Inspector(models.Plain(), torch.ones(1, 3, 8, 9, dtype=dtype))


@pytest.mark.parametrize("shape", [(1, 1, 8, 9), (1, 8, 9)])
def test_a_wrong_number_of_channels_is_in_the_note(shape: tuple[int, ...]) -> None:
    with pytest.raises(RuntimeError, match="channel") as caught:
        Inspector(models.Plain(), torch.zeros(shape))
    (note,) = caught.value.__notes__  # type: ignore[attr-defined,unused-ignore]  # PEP 678
    assert note.endswith("inputs has 1 channel, 'conv1' takes 3.")


def test_inputs_follow_the_models_type_and_back() -> None:
    """In float64 they are as exact as they were given."""
    given = torch.full((1, 3), 1 / 3, dtype=torch.float64)
    half = ModelInput(None, None, "", torch.device("cpu"), torch.float16)
    double = ModelInput(None, None, "", torch.device("cpu"), torch.float64)
    prepared = prepare(given, half, None)
    assert prepared.first.dtype == torch.float16
    assert torch.equal(prepared.moved(double).first, given)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_model_may_change_its_type(dtype: torch.dtype) -> None:
    model, x = models.built(models.Plain()), models.pictures()
    inspector = Inspector(model, x)
    model.to(dtype)
    assert torch.equal(inspector.activation("conv1"), model.conv1(x.to(dtype)))  # type: ignore[operator]
    model.float()
    assert inspector.activation("conv1").dtype == torch.float32
