"""Trains the embedded networks: pictures in, `shapes.safetensors` or `digits.safetensors` out.

Run `python -m cnnviz_widgets.samples.train shapes` (or `digits`), some minutes on one CPU core.
The same machine writes the same bytes again: seeds, algorithms and one thread are fixed.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional

from . import digits, shapes
from .loading import FOLDER, normalised
from .networks import DigitNet, ShapeNet

_log = logging.getLogger(__name__)

_SEED = 0
_THREADS = 1


@dataclass(frozen=True)
class Task:
    """What is trained, on what, and how.

    Attributes
    ----------
    network
        Builds the untrained network.
    images, labels
        Training pictures float32 (N, C, H, W), normalised, and their classes int64 (N,).
    test_images, test_labels
        The same for pictures that are never trained on.
    vary
        Makes a batch (n, C, H, W) look a little different each time, by torch's random numbers.
    epochs, rate, batch
        How often each picture is seen, the highest learning rate, and pictures per step.
    """

    network: Callable[[], nn.Module]
    images: Tensor
    labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    vary: Callable[[Tensor], Tensor]
    epochs: int
    rate: float
    batch: int = 64


@contextmanager
def reproducible() -> Iterator[None]:
    """Fix seed, algorithms and thread count within; put back what was."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(_SEED)
        torch.use_deterministic_algorithms(True)
        torch.set_num_threads(_THREADS)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(strict)
            torch.set_num_threads(threads)


def _turned(batch: Tensor) -> Tensor:
    """Turn and mirror a batch of shapes in one of eight ways."""
    quarters, mirror = torch.randint(4, ()).item(), torch.randint(2, ()).item()
    batch = torch.rot90(batch, int(quarters), (2, 3))
    return batch.flip(3) if mirror else batch


def _handled(batch: Tensor) -> Tensor:
    """Rotate, slant, scale and shift each digit a little; paper stays paper."""
    count = len(batch)
    angle = torch.deg2rad(torch.empty(count).uniform_(-12, 12))
    width, height = torch.empty(2, count).uniform_(0.88, 1.15)
    slant = torch.empty(count).uniform_(-0.2, 0.2)
    shift = torch.empty(2, count).uniform_(-0.1, 0.1)
    c, s = torch.cos(angle), torch.sin(angle)
    x = torch.stack([width * c, width * (slant * c - s), shift[0]], dim=1)
    y = torch.stack([height * s, height * (slant * s + c), shift[1]], dim=1)
    size = [count, *batch.shape[1:]]
    grid = functional.affine_grid(torch.stack([x, y], dim=1), size, align_corners=False)
    paper = batch.amin()
    return functional.grid_sample(batch - paper, grid, align_corners=False) + paper


def task(name: str) -> Task:
    """Collect what one training needs.

    Parameters
    ----------
    name
        "shapes" or "digits".
    """
    return _shapes() if name == "shapes" else _digits()


def _shapes() -> Task:
    images, _, labels = shapes.scenes(shapes.TRAINING_SEED, 12_000)
    test_images, _, test_labels = shapes.scenes(shapes.HELD_OUT_SEED, 2_000)
    return Task(
        network=ShapeNet,
        images=normalised(images, shapes.MEAN, shapes.STD),
        labels=torch.from_numpy(labels),
        test_images=normalised(test_images, shapes.MEAN, shapes.STD),
        test_labels=torch.from_numpy(test_labels),
        vary=_turned,
        epochs=6,
        rate=4e-3,
    )


def _digits() -> Task:
    images, labels = digits.training_pictures()
    test_images, test_labels = digits.held_out_pictures()
    return Task(
        network=DigitNet,
        images=normalised(images, digits.MEAN, digits.STD),
        labels=torch.from_numpy(labels),
        test_images=normalised(test_images, digits.MEAN, digits.STD),
        test_labels=torch.from_numpy(test_labels),
        vary=_handled,
        epochs=50,
        rate=3e-3,
    )


def fit(what: Task) -> nn.Module:
    """Train a network by AdamW and one cycle of the learning rate (Smith and Topin, 2018).

    Returns
    -------
    nn.Module
        In evaluation mode. Depends on `what` alone within `reproducible()`.
    """
    model = what.network()
    optimiser = torch.optim.AdamW(model.parameters(), lr=what.rate, weight_decay=0.02)
    steps = len(what.images) // what.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, what.rate, total_steps=what.epochs * steps
    )
    for epoch in range(what.epochs):
        model.train()
        total = 0.0
        order = torch.randperm(len(what.images))[: steps * what.batch]
        for chosen in order.view(steps, what.batch):
            batch = what.vary(what.images[chosen])
            # Channels last runs about twice as fast on a CPU.
            logits = model(batch.contiguous(memory_format=torch.channels_last))
            loss = functional.cross_entropy(logits, what.labels[chosen])
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
            total += loss.item()
        _log.info("epoch %d of %d: loss %.4f", epoch + 1, what.epochs, total / steps)
    return model.eval()


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of pictures (N, C, H, W) whose highest logit is their label (N,): 0 to 1."""
    with torch.inference_mode():
        parts = [model(part).argmax(dim=1) for part in torch.split(images, 250)]
    return (torch.cat(parts) == labels).double().mean().item()


def write(model: nn.Module, figures: dict[str, float | int], path: Path) -> None:
    """Store weights and training figures.

    Parameters
    ----------
    model
        The trained network.
    figures
        Numbers worth knowing later. They are stored as one JSON text, because safetensors writes
        several metadata entries in an order that changes from run to run.
    path
        The `.safetensors` file to write.
    """
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    path.write_bytes(save(weights, metadata={"training": json.dumps(figures, sort_keys=True)}))


def train(name: str, path: Path) -> float:
    """Train one of the networks and write its file.

    Parameters
    ----------
    name
        "shapes" or "digits".
    path
        The `.safetensors` file to write.

    Returns
    -------
    float
        The share of held-out pictures named rightly, 0 to 1.
    """
    with reproducible():
        what = task(name)
        model = fit(what)
        right = accuracy(model, what.test_images, what.test_labels)
    figures: dict[str, float | int] = {
        "epochs": what.epochs,
        "pictures": len(what.images),
        "held_out_pictures": len(what.test_images),
        "held_out_accuracy": round(right, 5),
    }
    write(model, figures, path)
    return right


def main() -> None:
    """Train the network named on the command line."""
    parser = argparse.ArgumentParser(description="Train an embedded network; writes safetensors.")
    parser.add_argument("name", choices=["shapes", "digits"])
    parser.add_argument("--output", type=Path, help="file to write (default: the packaged one)")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    path = chosen.output or FOLDER / f"{chosen.name}.safetensors"
    right = train(chosen.name, path)
    _log.info("held-out accuracy %.2f %%: %s", 100 * right, path)


if __name__ == "__main__":
    main()
