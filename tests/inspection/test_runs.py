"""One image of a batch, and variants of it."""

from __future__ import annotations

import pytest
import torch

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.runs import Subject, near
from tests.inspection import models


def test_one_image_and_its_variants() -> None:
    x = models.pictures(3)
    session = Inspector(models.built(models.TwoTowers()), (x, x[:, :1]))._session
    subject = Subject.of(session, 2)
    assert (subject.rows, subject.row, subject.image) == (1, 0, 2)
    assert torch.equal(subject.first, x[2:])
    variants = subject.variants(x)
    assert torch.equal(variants.nest[0], x)
    assert torch.equal(variants.nest[1], x[2:, :1].expand(3, -1, -1, -1))
    assert [len(each.nest[0]) for each in subject.each(x)] == [1, 1, 1]
    assert all(tensor.is_leaf and tensor.requires_grad for tensor in subject.in_graph().nest)
    assert not x.requires_grad
    with pytest.raises(ValueError, match=r"batch has shape \(3, 1, 12, 10\); variants of this"):
        subject.variants(x[:, :1])


def test_images_that_need_each_other_stay_together() -> None:
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1), models.AcrossImages(), torch.nn.Flatten())
    x = models.pictures(3)
    subject = Subject.of(Inspector(models.built(model), x)._session, 1)
    assert (subject.rows, subject.row) == (3, 1)
    [other] = subject.each(x[:1])
    assert torch.equal(other.nest, torch.cat((x[:1], x[:1], x[2:])))
    assert torch.equal(other.part(other.nest), x[:1])


class Centred(models.Plain):
    """Take half the mean of the batch away, which images that are the same do not show."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = super().forward(x - 0.5 * x.mean(0))
        return scores


def test_the_same_image_twice_does_not_say_that_images_are_apart() -> None:
    x = models.pictures(2)
    model = models.built(Centred()).requires_grad_(requires_grad=False)
    inspector = Inspector(model, x[:1].repeat(2, 1, 1, 1))
    assert Subject.of(inspector._session, 0).rows == 2
    inspector.set_inputs(x)
    assert inspector.passes.targets([1])[0].score == pytest.approx(float(model(x)[0, 1]))
    apart = Inspector(models.built(models.Plain()), x[:1].repeat(2, 1, 1, 1))
    assert Subject.of(apart._session, 1).rows == 1


def test_equal_variants_do_not_say_that_variants_are_apart() -> None:
    x = models.pictures(3)
    model = models.built(Centred()).requires_grad_(requires_grad=False)
    inspector = Inspector(model, x[:1])
    passes, memory = inspector.passes, inspector._session.memory
    passes.scores(x[:1].repeat(2, 1, 1, 1), 1)
    assert memory.one_by_one is None
    passes.sweep(["conv1"], [1], lambda *_: None, batch=x[:1].repeat(2, 1, 1, 1))
    assert memory.one_by_one is None
    expected = torch.cat([model(row[None])[:, 1] for row in x])
    torch.testing.assert_close(passes.scores(x, 1), expected)
    assert memory.one_by_one


@pytest.mark.parametrize(
    ("other", "same"), [(1.0, True), (1.0 + 1e-6, True), (1.01, False), (float("nan"), False)]
)
def test_near(other: float, same: bool) -> None:
    assert near(torch.tensor([1.0, 0.5]), torch.tensor([other, 0.5])) is same
