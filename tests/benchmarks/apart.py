"""Samples taken in a process of their own, whose threads sleep while they wait.

In: a benchmark's module and what it is given. Out: what it printed, read as JSON. CPU time then
hardly moves with what others do on the machine, and a peak of memory belongs to one thing alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_SLEEP_WHILE_WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}


def in_a_process(module: str, *arguments: str) -> Any:  # Any: each benchmark prints its own shape
    """Run ``python -m module arguments`` from the project's root; return the JSON it printed."""
    answer = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=_ROOT,
        env={**os.environ, **_SLEEP_WHILE_WAITING},
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(answer.stdout)
