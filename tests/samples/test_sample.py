"""The record that `load` returns."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from cnnviz_widgets.samples import Sample


def test_cannot_be_changed() -> None:
    sample = Sample(
        name="tiny",
        model=torch.nn.Identity(),
        images=torch.zeros(1, 1, 2, 2),
        labels=torch.zeros(1, dtype=torch.int64),
        class_names=("a",),
        mean=(0.0,),
        std=(1.0,),
        masks=None,
    )
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'name'"):
        sample.name = "other"  # type: ignore[misc]  # the assignment is what must fail
    assert repr(sample) == "Sample('tiny', Identity, images (1, 1, 2, 2), 1 classes)"
    # Compared by identity, because tensors have no single truth value.
    assert sample != dataclasses.replace(sample)
