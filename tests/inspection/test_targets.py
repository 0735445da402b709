"""What a gradient is taken of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cnnviz_widgets.inspection.targets import class_index, score_per_image

SCORES = torch.tensor([[1.0, 3.0, 2.0], [5.0, 0.0, 4.0]])
NAMES = ("cat", "dog", "bird")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (None, [3.0, 5.0]),
        (2, [2.0, 4.0]),
        (np.int64(2), [2.0, 4.0]),
        ("dog", [3.0, 0.0]),
        (lambda raw: raw[:, 0] - raw[:, 1], [-2.0, 5.0]),
    ],
)
def test_one_score_per_image(target: Any, expected: list[float]) -> None:
    assert score_per_image(target, SCORES, SCORES, NAMES).tolist() == expected


@pytest.mark.parametrize(
    ("target", "error", "text"),
    [
        (3, ValueError, r"target=3 is not a class of this model; it has 3: 0 to 2"),
        (-1, ValueError, r"target=-1 is not a class"),
        ("dgo", ValueError, r"target='dgo' is not a class name; close matches: 'dog'"),
        (True, TypeError, r"target=True is a bool"),
        (1.5, TypeError, r"target=1.5 is a float; a target is a class index, a class name"),
    ],
)
def test_classes_that_do_not_exist(target: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        class_index(target, 3, NAMES)


def test_a_name_without_names() -> None:
    with pytest.raises(ValueError, match=r"the Inspector has no class names; give class_names="):
        class_index("dog", 3, None)


def test_a_function_that_returns_something_else() -> None:
    with pytest.raises(ValueError, match=r"torch.float32 of shape \(2, 3\); it must return one"):
        score_per_image(lambda raw: raw, SCORES, SCORES, None)
    with pytest.raises(ValueError, match=r"returned int"):
        score_per_image(lambda _: 3, SCORES, SCORES, None)  # type: ignore[arg-type,return-value]


def test_a_model_without_scores_needs_a_function() -> None:
    with pytest.raises(ValueError, match=r"target=None: this model's output has no tensor"):
        score_per_image(None, SCORES, None, None)
