"""`saliency` while it runs: partial maps, seeds, cancelling, other threads, memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets.attribution.map import Map
from cnnviz_widgets.attribution.saliency import saliency
from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods.progress import Cancelled
from tests.attribution.few_passes import SAMPLED, quick
from tests.inspection import models


@pytest.mark.parametrize("name", SAMPLED)
def test_partial_maps_come_while_it_runs(name: str) -> None:
    """Lazily: a map is made when it is asked for, and costs no pass."""
    insp = Inspector(models.built(models.Plain()), models.pictures(1))
    seen: list[Map] = []
    ends: list[tuple[int, int]] = []

    def report(done: int, total: int, partial: Callable[[], Map] | None) -> None:
        ends.append((done, total))
        if partial is not None:
            before = seen[-1].passes if seen else (0, 0)
            seen.append(partial())
            assert seen[-1].passes > before

    more: dict[str, object] = {
        "rise": {"masks": 100},
        "integrated_gradients": {"steps": 100},
        "occlusion": {"window": 2},
    }.get(name, {"samples": 100})  # type: ignore[assignment]
    last = quick(insp, name, report=report, **more)
    assert ends[0][0] == 0
    assert ends[-1][0] == ends[-1][1]
    assert len(seen) >= 2
    assert not any(map_.final for map_ in seen)
    assert last.final
    assert all(map_.values.shape == last.values.shape for map_ in seen)
    errors = [np.linalg.norm(map_.values - last.values) for map_ in seen]
    assert errors[-1] < np.linalg.norm(last.values)


@pytest.mark.parametrize("name", SAMPLED)
def test_seeds_are_obeyed_and_the_random_state_is_left_alone(name: str) -> None:
    insp = Inspector(models.built(models.Plain()), models.pictures(1))
    before = torch.get_rng_state()
    first, again = quick(insp, name), quick(insp, name)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(first.values, again.values)
    if "seed" in first.parameters:
        assert not np.array_equal(quick(insp, name, seed=1).values, first.values)


class Slow(nn.Module):
    """Ten modules that take 50 ms each, forward or back."""

    def __init__(self, *, back: bool) -> None:
        super().__init__()
        self.steps = nn.Sequential(*(Nap(back=back) for _ in range(10)))
        self.conv, self.relu = nn.Conv2d(3, 4, 3), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.relu(self.conv(self.steps(x))).mean((2, 3))
        return result


class Nap(nn.Module):
    """Part of `Slow`."""

    def __init__(self, *, back: bool = False) -> None:
        super().__init__()
        self.back = back

    def forward(self, x: Tensor) -> Tensor:
        if self.back and x.requires_grad:
            result: Tensor = _NapBack.apply(x)  # type: ignore[no-untyped-call]  # torch's
            return result
        time.sleep(0 if self.back else 0.05)
        return x + 0


class _NapBack(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        return x + 0

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        time.sleep(0.05)
        return gradients[0]


@pytest.mark.parametrize(
    ("name", "back"),
    [
        ("integrated_gradients", False), ("smoothgrad", False), ("occlusion", False),
        ("rise", False), ("integrated_gradients", True), ("vargrad", True),
    ],
)  # fmt: skip
def test_cancelled_inside_a_pass(name: str, *, back: bool) -> None:
    """Not only between batches: a pass takes half a second there or back, one module 50 ms."""
    insp = Inspector(models.built(Slow(back=back)), models.pictures(1))
    began = time.monotonic()

    def report(_done: int, _total: int, _partial: object) -> None:
        if time.monotonic() - began > 0.2:
            raise Cancelled

    with pytest.raises(Cancelled):
        saliency(insp, name, 0, report=report)
    assert time.monotonic() - began < 0.2 + 0.25
    assert np.isfinite(saliency(insp, "gradient", 0).values).all()  # the lock is free, all is well


def test_other_threads_are_served_between_batches() -> None:
    insp = Inspector(models.built(models.Plain()), models.pictures(1))
    asked, answered = threading.Event(), threading.Event()

    def other() -> None:
        asked.wait(5)
        insp.activation("conv1", wait=2)
        answered.set()

    thread = threading.Thread(target=other)
    thread.start()

    def report(_done: int, _total: int, partial: object) -> None:
        if partial is not None:
            asked.set()
            if answered.wait(2):
                raise Cancelled

    with pytest.raises(Cancelled):
        saliency(insp, "rise", masks=100_000, report=report)
    thread.join()
    assert answered.is_set()


def test_other_inputs_in_the_middle_end_it() -> None:
    insp = Inspector(models.built(models.Plain()), models.pictures(1))

    def report(_done: int, _total: int, partial: object) -> None:
        if partial is not None and insp.epoch == 0:
            insp.set_inputs(models.pictures(1) + 1)

    with pytest.raises(RuntimeError, match="'rise': the model or its inputs changed while it ran"):
        saliency(insp, "rise", masks=1000, report=report)


def sized() -> tuple[nn.Module, list[int]]:
    """Return a model, and the sizes of the batches that it is given from now on."""
    sizes: list[int] = []

    class Watched(models.Plain):
        def forward(self, x: Tensor) -> Tensor:
            sizes.append(len(x))
            result: Tensor = super().forward(x)
            return result

    return models.built(Watched()), sizes


def test_memory_does_not_grow_with_the_samples() -> None:
    """The largest batch that the model sees is the same for ten times the samples."""
    model, sizes = sized()
    insp = Inspector(model, models.pictures(1))
    for masks in (100, 1000):
        sizes.clear()
        saliency(insp, "rise", masks=masks)
        assert max(sizes) == 32
        assert sum(sizes) - masks in {0, 1}  # once it is tried whether rows change each other


def test_layers_that_are_not_shown_count_too() -> None:
    """How many inputs run at once depends on the whole model."""
    model, sizes = sized()
    insp = Inspector(model, torch.randn(1, 3, 1500, 1500), layers=["fc"])
    saliency(insp, "rise", masks=12)
    assert max(sizes) < 12  # 0.8e9 multiply-adds each, in the convolutions


@pytest.mark.parametrize("name", SAMPLED)
def test_images_that_depend_on_their_batch_run_alone(name: str) -> None:
    """BatchNorm with the batch's own statistics: what else is in the batch must not matter."""

    class Mixing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 5)

        def forward(self, x: Tensor) -> Tensor:
            y = functional.batch_norm(self.conv(x), None, None, training=True)
            result: Tensor = self.fc(y.relu().mean((2, 3)))
            return result

    model, x = models.built(Mixing()), models.pictures(1)
    found = quick(
        Inspector(model, x), name, target=1, **({"window": 6} if name == "occlusion" else {})
    )
    if name == "occlusion":
        score = float(model(x).detach()[0, 1])
        covered = x.clone()
        covered[..., :6, :6] = 0
        assert found.values[0, 0] == pytest.approx(
            score - float(model(covered).detach()[0, 1]), abs=1e-4
        )
    assert np.isfinite(found.values).all()
