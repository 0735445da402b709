"""Which part of a model's output holds the scores, and what kind they are."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cnnviz_widgets.inspection.operations import Operation
from cnnviz_widgets.inspection.outputs import named_tensors, score_kind, select_scores
from tests.inspection.models import Output

SCORES, MAPS = torch.zeros(2, 5), torch.zeros(2, 3, 4, 4)


@pytest.mark.parametrize(
    ("raw", "output"),
    [
        (SCORES, None),
        ((MAPS, SCORES), None),
        ({"maps": MAPS, "logits": SCORES}, None),
        (Output(SCORES, MAPS), None),
        ((SCORES, SCORES + 1), 0),
        ({"a": SCORES, "b": SCORES + 1}, "a"),
        (Output(SCORES, SCORES + 1), "logits"),
        ({"deep": [MAPS, SCORES]}, lambda raw: raw["deep"][1]),
    ],
)
def test_scores_are_picked(raw: Any, output: Any) -> None:
    assert select_scores(raw, output) is SCORES


def test_one_number_per_image_is_a_single_class() -> None:
    scores = select_scores(torch.zeros(4), None)
    assert scores is not None
    assert scores.shape == (4, 1)


def test_an_output_without_scores() -> None:
    assert select_scores(MAPS, None) is None
    assert select_scores({"maps": MAPS}, None) is None


@pytest.mark.parametrize(
    ("raw", "output", "error", "text"),
    [
        (
            {"logits": SCORES, "aux": SCORES},
            None,
            ValueError,
            r"output=None is ambiguous: 2 .*output\['logits'\] of shape \(2, 5\), output\['aux'\]",
        ),
        ({"logits": SCORES}, "scores", ValueError, r"output='scores' is not in .*\['logits'\]"),
        ((SCORES,), 3, ValueError, r"output=3 is not in what the model returned, a tuple"),
        ({"maps": MAPS}, "maps", ValueError, r"output='maps' picks a torch.float32 tensor"),
        ({"a": 3}, "a", TypeError, r"output='a' picks a int, not a tensor"),
    ],
)  # fmt: skip
def test_bad_selectors(raw: Any, output: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        select_scores(raw, output)


def test_the_way_to_each_tensor() -> None:
    raw = {"a": [SCORES], "b": Output(SCORES, MAPS)}
    names = [name for name, _ in named_tensors(raw)]
    assert names == ["['a'][0]", "['b'].logits", "['b'].features"]


def _operation(name: str, inputs: tuple[int, ...], output: int, call: int = 0) -> Operation:
    shape = ((2, 5),)
    return Operation(name, "", call, inputs, (output,), shape, shape, ())


@pytest.mark.parametrize(
    ("operations", "kind"),
    [
        ([_operation("linear", (0,), 1)], "logit"),
        ([_operation("softmax", (0,), 1)], "probability"),
        ([_operation("log_softmax", (0,), 1), _operation("Head", (0,), 1, 1)], "log-probability"),
        ([_operation("sigmoid", (0,), 3), _operation("view", (3,), 1)], "probability"),
        ([_operation("softmax", (0,), 3), _operation("linear", (3,), 1)], "logit"),
        ([], "logit"),
    ],
)
def test_the_kind_is_followed_back_through_the_operations(
    operations: list[Operation], kind: str
) -> None:
    assert score_kind(operations, 1) == kind
