"""FullGrad: contributions that add up to the score, and absolute maps of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods.cam_case import CamCase
from cnnviz_widgets.methods.fullgrad import INPUT, bias_layers, full_gradients, upsampled
from tests.methods import cam_oracles
from tests.methods.cam_networks import (
    HAND_PICTURE,
    Along,
    Pooled,
    Transformer,
    built,
    case_of,
    hand_network,
    picture,
)


def at_input(insp: Inspector, target: int) -> CamCase:
    targets = insp.passes.targets([target])
    return CamCase(insp, {}, targets, 0, lambda _done, _total, _partial: None)


def test_hand_numbers_at_the_input() -> None:
    """dS/dx = (1 -2 -2 1), so |x dS/dx| = (1 4 6 4); the bias 5 adds 5 G_2 = (0 10 5 5)."""
    case = at_input(Inspector(hand_network(), HAND_PICTURE), 0)
    found = full_gradients(case, ["fullgrad"], {})["fullgrad"][INPUT]
    assert found[0].tolist() == [1, 14, 11, 9]
    assert case.gaps["fullgrad", INPUT] == [0]  # (1 - 4 - 6 + 4) + (0 + 10 + 5 + 5) = 15
    assert (case.forward, case.backward) == (2, 2)


def test_hand_numbers_at_a_layer() -> None:
    """|A G| = (1 0 3 8) + (0 6 2 1); behind the convolution there is no bias."""
    case = case_of(Inspector(hand_network(), HAND_PICTURE), ["0"], [0])
    found = full_gradients(case, ["fullgrad"], {})["fullgrad"]["0"]
    assert found[0].tolist() == [1, 6, 5, 9]
    assert case.gaps["fullgrad", "0"] == [0]


@pytest.mark.parametrize("target", [0, 3])
def test_equal_to_the_paper_in_float64(target: int) -> None:
    """Eq. 8, with psi = upsampled absolute values, and eq. 3: the terms add up to the score."""
    model = built(Pooled()).double()
    pixels = picture(1, 3, 8, 12)
    x = pixels.double().requires_grad_()
    seen: dict[str, torch.Tensor] = {}
    twin = built(Pooled()).double()
    twin.get_submodule("relu1").inplace = False  # type: ignore[assignment]  # a ReLU's flag
    twin.get_submodule("relu2").inplace = False  # type: ignore[assignment]  # the same
    for name in ("conv1", "bn", "conv2"):
        twin.get_submodule(name).register_forward_hook(
            lambda _m, _i, out, name=name: seen.update({name: out})
        )
    score = twin(x)[0, target]
    grads = torch.autograd.grad(score, [x, *seen.values()])
    gradients = {name: g[0].numpy() for name, g in zip(["x", *seen], grads, strict=True)}
    bn = model.get_submodule("bn")
    assert isinstance(bn, nn.BatchNorm2d)
    assert bn.running_mean is not None
    assert bn.running_var is not None
    biases = {
        "conv1": model.get_parameter("conv1.bias"),
        "bn": bn.bias - bn.running_mean * bn.weight / (bn.running_var + bn.eps).sqrt(),
        "conv2": model.get_parameter("conv2.bias"),
    }
    products = {"x": x[0].detach().numpy() * gradients["x"]}
    for name, bias in biases.items():
        products[name] = bias.detach().numpy()[:, None, None] * gradients[name]
    expected = np.zeros((8, 12))
    for product in products.values():
        for channel in product:
            expected += cam_oracles.upsampled(np.abs(channel), (8, 12))

    case = at_input(Inspector(built(Pooled()), pixels), target)
    found = full_gradients(case, ["fullgrad"], {})["fullgrad"][INPUT][0].reshape(8, 12)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * expected.max())
    assert abs(case.gaps["fullgrad", INPUT][0]) < 1e-4 * max(1, abs(score.item()))


@pytest.mark.parametrize("layer", ["conv1", "bn", "relu1", "pool", "conv2", "relu2"])
def test_contributions_add_up_at_every_layer_that_all_paths_cross(layer: str) -> None:
    case = case_of(Inspector(built(Pooled()), picture(1, 3, 8, 12)), [layer], [0, 1])
    maps = full_gradients(case, ["fullgrad"], {})["fullgrad"][layer]
    assert bool((maps >= 0).all())
    for target, gap in zip(case.targets, case.gaps["fullgrad", layer], strict=True):
        assert abs(gap) < 1e-4 * max(1, abs(target.score))


def test_which_layers_have_a_bias() -> None:
    assert list(bias_layers(Inspector(built(Pooled()), picture(1, 3, 8, 12)))) == [
        "conv1", "bn", "conv2", "fc",
    ]  # fmt: skip


def test_a_container_is_followed_by_what_runs_after_it() -> None:
    insp = Inspector(built(Transformer(read="mean")), picture(1, 3, 12, 16))
    whole = case_of(insp, ["blocks.0"], [0])
    last = case_of(insp, ["blocks.0.mlp.2"], [0])
    full_gradients(whole, ["fullgrad"], {})
    full_gradients(last, ["fullgrad"], {})
    biases = list(bias_layers(insp))
    assert "blocks.1.qkv" in biases
    (one,), (other,) = whole.gaps.values(), last.gaps.values()
    assert one != other  # the block's output holds what passed by the last layer, too


@pytest.mark.parametrize(("axes", "shape"), [(1, (2, 16)), (3, (2, 4, 6, 8))])
def test_one_and_three_axes(axes: int, shape: tuple[int, ...]) -> None:
    case = at_input(Inspector(built(Along(axes)), picture(1, *shape)), 0)
    maps = full_gradients(case, ["fullgrad"], {})["fullgrad"][INPUT]
    assert maps.shape == (1, int(np.prod(shape[1:])))
    assert abs(case.gaps["fullgrad", INPUT][0]) < 1e-4


def test_upsampling_is_the_oracles() -> None:
    values = picture(3, 4)
    found = upsampled(values.flatten(), (3, 4), (7, 9)).reshape(7, 9)
    expected = cam_oracles.upsampled(values.double().numpy(), (7, 9))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_an_input_without_places() -> None:
    insp = Inspector(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), picture(1, 4))
    with pytest.raises(ValueError, match=r"layer=None of 'fullgrad' is the input, of"):
        full_gradients(at_input(insp, 0), ["fullgrad"], {})
