"""Models that keep, cache or run things in their own way: values, gradients and the promise."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils.checkpoint import checkpoint

import cnnviz_widgets as cw
from cnnviz_widgets.inspection import Inspector
from tests.inspection import models
from tests.inspection.promise import unchanged
from tests.inspection.twin import plain_outputs


class Slotted(models.Plain):
    """Keeps a number and a tensor where no attribute dict is."""

    __slots__ = ("scale", "shift")

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.shift = 2.0, torch.ones(1)

    def forward(self, x: Tensor) -> Any:
        return super().forward(x * self.scale + self.shift)


def test_what_is_in_slots_is_copied() -> None:
    model, x = models.built(Slotted()), models.pictures()
    assert isinstance(model, Slotted)
    with unchanged(model, x):
        got = Inspector(model, x).activation("conv1")
    expected = model.conv1(x * 2 + 1)
    assert torch.equal(got, expected.detach())
    assert model.shift.tolist() == [1.0]


class Drawing(models.Plain):
    """Draws noise from generators of its own."""

    def __init__(self, *, copies: bool) -> None:
        super().__init__()
        self.torchs = torch.Generator().manual_seed(3)
        self.numpys, self.pythons = np.random.default_rng(3), random.Random(3)
        if not copies:
            self.lock = threading.Lock()  # which deepcopy refuses

    def drawn(self) -> list[Any]:
        """Return the generators' next numbers, and put them back."""
        states = self.torchs.get_state(), self.numpys.bit_generator.state, self.pythons.getstate()
        numbers = self.numpys.random(), self.pythons.random()
        found = [torch.rand(1, generator=self.torchs).item(), *numbers]
        self.torchs.set_state(states[0])
        self.numpys.bit_generator.state = states[1]
        self.pythons.setstate(states[2])
        return found

    def forward(self, x: Tensor) -> Any:
        number = self.numpys.random() + self.pythons.random()
        return super().forward(x + torch.rand(x.shape, generator=self.torchs) + number)


@pytest.mark.parametrize("copies", [True, False])
def test_generators_of_the_model_draw_the_same_numbers_in_every_pass(copies: bool) -> None:
    """And the user's own go on as if nobody had looked."""
    model, x = models.built(Drawing(copies=copies)), models.pictures()
    assert isinstance(model, Drawing)
    before = model.drawn()
    inspector = Inspector(model, x)
    first = inspector.activation("conv1")
    inspector.gradient("conv1", 0)
    small = Inspector(model, x, cache_bytes=0)
    assert torch.equal(small.activation("conv1"), first)
    inspector.set_inputs(x)
    assert torch.equal(inspector.activation("conv1"), first)
    assert model.drawn() == before
    with torch.no_grad():
        model(x)  # takes the first numbers, as it would have without us
    assert model.drawn() != before


class Doubled(nn.Module):
    """A parametrization."""

    def forward(self, weight: Tensor) -> Tensor:
        return weight * 2


def test_cached_parametrizations_stay_the_users() -> None:
    """In ``parametrize.cached()`` a weight is made once: in the user's graph, not in ours."""
    model, x = models.built(models.Plain()), models.pictures()
    parametrize.register_parametrization(model.get_submodule("conv1"), "weight", Doubled())
    with parametrize.cached():
        Inspector(model, x).gradient("conv1", 0)
        model(x).sum().backward()
    original = model.get_parameter("conv1.parametrizations.weight.original")
    assert original.grad is not None
    assert original.grad.abs().sum() > 0


class Checkpointed(models.Plain):
    """Saves memory: what is inside runs again on the way back."""

    def __init__(self, *, reentrant: bool) -> None:
        super().__init__()
        self.reentrant = reentrant

    def forward(self, x: Tensor) -> Any:
        x = self.bn(self.conv1(x))
        x = checkpoint(
            lambda y: self.relu(self.conv2(self.relu(y))), x, use_reentrant=self.reentrant
        )
        return self.fc(self.pool(x).flatten(1))


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
def test_layers_inside_a_checkpoint() -> None:
    """Maps are those without it; where torch cannot give them they are refused, never empty."""
    x = models.pictures()
    plain = Inspector(models.built(models.Plain()), x)
    expected = cw.cam_sweep(plain, "layercam", targets=[1, 2])
    inspector = Inspector(models.built(Checkpointed(reentrant=False)), x)
    got = cw.cam_sweep(inspector, "layercam", targets=[1, 2])
    for name in ("conv1", "conv2", "relu#2"):
        for target in (1, 2):
            np.testing.assert_allclose(
                got[name, target].values, expected[name, target].values, atol=1e-6
            )
        alone = cw.cam(inspector, "layercam", layer=name, target=1)
        np.testing.assert_allclose(alone.values, expected[name, 1].values, atol=1e-6)
    hidden = Inspector(models.built(Checkpointed(reentrant=True)), x)
    refused = pytest.raises(RuntimeError, match="use_reentrant=True, which hides what is inside")
    for ask in (
        lambda: cw.cam(hidden, "layercam", layer="conv2", target=1),
        lambda: cw.cam_sweep(hidden, "layercam", layers=["conv2"], targets=[1, 2]),
        lambda: hidden.gradient("conv2", 1),
    ):
        with refused:
            ask()
    assert torch.equal(hidden.activation("conv2"), plain.activation("conv2"))


def test_a_layer_that_gives_a_sparse_tensor() -> None:
    class Sparse(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.to_sparse()

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.sparse, self.fc = nn.Conv2d(3, 4, 3), Sparse(), nn.Linear(4, 5)

        def forward(self, x: Tensor) -> Any:
            return self.fc(self.sparse(self.conv(x).mean((2, 3))).to_dense())

    model, x = models.built(Model()), models.pictures()
    with unchanged(model, x):
        inspector = Inspector(model, x)
        assert torch.equal(inspector.activation("fc"), plain_outputs(model, x)[0]["fc", 1])
        assert inspector.activation("sparse").is_sparse
        assert inspector.maps("sparse").values.shape == (4,)


class Threaded(nn.Module):
    """Runs two layers in threads of its own, as ensembles do."""

    def __init__(self, *, threads: bool) -> None:
        super().__init__()
        self.stem, self.fc, self.threads = nn.Conv2d(3, 3, 1), nn.Linear(8, 5), threads
        self.branches = nn.ModuleList([nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)])

    def forward(self, x: Tensor) -> Any:
        x, builds = self.stem(x), torch.is_grad_enabled()

        def run(branch: nn.Module) -> Tensor:
            with torch.set_grad_enabled(builds):
                result: Tensor = branch(x).relu_()
                return result

        if self.threads:
            with ThreadPoolExecutor(2) as pool:
                found = list(pool.map(run, self.branches))
        else:
            found = [run(branch) for branch in self.branches]
        return self.fc(torch.cat(found, 1).mean((2, 3)))


def test_layers_that_run_in_other_threads_are_not_listed() -> None:
    """The others have the values and gradients that they have where all run in one."""
    model, x = models.built(Threaded(threads=True)), models.pictures()
    plain = Inspector(models.built(Threaded(threads=False)), x)
    with unchanged(model, x):
        inspector = Inspector(model, x)
        assert [info.name for info in inspector.layers] == ["stem", "fc"]
        for name in ("stem", "fc"):
            assert torch.equal(inspector.activation(name), plain.activation(name))
        torch.testing.assert_close(inspector.gradient("stem", 1), plain.gradient("stem", 1))
        found = cw.cam(inspector, "layercam", layer="stem", target=1).values
    expected = cw.cam(plain, "layercam", layer="stem", target=1).values
    np.testing.assert_allclose(found, expected, atol=1e-6)


class Mapped(models.Plain):
    """Runs layers inside ``torch.vmap``, where each sees one picture at a time."""

    def __init__(self, *, maps: bool) -> None:
        super().__init__(inplace=True)
        self.maps = maps

    def forward(self, x: Tensor) -> Any:
        x = self.bn(self.conv1(x))
        x = torch.vmap(self.inside)(x) if self.maps else self.inside(x)
        return self.fc(self.pool(x).flatten(1))

    def inside(self, x: Tensor) -> Any:
        """Write to what is given, so that nobody may hold it."""
        return self.relu(self.conv2(self.relu(x)))


def test_layers_inside_vmap_are_not_listed() -> None:
    """The others have the values and gradients that they have without it."""
    model, x = models.built(Mapped(maps=True)), models.pictures()
    plain = Inspector(models.built(Mapped(maps=False)), x)
    with unchanged(model, x):
        inspector = Inspector(model, x)
        for picture in (x, x + 1, x):
            inspector.set_inputs(picture)
            plain.set_inputs(picture)
            names = ["conv1", "bn", "pool", "fc"]
            assert [info.name for info in inspector.layers] == names
            for name in names:
                torch.testing.assert_close(inspector.activation(name), plain.activation(name))
                torch.testing.assert_close(inspector.gradient(name, 1), plain.gradient(name, 1))
    with pytest.raises(ValueError, match=r"no layers: .* not in torch.vmap"):
        Inspector(_AllMapped(models.Plain()), x)


class _AllMapped(nn.Module):
    def __init__(self, inside: nn.Module) -> None:
        super().__init__()
        self.inside = inside.eval()

    def forward(self, x: Tensor) -> Any:
        return torch.vmap(lambda picture: self.inside(picture[None])[0])(x)
