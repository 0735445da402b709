"""What is forgotten, and when."""

from __future__ import annotations

from cnnviz_widgets.inspection import Inspector
from tests.inspection import models


def test_findings_about_the_model_outlive_the_picture() -> None:
    inspector = Inspector(models.built(models.Plain()), models.pictures(1))
    inspector.passes.scores(models.pictures(3), 0)
    inspector.passes.linear_head("conv2")
    inspector.passes.targets([1])
    memory = inspector._session.memory
    assert memory.one_by_one is False
    assert memory.scores
    assert memory.heads
    inspector.set_inputs(models.pictures(2)[1:])
    memory = inspector._session.memory
    assert memory.one_by_one is False
    assert not memory.scores
    assert not memory.heads
    inspector.refresh()
    assert inspector._session.memory.one_by_one is None
