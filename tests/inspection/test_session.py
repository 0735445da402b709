"""A model with its inputs, and the trace that is valid for both."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector
from tests.inspection import models
from tests.inspection.twin import plain_outputs


def session_of(inspector: Inspector) -> Any:
    """Return the session behind an Inspector."""
    return inspector._session


def test_gradients_build_a_graph_only_when_they_are_asked_for() -> None:
    inspector = Inspector(models.built(models.Plain()), models.pictures())
    assert not inspector.cache_info()["has_graph"]
    first = inspector.gradient("conv1", 2)
    assert inspector.cache_info()["has_graph"]
    assert torch.equal(inspector.gradient("conv1", 2), first)
    inspector.set_inputs(models.pictures() + 1)
    assert inspector.cache_info() | {"budget_bytes": 0} == {
        "trace_bytes": inspector.cache_info()["trace_bytes"],
        "gradient_bytes": 0,
        "gradients": 0,
        "budget_bytes": 0,
        "layers_kept": inspector.cache_info()["layers_kept"],
        "layers_recomputed": 0,
        "has_graph": False,
    }


class Noisy(nn.Module):
    """Draws noise, and fails on pictures that are all zero."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.relu(self.conv(x + torch.rand_like(x)))
        if not x.any():
            raise ArithmeticError
        return y.mean((2, 3))


def test_inputs_that_fail_leave_every_value_as_it_was() -> None:
    x = models.pictures()
    inspector = Inspector(models.built(Noisy()), x)
    names = [info.name for info in inspector.modules]
    before = [inspector.activation(name) for name in names]
    predictions, epoch = inspector.predictions(), inspector.epoch
    for _ in range(2):
        with pytest.raises(ArithmeticError):
            inspector.set_inputs(torch.zeros_like(x))
    assert all(torch.equal(inspector.activation(n), v) for n, v in zip(names, before, strict=True))
    assert inspector.predictions() == predictions
    assert inspector.epoch == epoch
    assert torch.equal(inspector.gradient("conv", 1), inspector.gradient("conv", 1))


class Counting(nn.Module):
    """Three convolutions; notes how many values are alive of those that it is told to watch."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(3, 3, 1) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
            alive.append(sum(value() is not None for value in watched))
        if x.abs().max() > 1e6:
            raise ArithmeticError
        return x.mean((2, 3))


alive: list[int] = []
watched: list[weakref.ref[Tensor]] = []


def outputs_of_layers(inspector: Inspector) -> list[weakref.ref[Tensor]]:
    """Return what the layers of a Counting network gave, without keeping it."""
    kept = session_of(inspector).trace.recorder.kept.values()
    return [
        weakref.ref(value.tensor)
        for value in kept
        if value.source.path.startswith("layers.") and value.source.side == "output"
    ]


@pytest.mark.parametrize(
    ("size", "cache_bytes"), [(6, None), (9, None), (6, 1)], ids=["same", "larger", "no room"]
)
def test_each_old_value_makes_room_for_a_new_one(size: int, cache_bytes: int | None) -> None:
    """So that memory is that of one trace, and need not be asked for again."""
    room: dict[str, Any] = {} if cache_bytes is None else {"cache_bytes": cache_bytes}
    inspector = Inspector(models.built(Counting()), models.pictures(1, 3, 6, 6), **room)
    inspector.set_inputs(models.pictures(1, 3, 6, 6) + 1)
    watched[:] = outputs_of_layers(inspector)
    held = len(watched)
    assert held == (3 if cache_bytes is None else 0)
    alive.clear()
    inspector.set_inputs(models.pictures(1, 3, size, size) + 2)
    assert alive[:3] == [max(held - ran, 0) for ran in (1, 2, 3)]


def test_old_values_go_as_well_where_the_pass_raises() -> None:
    inspector = Inspector(models.built(Counting()), models.pictures())
    watched[:] = outputs_of_layers(inspector)
    before = inspector.activation("layers.2")
    with pytest.raises(ArithmeticError):
        inspector.set_inputs(models.pictures() * 1e9)
    assert not any(value() is not None for value in watched)
    assert torch.equal(inspector.activation("layers.2"), before)


def test_gradient_against_central_differences_in_float64() -> None:
    """A slow witness: (S(A + h) - S(A - h)) / 2h through the rest of the network."""
    model, x = models.built(models.Plain()).double(), models.pictures(1, 3, 4, 4)
    activation = Inspector(model, x).activation("conv1")

    def score(a: Tensor) -> float:
        parts = dict(model.named_children())
        y = torch.relu(parts["conv2"](torch.relu(parts["bn"](a))))
        return float(parts["fc"](parts["pool"](y).flatten(1))[0, 3])

    expected = np.zeros(activation.numel())
    with torch.no_grad():
        for index in range(activation.numel()):
            step = torch.zeros(activation.numel(), dtype=torch.float64)
            step[index] = 1e-6
            step = step.reshape(activation.shape)
            expected[index] = (score(activation + step) - score(activation - step)) / 2e-6
    got = Inspector(model, x).gradient("conv1", 3)
    np.testing.assert_allclose(got.numpy().ravel(), expected, atol=1e-7)


def test_gradient_by_hand() -> None:
    """The mean of a ReLU over 4 places: 1/4 where the input is positive."""
    model = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.ReLU(), nn.Flatten(), nn.AvgPool1d(4))
    nn.init.ones_(model.get_parameter("0.weight"))
    inspector = Inspector(model, torch.tensor([[[[1.0, -2.0], [3.0, -4.0]]]]))
    gradient = inspector.gradient("0", lambda output: output[:, 0])
    assert gradient.flatten().tolist() == [0.25, 0.0, 0.25, 0.0]


def test_gradient_equals_captums() -> None:
    """LayerGradientXActivation divided by the activation is the plain gradient."""
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    model, x = models.built(models.Plain()), models.pictures()
    inspector = Inspector(model, x)
    theirs = attr.LayerGradientXActivation(model, model.get_submodule("conv2")).attribute(
        x, target=1
    )
    ours = inspector.gradient("conv2", 1) * inspector.activation("conv2")
    torch.testing.assert_close(ours, theirs.detach(), rtol=0, atol=1e-6)


def test_no_path_from_the_layer_to_the_score() -> None:
    class Detached(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.frozen = nn.Conv2d(3, 4, 3)
            self.head = nn.Linear(4, 5)

        def forward(self, x: Tensor) -> Any:
            with torch.no_grad():
                features = self.frozen(x)
            return self.head(features.mean((2, 3)))

    inspector = Inspector(models.built(Detached()), models.pictures())
    with pytest.raises(ValueError, match=r"target=1 does not depend on layer='frozen' through"):
        inspector.gradient("frozen", 1)
    assert inspector.gradient("head", 1).tolist() == [[0, 1, 0, 0, 0]] * 2


def test_tokens_have_gradients_from_the_embedding_on() -> None:
    model = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(12, 2)).requires_grad_(False)
    tokens = torch.tensor([[1, 2, 3]])
    gradient = Inspector(model, tokens).gradient("0", 1)
    weight = model.get_parameter("2.weight")
    torch.testing.assert_close(gradient.flatten(), weight[1], rtol=0, atol=1e-7)


def test_batchnorm_statistics_that_training_moves_are_seen() -> None:
    model, x = models.built(models.Plain()), models.pictures()
    inspector = Inspector(model, x)
    model.train()(x)
    assert torch.equal(inspector.activation("bn"), plain_outputs(model, x)[0]["bn", 1])
    assert inspector.epoch == 1


def test_a_layer_without_tensor_inputs() -> None:
    class Source(nn.Module):
        def forward(self) -> Tensor:
            return torch.ones(2, 4, 3, 3)

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.source, self.conv = Source(), nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Any:
            return (self.conv(x).mean() + self.source()).mean((2, 3))

    inspector = Inspector(models.built(Model()), models.pictures())
    assert inspector.activation("source").sum() == 72
    with pytest.raises(ValueError, match=r"side='input': 'source' was called without a tensor"):
        inspector.maps("source", side="input")


@pytest.mark.parametrize("budget", [0, 700, 2000])
def test_every_layer_over_the_budget_also_after_other_inputs(budget: int) -> None:
    """Identity and Dropout among them, whose output is their input."""
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.Identity(), nn.Dropout(), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3)
    ).eval()
    x = models.pictures()
    inspector = Inspector(model, x, cache_bytes=budget)
    for pictures in (x, x * 2, x.flip(2)):
        inspector.set_inputs(pictures)
        expected, _ = plain_outputs(model, pictures)
        for info in inspector.modules:
            got = inspector.activation(info.name)
            assert torch.equal(got, expected[info.path, info.call])
    with torch.no_grad():
        model.get_parameter("0.weight").mul_(2)
    assert torch.equal(inspector.activation("4"), plain_outputs(model, x.flip(2))[0]["4", 1])


class StaysInTraining(nn.Dropout):
    """Monte-Carlo dropout: on in eval mode, too."""

    def train(self, mode: bool = True) -> StaysInTraining:
        super().train(mode=True)
        return self


@pytest.mark.parametrize("budget", [10, 1 << 30])
def test_random_numbers_are_the_same_whenever_a_value_is_computed(budget: int) -> None:
    model = nn.Sequential(nn.Linear(4, 40), StaysInTraining(), nn.Linear(40, 3)).eval()
    inspector = Inspector(model, torch.ones(1, 4), cache_bytes=budget)
    dropped = inspector.activation("1")
    state = torch.get_rng_state()
    assert torch.equal(inspector.activation("1"), dropped)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(5)
    last = model.get_submodule("2")(dropped).detach()
    torch.testing.assert_close(inspector.activation("2"), last, rtol=0, atol=1e-6)
    inspector.gradient("1", 0)
    assert torch.equal(inspector.activation("1"), dropped)


def test_branches_that_depend_on_the_picture() -> None:
    class Branches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.same = nn.Conv2d(3, 4, 3), nn.Identity()

        def forward(self, x: Tensor) -> Any:
            y = self.conv(x)
            z = y.relu() if len(torch.where(y > 0)[0]) > y.numel() // 2 else y + 1
            return self.same(z)

    model, x = models.built(Branches()), models.pictures()
    model.get_parameter("conv.weight").data.abs_()
    inspector = Inspector(model, x)
    for pictures in (x.abs() + 5, -x.abs() - 5, x.abs() + 5):
        inspector.set_inputs(pictures)
        expected = plain_outputs(model, pictures)[0]["same", 1]
        assert torch.equal(inspector.activation("same"), expected)


def test_weights_written_through_data_show_in_no_layer_until_a_refresh() -> None:
    """All values come from one pass: none mixes old and new weights."""
    model, x = models.built(models.Plain()), models.pictures()
    inspector, old = Inspector(model, x), plain_outputs(model, x)[0]
    model.get_parameter("bn.weight").data.mul_(5)
    assert torch.equal(inspector.activation("bn"), old["bn", 1])
    inspector.refresh()
    assert torch.equal(inspector.activation("bn"), plain_outputs(model, x)[0]["bn", 1])


def test_weights_written_during_a_pass_are_noticed() -> None:
    steps: list[Any] = []

    class Interrupted(models.Plain):
        def forward(self, x: Tensor) -> Any:
            result = super().forward(x)
            if steps:
                steps.pop()()
            return result

    model, x = models.built(Interrupted()), models.pictures()

    def step() -> None:
        with torch.no_grad():
            model.get_parameter("conv1.weight").mul_(2)

    steps.append(step)
    inspector = Inspector(model, x)
    assert not steps
    assert torch.equal(inspector.activation("conv1"), plain_outputs(model, x)[0]["conv1", 1])


def test_weights_from_inference_mode_come_with_a_notice() -> None:
    with torch.inference_mode():
        model = models.built(models.Plain())
        inspector = Inspector(model, models.pictures())
        model.get_parameter("conv1.weight").mul_(2)
        assert any("made in inference mode" in notice for notice in inspector.notices)
        inspector.refresh()
        expected = model.get_submodule("conv1")(models.pictures())
        assert torch.equal(inspector.activation("conv1"), expected)


@pytest.mark.filterwarnings("ignore")  # torch.jit is deprecated, and still in use
def test_scripted_modules_are_opaque_and_the_rest_works() -> None:
    scripted = torch.jit.script(nn.Sequential(nn.Linear(4, 4), nn.ReLU(inplace=True)))
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(inplace=True), scripted, nn.Linear(4, 3)).eval()
    x = torch.randn(2, 4)
    inspector = Inspector(model, x)
    assert [info.name for info in inspector.layers] == ["0", "1", "3"]
    assert "Scripted modules cannot be looked into: '2'" in " ".join(inspector.notices)
    assert [inspector.check() for _ in range(2)] == [0, 0]
    for _ in range(2):
        torch.testing.assert_close(inspector.activation("3"), model(x).detach())
        with torch.no_grad():
            next(scripted.parameters()).mul_(3)
    assert inspector.gradient("0", 1).shape == (2, 4)
    with pytest.raises(ValueError, match=r"by torch\.jit, where no layer can be watched; give"):
        Inspector(scripted, x)


def test_tensors_and_modules_in_plain_containers_follow_the_users() -> None:
    class Plainly(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(4, 4)
            self.heads = [nn.Linear(4, 3)]
            self.transposed = self.first.weight.detach()

        def forward(self, x: Tensor) -> Any:
            return self.heads[0](self.first(x) @ self.transposed)

    model, x = Plainly().eval(), torch.randn(2, 4)
    inspector = Inspector(model, x)
    for parameter in (model.first.weight, model.heads[0].weight):
        with torch.no_grad():
            parameter.mul_(2)
        assert inspector.predictions(1)[0][0].score == pytest.approx(model(x)[0].max().item())
