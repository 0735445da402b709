"""Which part of a model's output holds the scores, and what kind they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector
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
    assert select_scores(raw, output, 2) is SCORES


@pytest.mark.parametrize(
    ("shape", "batch_size", "expected"),
    [((4,), 4, (4, 1)), ((7,), 1, (1, 7)), ((1,), 1, (1, 1)), ((), 1, (1, 1))],
)
def test_scores_that_lost_an_axis(
    shape: tuple[int, ...], batch_size: int, expected: tuple[int, ...]
) -> None:
    """One number per image is a single class; a batch of one may have been squeezed away."""
    scores = select_scores(torch.zeros(shape), None, batch_size)
    assert scores is not None
    assert scores.shape == expected


@pytest.mark.parametrize(
    "raw", [MAPS, {"maps": MAPS}, torch.zeros(5, 7), (torch.zeros(5, 7),), torch.zeros(7)]
)
def test_an_output_without_scores(raw: Any) -> None:
    """A first axis that is not the batch says nothing about the images."""
    assert select_scores(raw, None, 2) is None


def test_of_several_the_one_with_a_row_for_each_image() -> None:
    assert select_scores((torch.zeros(7, 7), SCORES), None, 2) is SCORES


def _raises(raw: Any) -> Any:
    return raw["logits"]


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
        (SCORES, 0, ValueError, r"output=0 picks a part .* returned a tensor of shape \(2, 5\)"),
        (SCORES, "logits", ValueError, r"output='logits' picks a part .* leave output out"),
        ((SCORES,), _raises, ValueError, r"output=<.*> raised TypeError: .* a tuple with output"),
        ([torch.zeros(5, 7)], 0, ValueError, r"of shape \(5, 7\); .* \(N, K\), here \(2, K\)"),
        ({"maps": MAPS}, "maps", ValueError, r"output='maps' picks a torch.float32 tensor"),
        ({"a": 3}, "a", TypeError, r"output='a' picks a int, not a tensor"),
    ],
)  # fmt: skip
def test_bad_selectors(raw: Any, output: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        select_scores(raw, output, 2)


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


class Sure(nn.Module):
    """Ends with a sigmoid or softmax, and what people do after it."""

    def __init__(self, end: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.end = end

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.fc(x))


ENDS: dict[str, tuple[Callable[[Tensor], Tensor], Any, int]] = {
    "sigmoid, one number": (lambda x: x[:, 0].sigmoid(), None, 4),
    "sigmoid, squeezed": (lambda x: x[:, :1].sigmoid().squeeze(1), None, 4),
    "one image, squeezed": (lambda x: x.softmax(1).squeeze(0), None, 1),
    "output slices": (lambda x: x.softmax(1), lambda raw: raw[:, :2], 4),
    "output is the softmax": (lambda x: x, lambda raw: torch.softmax(raw, 1), 4),
}


@pytest.mark.parametrize("case", ENDS)
def test_probabilities_stay_what_they_are(case: str) -> None:
    end, output, count = ENDS[case]
    inspector = Inspector(Sure(end), torch.rand(count, 4), output=output)
    assert inspector.score_kind == "probability"
    assert all(p.probability == p.score for row in inspector.predictions() for p in row)


class RowByRow(nn.Module):
    """Ends in a function for each picture, and a stack of what they gave."""

    def __init__(self, *ends: str) -> None:
        super().__init__()
        self.conv, self.ends = nn.Conv2d(3, 4, 3), ends

    def forward(self, x: Tensor) -> Any:
        rows = self.conv(x).mean((2, 3))
        ends = self.ends * (len(rows) // len(self.ends))
        return torch.stack([getattr(row, end)(0) for row, end in zip(rows, ends, strict=True)])


@pytest.mark.parametrize("pictures", [1, 2])
@pytest.mark.parametrize(
    ("end", "kind"),
    [("softmax", "probability"), ("log_softmax", "log-probability"), ("flip", "logit")],
)
def test_a_final_function_for_each_row(end: str, kind: str, pictures: int) -> None:
    """What it is given is a part of the logits, so its own values are explained, and it is said."""
    inspector = Inspector(RowByRow(end), torch.rand(pictures, 3, 6, 6))
    assert inspector.score_kind == kind
    (target,) = inspector.passes.targets([1])
    assert target.score_kind == kind
    assert (target.notice is None) == (kind == "logit")
    assert target.score == pytest.approx(float(inspector._session.scores[0, 1]))  # type: ignore[index]  # there are some


def test_rows_of_different_kinds_are_no_probabilities() -> None:
    inspector = Inspector(RowByRow("softmax", "log_softmax"), torch.rand(2, 3, 6, 6))
    assert inspector.score_kind == "logit"
