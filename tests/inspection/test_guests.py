"""An Inspector of another picture."""

from __future__ import annotations

import torch

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.guests import guest_of
from tests.inspection import models


def test_without_inputs_it_is_the_inspector_itself() -> None:
    inspector = Inspector(models.built(models.Plain()), models.pictures(1))
    assert guest_of(inspector, None) is inspector


def test_a_guest_answers_whatever_an_inspector_does() -> None:
    """Where nothing runs ahead, it is traced, and its host is not."""
    model, x = models.built(models.Plain()), models.pictures(1)
    inspector = Inspector(model, x)
    own = inspector.activation("conv1")
    guest, expected = guest_of(inspector, x - 1), Inspector(model, x - 1)
    assert guest.layers == expected.layers
    assert torch.equal(guest.activation("conv1"), expected.activation("conv1"))
    assert torch.equal(guest.gradient("conv1", 2), expected.gradient("conv1", 2))
    assert guest.predictions() == expected.predictions()
    assert guest.notices == expected.notices
    assert torch.equal(inspector.activation("conv1"), own)
    assert inspector.cache_info()["gradients"] == 0


def test_layers_are_found_once_for_all_guests() -> None:
    inspector = Inspector(models.built(models.Plain()), models.pictures(1))
    guests = [guest_of(inspector, models.pictures(1) - number) for number in (1, 2)]
    found = [guest._session._modules for guest in guests]
    assert found[0] is found[1] is inspector._session._modules is not None
    assert guest_of(guests[0], models.pictures(1))._session._waits, "nothing was traced for that"
    assert guests[0]._session._waits
