"""What tests of filters look at: a network whose layers have weights of every kind."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnviz_widgets.inspection.inspector import Inspector


class Kinds(nn.Module):
    """A convolution, one over volumes, a dense layer over channels, one over pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Linear(3, 2)
        self.volume = nn.Conv3d(1, 2, 3, padding=1)
        self.conv = nn.Conv2d(2, 4, 3, padding=1)
        self.flatten = nn.Flatten()
        self.wide = nn.Linear(4 * 3 * 5, 6)
        self.fc = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.volume(x[:, None]).mean(2)
        scores: torch.Tensor = self.fc(self.wide(self.flatten(self.conv(x))))
        return scores


@pytest.fixture
def inspector() -> Inspector:
    """Of `Kinds` on two pictures of 3 x 5 places."""
    torch.manual_seed(0)
    return Inspector(Kinds().eval(), torch.rand(2, 3, 3, 5), class_names=["a", "b", "c"])
