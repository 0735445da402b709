"""What the axes mean, and where tokens lie."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.axes import Grid
from tests.inspection import models

STEPS: list[tuple[Any, str]] = [
    (lambda x: x.permute(0, 2, 3, 1), "NHWC"),
    (lambda x: x.permute((0, 2, 3, 1)), "NHWC"),
    (lambda x: x.flatten(2), "NCL"),
    (lambda x: x.reshape(x.shape[0], x.shape[1], -1), "NCL"),
    (lambda x: x.flatten(2).transpose(1, 2), "NLC"),
    (lambda x: x.flatten(2).mT, "NLC"),
    (lambda x: x.flatten(2).data.mT.mT, "NCL"),
    (lambda x: x.mean((2, 3)).T.T, "NC"),
    (lambda x: x.flatten(2).transpose(-1, -2).relu() + 1, "NLC"),
    (lambda x: x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, x.shape[1]), "NLC"),
    (lambda x: x.flatten(1), "NC"),
    (lambda x: x.mean((2, 3)), "NC"),
    (lambda x: torch.cat((x, x), 1) * 2, "NCHW"),
    (lambda x: x[:, :2], "NCHW"),
    (lambda x: x.permute(0, 3, 1, 2), "?"),
    (lambda x: x.reshape(x.shape[0], -1, 5), "?"),
    (lambda x: x[:, 0], "?"),
    (lambda x: x.flatten(2).transpose(1, 2).reshape(x.shape[0], *x.shape[2:], -1), "NHWC"),
    (lambda x: x.flatten(2).view(x.shape), "NCHW"),
    (lambda x: x.flatten(2).view(x.shape[0], x.shape[1], x.shape[3], x.shape[2]), "?"),
    (lambda x: x.movedim(1, -1), "NHWC"),
    (lambda x: torch.permute(input=x, dims=(0, 2, 3, 1)), "NHWC"),
    (lambda x: torch.movedim(x, source=(1,), destination=(3,)), "NHWC"),
    (lambda x: x.permute(0, 2, 1, 3).transpose(1, 2), "NCHW"),
    (lambda x: x.unsqueeze(1).squeeze(1), "NCHW"),
    (lambda x: x[:, None, :, 0], "?"),
    (lambda x: x[..., 2:, :3], "NCHW"),
    (lambda x: x[None][0], "NCHW"),
    (lambda x: torch.einsum("nchw->nwhc", x), "?"),
    (lambda x: x.clone().transpose_(1, 2), "?"),
    (lambda x: x.clone().swapaxes_(1, 2), "?"),
    (lambda x: torch.rot90(x, 1, (2, 3)), "?"),
    (lambda x: x.as_strided(x.shape, x.stride()), "?"),
    (lambda x: x.flip(2), "NCHW"),
    (lambda x: x.flip(0), "?"),
    (lambda x: x.roll((1, 1), (2, 3)), "NCHW"),
    (lambda x: x.flatten(2).bmm(x.flatten(2).transpose(1, 2)), "?"),
    (lambda x: x.flatten(2).transpose(1, 2) @ x.flatten(2), "?"),
    (lambda x: (x.flatten(2).transpose(1, 2) @ x.flatten(2)).softmax(-1)
        @ x.flatten(2).transpose(1, 2), "NLC"),
    (lambda x: nn.functional.adaptive_avg_pool2d(x, 1).squeeze(), "NC"),
    (lambda x: nn.functional.interpolate(x, scale_factor=2), "NCHW"),
    (lambda x: nn.functional.pad(x, (1, 1, 0, 2)), "NCHW"),
    (lambda x: x.mean(1, keepdim=True), "NCHW"),
    (lambda x: x.amax(dim=1), "?"),
    (lambda x: torch.stack((x, x)).sum(0), "?"),
    (lambda x: torch.where(x > 0, x, torch.zeros(())), "NCHW"),
    (lambda x: x.flatten(0, 1), "?"),
    (lambda x: x.repeat(2, 1, 1, 1), "?"),
    (lambda x: torch.cat((x[1:], x[:1])), "?"),
    (lambda x: torch.cat(x.chunk(2)[::-1]), "?"),
    (lambda x: torch.cat((x, x))[1:3], "?"),
    (lambda x: x.view(-1, 2, 2, *x.shape[2:]).transpose(1, 2).reshape(x.shape), "NCHW"),
    (lambda x: x.view(-1, 2, 2, *x.shape[2:]).sum(1), "NCHW"),
    (lambda x: x.view(-1, 2, 2, *x.shape[2:]).flatten(2, 3), "?"),
    (lambda x: x.view(-1, 2, 2, *x.shape[2:]).permute(0, 3, 4, 2, 1).flatten(3), "NHWC"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(STEPS)))
def test_layouts_are_followed_through_operations(case: int) -> None:
    """An Identity behind the operation shows what is known of its result."""
    step, expected = STEPS[case]

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, padding=1)
            self.look = nn.Identity()

        def forward(self, x: Tensor) -> Any:
            return self.look(step(self.conv(x)))

    inspector = Inspector(models.built(Model()), models.pictures())
    assert inspector.find("look").layout == expected


@pytest.mark.parametrize("kind", ["assignment", "view", "augmented", "function"])
def test_layouts_survive_writes(kind: str) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, padding=1)
            self.look = nn.Identity()

        def forward(self, x: Tensor) -> Any:
            y = self.conv(x)
            y = y.clone() if kind == "function" else y
            if kind == "assignment":
                y[:, 0, 0, 0] = 1.0
            elif kind == "view":
                y[:, 1].mul_(2)
            elif kind == "augmented":
                y += 1
            else:
                torch.sigmoid_(y)
            return self.look(y)

    inspector = Inspector(models.built(Model()), models.pictures())
    assert inspector.find("look").layout == "NCHW"


@pytest.mark.parametrize("batch_first", [True, False])
def test_recurrent_layers_are_asked_about(batch_first: bool) -> None:
    """Nobody can tell (length, batch, channels) from (batch, length, channels)."""
    model = nn.Sequential(nn.LSTM(4, 6, batch_first=batch_first))
    inspector = Inspector(model, torch.zeros(2, 3, 4))
    assert inspector.maps("0").kind == "ask"


class Embedded(nn.Module):
    """Patches of a picture, and what is done with them."""

    def __init__(self, step: Any) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        self.mlp = nn.Linear(8, 8)
        self.token = nn.Parameter(torch.zeros(1, 1, 8))
        self.step = step

    def forward(self, x: Tensor) -> Any:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        other = self.token.expand(x.shape[0], -1, -1)
        return self.mlp(self.step(tokens, other)).mean(1)


GRIDS: list[tuple[Any, Grid | None]] = [
    (lambda x, _: x, Grid(4, 6)),
    (lambda x, t: torch.cat((t, x), 1), Grid(4, 6, before=1)),
    (lambda x, t: torch.cat((x, t), dim=1), Grid(4, 6, after=1)),
    (lambda x, t: torch.cat((t, t, x, t), 1), Grid(4, 6, before=2, after=1)),
    (lambda x, t: torch.cat((t, x), 1)[:, 1:], Grid(4, 6)),
    (lambda x, t: torch.cat((t, torch.cat((t, x), -2)), -2)[:, 1:] + 1, Grid(4, 6, before=1)),
    (lambda x, t: torch.cat((t, x, x), 1), None),
    (lambda x, _: x[:, 1:], None),
    (lambda x, _: x[:, :10], None),
    (lambda x, _: x.flip(1), None),
    (lambda x, _: x.sort(1)[0], None),
    (lambda _, t: t.expand(-1, 16, -1) * 2, None),
]


@pytest.mark.parametrize("case", range(len(GRIDS)))
def test_tokens_carry_the_grid_they_came_from(case: int) -> None:
    step, expected = GRIDS[case]
    inspector = Inspector(models.built(Embedded(step)), models.pictures(2, 3, 16, 24))
    if inspector.find("mlp").layout == "?":
        inspector.set_layout("mlp", "NLC")
    maps = inspector.maps("mlp", 1).values
    tokens = inspector.activation("mlp")[1].numpy()
    if expected is None:
        assert (maps[:, 0] == tokens.T).all()
    else:
        on_grid = tokens[expected.before :][: 4 * 6].T.reshape(8, 4, 6)
        assert maps.shape == (8, 4, 6)
        assert (maps == on_grid).all()


class TwoKinds(nn.Module):
    """An image tower, and a tower of 16 words: as many as there are patches."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        self.words = nn.Embedding(9, 8)
        self.sound = nn.Conv1d(2, 8, 3, padding=1)
        self.look = nn.Identity()
        self.hear = nn.LayerNorm(8)

    def forward(self, image: Tensor, text: Tensor, sound: Tensor) -> Any:
        seen = self.patches(image).mean((2, 3))
        words = self.look(self.words(text) * 1).mean(1)
        return seen + words + self.hear(self.sound(sound).transpose(1, 2)).mean(1)


def test_words_and_sounds_are_never_put_on_a_grid() -> None:
    inputs = (torch.zeros(2, 3, 16, 16), torch.ones(2, 16, dtype=torch.int64),
              torch.zeros(2, 2, 16))  # fmt: skip
    inspector = Inspector(models.built(TwoKinds()), inputs)
    hear = inspector.maps("hear", 1)
    assert hear.values.shape == (8, 1, 16)
    assert hear.note == "16 tokens in a row: where they lie on a picture is not known"
    assert inspector.maps("look").kind == "ask"


def test_words_alone_stand_in_a_row() -> None:
    model = nn.Sequential(nn.Embedding(9, 8), nn.Linear(8, 4))
    inspector = Inspector(model, (torch.ones(2, 16, dtype=torch.int64),))
    assert inspector.find("1").layout == "NLC"
    assert inspector.maps("1").values.shape == (4, 1, 16)


class Frames(nn.Module):
    """Frames of a film are put into the batch and taken out again."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Any:
        y = self.conv(x.flatten(0, 1)).mean((2, 3))
        return self.head(y.view(x.shape[0], x.shape[1], -1).mean(1))


def test_frames_are_never_taken_for_images() -> None:
    """Row 1 of (N * T, C, H, W) is a frame of image 0."""
    inspector = Inspector(models.built(Frames()), torch.rand(2, 3, 3, 8, 8))
    assert inspector.find("conv").layout == "?"
    maps = inspector.maps("conv", 1)
    assert (maps.kind, maps.choices) == ("ask", ())
    inspector.set_layout("conv", "NCHW")
    assert inspector.maps("conv", 1).kind == "ask"
    assert inspector.maps("head", 1).kind == "vector"
