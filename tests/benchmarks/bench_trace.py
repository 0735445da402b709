"""A trace with all layers kept, against the model's own forward pass, at 224 px.

`set_inputs` is timed whole: the copy of the input, the pass with every layer's value kept or at
hand, the scores. Barred is CPU time, in a process whose threads sleep while they wait, because it
hardly moves with what others do on the machine; wall time is shown beside it. The floor is the
least that keeps all right values: ReLUs out of place, and hooks that only hold what they are given.
"""

from __future__ import annotations

import copy
import json
import statistics
import sys
import time
from collections.abc import Callable

import torch

from cnnviz_widgets.inspection import Inspector
from tests.benchmarks import networks
from tests.benchmarks.apart import in_a_process
from tests.benchmarks.figure import Figure, table
from tests.benchmarks.load import ForeignLoad, quiet

_NETWORKS = {"ResNet-18": "resnet18", "ResNet-50": "resnet50", "VGG-16": "vgg16"}
_BAR = 1.10
_THREADS = 2


def measure(*, quick: bool) -> list[Figure]:
    """Time plain pass, trace, plain pass in turn, each network in a process of its own."""
    return [
        figure
        for title, name in _NETWORKS.items()
        for figure in _figures(title, _in_a_process(name, rounds=4 if quick else 25))
    ]


def _in_a_process(name: str, *, rounds: int) -> dict[str, list[list[float]]]:
    samples: dict[str, list[list[float]]] = in_a_process(
        "tests.benchmarks.bench_trace", name, str(rounds)
    )
    return samples


def _figures(title: str, samples: dict[str, list[list[float]]]) -> list[Figure]:
    cpu, cpu_note = quiet([(ratio, share) for ratio, _, share in samples["ratios"]])
    wall, _ = quiet([(ratio, share) for _, ratio, share in samples["ratios"]])
    floor, _ = quiet([(ratio, share) for ratio, share in samples["floor"]])
    [[plain_ms, megabytes, first]] = samples["facts"]
    note = f"CPU time; plain pass {plain_ms:.0f} ms, {megabytes:.0f} MB kept; {cpu_note}"
    return [
        Figure(f"trace of {title} / plain forward", statistics.median(cpu), "x", _BAR, note=note),
        Figure(f"trace of {title}, wall time", statistics.median(wall), "x"),
        Figure(f"hooks that only keep {title}'s values", statistics.median(floor), "x"),
        Figure(f"first trace of {title}, with the copy of the model", first, "x"),
    ]


def sample(name: str, rounds: int) -> dict[str, list[list[float]]]:
    """Time one network; return (CPU ratio, wall ratio, foreign load) by round, and some facts."""
    torch.set_num_threads(_THREADS)
    torch.manual_seed(0)
    model = getattr(networks, name)().eval()
    pictures = torch.randn(1, 3, 224, 224)

    def plain() -> None:
        with torch.inference_mode():
            model(pictures)

    Inspector(networks.resnet18(), torch.zeros(1, 3, 64, 64))  # imports what is imported late
    plain()
    first = _timed(lambda: Inspector(model, pictures))[1]
    inspector = Inspector(model, pictures)
    keep = _keeper(model, pictures)
    ratios, walls, floor = [], [], []
    for number in range(rounds + 3):
        with ForeignLoad() as load:
            before = _timed(plain)
            traced = _timed(lambda: inspector.set_inputs(pictures))
            between = _timed(plain)
            kept = _timed(keep)
            after = _timed(plain)
        if number >= 3:  # warm
            cpu, wall = (2 * traced[i] / (before[i] + between[i]) for i in (0, 1))
            ratios.append([cpu, wall, load.share])
            floor.append([2 * kept[0] / (between[0] + after[0]), load.share])
            walls += [before[1], between[1], after[1]]
    plain_seconds = statistics.median(walls)
    megabytes = inspector.cache_info()["trace_bytes"] / 1e6
    return {
        "ratios": ratios,
        "floor": floor,
        "facts": [[plain_seconds * 1e3, megabytes, first / plain_seconds]],
    }


def _keeper(model: torch.nn.Module, pictures: torch.Tensor) -> Callable[[], None]:
    """Return a pass that keeps what every layer gives, until the next pass has done the same."""
    model, kept = copy.deepcopy(model), [[torch.empty(0)]]
    for module in model.modules():
        if isinstance(module, torch.nn.ReLU):
            module.inplace = False
        if next(module.children(), None) is None:
            module.register_forward_hook(lambda _module, _args, output: kept[-1].append(output))

    def keep() -> None:
        kept.append([])
        with torch.no_grad():
            model(pictures.clone())
        del kept[0]

    return keep


def _timed(action: Callable[[], object]) -> tuple[float, float]:
    """Return the CPU and the wall time of a call, in seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    action()
    return time.process_time() - cpu, time.perf_counter() - wall


if __name__ == "__main__":
    if len(sys.argv) == 3:
        sys.stdout.write(json.dumps(sample(sys.argv[1], int(sys.argv[2]))))
    else:
        sys.stdout.write(table(measure(quick=False)) + "\n")
