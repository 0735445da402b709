"""Class-activation maps of whole networks, against the passes that they are made of, at 224 px.

F is one pass forward and back to the input with weights frozen, timed right before and after each
sample. Barred is CPU time, in a process whose threads sleep while they wait, because it hardly
moves with what others do on the machine. The Inspector has seen the picture: what its trace holds
of the forward pass is used. The rows with a new picture give it with ``inputs=`` to an Inspector of
another one: they take a forward pass of their own.
"""

from __future__ import annotations

import copy
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from cnnviz_widgets.attribution.saliency import saliency
from cnnviz_widgets.attribution.sweep import cam_sweep, sweep_maps
from cnnviz_widgets.inspection import Inspector
from tests.benchmarks import networks
from tests.benchmarks.apart import in_a_process
from tests.benchmarks.figure import Figure, table
from tests.benchmarks.load import ForeignLoad, quiet

_NETWORKS = {"ResNet-18": "resnet18", "ResNet-50": "resnet50", "VGG-16": "vgg16"}
_LAST = {"resnet18": "layer4.1.conv2", "resnet50": "layer4.2.conv3", "vgg16": "features.28"}
_FIVE = ("gradcam", "gradcam++", "hirescam", "xgradcam", "layercam")
_CLASSES = 10
_PEER_BATCH = 16
_THREADS = 2
# what is timed -> (in words, its bar)
_BARS = {
    "one": ("Grad-CAM at all convolutions of {} / F", 1.00),
    "five": ("five gradient CAMs at all convolutions of {} / F", 1.15),
    "ten": ("Grad-CAM at all convolutions of {}, 10 classes / forward + 10 backward", 1.05),
    "thousand": ("last stage of {}, 1000 classes / forward", 1.10),
    "picture": ("new picture, last stage of {}, 1000 classes / forward", 1.10),
    "all": ("new picture, Grad-CAM at all convolutions of {} / F", None),
    "gradient": ("new picture, gradient at the input of {} / F", None),
    "last": ("Grad-CAM at the last convolution of {} / F", None),
    "ablation": ("Ablation-CAM at the last convolution of {} / forward", 5.0),
}
Action = Callable[[], object]


def measure(*, quick: bool) -> list[Figure]:
    """Time each network in a process of its own, and Score-CAM beside pytorch-grad-cam's loop."""
    rounds = 2 if quick else 9
    figures = [
        figure
        for title, name in _NETWORKS.items()
        for figure in _figures(title, _in_a_process("sweeps", name, str(rounds)))
    ]
    return [*figures, *_score_cam(rounds=1 if quick else 3)]


def _in_a_process(*arguments: str) -> dict[str, list[list[float]]]:
    samples: dict[str, list[list[float]]] = in_a_process(
        "tests.benchmarks.bench_attribution", *arguments
    )
    return samples


def _figures(title: str, samples: dict[str, list[list[float]]]) -> list[Figure]:
    figures = []
    for key, (words, bar) in _BARS.items():
        if key not in samples:
            continue
        ratios, note = quiet([(ratio, share) for ratio, share, _ in samples[key]])
        floor = statistics.median(seconds for _, _, seconds in samples[key])
        note = f"CPU time; floor {floor * 1e3:.0f} ms; {note}"
        value = statistics.median(ratios)
        figures.append(Figure(words.format(title), value, "x", bar, note=note))
    return figures


def _score_cam(rounds: int) -> list[Figure]:
    ours = _in_a_process("scorecam", str(rounds))["ratios"]
    ratios, note = quiet([(ratio, share) for ratio, share, _ in ours])
    peaks = [
        statistics.median(_in_a_process("peak", masks)["megabytes"][0][0] for _ in range(rounds))
        for masks in ("64", "512")
    ]
    return [
        Figure(
            "Score-CAM, 512 masks, ResNet-18 / pytorch-grad-cam's loop",
            statistics.median(ratios),
            "x",
            0.9,
            note=f"CPU time; its loop written anew: batches of {_PEER_BATCH}; {note}",
        ),
        Figure(
            "Score-CAM: peak memory with eight times the masks",
            100 * (peaks[1] / peaks[0] - 1),
            "%",
            5,
            note=f"{peaks[0]:.0f} MB for 64, {peaks[1]:.0f} MB for 512",
        ),
    ]


# -- what runs in a process of its own ------------------------------------------------------------


class Network:
    """One network with an Inspector, and the floors to compare with."""

    def __init__(self, name: str) -> None:
        model: nn.Module = getattr(networks, name)().eval()
        self.pictures = torch.randn(1, 3, 224, 224)
        # Over the same memory: else the weights of either are colder in the cache when it runs.
        held = {id(p): nn.Parameter(p.detach(), requires_grad=False) for p in model.parameters()}
        self.frozen = copy.deepcopy(model, held)
        self.insp = Inspector(model, self.pictures)
        self.layers = [info.name for info in self.insp.layers if info.type == "Conv2d"]

    def forward(self) -> None:
        """Run one forward pass."""
        with torch.inference_mode():
            self.frozen(self.pictures)

    def both(self, classes: int = 1) -> None:
        """Run one forward pass and a backward pass to the input for each class."""
        leaf = self.pictures.clone().requires_grad_()
        scores = self.frozen(leaf)
        for index in range(classes):
            torch.autograd.grad(scores[0, index], [leaf], retain_graph=index + 1 < classes)


def sweeps(name: str, rounds: int) -> dict[str, list[list[float]]]:
    """Return (CPU ratio, foreign load, seconds of the floor) by round, for each thing timed."""
    network = Network(name)
    insp, layers, classes = network.insp, network.layers, list(range(_CLASSES))
    last, stage = _LAST[name], ["layer4"]

    other = torch.randn(1, 3, 224, 224)

    def new_picture(chosen: list[str], targets: Sequence[int]) -> None:
        cam_sweep(insp, "gradcam", chosen, targets, inputs=other, report=_quietly)

    timed: dict[str, tuple[Action, Action]] = {
        "one": (lambda: cam_sweep(insp, "gradcam", layers, [3], report=_quietly), network.both),
        "five": (lambda: sweep_maps(insp, _FIVE, layers, [3], report=_quietly), network.both),
        "ten": (
            lambda: cam_sweep(insp, "gradcam", layers, classes, report=_quietly),
            lambda: network.both(_CLASSES),
        ),
        "all": (lambda: new_picture(layers, [3]), network.both),
        "gradient": (lambda: saliency(insp, target=3, inputs=other, report=_quietly), network.both),
        "last": (lambda: cam_sweep(insp, "gradcam", [last], [3], report=_quietly), network.both),
        "ablation": (
            lambda: cam_sweep(insp, "ablationcam", [last], [3], report=_quietly),
            network.forward,
        ),
    }
    if name != "vgg16":  # its head is three dense layers
        timed["thousand"] = (
            lambda: cam_sweep(insp, "gradcam", stage, range(1000), report=_quietly),
            network.forward,
        )
        timed["picture"] = (lambda: new_picture(stage, range(1000)), network.forward)
    return {key: _ratios(ours, floor, rounds) for key, (ours, floor) in timed.items()}


def score_cam(rounds: int) -> dict[str, list[list[float]]]:
    """Compare Score-CAM with the loop of pytorch-grad-cam 1.5."""
    network = Network("resnet18")

    def ours() -> None:
        cam_sweep(network.insp, "scorecam", [_LAST["resnet18"]], [3], report=_quietly)

    activation = network.insp.activation(_LAST["resnet18"])
    return {"ratios": _ratios(ours, lambda: peers_score_cam(network, activation, 3), rounds)}


def peers_score_cam(network: Network, activation: Tensor, index: int) -> Tensor:
    """Do what pytorch-grad-cam's ScoreCAM does: all masks at once, then batches of 16."""
    with torch.no_grad():
        grown = nnf.interpolate(activation, (224, 224), mode="bilinear", align_corners=True)
        flat = grown.view(1, activation.shape[1], -1)
        low, high = flat.min(-1)[0][:, :, None, None], flat.max(-1)[0][:, :, None, None]
        masks = (grown - low) / (high - low + 1e-8)
        masked = (network.pictures[:, None] * masks[:, :, None])[0]
        scores = [
            network.frozen(masked[first : first + _PEER_BATCH])[:, index]
            for first in range(0, len(masked), _PEER_BATCH)
        ]
        weights = torch.cat(scores).softmax(0)
        return (weights[None, :, None, None] * activation).sum(1)


def peak(masks: int) -> dict[str, list[list[float]]]:
    """Return the process's largest memory, in MB, for Score-CAM at a layer with so many masks."""
    insp = Inspector(networks.resnet18().eval(), torch.randn(1, 3, 224, 224))
    layer = {64: "layer1.1.conv2", 512: _LAST["resnet18"]}[masks]
    cam_sweep(insp, "scorecam", [layer], [3], report=_quietly)
    return {"megabytes": [[resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]]}


def _ratios(ours: Action, floor: Action, rounds: int) -> list[list[float]]:
    """Time floor, ours, floor in turn."""
    ours()
    floor()
    samples = []
    for _ in range(rounds):
        with ForeignLoad() as load:
            before, spent, after = _cpu(floor), _cpu(ours), _cpu(floor)
        samples.append([2 * spent / (before + after), load.share, (before + after) / 2])
    return samples


def _cpu(action: Action) -> float:
    started = time.process_time()
    action()
    return time.process_time() - started


def _quietly(_done: int, _total: int, _partial: object) -> None:
    """Draw no bar."""


if __name__ == "__main__":
    torch.set_num_threads(_THREADS)
    torch.manual_seed(0)
    match sys.argv[1:]:
        case ["sweeps", name, rounds]:
            found = sweeps(name, int(rounds))
        case ["scorecam", rounds]:
            found = score_cam(int(rounds))
        case ["peak", masks]:
            found = peak(int(masks))
        case _:
            sys.stdout.write(table(measure(quick=False)) + "\n")
            sys.exit()
    sys.stdout.write(json.dumps(found))
