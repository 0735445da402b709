"""Methods that sample or perturb, against the passes they need by definition, and their memory.

A pass forward and back of one picture with weights frozen (forward alone for occlusion and RISE) is
timed right before and after; barred is CPU time, in a process whose threads sleep while they wait.
Memory is the largest that a fresh process ever held, for a number of samples and ten times it.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor

from cnnviz_widgets.attribution.saliency import saliency
from cnnviz_widgets.inspection import Inspector
from tests.benchmarks import networks
from tests.benchmarks.apart import in_a_process
from tests.benchmarks.figure import Figure, table
from tests.benchmarks.load import ForeignLoad, quiet

_TIME_BAR = 1.10
_MEMORY_BAR = 5.0
_TIMED = {
    "Integrated Gradients": ("integrated_gradients", {"steps": 50}),
    "SmoothGrad": ("smoothgrad", {"samples": 25}),
    "occlusion": ("occlusion", {"window": 56, "stride": 28}),
    "RISE": ("rise", {"masks": 60}),
}
_COUNTED = {"integrated_gradients": "steps", "smoothgrad": "samples", "rise": "masks"}
_FEW = 20
_THREADS = 2


def measure(*, quick: bool) -> list[Figure]:
    """Time and weigh each method, each in a process of its own."""
    rounds = 1 if quick else 3
    return [
        *(_time(title, "resnet18", rounds) for title in _TIMED),
        *([] if quick else [_time("Integrated Gradients", "vgg16", 1)]),
        *(_memory(title, rounds) for title in _TIMED),
    ]


def _time(title: str, network: str, rounds: int) -> Figure:
    samples = _in_a_process("timed", title, network, str(rounds))
    ratios, note = quiet([(ratio, share) for ratio, share, _ in samples])
    passes = int(samples[0][2])
    what = f"{title}, {network}, / the {passes} passes it needs"
    return Figure(what, statistics.median(ratios), "x", _TIME_BAR, note=f"CPU time; {note}")


def _memory(title: str, rounds: int) -> Figure:
    few, many = (
        # A peak moves by some per cent with how the allocator's pieces fit together.
        sorted(_in_a_process("peak", title, str(times))[0] for _ in range(rounds))[rounds // 2]
        for times in (1, 10)
    )
    return Figure(
        f"{title}: peak memory with ten times the samples",
        100 * (many[0] / few[0] - 1),
        "%",
        _MEMORY_BAR,
        note=f"{few[0]:.0f} MB for {few[1]:.0f} passes, {many[0]:.0f} MB for {many[1]:.0f}; "
        f"median of {rounds}",
    )


def _in_a_process(*arguments: str) -> list[list[float]]:
    samples: list[list[float]] = in_a_process("tests.benchmarks.bench_saliency", *arguments)
    return samples


def timed(title: str, network: str, rounds: int) -> list[list[float]]:
    """Return (CPU ratio, foreign load, passes) by round."""
    name, settings = _TIMED[title]
    pictures = torch.randn(1, 3, 224, 224)
    insp = Inspector(getattr(networks, network)().eval(), pictures)
    frozen = getattr(networks, network)().eval().requires_grad_(requires_grad=False)
    forward_only = name in {"occlusion", "rise"}
    unit = _forward if forward_only else _forward_and_back
    _run(insp, name, {"masks": 4} if name == "rise" else settings if forward_only else {})
    samples = []
    for _ in range(rounds):
        with ForeignLoad() as load:
            units = [_cpu(lambda: unit(frozen, pictures)) for _ in range(4)]
            passes = [0, 0]

            def method(passes: list[int] = passes) -> None:
                passes[:] = _run(insp, name, settings)

            spent = _cpu(method)
            units += [_cpu(lambda: unit(frozen, pictures)) for _ in range(4)]
        needed = passes[0] if forward_only else passes[1]
        samples.append([spent / needed / statistics.median(units), load.share, needed])
    return samples


def peak(title: str, times: int) -> list[list[float]]:
    """Return the process's largest memory in MB and the forward passes, for so many samples."""
    name, settings = _TIMED[title]
    if name == "occlusion":
        settings = {"window": 32, "stride": 16} if times == 1 else {"window": 32, "stride": 4}
    else:
        settings = {_COUNTED[name]: _FEW * times}
    insp = Inspector(networks.resnet18().eval(), torch.randn(1, 3, 112, 112))
    passes = _run(insp, name, settings)
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [[largest, passes[0]]]


def _run(insp: Inspector, name: str, settings: dict[str, int]) -> tuple[int, int]:
    found = saliency(insp, name, report=_quietly, **settings)  # type: ignore[arg-type]  # by name
    return found.passes


def _quietly(_done: int, _total: int, _partial: object) -> None:
    """Draw no bar."""


def _forward(model: torch.nn.Module, pictures: Tensor) -> None:
    with torch.inference_mode():
        model(pictures)


def _forward_and_back(model: torch.nn.Module, pictures: Tensor) -> None:
    x = pictures.clone().requires_grad_()
    torch.autograd.grad(model(x)[0, 3], x)


def _cpu(action: Callable[[], object]) -> float:
    started = time.process_time()
    action()
    return time.process_time() - started


if __name__ == "__main__":
    torch.set_num_threads(_THREADS)
    torch.manual_seed(0)
    if len(sys.argv) > 1:
        kind, chosen, *rest = sys.argv[1:]
        found = (
            timed(chosen, rest[0], int(rest[1])) if kind == "timed" else peak(chosen, int(rest[0]))
        )
        sys.stdout.write(json.dumps(found))
    else:
        sys.stdout.write(table(measure(quick=False)) + "\n")
