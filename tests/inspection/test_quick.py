"""Layers that run unwatched: the same calls, operations and values as when each is watched."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets import samples
from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.calls import Plan
from cnnviz_widgets.inspection.operations import Operation, OperationRecorder
from cnnviz_widgets.inspection.probe import Probe
from cnnviz_widgets.inspection.quick import QuickRecorder
from cnnviz_widgets.inspection.recipes import MOST_STEPS
from cnnviz_widgets.inspection.shadow import Shadow
from cnnviz_widgets.inspection.trace import Trace, trace
from cnnviz_widgets.inspection.values import first_tensor
from tests.benchmarks import networks
from tests.inspection import models
from tests.inspection.promise import unchanged
from tests.inspection.steps import STEPS, Block, Doubling, plainly, residual


def witness(model: nn.Module, x: Tensor) -> dict[tuple[str, int], list[Tensor]]:
    """Return copies of every call's first input and output, watching torch's own ``__call__``."""
    model = copy.deepcopy(model).eval()
    paths = {module: path for path, module in model.named_modules()}
    found: dict[tuple[str, int], list[Tensor]] = {}
    counts: dict[str, int] = {}
    run = nn.Module.__call__

    def watched(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if module not in paths:  # a copy that the model made
            return run(module, *args, **kwargs)
        path = paths[module]
        counts[path] = counts.get(path, 0) + 1
        given = first_tensor((args, kwargs))
        assert given is not None
        noted = found[path, counts[path]] = [given.detach().clone()]
        output = run(module, *args, **kwargs)
        noted.append(output.detach().clone())
        return output

    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(nn.Module, "__call__", watched)
        model(x.clone())
    return found


@pytest.mark.parametrize("inplace", [True, False])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_every_value_is_that_of_a_copying_witness(
    step: Callable[[Any, Tensor], Tensor], *, inplace: bool
) -> None:
    """Input and output of every call, bit for bit, for two pictures one after the other."""
    model, x = models.built(Block(step, inplace=inplace)), models.pictures()
    with unchanged(model, x):
        inspector = Inspector(model, x)
        for picture in (x, x + 5, x):
            inspector.set_inputs(picture)
            expected = witness(model, picture)
            trace = inspector._session.trace
            for call in trace.calls:
                known = expected[call.path, call.call]
                for number, tensor in zip((call.input_value, call.value), known, strict=False):
                    got = trace.value(number)
                    assert got is not None, call.path
                    torch.testing.assert_close(
                        got, tensor, rtol=0, atol=0, equal_nan=True, msg=f"{call.path} {call.call}"
                    )
            assert {(call.path, call.call) for call in trace.calls} == expected.keys()


def both(model: nn.Module, x: Tensor) -> Iterator[Trace]:
    """Trace with layers unwatched, and watched."""
    probe = Probe(Shadow(model))
    yield trace(probe, x, lambda module, given: module(given), plan=Plan())
    yield trace(probe, x, lambda module, given: module(given), plan=Plan(copies=True))


def renumbered(operations: list[Operation]) -> list[Operation]:
    """Return operations with value numbers in the order in which they are met."""
    numbers: dict[int, int] = {}
    return [
        operation._replace(
            inputs=tuple(numbers.setdefault(value, len(numbers)) for value in operation.inputs),
            outputs=tuple(numbers.setdefault(value, len(numbers)) for value in operation.outputs),
        )
        for operation in operations
    ]


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "plain": (lambda: models.Plain(inplace=True), (2, 3, 12, 10)),
    "resnet18": (networks.resnet18, (1, 3, 33, 31)),
    "1d": (
        lambda: nn.Sequential(nn.Conv1d(3, 4, 3), nn.BatchNorm1d(4), nn.ReLU(), nn.Conv1d(4, 4, 1)),
        (2, 3, 9),
    ),
    "3d": (
        lambda: nn.Sequential(nn.Conv3d(3, 4, 3, bias=False), nn.BatchNorm3d(4, affine=False)),
        (1, 3, 5, 6, 7),
    ),
    "one layer": (lambda: nn.Conv2d(3, 4, 3), (2, 3, 12, 10)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_calls_and_operations_are_those_of_a_watched_pass(name: str) -> None:
    build, shape = NETWORKS[name]
    quick, watched = both(models.built(build()), torch.randn(shape))
    assert isinstance(quick.recorder, QuickRecorder)
    assert quick.recorder.took_shortcuts
    assert renumbered(quick.operations) == renumbered(watched.operations)
    attributes = ("path", "call", "is_leaf", "shape", "input_shape", "dtype", "began", "ended")
    for ours, theirs in zip(quick.calls, watched.calls, strict=True):
        assert [getattr(ours, a) for a in attributes] == [getattr(theirs, a) for a in attributes]


def test_what_is_computed_again_holds_no_memory() -> None:
    """By hand: of 8 x 12 x 10 maps, both convolutions' are kept, the rest is made from them."""
    quick, _ = both(models.built(Block(plainly)), models.pictures())
    recorder = quick.recorder
    assert isinstance(recorder, QuickRecorder)
    made = {call.path for call in quick.calls if call.value in recorder.recipes}
    assert made == {"bn", "relu"}
    assert not recorder.replaced  # the in-place ReLU wrote where nothing was kept


class Branching(nn.Module):
    """Every value is needed twice for the next, so that the steps to one would double."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.relus = nn.ModuleList(nn.ReLU() for _ in range(12))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        for relu in self.relus:
            x = x + relu(x)
        return x


def test_no_value_takes_more_steps_than_it_says() -> None:
    """By hand: sums take 2, 6, 14 steps, the ReLU behind 15; a sum of 30 is kept."""
    model, x = models.built(Branching()), models.pictures()
    quick, _ = both(model, x)
    recorder = quick.recorder
    assert isinstance(recorder, QuickRecorder)

    def steps(value: int) -> int:
        return 1 + sum(map(steps, recorder.recipes[value][1])) if value in recorder.recipes else 0

    taken = [steps(call.value) for call in quick.calls if call.path.startswith("relus")]
    assert taken == [1, 3, 7, 15] * 3
    assert max(taken) <= MOST_STEPS
    expected = witness(model, x)
    for call in quick.calls:
        got = quick.value(call.value)
        assert got is not None
        assert torch.equal(got, expected[call.path, call.call][1]), call.path


def test_values_are_those_of_then() -> None:
    """Weights and statistics written to later, past the write count, change no value."""
    model, x = models.built(Block(plainly)), models.pictures()
    probe = Probe(Shadow(model))
    result = trace(probe, x, lambda module, given: module(given), plan=Plan())
    expected = witness(model, x)
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_floating_point():
            tensor.data.add_(1)
    trace(probe, x, lambda module, given: module(given), plan=Plan())
    for call in result.calls:
        got = result.value(call.value)
        assert got is not None
        assert torch.equal(got, expected[call.path, call.call][1]), call.path


@pytest.mark.parametrize("around", ["inference", "autocast", "grad", "mode"])
def test_values_do_not_depend_on_what_the_reader_runs_under(around: str) -> None:
    model, x = models.built(Block(plainly)), models.pictures()
    inspector, expected = Inspector(model, x), witness(model, x)
    contexts: dict[str, Any] = {
        "inference": torch.inference_mode(),
        "autocast": torch.autocast("cpu", dtype=torch.bfloat16),
        "grad": torch.enable_grad(),
        "mode": Doubling(),
    }
    with contexts[around]:
        got = {name: inspector._session.trace.value(number) for name, number in outputs(inspector)}
    for name, value in got.items():
        assert value is not None
        assert torch.equal(value, expected[name, 1][1])
        assert not value.requires_grad
        assert not value.is_inference()


def outputs(inspector: Inspector) -> list[tuple[str, int]]:
    """Return path and value number of every call."""
    return [(call.path, call.value) for call in inspector._session.trace.calls]


def test_an_interrupt_inside_a_layer_leaves_nothing_behind() -> None:
    model, x = models.built(Block(plainly)), models.pictures()
    inspector = Inspector(model, x)
    probe = inspector._session._probe
    assert probe is not None
    leaf = next(leaf for leaf in probe._leaves if leaf.path == "bn")

    def interrupted(_x: Tensor) -> Tensor:
        raise KeyboardInterrupt

    plain, leaf.run = leaf.run, interrupted
    with unchanged(model, x), pytest.raises(KeyboardInterrupt):
        inspector.set_inputs(x)
    leaf.run = plain
    assert not any("forward" in vars(module) for module in probe.shadow.module.modules())
    assert torch._C._is_torch_function_enabled()
    inspector.set_inputs(x)
    got = inspector.activation("relu")
    assert torch.equal(got, witness(model, x)["relu", 1][1])


@pytest.mark.parametrize("patch", ["method", "global hook"])
def test_patched_torch_is_watched(patch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's profiler or quantiser may have replaced what a layer runs."""
    model, x = models.built(Block(plainly)), models.pictures()
    handle = None
    if patch == "method":
        forward = nn.BatchNorm2d.forward
        monkeypatch.setattr(nn.BatchNorm2d, "forward", lambda self, x: forward(self, x) * 2)
    else:
        handle = nn.modules.module.register_module_forward_hook(
            lambda m, _a, y: y * 2 if isinstance(m, nn.ReLU) else None
        )
    try:
        probe = Probe(Shadow(model))
        result = trace(probe, x, lambda module, given: module(given), plan=Plan())
        expected = witness(model, x)
    finally:
        if handle is not None:
            handle.remove()
    for call in result.calls:
        got = result.value(call.value)
        assert got is not None
        assert torch.equal(got, expected[call.path, call.call][1]), call.path


def test_other_recorders_hear_listed_layers_too() -> None:
    model, x = models.built(Block(plainly)), models.pictures()
    probe = Probe(Shadow(model))
    recorder = OperationRecorder(Plan(), probe.parameters)
    with torch.no_grad():
        probe.watch(recorder, lambda module: module(x))
    assert [call.path for call in recorder.calls] == ["", "conv", "bn", "relu", "after", "fc"]
    assert "batch_norm" in [operation.name for operation in recorder.operations]


@pytest.mark.parametrize("cache_bytes", [0, 5000, 12000, 20000])
def test_what_does_not_fit_comes_from_another_pass(cache_bytes: int) -> None:
    model, x = models.built(Block(residual)), models.pictures()
    inspector, expected = Inspector(model, x, cache_bytes=cache_bytes), witness(model, x)
    for info in inspector.modules:
        got = inspector.activation(info.name)
        assert torch.equal(got, expected[info.path, info.call][1]), info.name


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "vgg16", "shapes", "digits"])
def test_usual_networks_need_no_copies(name: str) -> None:
    """The check of the first pass finds no difference, and later passes run unwatched."""
    if name in {"shapes", "digits"}:
        sample = samples.load(name)
        model, x = sample.model, sample.images[:2]
    else:
        model, x = getattr(networks, name)(), torch.randn(1, 3, 64, 64)
    inspector = Inspector(model, x)
    recorder = inspector._session.trace.recorder
    assert recorder.took_shortcuts
    assert not recorder.plan.copies
    assert not any("copied as it comes" in notice for notice in inspector.notices)


def _through_numpy(block: OnBright, y: Tensor) -> Tensor:
    z: Tensor = block.bn(y)
    torch.from_numpy(z.numpy()).clamp_(min=0.5)
    return z


def _other_statistics(block: OnBright, y: Tensor) -> Tensor:
    statistics: Tensor = block.bn.get_buffer("running_mean")
    statistics.numpy()[:] = 7
    z: Tensor = block.bn(y)
    return z


def _other_eps(block: OnBright, y: Tensor) -> Tensor:
    block.bn.eps = 0.5
    z: Tensor = block.bn(y)
    block.bn.eps = 1e-5
    return z


class OnBright(nn.Module):
    """Treats bright pictures in a way that no check of a dark one has seen."""

    def __init__(self, step: Callable[[Any, Tensor], Tensor]) -> None:
        super().__init__()
        self.conv, self.bn, self.relu = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()
        self.step = step

    def forward(self, x: Tensor) -> Any:
        y = self.conv(x)
        z = self.step(self, y) if x.mean() > 0 else self.bn(y)
        return self.relu(z).mean((2, 3))


@pytest.mark.parametrize("step", [_through_numpy, _other_statistics, _other_eps])
def test_what_batch_norm_computes_with_may_change_on_a_later_picture(
    step: Callable[[Any, Tensor], Tensor],
) -> None:
    model, x = models.built(OnBright(step)), models.pictures(1).abs()
    inspector = Inspector(model, -x)
    for picture in (x, -x, x + 1):
        inspector.set_inputs(picture)
        twin = copy.deepcopy(model).eval()
        seen: dict[str, Tensor] = {}
        for name in ("bn", "relu"):
            twin.get_submodule(name).register_forward_hook(
                lambda _m, _a, output, name=name, seen=seen: seen.update({name: output.clone()})
            )
        with torch.no_grad():
            twin(picture)
        for name, expected in seen.items():
            assert torch.equal(inspector.activation(name), expected), name
