"""`import cnnviz_widgets` is quick and brings in neither torch nor matplotlib."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.figure import Figure
from tests.benchmarks.load import ForeignLoad, quiet

_HEAVY = ("torch", "matplotlib", "captum", "ipywidgets")
_ROOT = Path(__file__).resolve().parents[2]


def measure(*, quick: bool) -> list[Figure]:
    """Time fresh processes, with and without the import in turn."""
    took: dict[str, list[tuple[float, float]]] = {"pass": [], "import cnnviz_widgets": []}
    for _ in range(3 if quick else 15):
        for code, samples in took.items():
            with ForeignLoad() as load:
                started = time.perf_counter()
                subprocess.run([sys.executable, "-c", code], cwd=_ROOT, check=True)
                seconds = time.perf_counter() - started
            samples.append((seconds, load.share))
    bare = statistics.median(quiet(took["pass"])[0])
    figures, note = quiet(took["import cnnviz_widgets"])
    seconds = statistics.median(figures) - bare
    heavy = _imported()
    return [
        Figure("import cnnviz_widgets", seconds, "s", 0.3, note=f"above bare Python; {note}"),
        Figure(
            "heavy modules imported with it", len(heavy), "", 0, note=", ".join(heavy) or "none"
        ),
    ]


def _imported() -> list[str]:
    code = f"import sys, cnnviz_widgets; print([m for m in {_HEAVY!r} if m in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=_ROOT, check=True, capture_output=True, text=True
    )
    return [name for name in _HEAVY if f"'{name}'" in answer.stdout]
