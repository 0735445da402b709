"""The Inspector on real trained networks and photographs."""

from __future__ import annotations

import pytest
import torch
from PIL import Image
from torch import Tensor

from tests.inspection.promise import unchanged
from tests.inspection.twin import plain_outputs
from tests.real.networks import TrainedNetwork, load, look, needs_data, photograph

pytestmark = [
    pytest.mark.real,
    needs_data,
]
LAYERS = {
    "squeezenet1_0_imagenet": 57,
    "resnet20_cifar10": 59,
    "tinyvgg_10": 12,
    "mnist_cnn": 7,
}
TINY64 = (
    "bell_pepper", "espresso", "koala", "ladybug", "lifeboat", "orange", "pizza", "red_panda",
    "school_bus", "sport_car",
)  # fmt: skip
PHOTOGRAPHS = [
    ("squeezenet1_0_imagenet", "zebra.jpg", "zebra", 0.99),
    ("squeezenet1_0_imagenet", "goldfish.jpg", "goldfish", 0.99),
    ("squeezenet1_0_imagenet", "dalmatian.jpg", "dalmatian", 0.99),
    ("squeezenet1_0_imagenet", "siamese_cat.jpg", "siamese cat", 0.97),
    ("mnist_cnn", "mnist_nine.png", "9", 0.99),
    ("resnet20_cifar10", "siamese_cat.jpg", "cat", 0.0),
    ("resnet20_cifar10", "cat_chelsea.png", "cat", 0.0),
    ("resnet20_cifar10", "dog_and_cat.png", "dog", 0.0),
    *(("tinyvgg_10", f"tiny64_{name}.jpg", name.replace("_", " "), 0.0) for name in TINY64),
]


@pytest.mark.parametrize(("name", "picture", "expected", "probability"), PHOTOGRAPHS)
def test_photographs_are_recognised(
    name: str, picture: str, expected: str, probability: float
) -> None:
    """The top class and its probability are those the data's README states."""
    network = load(name)
    best = look(network, photograph(network.recipe, picture)).predictions(1)[0][0]
    assert expected in best.name.lower().replace("_", " ")
    assert best.probability >= probability


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_is_what_plain_hooks_see(name: str) -> None:
    """Activations equal those of hooks that copy; layouts are known; the model stays as it is."""
    network = load(name)
    picture = photograph(network.recipe, "cat_chelsea.png")
    with unchanged(network.model):
        inspector = look(network, picture)
        x = _tensor(network, picture)
        expected, logits = plain_outputs(network.model, x)
        assert len(inspector.layers) == LAYERS[name]
        for info in inspector.modules:
            wanted = expected[info.path, info.call]
            torch.testing.assert_close(inspector.activation(info.name), wanted, rtol=0, atol=1e-6)
            assert info.layout == {4: "NCHW", 2: "NC"}[len(info.shape)]
            assert info.multiply_adds is not None
        got = torch.tensor([p.score for p in inspector.predictions(3)[0]])
        assert torch.equal(got, logits.topk(3).values[0])


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_equal_autograd_on_the_model(name: str) -> None:
    """d score / d activation of the first convolution, against autograd on a plain hook."""
    network = load(name)
    picture = photograph(network.recipe, "cat_chelsea.png")
    inspector = look(network, picture)
    first = next(info for info in inspector.layers if info.type == "Conv2d")
    seen: list[Tensor] = []
    handle = network.model.get_submodule(first.path).register_forward_hook(
        lambda _module, _args, output: seen.append(output)
    )
    score = network.model(_tensor(network, picture))[0, 1]
    handle.remove()
    (expected,) = torch.autograd.grad(score, seen)
    got = inspector.gradient(first.name, 1)
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-6 * float(expected.abs().max()))


def _tensor(network: TrainedNetwork, picture: Image.Image) -> Tensor:
    """Normalise a photograph by hand."""
    channels = network.recipe["channels"]
    values = torch.tensor(list(picture.tobytes()), dtype=torch.float32) / 255
    x = values.reshape(picture.height, picture.width, channels).permute(2, 0, 1)[None]
    mean, std = (torch.tensor(network.recipe[k]).reshape(1, -1, 1, 1) for k in ("mean", "std"))
    return (x - mean) / std
