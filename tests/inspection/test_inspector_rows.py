"""The Inspector on the models of the field's failure list (rows are those of that list)."""

from __future__ import annotations

import gc
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector
from tests.inspection import models
from tests.inspection.promise import unchanged
from tests.inspection.twin import plain_outputs

DEVICES = ["cpu", "cuda", "mps"]


def on(device: str) -> torch.device:
    """Return a device, or skip where it is absent."""
    present = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not present[device]:
        pytest.skip(f"no {device} device here")
    return torch.device(device)


def test_row_3_a_module_called_twice() -> None:
    """Every call can be asked for, and shows its own value and gradient."""
    model, x = models.built(models.Plain()), models.pictures()
    inspector, expected = Inspector(model, x), plain_outputs(model, x)[0]
    for call in (1, 2):
        assert torch.equal(inspector.activation(f"relu#{call}"), expected["relu", call])
    assert not torch.equal(inspector.gradient("relu#1", 0)[:, :4], inspector.gradient("conv1", 0))
    with pytest.raises(ValueError, match=r"layer='relu' is called 2 times.*'relu#1', 'relu#2'"):
        inspector.activation("relu")


def test_row_4_functional_operations_are_seen() -> None:
    inspector = Inspector(models.built(models.Functional()), models.pictures())
    names = [operation.name for operation in inspector.operations]
    for name in ("relu", "max_pool2d", "adaptive_avg_pool2d", "flatten", "softmax"):
        assert name in names
    relu = inspector.operations[names.index("relu")]
    conv = next(o for o in inspector.operations if o.path == "conv1" and o.call == 1)
    assert relu.inputs == conv.outputs
    assert (inspector.maps("conv2", side="input").values >= 0).all()


@pytest.mark.parametrize("kind", ["tuple", "dict", "dataclass"])
def test_row_5_structured_outputs(kind: str) -> None:
    model, x = models.built(models.Structured(kind)), models.pictures()
    inspector = Inspector(model, x)
    assert inspector.has_scores
    assert torch.equal(
        inspector.activation("head")[0].argmax(), torch.tensor(inspector.predictions(1)[0][0].index)
    )
    assert inspector.gradient("body", 1).shape == inspector.activation("body").shape


def test_row_5_a_module_inside_that_returns_a_tuple() -> None:
    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> tuple[Tensor, int]:
            return self.conv(x), 3

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pair = Pair()
            self.fc = nn.Linear(4, 5)

        def forward(self, x: Tensor) -> Any:
            return self.fc(self.pair(x)[0].relu_().mean((2, 3)))

    model, x = models.built(Model()), models.pictures()
    inspector = Inspector(model, x)
    assert torch.equal(inspector.activation("pair"), plain_outputs(model, x)[0]["pair.conv", 1])


def test_row_6_several_inputs_by_position_and_by_name() -> None:
    model = models.built(models.TwoTowers())
    left, right = models.pictures(), models.pictures(channels=1)
    by_position = Inspector(model, (left, right))
    by_name = Inspector(model, {"right": right, "left": left})
    for layer in ("left", "right", "fc"):
        assert torch.equal(by_position.activation(layer), by_name.activation(layer))
    assert by_position.batch_size == 2


def test_row_10_a_model_in_training_mode() -> None:
    model, x = models.built(models.Plain()).train(), models.pictures()
    inspector = Inspector(model, x)
    assert torch.equal(inspector.activation("bn"), plain_outputs(model, x)[0]["bn", 1])
    assert "The model is in training mode; it is looked at in eval mode." in inspector.notices


def test_row_11_gradients_in_the_middle_of_training() -> None:
    """An existing .grad stays, and the next optimiser step is the one that was due."""
    model, x = models.built(models.Plain()).train(), models.pictures()
    model(x).sum().backward()
    with unchanged(model, x):
        Inspector(model, x).gradient("conv1", 0)


def test_row_13_memory_stays_flat() -> None:
    """200 pictures leave no tensors behind."""
    model = models.built(models.Plain(inplace=True))
    inspector = Inspector(model, models.pictures())

    def round_(step: int) -> None:
        inspector.set_inputs(models.pictures() + step)
        inspector.maps("conv2")
        inspector.gradient("conv1", 0)

    def count() -> int:
        gc.collect()
        return sum(issubclass(type(item), Tensor) for item in gc.get_objects())

    for step in range(5):
        round_(step)
    before = count()
    for step in range(200):
        round_(step)
    assert count() == before


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("frozen", [False, True])
def test_row_15_no_grad_inference_mode_and_frozen_weights(mode: Any, frozen: bool) -> None:
    model, x = models.built(models.Plain(inplace=True)), models.pictures()
    expected = Inspector(model, x).gradient("conv1", 1)
    model.requires_grad_(not frozen)
    with mode():
        made_inside = x.clone()
        with unchanged(model, x):
            inspector = Inspector(model, made_inside)
            assert torch.equal(inspector.gradient("conv1", 1), expected)
            assert inspector.activation("bn").shape == (2, 4, 12, 10)


def test_row_15_a_model_made_in_inference_mode() -> None:
    with torch.inference_mode():
        model = models.Plain(inplace=True).eval()
    inspector = Inspector(model, models.pictures())
    assert inspector.gradient("conv1", 1).shape == (2, 4, 12, 10)


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        (nn.Identity(), "logit"),
        (nn.Softmax(dim=1), "probability"),
        (nn.LogSoftmax(dim=1), "log-probability"),
        (nn.Sigmoid(), "probability"),
    ],
)
def test_row_16_the_kind_of_score_is_named(last: nn.Module, kind: str) -> None:
    model = nn.Sequential(models.built(models.Plain()), last)
    inspector = Inspector(model, models.pictures())
    assert inspector.score_kind == kind
    best = inspector.predictions(1)[0][0]
    assert 0 <= best.probability <= 1
    if kind == "probability":
        assert best.probability == best.score


def test_row_16_a_functional_softmax() -> None:
    inspector = Inspector(models.built(models.Functional()), models.pictures())
    assert inspector.score_kind == "probability"
    assert sum(p.probability for p in inspector.predictions(5)[0]) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("wrap", ["DataParallel", "eager", "aot_eager", "part"])
def test_rows_19_and_20_wrappers(wrap: str) -> None:
    """Layers of a wrapped model have the names and values of the model inside."""
    if wrap != "DataParallel" and sys.version_info >= (3, 14):
        pytest.skip("torch.compile does not know this Python yet")
    model, x = models.built(models.Plain(inplace=True)), models.pictures()
    expected = Inspector(model, x)
    wrapped: Any = model
    compile_: Any = torch.compile
    if wrap == "DataParallel":
        wrapped = nn.DataParallel(model)
    elif wrap == "part":
        wrapped = nn.Sequential(compile_(model, backend="eager"))
    else:
        wrapped = compile_(model, backend=wrap)
    with unchanged(model, x):
        inspector = Inspector(wrapped, x)
        prefix = "0." if wrap == "part" else ""
        for info in expected.layers:
            got = inspector.activation(prefix + info.name)
            assert torch.equal(got, expected.activation(info.name))
    assert inspector.find(f"{prefix}_orig_mod.conv1").path == f"{prefix}conv1"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_row_21_half_precision(dtype: torch.dtype) -> None:
    """Maps are float32 and close to those of the same weights in float32."""
    model, x = models.built(models.Plain(inplace=True)).to(dtype), models.pictures()
    inspector = Inspector(model, x)
    maps = inspector.maps("conv1")
    assert maps.values.dtype == np.float32
    assert inspector.find("conv1").dtype == str(dtype).removeprefix("torch.")
    exact = Inspector(model.float(), x).maps("conv1").values
    np.testing.assert_allclose(maps.values, exact, rtol=0.05, atol=0.05)


def test_row_21_autocast_of_the_caller() -> None:
    model, x = models.built(models.Plain()), models.pictures()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inspector = Inspector(model, x)
        assert inspector.find("conv1").dtype == "bfloat16"
    assert inspector.activation("relu#2").dtype == torch.bfloat16  # kept, not computed outside


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_row_22_dead_and_non_finite_layers_survive(value: float) -> None:
    model, x = models.built(models.Plain()), models.pictures()
    with torch.no_grad():
        model.get_parameter("conv1.weight").fill_(value)
        model.get_parameter("conv1.bias").fill_(value)
    inspector = Inspector(model, x)
    maps = inspector.maps("conv1").values
    assert (maps == 0).all() if value == 0 else not np.isfinite(maps).any()
    assert len(inspector.predictions(5)[0]) == 5


@pytest.mark.parametrize("size", [(12, 10), (1, 17), (9, 1), (7, 13)])
def test_row_23_not_square_and_odd(size: tuple[int, int]) -> None:
    model, x = models.built(models.Plain()), models.pictures(1, 3, *size)
    inspector = Inspector(model, x)
    assert inspector.maps("conv1").values.shape == (4, *size)
    picture = inspector.picture()
    assert picture is not None
    assert picture.shape == (*size, 3)


@pytest.mark.parametrize("channels", [1, 3, 4, 11])
def test_row_24_input_channels(channels: int) -> None:
    model, x = models.built(models.Plain(channels)), models.pictures(2, channels)
    inspector = Inspector(model, x)
    assert inspector.maps("conv1", side="input").values.shape == (channels, 12, 10)
    picture = inspector.picture(1)
    assert picture is not None
    assert picture.dtype == np.uint8
    if channels in {4, 11}:
        assert f"{channels} input channels" in " ".join(inspector.notices)


def test_row_24_one_and_three_dimensions() -> None:
    sound = nn.Sequential(nn.Conv1d(2, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten())
    inspector = Inspector(sound, torch.randn(3, 2, 20))
    assert inspector.maps("0", 2).values.shape == (4, 1, 18)
    assert inspector.find("1").layout == "NCL"
    assert inspector.picture() is None
    scan = nn.Sequential(nn.Conv3d(1, 2, 3), nn.AdaptiveAvgPool3d(1), nn.Flatten())
    x = torch.randn(1, 1, 5, 6, 7)
    maps = Inspector(scan, x).maps("0")
    assert (maps.values.shape, maps.depth) == ((6, 4, 5), 3)
    assert maps.note == "each channel's 3 depth slices in order"
    np.testing.assert_array_equal(maps.values[4], scan[0](x)[0, 1, 1].detach().numpy())


def test_row_25_tokens_on_their_grid() -> None:
    """Class tokens are left out, rows and columns are those of the patches."""
    model, x = models.built(models.Tokens()), models.pictures(2, 3, 16, 24)
    inspector = Inspector(model, x)
    maps = inspector.maps("mlp", 1)
    assert (maps.layout, maps.values.shape) == ("NLC", (8, 4, 6))
    assert maps.note == "1 class or register token left out"
    tokens = inspector.activation("mlp")[1]
    np.testing.assert_array_equal(maps.values[5, 2, 3], tokens[1 + 2 * 6 + 3, 5].numpy())
    assert inspector.find("attention").is_leaf


def test_row_25_channels_last() -> None:
    model, x = models.built(models.ChannelsLast()), models.pictures()
    inspector = Inspector(model, x)
    assert inspector.find("mlp").layout == "NHWC"
    maps = inspector.maps("mlp").values
    np.testing.assert_array_equal(maps[3], inspector.activation("mlp")[0, :, :, 3].numpy())


def test_row_25_an_unknown_layout_is_asked_about_and_never_guessed() -> None:
    model, x = models.built(models.Opaque()), models.pictures(2, 3, 14, 8)
    inspector = Inspector(model, x)
    asked = inspector.maps("mix")
    assert (asked.kind, asked.choices) == ("ask", ("NCL", "NLC"))
    assert asked.note is not None
    assert "is it NCL or NLC?" in asked.note
    inspector.set_layout("mix", "NCL")
    assert inspector.epoch == 1
    assert inspector.maps("mix").values.shape == (32, 1, 6)
    answered = Inspector(model, x, layouts={"mix": "NLC"})
    assert answered.maps("mix").kind == "maps"
    with pytest.raises(ValueError, match=r"layout='NCHW' does not fit 'mix' of shape"):
        inspector.set_layout("mix", "NCHW")


@pytest.mark.parametrize("device", DEVICES)
def test_row_26_on_each_device(device: str) -> None:
    """Inputs follow the model; nothing is float64; maps are NumPy arrays."""
    model, x = models.built(models.Plain(inplace=True)).to(on(device)), models.pictures()
    inspector = Inspector(model, x)
    assert inspector.activation("conv1").device.type == device
    assert inspector.gradient("conv1", 0).dtype == torch.float32
    expected = Inspector(model.cpu(), x).maps("relu#2").values
    np.testing.assert_allclose(inspector.maps("relu#2").values, expected, atol=1e-4)


def test_row_28_a_class_that_does_not_exist_raises() -> None:
    inspector = Inspector(models.built(models.Plain()), models.pictures())
    with pytest.raises(ValueError, match=r"target=99 is not a class of this model; it has 5"):
        inspector.gradient("conv1", 99)


def test_row_29_several_classes_on_one_pass() -> None:
    model, x = models.built(models.Plain()), models.pictures()
    inspector = Inspector(model, x)
    several = [inspector.gradient("conv1", k) for k in range(5)]
    for k, gradient in enumerate(several):
        assert torch.equal(gradient, Inspector(model, x).gradient("conv1", k))
