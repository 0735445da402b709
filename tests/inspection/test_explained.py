"""Which score is explained, and what it is called."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector
from tests.inspection import models
from tests.inspection.test_sweep import assert_near, swept


def test_the_score_before_a_softmax_is_explained() -> None:
    """Functional softmax and module alike: the gradient is that of the logit."""

    class Logits(models.Functional):
        def forward(self, x: Tensor) -> Any:
            x = torch.nn.functional.max_pool2d(torch.relu(self.conv1(x)), 2)
            return self.conv2(x).mean((2, 3))

    x = models.pictures()
    functional = models.built(models.Functional())
    plain = models.built(Logits())
    for model in (functional, models.built(nn.Sequential(Logits(), nn.Softmax(1)))):
        expected = swept(Inspector(plain, x), [None, 3])
        inspector = Inspector(model, x)
        got = swept(inspector, [None, 3])
        for name in ("conv1", "conv2"):
            for place in (0, 1):
                key = name if model is functional else f"0.{name}"
                gradient = got[key, place][1]
                assert gradient is not None
                assert_near(gradient, expected[name, place][1], key)  # type: ignore[arg-type]  # there
        (target,) = inspector.passes.targets([3])
        assert target.score == pytest.approx(plain(x)[0, 3].item(), rel=1e-5)
        assert target.score_kind == "logit"
        assert "a logit, is explained" in (target.notice or "")


def test_a_softmax_that_something_follows_is_explained_as_it_is() -> None:
    class Averaged(models.Functional):
        def forward(self, x: Tensor) -> Any:
            return self.conv2(torch.relu(self.conv1(x))).softmax(1).mean((2, 3))

    class Sure(models.Functional):
        def forward(self, x: Tensor) -> Any:
            sure = torch.tensor([1e3, 0, 0, 0, 0]).view(5, 1, 1)
            return (self.conv2(self.conv1(x)) + sure).softmax(1).mean((2, 3))

    x = models.pictures()
    (target,) = Inspector(models.built(Averaged()), x).passes.targets([1])
    assert target.score_kind == "probability"
    assert "small where the model is sure" in (target.notice or "")
    assert not target.saturated
    assert Inspector(models.built(Sure()), x).passes.targets([0])[0].saturated


def test_targets_of_every_kind() -> None:
    model, x = models.built(models.Plain()), models.pictures()
    scores = model(x).detach()
    inspector = Inspector(model, x, class_names=list("abcde"))
    weights = torch.tensor([1.0, -1.0, 0.0, 0.0, 0.0])
    top, named, mixed, called = inspector.passes.targets(
        [None, "d", weights, lambda output: output[:, 1] * 2], image=1
    )
    assert (top.index, top.name) == (int(scores[1].argmax()), "abcde"[int(scores[1].argmax())])
    assert (named.index, named.score_kind) == (3, "logit")
    assert named.score == pytest.approx(scores[1, 3].item())
    assert mixed.score == pytest.approx((scores[1, 0] - scores[1, 1]).item(), abs=1e-6)
    assert (called.index, called.score_kind, called.name) == (None, "custom", "<lambda>")
    assert called.score == pytest.approx(scores[1, 1].item() * 2)
    assert inspector.passes.targets([top])[0] is top
    with pytest.raises(ValueError, match=r"weights of shape \(3,\); the model gives 5 classes"):
        inspector.passes.targets([torch.ones(3)])
    with pytest.raises(ValueError, match="target=9 is not a class of this model"):
        inspector.passes.targets([9])
    with pytest.raises(ValueError, match="target=-1 is not a class of this model"):
        inspector.passes.targets([2, -1])
    several = inspector.passes.targets([3, 1, 3], image=1)
    assert [target.index for target in several[1:]] == [1, 3]
    assert several[0] == named


@pytest.mark.parametrize("final", [nn.Softmax(1), nn.LogSoftmax(1), nn.Sigmoid()])
def test_final_functions(final: nn.Module) -> None:
    plain, x = models.built(models.Plain()), models.pictures()
    inspector = Inspector(nn.Sequential(plain, final), x)
    (target,) = inspector.passes.targets([4])
    assert target.score_kind == "logit"
    assert target.score == pytest.approx(plain(x)[0, 4].item(), rel=1e-5)
    torch.testing.assert_close(inspector.passes.scores(x, target), plain(x).detach()[:, 4])
