"""What the axes mean, and where tokens lie."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.layouts import Grid, token_grid
from tests.inspection import models


@pytest.mark.parametrize(
    ("tokens", "patches", "expected"),
    [
        (24, (4, 6), Grid(4, 6, 0)),
        (25, (4, 6), Grid(4, 6, 1)),
        (32, (4, 6), Grid(4, 6, 8)),
        (33, (4, 6), None),
        (49, (4, 6), Grid(7, 7, 0)),
        (196, None, Grid(14, 14, 0)),
        (197, None, None),
        (1, None, None),
    ],
)
def test_the_grid_of_a_row_of_tokens(
    tokens: int, patches: tuple[int, int] | None, expected: Grid | None
) -> None:
    assert token_grid(tokens, patches) == expected


STEPS: list[tuple[Any, str]] = [
    (lambda x: x.permute(0, 2, 3, 1), "NHWC"),
    (lambda x: x.permute((0, 2, 3, 1)), "NHWC"),
    (lambda x: x.flatten(2), "NCL"),
    (lambda x: x.reshape(x.shape[0], x.shape[1], -1), "NCL"),
    (lambda x: x.flatten(2).transpose(1, 2), "NLC"),
    (lambda x: x.flatten(2).transpose(-1, -2).relu() + 1, "NLC"),
    (lambda x: x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, x.shape[1]), "NLC"),
    (lambda x: x.flatten(1), "NC"),
    (lambda x: x.mean((2, 3)), "NC"),
    (lambda x: torch.cat((x, x), 1) * 2, "NCHW"),
    (lambda x: x[:, :2], "NCHW"),
    (lambda x: x.permute(0, 3, 1, 2), "?"),
    (lambda x: x.reshape(x.shape[0], -1, 5), "?"),
    (lambda x: x[:, 0], "?"),
]


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


def test_tokens_without_a_known_grid_stand_in_a_row() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(3, 8, 4, stride=4)
            self.mlp = nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Any:
            tokens = self.patches(x).flatten(2).transpose(1, 2)[:, :10]
            return self.mlp(tokens).mean(1)

    inspector = Inspector(models.built(Model()), models.pictures(1, 3, 16, 16))
    maps = inspector.maps("mlp")
    assert maps.values.shape == (8, 1, 10)
    assert maps.note == "10 tokens in a row: the last grid was 4 x 4, and they are not a square"
