"""States of random generators."""

from __future__ import annotations

import random

import numpy as np
import torch

from cnnviz_widgets.inspection.randomness import RandomState


def draw() -> list[float]:
    """Draw from every generator."""
    return [float(torch.rand(1)), random.random(), float(np.random.rand())]  # noqa: NPY002


def test_the_same_numbers_come_again() -> None:
    state = RandomState.now([torch.zeros(1)])
    first = draw()
    assert draw() != first
    state.restore()
    assert draw() == first
