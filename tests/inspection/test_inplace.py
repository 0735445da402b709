"""In-place operations: every activation and gradient is that of the out-of-place twin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.inplace import run_apart, written
from tests.inspection import models
from tests.inspection.promise import unchanged
from tests.inspection.twin import plain_outputs


@pytest.mark.parametrize("kind", models.IN_PLACE_KINDS)
def test_activations_are_those_before_the_in_place_step(kind: str) -> None:
    """Rows 1 and 2: what a layer returned, also where its memory was overwritten later."""
    model, x = models.built(models.InPlace(kind)), models.pictures()
    expected, logits = plain_outputs(model, x)
    with unchanged(model, x):
        inspector = Inspector(model, x)
        for round_ in ("first", "again", "with a graph"):
            if round_ == "again":
                inspector.set_inputs(x)
            elif round_ == "with a graph":
                inspector.gradient("after", 0)
            for info in inspector.modules:
                got = inspector.activation(info.name)
                wanted = expected[info.path, info.call]
                torch.testing.assert_close(got, wanted, rtol=0, atol=1e-6, msg=f"{round_} {info}")
            scores = inspector.activation("fc")
            assert torch.equal(scores, logits), f"{round_}: not the model's own scores"


def _out_of_place(model: models.InPlace, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return conv's output and the scores, computed without any in-place operation."""
    y = model.conv(x)
    steps: dict[str, Callable[[], Tensor]] = {
        "residual": lambda: y + model.skip(x),
        "slice": lambda: torch.cat((torch.zeros_like(y[:, :2]), y[:, 2:]), 1),
        "view": lambda: y * 0.5,
        "chunk": lambda: torch.cat((y[:, :2].clamp(min=0), y[:, 2:]), 1),
        "pre-activation": lambda: model.skip(x) + 2 * F.relu(y),
        "out=": lambda: y + 1,
        "twice": lambda: (y + 1) * 2,
        "input": lambda: y + model.skip(x * 2),
        "ReLU6": lambda: F.relu6(y),
        "Hardswish": lambda: F.hardswish(y),
        "SiLU": lambda: F.silu(y),
        "LeakyReLU": lambda: F.leaky_relu(y),
        "ELU": lambda: F.elu(y),
        "Hardtanh": lambda: F.hardtanh(y),
        "Mish": lambda: F.mish(y),
        "Dropout": lambda: y,
    }
    z = steps.get(model.kind, lambda: F.relu(y))()
    return y, model.fc(model.after(z).mean((2, 3)))


@pytest.mark.parametrize(
    "kind", [k for k in models.IN_PLACE_KINDS if k not in {"out=", "detached alias", "data alias"}]
)
def test_gradients_are_those_of_the_out_of_place_twin(kind: str) -> None:
    """Row 1: the captured activation stays in the graph."""
    model, x = models.built(models.InPlace(kind)), models.pictures()
    assert isinstance(model, models.InPlace)
    y, scores = _out_of_place(model, x)
    (expected,) = torch.autograd.grad(scores[:, 2].sum(), [y])
    got = Inspector(model, x).gradient("conv", 2)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-6)


def test_hand_numbers_before_and_after_an_in_place_relu() -> None:
    """Row 2, by hand: a 1 x 1 convolution by -1 followed by an in-place ReLU."""
    conv = nn.Conv2d(1, 1, 1, bias=False)
    conv.weight.data.fill_(-1.0)
    model = nn.Sequential(conv, nn.ReLU(inplace=True))
    inspector = Inspector(model, torch.tensor([[[[1.0, -2.0], [3.0, -4.0]]]]))
    assert inspector.activation("0").flatten().tolist() == [-1.0, 2.0, -3.0, 4.0]
    assert inspector.activation("1").flatten().tolist() == [0.0, 2.0, 0.0, 4.0]


def test_parameters_written_in_forward_stay_as_they_are() -> None:
    """A forward pass that clamps its own weights gets copies of them, and a notice says so."""
    model, x = models.built(models.Weird()), models.pictures()
    expected, _ = plain_outputs(model, x)
    with unchanged(model, x):
        inspector = Inspector(model, x)
        assert torch.equal(inspector.activation("conv"), expected["conv", 1])
    assert "forward() writes to the parameters 'conv.weight'" in " ".join(inspector.notices)


def test_embedding_with_max_norm_does_not_renormalise_the_users_table() -> None:
    model = nn.Sequential(nn.Embedding(4, 3, max_norm=0.1), nn.Flatten(), nn.Linear(6, 2))
    tokens = torch.tensor([[0, 1], [2, 3]])
    with unchanged(model, tokens):
        inspector = Inspector(model, tokens)
    assert inspector.activation("0").norm(dim=-1).max() <= 0.1 + 1e-6
    assert inspector.gradient("0", 1).shape == (2, 2, 3)


@pytest.mark.parametrize(
    ("function", "arguments", "keywords", "count"),
    [
        (F.relu, (torch.ones(2),), {"inplace": True}, 1),
        (F.relu, (torch.ones(2),), {}, 0),
        (torch.Tensor.add_, (torch.ones(2), 1), {}, 1),
        (torch.Tensor.__iadd__, (torch.ones(2), 1), {}, 1),
        (torch.Tensor.__setitem__, (torch.ones(2), 0, 1), {}, 1),
        (torch.add, (torch.ones(2), 1), {"out": torch.ones(2)}, 1),
        (torch.Tensor.__add__, (torch.ones(2), 1), {}, 0),
        (torch.Tensor.requires_grad_, (torch.ones(2),), {}, 0),
        (F.embedding, (torch.tensor([0]), torch.ones(2, 2)), {"max_norm": 1.0}, 1),
        (torch._foreach_add_, ([torch.ones(2), torch.ones(3)], 1), {}, 2),
    ],
)
def test_what_a_call_writes_to(
    function: object, arguments: tuple[object, ...], keywords: dict[str, object], count: int
) -> None:
    assert len(written(function, arguments, keywords)) == count  # type: ignore[arg-type]


def test_run_apart_keeps_type_and_shape_of_the_target() -> None:
    """``half.add_(float)`` stays half, which the out-of-place twin would not."""
    target = torch.ones(3, dtype=torch.float16)
    result, (new,) = run_apart(
        torch.Tensor.add_, (target, torch.tensor([1.0, 2.0, 3.0])), {}, [target]
    )
    assert result is new
    assert new.dtype == torch.float16
    assert new.tolist() == [2.0, 3.0, 4.0]
    assert target.tolist() == [1.0, 1.0, 1.0]


def double(y: Tensor) -> Tensor:
    """Return 2 y."""
    return y * 2


class Square(torch.autograd.Function):
    """A function with a backward of its own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        """Return x * x."""
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """Return 2 x g."""
        (x,) = ctx.saved_tensors
        return 2 * x * gradients[0]


class Unseen(nn.Module):
    """An in-place ReLU, then code that takes its tensor past torch functions."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.conv, self.fc = kind, nn.Conv2d(3, 4, 3), nn.Linear(4, 5)
        self.scripted = torch.jit.script(double) if kind == "scripted" else double
        self.compiled = torch.compile(double, backend="eager") if kind == "compiled" else double

    def forward(self, x: Tensor) -> Any:
        y = self.conv(x)
        z = y.relu_()
        if self.kind == "scripted":
            y = self.scripted(y)
        elif self.kind == "vmap":
            y = torch.vmap(lambda item: item * 2)(y)
        elif self.kind == "compiled":
            y = self.compiled(y)
        elif self.kind == "is":
            y = y * 2 if z is y else y * 100
        elif self.kind == "autograd function":
            y = Square.apply(y)  # type: ignore[no-untyped-call]  # torch has no types here
        elif self.kind == "numpy":
            y.detach().numpy()[:] *= 2
        return self.fc(y.mean((2, 3)))


UNSEEN = ["scripted", "vmap", "compiled", "is", "autograd function", "numpy"]


@pytest.mark.filterwarnings("ignore")  # torch.jit is deprecated, and still in use
@pytest.mark.parametrize("kind", UNSEEN)
def test_code_that_reads_past_torch_functions(kind: str) -> None:
    model, x = models.built(Unseen(kind)), models.pictures()
    with torch.no_grad():
        activation = model.get_submodule("conv")(x)
        positive = activation.relu()
        after = positive**2 if kind == "autograd function" else positive * 2
        expected = model.get_submodule("fc")(after.mean((2, 3)))
    with unchanged(model, x):
        inspector = Inspector(model, x)
        assert torch.equal(inspector.activation("conv"), activation)
        torch.testing.assert_close(inspector.activation("fc"), expected, rtol=0, atol=1e-6)
        inspector.set_inputs(x * 2)
        torch.testing.assert_close(inspector.activation("conv"), model.get_submodule("conv")(x * 2))
    copied = any("is copied as it comes" in notice for notice in inspector.notices)
    assert copied == (kind in {"scripted", "vmap", "is", "numpy"})


def test_the_gradient_through_a_function_with_its_own_backward() -> None:
    """d fc(mean(relu(a)^2)) / da = 2 relu(a) w / places."""
    model, x = models.built(Unseen("autograd function")), models.pictures()
    activation = model.get_submodule("conv")(x).detach()
    weight = model.get_parameter("fc.weight")[3].detach()[:, None, None]
    places = activation.shape[2] * activation.shape[3]
    got = Inspector(model, x).gradient("conv", 3)
    torch.testing.assert_close(got, 2 * activation.relu() * weight / places, rtol=0, atol=1e-6)


def test_gradients_where_torch_refuses_because_of_what_was_overwritten() -> None:
    """ReLU keeps its result for the backward pass, and the next step overwrites it."""
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(True), nn.Sigmoid(), nn.ReLU6(True))
    layers[2].forward = torch.sigmoid_
    model, x = models.built(layers), models.pictures()
    activation = model.get_submodule("0")(x).detach().requires_grad_()
    score = F.relu6(torch.sigmoid(F.relu(activation))).sum((2, 3))[:, 1]
    (expected,) = torch.autograd.grad(score.sum(), [activation])
    got = Inspector(model, x).gradient("0", lambda output: output.sum((2, 3))[:, 1])
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("cache_bytes", [0, 1 << 30])
def test_inference_mode_inside_forward(cache_bytes: int) -> None:
    class Inside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.bn = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

        def forward(self, x: Tensor) -> Any:
            with torch.inference_mode():
                y = self.conv(x)
                y.clamp_(min=0)
                y[:, :2].mul_(2)
                return self.bn(y)

    model, x = models.built(Inside()), models.pictures()
    expected, _ = plain_outputs(model, x)
    inspector = Inspector(model, x, cache_bytes=cache_bytes)
    for name in ("conv", "bn"):
        assert torch.equal(inspector.activation(name), expected[name, 1])


def test_a_write_through_numpy_to_what_is_kept() -> None:
    class Zeros(models.Plain):
        def forward(self, x: Tensor) -> Any:
            y = self.conv1(x)
            y.detach().numpy()[:] = 0
            return self.conv2(y)

    model, x = models.built(Zeros()), models.pictures()
    inspector = Inspector(model, x)
    assert torch.equal(inspector.activation("conv1"), plain_outputs(model, x)[0]["conv1", 1])
    assert torch.equal(inspector.activation("conv2"), plain_outputs(model, x)[0]["conv2", 1])
