"""The networks that the browser tests show, built alike in the kernel and in the test's process.

In: a name. Out: the model, its pictures, and what plain forward hooks see of every layer.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from tests.real import networks as real
from tests.real.networks import DATA, photograph

SAMPLES = ("shapes", "digits")
AWKWARD = "awkward"
"""Made here: NaN, infinities, dead and constant channels, odd sizes, 2048 channels."""
MARKUP = "markup"
"""Made here: names of layers and classes that would run in a page that took them for markup."""
EVIL = (
    "</script><script>cnnvizEvil=1</script>",
    "<img src=x onerror=cnnvizEvil=2>",
    "<style>body{display:none}</style>",
    "javascript:cnnvizEvil=3",
    "${cnnvizEvil=4}",
    "{{constructor['constructor']('cnnvizEvil=5')()}}",
    "\u200b<svg onload=cnnvizEvil=6>",
    "\"><iframe srcdoc='<script>parent['cnnvizEvil']=7</script>'>",
    "'--><b onmouseover=cnnvizEvil=8>",
)
PICTURES = {
    "squeezenet1_0_imagenet": "zebra.jpg",
    "resnet20_cifar10": "dog_and_cat.png",
    "tinyvgg_10": "tiny64_koala.jpg",
    "mnist_cnn": "mnist_nine.png",
}
"""Real networks, and the photograph that each is shown."""

Maps = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Network:
    """A model in evaluation mode and pictures for it.

    `inputs` is (N, C, H, W), normalised; `picture` is the first one as uint8 (H, W, 3).
    """

    model: nn.Module
    inputs: torch.Tensor
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def picture(self) -> npt.NDArray[np.uint8]:
        """The first input as people see it, (H, W, 3), gray repeated three times."""
        shape = (-1, 1, 1)
        std, mean = torch.tensor(self.std).view(shape), torch.tensor(self.mean).view(shape)
        levels = ((self.inputs[0] * std + mean).clamp(0, 1) * 255).round().byte()
        return levels.expand(3, -1, -1).permute(1, 2, 0).numpy()


def available(name: str) -> bool:
    """Tell whether the network's files are there; the embedded ones always are."""
    return (
        name in (*SAMPLES, AWKWARD, MARKUP)
        or (DATA / "models" / name / "model.safetensors").is_file()
    )


def load(name: str) -> Network:
    """Build a network: an embedded one, one made here, or a real one of $CNNVIZ_TEST_DATA."""
    if name == AWKWARD:
        return _awkward()
    if name == MARKUP:
        return _markup()
    return _embedded(name) if name in SAMPLES else _real(name)


def _awkward() -> Network:
    """Build a network whose layers hold what drawings get wrong."""
    torch.manual_seed(7)
    first = nn.Conv2d(3, 8, 3)
    with torch.no_grad():
        first.weight[0, 0, 0, 0] = torch.nan
        first.weight[1, 0, 0, 0] = torch.inf
        first.weight[2] = 0
        first.bias[2] = 1.5  # type: ignore[index]  # this layer has a bias
        first.weight[3] = 0
        first.bias[3] = 0  # type: ignore[index]
    clean = nn.Conv2d(8, 2048, 1, stride=3)
    with torch.no_grad():
        clean.weight[:, :3] = 0
    model = nn.Sequential(
        first, nn.ReLU(inplace=True), nn.Hardtanh(), clean, nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    inputs = torch.randn(1, 3, 41, 151)
    return Network(model.eval(), inputs, (), (0.0,) * 3, (1.0,) * 3)


def _markup() -> Network:
    """Build a network whose every name is one of `EVIL`."""
    torch.manual_seed(7)
    model = nn.Sequential()
    for place, name in enumerate(EVIL):
        model.add_module(name, nn.Conv2d(1 if place == 0 else 4, 4, 3, padding=1))
    model.add_module("<i>pool</i>", nn.AdaptiveAvgPool2d(1))
    model.add_module("<b>flat</b>", nn.Flatten())
    model.add_module("<u>scores</u>", nn.Linear(4, len(EVIL)))
    return Network(model.eval(), torch.rand(1, 1, 24, 24), EVIL, (0.0,), (1.0,))


def _embedded(name: str) -> Network:
    import cnnviz_widgets as cw

    sample = cw.samples.load(name)
    return Network(
        sample.model, sample.images[:2], tuple(sample.class_names), sample.mean, sample.std
    )


def _real(name: str) -> Network:
    model, names, recipe = real.load(name)
    levels = np.asarray(photograph(recipe, PICTURES[name]), np.float32) / 255
    side = recipe["center_crop"]
    pixels = torch.from_numpy(levels.reshape(side, side, -1)).permute(2, 0, 1)
    mean, std = (torch.tensor(recipe[key]).view(-1, 1, 1) for key in ("mean", "std"))
    return Network(
        model=model,
        inputs=((pixels - mean) / std)[None],
        class_names=tuple(names),
        mean=tuple(recipe["mean"]),
        std=tuple(recipe["std"]),
    )


def activations(network: Network) -> dict[str, Maps]:
    """Run the network with plain forward hooks.

    Returns
    -------
    dict of name to float32 array
        Of every leaf module call, in order: ``relu#2`` for the second call of a module that
        runs more than once. Copies, so that an in-place successor changes nothing.
    """
    seen: list[tuple[str, Maps]] = []

    def keep(name: str) -> object:
        def hook(module: nn.Module, arguments: object, output: torch.Tensor) -> None:
            seen.append((name, output.detach().clone().numpy()))

        return hook

    handles = [
        module.register_forward_hook(keep(name))
        for name, module in network.model.named_modules()
        if not list(module.children())
    ]
    try:
        with torch.no_grad():
            network.model(network.inputs)
    finally:
        for handle in handles:
            handle.remove()
    calls = Counter(name for name, _ in seen)
    counted: Counter[str] = Counter()
    named: dict[str, Maps] = {}
    for name, values in seen:
        counted[name] += 1
        named[f"{name}#{counted[name]}" if calls[name] > 1 else name] = values
    return named
