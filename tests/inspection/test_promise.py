"""The promise over every public call, with models that raise, are interrupted, or misbehave."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector
from tests.inspection import models
from tests.inspection.promise import unchanged
from tests.inspection.twin import plain_outputs

CALLS: dict[str, Callable[[Inspector, Tensor], object]] = {
    "layers": lambda i, x: (i.layers, i.modules, i.notices, i.operations, i.score_kind),
    "activation": lambda i, x: [i.activation(info.name) for info in i.modules],
    "gradient": lambda i, x: i.gradient(i.layers[0].name, 1),
    "maps": lambda i, x: (i.maps(i.layers[0].name), i.maps(i.layers[0].name, side="input")),
    "picture": lambda i, x: i.picture(0),
    "predictions": lambda i, x: i.predictions(2),
    "set_inputs": lambda i, x: i.set_inputs(x),
    "check": lambda i, x: i.check(),
    "refresh": lambda i, x: i.refresh(),
    "cache_info": lambda i, x: i.cache_info(),
    "find": lambda i, x: i.find(i.layers[0].name),
}


def _swept(inspector: Inspector) -> None:
    names = [info.name for info in inspector.modules]
    inspector.passes.sweep(names, [0, None], lambda *_: None, image=1)


PASSES: dict[str, Callable[[Inspector, Tensor], object]] = {
    "sweep": lambda i, x: _swept(i),
    "sweep of variants": lambda i, x: i.passes.sweep(
        [i.layers[0].name], [1], lambda *_: None, batch=x
    ),
    "targets": lambda i, x: i.passes.targets([None, 1, lambda output: output[:, 0]]),
    "activations": lambda i, x: i.passes.activations([i.layers[0].name]),
    "scores": lambda i, x: i.passes.scores(x, 1),
    "input": lambda i, x: i.passes.input(image=1),
    "input_gradient": lambda i, x: i.passes.input_gradient(x, 1),
    "tail": lambda i, x: (tail := i.passes.tail(i.layers[0].name)).scores(
        tail.value.repeat(3, 1, 1, 1), 1
    ),
    "linear_head": lambda i, x: i.passes.linear_head(i.layers[0].name),
}
CALLS |= PASSES
RUNNING = sorted(PASSES.keys() - {"targets", "activations", "input"})  # those that run the model
MODELS: dict[str, Callable[[], nn.Module]] = {
    "training": lambda: models.built(models.Plain(inplace=True)).train(),
    "in place": lambda: models.built(models.InPlace("residual")),
    "weird": lambda: models.built(models.Weird()),
    "no copy": lambda: models.built(models.NoCopy(inplace=True)).train(),
    "mixed modes": lambda: _mixed(),
}


def _mixed() -> nn.Module:
    model = models.built(models.Plain())
    model.get_submodule("bn").train()
    model.get_parameter("fc.weight").requires_grad_(False)
    for name in ("conv1.weight", "fc.bias"):
        model.get_parameter(name).grad = torch.ones_like(model.get_parameter(name))
    model.get_submodule("relu").register_forward_hook(lambda *_: None)
    return model


@pytest.mark.parametrize("model_name", MODELS)
@pytest.mark.parametrize("call", CALLS)
def test_every_call_leaves_the_model_alone(call: str, model_name: str) -> None:
    """Rows 8 to 12: modes, hooks, modules, gradients and tensors are what they were."""
    model, x = MODELS[model_name](), models.pictures().requires_grad_()
    with unchanged(model, x):
        inspector = Inspector(model, x)
        CALLS[call](inspector, x)
        CALLS[call](inspector, x)


@contextlib.contextmanager
def _failing() -> Iterator[None]:
    models.FAILING.append(True)
    try:
        yield
    finally:
        models.FAILING.clear()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("call", ["construct", "set_inputs", "refresh", "gradient", *RUNNING])
def test_failing_half_way_leaves_the_model_alone(call: str, error: type[BaseException]) -> None:
    """Row 7: no hook stays after an exception or an interrupt, and the old results stay."""
    model, x = models.built(models.Fails(error)).train(), models.pictures()
    inspector = Inspector(model, x)
    expected = inspector.activation("conv")
    with unchanged(model, x):
        with _failing(), pytest.raises(error, match="half-way"):
            Inspector(model, x) if call == "construct" else _again(inspector, call, x)
        assert torch.equal(inspector.activation("conv"), expected)
        assert inspector.epoch == 0


def _again(inspector: Inspector, call: str, x: Tensor) -> None:
    if call == "set_inputs":
        inspector.set_inputs(x + 1)
    elif call == "refresh":
        inspector.refresh()
    elif call in PASSES:
        PASSES[call](inspector, x)
    else:
        inspector.gradient("conv", 0)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_hook_of_the_users_that_raises(error: type[BaseException]) -> None:
    """Row 7, where the exception comes from the user's own hook."""
    model, x = models.built(models.Plain()), models.pictures()

    def raises(*_: object) -> None:
        msg = "from a hook"
        raise error(msg)

    model.get_submodule("conv2").register_forward_hook(raises)
    with unchanged(model, x), pytest.raises(error, match="from a hook"):
        Inspector(model, x)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_model_that_cannot_be_copied_and_raises(error: type[BaseException]) -> None:
    """The model itself runs, and is put back also when it raises."""
    model, x = models.built(models.NoCopy()).train(), models.pictures()
    inspector = Inspector(model, x)
    forward = model.get_submodule("conv2").forward

    def raises(_: Tensor) -> Tensor:
        msg = "half-way"
        raise error(msg)

    model.get_submodule("conv2").forward = raises
    with unchanged(model, x), pytest.raises(error, match="half-way"):
        inspector.refresh()
    model.get_submodule("conv2").forward = forward
    assert "cannot be copied (RuntimeError: no copies of me)" in " ".join(inspector.notices)


def test_a_hundred_rounds_leave_no_hooks() -> None:
    """Row 8: hooks do not pile up over many uses."""
    model, x = models.built(models.Plain()), models.pictures(1)
    with unchanged(model, x):
        inspector = Inspector(model, x)
        for step in range(100):
            inspector.set_inputs(x + step)
            inspector.maps("conv1")


class Holding(nn.Module):
    """Calls its own modules through what deepcopy does not copy."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.conv, self.bn, self.fc = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2)
        self.block: Callable[[Tensor], Tensor] = lambda x: self.bn(self.conv(x))
        if kind == "patched forward":
            forward = self.bn.forward
            self.bn.forward = lambda x: forward(x) * 2  # type: ignore[method-assign,assignment]
        elif kind == "hook":
            self.conv.register_forward_hook(lambda _m, _a, o: setattr(self, "features", o))
        if kind != "lambda":
            self.block = nn.Sequential(self.conv, self.bn)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.fc(self.block(x).mean((2, 3)))
        return result


@pytest.mark.parametrize("kind", ["lambda", "patched forward", "hook"])
def test_functions_that_hold_the_users_modules(kind: str) -> None:
    """A copy would run the user's own BatchNorm, in training mode."""
    model, x = models.built(Holding(kind)).train(), models.pictures()
    with unchanged(model, x):
        inspector = Inspector(model, x)
        inspector.gradient("conv", 0)
        got = inspector.predictions(2)
    assert any("call its own modules" in notice for notice in inspector.notices)
    expected = model.eval()(x).detach().max(1).values
    assert [row[0].score for row in got] == pytest.approx(expected.tolist())


def test_a_copy_that_is_the_model_itself() -> None:
    class Same(nn.Sequential):
        def __deepcopy__(self, memo: object) -> nn.Module:
            return self

    model, x = Same(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).train(), models.pictures()
    with unchanged(model, x):
        Inspector(model, x)


WRITES: dict[str, Callable[[Tensor], object]] = {
    "constant_": lambda p: nn.init.constant_(p, 3.0),
    "uniform_": nn.init.uniform_,
    "normal_": nn.init.normal_,
    "numpy": lambda p: p.detach().numpy().fill(3),
    "data": lambda p: setattr(p, "data", p.data * 2),
    "out=": lambda p: torch.mul(p, 2, out=p),
    "foreach": lambda p: torch._foreach_mul_([p], 0.5),
}


@pytest.mark.parametrize("kind", WRITES)
def test_weights_written_in_forward_stay_the_users(kind: str) -> None:
    class Writes(models.Plain):
        def forward(self, x: Tensor) -> Tensor:
            with torch.no_grad():
                WRITES[kind](self.fc.bias)
            result: Tensor = super().forward(x)
            return result

    model, x = models.built(Writes()), models.pictures()
    with unchanged(model, x):
        inspector = Inspector(model, x)
        inspector.set_inputs(x)
    with torch.no_grad():
        model.get_parameter("conv1.weight").mul_(2)  # the copies follow the user's weights
    expected = model.get_submodule("conv1")(x).detach()
    assert torch.equal(inspector.activation("conv1"), expected)


class Remembering(models.Plain):
    """Changes lists, dicts, plain tensors, buffers and numbers of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.ema: Tensor
        self.register_buffer("ema", torch.ones(5))
        self.seen: list[Tensor] = []
        self.log: dict[str, list[int]] = {"calls": []}
        self.state = torch.zeros(5)
        self.count = 0

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = super().forward(x)
        self.count += 1
        self.seen.append(result)
        self.log["calls"].append(1)
        self.ema = self.ema * 0.5 + self.count
        self.state = self.state + len(self.log["calls"])
        return result * self.ema + self.state


class RememberingNoCopy(Remembering):
    """The same, refusing to be copied."""

    def __deepcopy__(self, memo: object) -> nn.Module:
        msg = "no copies"
        raise RuntimeError(msg)


@pytest.mark.parametrize("kind", [Remembering, RememberingNoCopy])
def test_what_forward_remembers_is_forgotten(kind: type[Remembering]) -> None:
    """Every run starts from the user's model, and leaves nothing in it."""
    model, x = models.built(kind()), models.pictures()
    expected = plain_outputs(models.built(Remembering()), x)[1]
    with unchanged(model, x):
        inspector = Inspector(model, x, cache_bytes=10)
        for _ in range(3):
            inspector.set_inputs(x)
            best = [row[0].score for row in inspector.predictions(1)]
            assert best == pytest.approx(expected.max(1).values.tolist())
            epoch = inspector.epoch
            inspector.activation("conv1")
            assert inspector.epoch == epoch
    assert not model.get_buffer("ema").ne(1).any()
