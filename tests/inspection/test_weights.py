"""Weights as filters: by hand, and by what a layer computes with them, in slow NumPy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from cnnviz_widgets.inspection.locks import ModelBusyError
from cnnviz_widgets.inspection.weights import WeightInfo, Weights
from tests.inspection.busy import used_elsewhere
from tests.inspection.models import Plain, Tokens, built
from tests.inspection.promise import unchanged

Floats = npt.NDArray[np.float32]
CONVOLUTIONS: dict[str, Any] = {
    "plain": lambda: nn.Conv2d(3, 4, (3, 2), bias=False),
    "1 x 1": lambda: nn.Conv2d(5, 4, 1, bias=False),
    "grouped": lambda: nn.Conv2d(6, 4, 3, groups=2, bias=False),
    "depthwise": lambda: nn.Conv2d(3, 6, 3, groups=3, bias=False),
    "dilated": lambda: nn.Conv2d(2, 3, 3, dilation=(2, 3), bias=False),
    "1-d": lambda: nn.Conv1d(4, 6, 5, groups=2, bias=False),
    "3-d": lambda: nn.Conv3d(2, 3, (2, 3, 2), bias=False),
}
TRANSPOSED: dict[str, Any] = {
    "plain": lambda: nn.ConvTranspose2d(3, 4, (3, 2), bias=False),
    "grouped": lambda: nn.ConvTranspose2d(6, 4, 3, groups=2, bias=False),
    "dilated": lambda: nn.ConvTranspose1d(4, 3, 3, dilation=2, bias=False),
    "3-d": lambda: nn.ConvTranspose3d(2, 4, 2, groups=2, bias=False),
}


def random(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def places(sizes: tuple[int, ...]) -> Any:
    return itertools.product(*map(range, sizes))


def taps(info: WeightInfo, place: tuple[int, ...]) -> Any:
    """Every value of a kernel, and where it lies when the kernel stands at `place`."""
    for tap in places(info.kernel):
        yield tap, tuple(p + t * d for p, t, d in zip(place, tap, info.dilation, strict=True))


def convolved(x: npt.NDArray[np.float64], values: Floats, info: WeightInfo) -> Any:
    """Cross-correlation with one filter for each output channel, by its definition."""
    sizes = [
        length - (side - 1) * step
        for length, side, step in zip(x.shape[1:], info.kernel, info.dilation, strict=True)
    ]
    out = np.zeros((info.filters, *sizes))
    for filter_, place in itertools.product(range(info.filters), places(tuple(sizes))):
        for i, channel in enumerate(info.inputs_of(filter_)):
            for tap, at in taps(info, place):
                out[filter_][place] += x[channel][at] * values[filter_, i][tap]
    return out


def stamped(x: npt.NDArray[np.float64], values: Floats, info: WeightInfo) -> Any:
    """Every input value puts its kernel, times itself, onto the output."""
    sizes = [
        length + (side - 1) * step
        for length, side, step in zip(x.shape[1:], info.kernel, info.dilation, strict=True)
    ]
    out = np.zeros((info.filters, *sizes))
    for filter_, place in itertools.product(range(info.filters), places(x.shape[1:])):
        for i, channel in enumerate(info.inputs_of(filter_)):
            for tap, at in taps(info, place):
                out[filter_][at] += x[channel][place] * values[filter_, i][tap]
    return out


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_filter_makes_the_output_channel_of_its_number(name: str) -> None:
    layer = built(CONVOLUTIONS[name]())
    (info,) = Weights(layer).layers
    x = random(getattr(layer, "in_channels"), *(7,) * len(info.kernel))  # noqa: B009 - typed so
    with torch.no_grad():
        expected = layer(x[None])[0].numpy()
    values = Weights(layer).bank(info.name).values
    assert values.shape == info.shape
    np.testing.assert_allclose(convolved(x.double().numpy(), values, info), expected, atol=1e-5)


@pytest.mark.parametrize("name", TRANSPOSED)
def test_a_transposed_filter_makes_the_output_channel_of_its_number(name: str) -> None:
    layer = built(TRANSPOSED[name]())
    (info,) = Weights(layer).layers
    assert info.transposed
    x = random(getattr(layer, "in_channels"), *(4,) * len(info.kernel))  # noqa: B009 - typed so
    with torch.no_grad():
        expected = layer(x[None])[0].numpy()
    values = Weights(layer).bank(info.name).values
    assert values.shape == info.shape
    np.testing.assert_allclose(stamped(x.double().numpy(), values, info), expected, atol=1e-5)


def test_a_transposed_weight_by_hand() -> None:
    layer = nn.ConvTranspose1d(4, 2, 1, groups=2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(4, 1, 1))
    bank = Weights(layer).bank("model")
    assert bank.values.tolist() == [[[1], [2]], [[3], [4]]]
    assert list(bank.info.inputs_of(1)) == [2, 3]


def test_a_dense_layer_is_a_matrix() -> None:
    model = built(Plain())
    weights = Weights(model)
    info = weights.find("fc")
    assert (info.shape, info.kernel, info.type) == ((5, 6), (), "Linear")
    x = random(6)
    with torch.no_grad():
        expected = model.fc(x).numpy() - model.fc.bias.numpy()  # type: ignore[union-attr, operator]
    np.testing.assert_allclose(weights.bank("fc").values @ x.numpy(), expected, rtol=1e-5)


def test_a_bilinear_layer_has_a_form_for_each_output() -> None:
    layer = nn.Bilinear(2, 3, 4)
    info = Weights(layer).layers[0]
    assert info.shape == (4, 1, 2, 3)


def test_layers_stand_in_the_order_of_named_modules() -> None:
    weights = Weights(built(Plain()))
    assert [info.name for info in weights.layers] == ["conv1", "conv2", "fc"]


def test_attention_has_its_projections() -> None:
    weights = Weights(Tokens())
    names = [info.name for info in weights.layers]
    assert names == ["patches", "attention", "attention.out_proj", "mlp", "head"]
    info = weights.find("attention")
    assert (info.shape, info.parts) == ((24, 8), ("query", "key", "value"))
    apart = Weights(nn.MultiheadAttention(8, 2, kdim=4, vdim=6))
    assert {info.name: info.shape for info in apart.layers} == {
        "model.q_proj_weight": (8, 8),
        "model.k_proj_weight": (8, 4),
        "model.v_proj_weight": (8, 6),
        "out_proj": (8, 8),
    }


def test_recurrent_layers_have_a_matrix_for_input_and_state() -> None:
    weights = Weights(nn.Sequential(nn.LSTM(3, 4), nn.GRUCell(4, 2)))
    found = {info.name: (info.shape, len(info.parts)) for info in weights.layers}
    assert found == {
        "0.weight_ih_l0": ((16, 3), 4),
        "0.weight_hh_l0": ((16, 4), 4),
        "1.weight_ih": ((6, 4), 3),
        "1.weight_hh": ((6, 2), 3),
    }


def test_what_is_no_filter_is_left_out() -> None:
    model = nn.Sequential(nn.Embedding(9, 4), nn.LayerNorm((3, 4)), nn.BatchNorm2d(3), nn.PReLU(3))
    with pytest.raises(ValueError, match="Sequential has no layer with weights that are filters"):
        Weights(model)


def test_a_layer_of_the_users_own_is_read_by_its_shape() -> None:
    class Mine(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4, 3, 2, 2))

    (info,) = Weights(nn.Sequential(Mine())).layers
    assert (info.type, info.shape, info.groups) == ("Mine", (4, 3, 2, 2), 1)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
def test_scripted_layers_are_read() -> None:
    model = nn.Sequential(nn.Conv2d(4, 8, 3, groups=2), nn.ConvTranspose2d(8, 4, 3))
    scripted = Weights(torch.jit.script(model))
    plain = Weights(model)
    assert [info.shape for info in scripted.layers] == [info.shape for info in plain.layers]
    for info in plain.layers:
        mine, theirs = scripted.bank(info.name).values, plain.bank(info.name).values
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_any_type_becomes_float32(dtype: torch.dtype) -> None:
    layer = nn.Linear(3, 2).to(dtype)
    values = Weights(layer).bank("model").values
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, layer.weight.detach().float().numpy())


def test_the_users_memory_cannot_be_written_through_a_bank() -> None:
    values = Weights(nn.Linear(3, 2)).bank("model").values
    with pytest.raises(ValueError, match="read-only"):
        values[0, 0] = 1


def test_nothing_is_touched_and_nothing_is_run() -> None:
    class Never(Plain):
        def forward(self, x: torch.Tensor) -> Any:
            raise AssertionError("run")

    model = built(Never()).train()
    with unchanged(model):
        weights = Weights(model)
        for info in weights.layers:
            weights.bank(info.name)
        weights.check()


def test_a_training_step_is_seen() -> None:
    model = built(Plain())
    weights = Weights(model)
    changes: list[int] = []
    weights.on_change(lambda: changes.append(weights.epoch))
    assert weights.check() == 0
    with torch.no_grad():
        dict(model.named_parameters())["conv2.weight"].mul_(2)
    assert weights.check() == 1
    assert weights.check() == 1
    assert changes == [1]
    np.testing.assert_array_equal(weights.bank("conv2").values, model.state_dict()["conv2.weight"])


def test_another_layer_in_its_place_is_listed() -> None:
    model = built(Plain())
    weights = Weights(model)
    model.fc = nn.Linear(6, 9)
    weights.check()
    assert weights.find("fc").shape == (9, 6)


def test_a_busy_model_is_told() -> None:
    model = built(Plain())
    weights = Weights(model)
    weights.busy_timeout_s = 0.05
    busy = pytest.raises(ModelBusyError, match=r"has been using it for 0\.05 s")
    with used_elsewhere(weights._lock), busy:
        weights.bank("fc", wait=0.05)


def test_a_layer_is_found_by_the_name_of_a_call_and_of_a_wrapped_model() -> None:
    weights = Weights(nn.DataParallel(built(Plain())))
    assert weights.find("conv1#2").name == "conv1"
    assert weights.find("module.conv1").name == "conv1"


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        ("conv", ValueError, r"layer='conv' is no layer with weights; did you mean 'conv\d'"),
        ("relu", ValueError, r"layer='relu' is no layer with weights; .*of 3 that have some"),
        (3, TypeError, r"layer=3 is a int; give the name of a layer as a string, such as 'conv1'"),
    ],
)
def test_a_wrong_layer_is_answered_with_a_right_one(
    layer: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Weights(built(Plain())).find(layer)


def test_a_model_without_shapes_is_refused() -> None:
    with pytest.raises(ValueError, match="lazy parameter; run the model once"):
        Weights(nn.LazyLinear(3))
    with pytest.raises(TypeError, match=r"give a torch\.nn\.Module"):
        Weights(nn.Linear)  # type: ignore[arg-type]  # a class, as users write by mistake
