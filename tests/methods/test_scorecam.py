"""Score-CAM: masks, weights, batches and partial maps."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods import scorecam
from cnnviz_widgets.methods.cam_case import CamCase, Partial
from cnnviz_widgets.methods.progress import Cancelled
from cnnviz_widgets.methods.scorecam import masks, score_cams
from tests.methods import cam_oracles
from tests.methods.cam_networks import (
    HAND_PICTURE,
    OTHER_AXES,
    Pooled,
    built,
    case_of,
    hand_network,
    picture,
    raw_map,
)


def test_hand_numbers() -> None:
    """The picture through H = (0, 1/3, 2/3, 1) scores 56/3, through 1 - H it scores 49/3."""
    found = raw_map(Inspector(hand_network(), HAND_PICTURE), "scorecam", "1", 0).flatten()
    first = 1 / (1 + math.exp(-(56 - 49) / 3))
    expected = [first * x + (1 - first) * (5 - x) for x in (1, 2, 3, 4)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("layer", ["conv1", "relu1", "conv2", "relu2"])
def test_equal_to_the_paper_in_float64(layer: str) -> None:
    pixels = picture(1, 3, 8, 12)
    insp = Inspector(built(Pooled()), pixels)
    twin = built(Pooled()).double()

    def score(x: cam_oracles.Array) -> float:
        with torch.no_grad():
            return float(twin(torch.from_numpy(x)[None])[0, 1])

    activation = insp.activation(layer)[0].double().numpy()
    expected = cam_oracles.scorecam(activation, pixels[0].double().numpy(), score)
    found = raw_map(insp, "scorecam", layer, 1)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_masks_go_from_exactly_0_to_exactly_1() -> None:
    channels = picture(5, 12) * torch.tensor([1e-20, 1.0, 1e20, 1.0, 1.0])[:, None]
    found = masks(channels, (3, 4), (9, 11))
    assert found.shape == (5, 1, 9, 11)
    assert found.amin((1, 2, 3)).tolist() == [0] * 5
    assert found.amax((1, 2, 3)).tolist() == [1] * 5


def test_constant_channels_count_for_nothing() -> None:
    model = built(Pooled())
    with torch.no_grad():
        model.get_parameter("conv2.weight")[1:] = 0  # all channels but one are their bias
    insp = Inspector(model, picture(1, 3, 8, 12))
    found = raw_map(insp, "scorecam", "conv2", 1)
    torch.testing.assert_close(found, insp.activation("conv2")[0, 0])  # the softmax over one
    with torch.no_grad():
        model.get_parameter("conv2.weight")[:] = 0
    assert not raw_map(insp, "scorecam", "conv2", 1).any()


def test_batches_change_nothing_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    insp = Inspector(built(Pooled()), picture(1, 3, 8, 12))
    expected = raw_map(insp, "scorecam", "conv2", 1)
    monkeypatch.setattr(scorecam, "_MOST_AT_ONCE", 2)
    sizes: list[int] = []
    scores = type(insp.passes).scores

    def listening(self: object, batch: torch.Tensor, *rest: object, **more: object) -> object:
        sizes.append(len(batch))
        return scores(self, batch, *rest, **more)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(type(insp.passes), "scores", listening)
    found = raw_map(insp, "scorecam", "conv2", 1)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    assert max(sizes) == 2


def test_partial_maps_and_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scorecam, "_MOST_AT_ONCE", 2)
    insp = Inspector(built(Pooled()), picture(1, 3, 8, 12))
    seen: list[tuple[int, int]] = []
    partials: list[Partial] = []

    def watch(done: int, total: int, partial: object) -> None:
        seen.append((done, total))
        if callable(partial):
            partials.append(partial())
        if done >= 4:
            raise Cancelled

    case = case_of(insp, ["conv2"], [1])
    case = CamCase(insp, case.layers, case.targets, 0, watch)
    with pytest.raises(Cancelled):
        score_cams(case, ["scorecam"], {})
    assert list(dict.fromkeys(seen)) == [(0, 6), (2, 6), (4, 6)]  # said again within passes
    assert [p.values.shape for p in partials] == [(24,), (24,)]
    assert not torch.equal(partials[0].values, partials[1].values)
    assert partials[0][:3] == ("scorecam", "conv2", 0)


def test_a_model_that_takes_no_channels_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """``view`` refuses values whose channels lie together in memory."""

    class Viewing(Pooled):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x.view(len(x), -1).view(x.shape))

    expected = raw_map(Inspector(built(Pooled()), picture(1, 3, 8, 12)), "scorecam", "conv2", 1)
    monkeypatch.setattr(scorecam, "_MOST_AT_ONCE", 2)
    insp = Inspector(built(Viewing()), picture(1, 3, 8, 12))
    found = raw_map(insp, "scorecam", "conv2", 1)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("network", "layer", "shape"), OTHER_AXES)
def test_tokens_and_other_axes(
    network: torch.nn.Module, layer: str, shape: tuple[int, ...]
) -> None:
    insp = Inspector(built(network), picture(1, *shape))
    found = raw_map(insp, "scorecam", layer)
    assert bool(found.isfinite().all())
    assert found.std() > 0
