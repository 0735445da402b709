"""`saliency` on inputs, types, devices and callers of every kind."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector
from tests.attribution.few_passes import NAMES, RULED, quick
from tests.inspection import models


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3, 4, 11])
def test_every_number_of_channels_on_a_picture_that_is_not_square(name: str, channels: int) -> None:
    insp = Inspector(models.built(models.Plain(channels)), models.pictures(2, channels))
    found = quick(insp, name, image=1)
    assert found.values.shape == (12, 10)
    assert found.values.dtype == np.float32
    assert np.isfinite(found.values).all()
    assert (found.method, found.layer, found.image, found.final) == (name, None, 1, True)
    per_channel = found.channels
    assert (per_channel is not None) == ("reduction" in found.parameters)
    assert per_channel is None or per_channel.shape == (channels, 12, 10)


class Line(nn.Module):
    """1-d convolutions, or features alone."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.conv: nn.Module = {
            "line": nn.Conv1d(2, 4, 3), "volume": nn.Conv3d(2, 4, 3), "features": nn.Linear(9, 4),
        }[kind]  # fmt: skip
        self.relu = nn.ReLU()
        self.fc = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.conv(x))
        found: Tensor = self.fc(y.flatten(2).mean(2) if y.dim() > 2 else y)
        return found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("kind", "shape", "values"),
    [
        ("line", (2, 2, 9), (1, 9)),
        ("volume", (2, 2, 5, 6, 7), (6, 7)),
        ("features", (2, 9), (1, 9)),
    ],
)
def test_lines_volumes_and_features(
    name: str, kind: str, shape: tuple[int, ...], values: tuple[int, int]
) -> None:
    inputs = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    insp = Inspector(models.built(Line(kind)), inputs)
    if (name, kind) == ("guided_gradcam", "features"):
        with pytest.raises(ValueError, match="layer=None: no layer of this model"):
            quick(insp, name)
        return
    found = quick(insp, name)
    assert found.values.shape == values
    assert (found.volume is not None) == (kind == "volume")
    if found.volume is not None:
        np.testing.assert_allclose(found.volume.mean(0), found.values, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_half_precision_gives_float32_maps_near_those_of_float32(
    name: str, kind: torch.dtype
) -> None:
    x = models.pictures(1)
    whole = quick(Inspector(models.built(models.Plain()), x), name, target=1)
    half = quick(Inspector(models.built(models.Plain()).to(kind), x.to(kind)), name, target=1)
    assert half.values.dtype == np.float32
    assert half.score == pytest.approx(whole.score, rel=0.05)
    close = float(np.corrcoef(whole.values.ravel(), half.values.ravel())[0, 1])
    assert close > 0.9


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", ["frozen", "no_grad", "inference_mode"])
def test_frozen_parameters_and_callers_without_gradients(name: str, mode: str) -> None:
    model, x = models.built(models.Plain()), models.pictures(1)
    expected = quick(Inspector(model, x), name).values
    if mode == "frozen":
        model.requires_grad_(requires_grad=False)
    outer = {"no_grad": torch.no_grad, "inference_mode": torch.inference_mode}
    with outer.get(mode, contextlib.nullcontext)():
        got = quick(Inspector(model, x), name).values
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_maps_of_other_devices_are_those_of_the_cpu(name: str, device: str) -> None:
    """Seeds too: noise and masks are drawn on the CPU."""
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not present[device]:
        pytest.skip(f"no {device} device here")
    x = models.pictures(1)
    expected = quick(Inspector(models.built(models.Plain()), x), name, target=1).values
    insp = Inspector(models.built(models.Plain()).to(device), x)
    got = quick(insp, name, target=1).values
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize("name", [name for name in NAMES if name not in RULED])
def test_the_first_of_several_inputs_is_explained(name: str) -> None:
    left, right = models.pictures(2), models.pictures(2, 1)
    insp = Inspector(models.built(models.TwoTowers()), (left, right))
    assert quick(insp, name, image=1).values.shape == (12, 10)


@pytest.mark.parametrize("kind", ["tuple", "dict", "dataclass"])
def test_structured_outputs(kind: str) -> None:
    insp = Inspector(models.built(models.Structured(kind)), models.pictures())
    assert quick(insp, "integrated_gradients").score_kind == "logit"


def test_another_place_in_the_batch_is_another_picture() -> None:
    """The map of one image of a batch is that of the image alone."""
    model, x = models.built(models.Plain()), models.pictures(3)
    for name in NAMES:
        alone = quick(Inspector(model, x[2:]), name, target=1).values
        together = quick(Inspector(model, x), name, target=1, image=2).values
        np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-6)
