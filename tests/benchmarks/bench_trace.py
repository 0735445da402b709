"""A trace with all layers kept, against the model's own forward pass, at 224 px.

`set_inputs` is timed whole: the copy of the input, the pass with every layer's value kept or at
hand, the scores. The first trace of a model, which also copies it, is shown beside.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

from cnnviz_widgets.inspection import Inspector
from tests.benchmarks import networks
from tests.benchmarks.figure import Figure
from tests.benchmarks.load import ForeignLoad, quiet

_NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "ResNet-18": networks.resnet18,
    "ResNet-50": networks.resnet50,
    "VGG-16": networks.vgg16,
}
_BAR = 1.10


def measure(*, quick: bool) -> list[Figure]:
    """Time plain pass, trace, plain pass in turn, so that both see the same machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        return [
            figure
            for name, build in _NETWORKS.items()
            for figure in _of_network(name, build, rounds=3 if quick else 25)
        ]
    finally:
        torch.set_num_threads(threads)


def _of_network(name: str, build: Callable[[], nn.Module], *, rounds: int) -> list[Figure]:
    torch.manual_seed(0)
    model = build().eval()
    pictures = torch.randn(1, 3, 224, 224)

    def plain() -> None:
        with torch.inference_mode():
            model(pictures)

    plain()
    first = _seconds(lambda: Inspector(model, pictures))
    inspector = Inspector(model, pictures)
    plain_seconds: list[float] = []
    ratios: list[tuple[float, float]] = []
    for number in range(rounds + 2):
        with ForeignLoad() as load:
            before = _seconds(plain)
            traced = _seconds(lambda: inspector.set_inputs(pictures))
            after = _seconds(plain)
        if number >= 2:  # warm
            ratios.append((2 * traced / (before + after), load.share))
            plain_seconds += [before, after]
    kept, note = quiet(ratios)
    pass_ms = statistics.median(plain_seconds) * 1e3
    megabytes = inspector.cache_info()["trace_bytes"] / 1e6
    note = f"plain pass {pass_ms:.0f} ms, {megabytes:.0f} MB kept; {note}"
    return [
        Figure(f"trace of {name} / plain forward", statistics.median(kept), "x", _BAR, note=note),
        Figure(f"first trace of {name} / plain forward", first * 1e3 / pass_ms, "x"),
    ]


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
