"""Resident memory while many pictures go through one browser: flat once warm."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

import psutil

from tests.benchmarks.figure import Figure

_ROOT = Path(__file__).resolve().parents[2]


def measure(*, quick: bool) -> list[Figure]:
    """Show pictures in a fresh process; compare its memory at the end with that after warm-up."""
    pictures, warm = (30, 10) if quick else (200, 50)
    code = f"from tests.benchmarks.bench_memory import walk; walk({pictures})"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=_ROOT, check=True, capture_output=True, text=True
    )
    sizes = json.loads(answer.stdout)
    before = statistics.median(sizes[warm - 5 : warm + 5])
    after = statistics.median(sizes[-10:])
    return [
        Figure(
            f"memory after {pictures} pictures through one browser",
            100 * (after / before - 1),
            "%",
            2,
            note=f"{before / 1e6:.0f} MB after {warm} pictures, {after / 1e6:.0f} MB at the end",
        )
    ]


def walk(pictures: int) -> None:
    """Show random pictures to ResNet-18 in one browser; write the sizes in bytes to stdout."""
    import torch

    import cnnviz_widgets as cw
    from tests.benchmarks.networks import resnet18
    from tests.benchmarks.view import View

    torch.manual_seed(0)
    inspector = cw.Inspector(resnet18().eval(), torch.randn(1, 3, 224, 224))
    browser = cw.LayerBrowser(inspector)
    view = View(browser)
    names = [layer.name for layer in inspector.layers]
    sizes = []
    for picture in range(pictures):
        inspector.set_inputs(torch.randn(1, 3, 224, 224))
        view.ask("input", image=0)
        for name in names[picture % 7 :: 7]:
            view.ask("layer", layer=name, image=0, tile=112)
        view.ask("prefetch", layers=names, image=0, tile=112, bytes=4_000_000)
        sizes.append(psutil.Process().memory_info().rss)
    browser.close()
    sys.stdout.write(json.dumps(sizes))
