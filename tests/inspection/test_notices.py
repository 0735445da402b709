"""What a reader is told about how a model is run."""

from __future__ import annotations

from cnnviz_widgets.inspection.notices import model_notices
from cnnviz_widgets.inspection.shadow import Shadow
from tests.inspection import models


def test_nothing_to_say() -> None:
    assert model_notices(Shadow(models.built(models.Plain())), copies=False) == []


def test_training_mode_copied_weights_and_copied_values() -> None:
    shadow = Shadow(models.built(models.Plain()).train(), frozenset({"fc.weight", "fc.bias"}))
    training, written, copied = model_notices(shadow, copies=True)
    assert training == "The model is in training mode; it is looked at in eval mode."
    assert "'fc.bias', 'fc.weight'" in written
    assert "copied as it comes" in copied
