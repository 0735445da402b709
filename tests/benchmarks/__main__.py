"""Measure every figure that the project promises, and print one table (`make bench`).

Each `bench_*.py` here has `measure(*, quick) -> list[Figure]`. Ratios are of one run.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import sys
import time
from pathlib import Path

from tests.benchmarks.figure import Figure, table


def names() -> list[str]:
    """Return the names of the benchmarks: "slider" for bench_slider.py, and so on."""
    return sorted(path.stem.removeprefix("bench_") for path in _here().glob("bench_*.py"))


def run(chosen: list[str], *, quick: bool) -> list[Figure]:
    """Run benchmarks one after the other; one that fails is reported and does not stop the rest."""
    figures: list[Figure] = []
    for name in chosen:
        started = time.monotonic()
        _say(f"{name} ...")
        try:
            figures += importlib.import_module(f"tests.benchmarks.bench_{name}").measure(
                quick=quick
            )
        except Exception as error:  # one broken figure must not hide the others
            text = " ".join(f"{type(error).__name__}: {error}".split())
            figures.append(Figure(f"{name}: not measured", float("nan"), "", 0, note=text[:300]))
        _say(f"{name}: {time.monotonic() - started:.0f} s")
    return figures


def main() -> int:
    """Run what the command line asks for; the exit status is 1 when a bar does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it runs")
    parser.add_argument(
        "--only", action="append", choices=names(), help="this benchmark (may be repeated)"
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    figures = run(arguments.only or names(), quick=arguments.quick)
    sys.stdout.write(table(figures) + "\n")
    if arguments.json:
        rows = [{**dataclasses.asdict(figure), "holds": figure.holds} for figure in figures]
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    return int(any(figure.holds is False for figure in figures))


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _here() -> Path:
    return Path(__file__).parent


if __name__ == "__main__":
    sys.exit(main())
