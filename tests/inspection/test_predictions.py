"""Scores become named predictions with probabilities."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cnnviz_widgets.inspection.predictions import probabilities, top_predictions


def test_softmax_by_hand_and_in_float64() -> None:
    """exp(0), exp(ln 2), exp(ln 5) sum to 8."""
    scores = torch.tensor([[0.0, math.log(2), math.log(5)]])
    got = probabilities(scores, "logit")[0].tolist()
    assert got == pytest.approx([1 / 8, 2 / 8, 5 / 8], abs=1e-6)
    random = torch.randn(4, 7, generator=torch.Generator().manual_seed(0))
    exact = np.exp(random.double().numpy())
    exact /= exact.sum(1, keepdims=True)
    np.testing.assert_allclose(probabilities(random, "logit").numpy(), exact, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "score", "expected"),
    [("probability", 0.3, 0.3), ("log-probability", -1.0, math.exp(-1)), ("logit", 0.0, 0.5)],
)
def test_other_kinds(kind: str, score: float, expected: float) -> None:
    got = float(probabilities(torch.tensor([[score]]), kind))
    assert got == pytest.approx(expected, abs=1e-6)


def test_best_first_with_names_for_each_image() -> None:
    scores = torch.tensor([[1.0, 3.0, 2.0], [5.0, 0.0, 0.0]])
    first, second = top_predictions(scores, "logit", ["a", "b", "c"], 2)
    assert [(p.index, p.name, p.score) for p in first] == [(1, "b", 3.0), (2, "c", 2.0)]
    assert [p.name for p in second] == ["a", "b"]
    assert len(top_predictions(scores, "logit", None, 9)[0]) == 3


def test_a_single_score_is_that_of_the_second_of_two_names() -> None:
    best = top_predictions(torch.tensor([[2.0]]), "logit", ["no", "yes"], 5)[0]
    assert [(p.index, p.name) for p in best] == [(0, "yes")]
    assert best[0].probability == pytest.approx(1 / (1 + math.exp(-2)))


def test_nan_comes_last() -> None:
    best = top_predictions(torch.tensor([[float("nan"), -1.0]]), "logit", None, 2)[0]
    assert [p.index for p in best] == [1, 0]
