"""The sdist, the wheel and the notebooks, built and run once for every test that asks for them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.lessons import Lesson

ROOT = Path(__file__).parent.parent
# Before torch is imported, here and in every kernel: threads that spin while they wait keep
# others from working, where tests, kernels and Chromium share few cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def build(kind: str, source: Path, target: Path, path: str | None = None) -> Path:
    """Build with this environment's hatchling, so that only the PATH decides what is at hand."""
    environment = {**os.environ, "PATH": path} if path else dict(os.environ)
    command = [
        sys.executable,
        "-m",
        "build",
        f"--{kind}",
        "--no-isolation",
        "--outdir",
        str(target),
    ]
    done = subprocess.run(
        [*command, str(source)], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next(target.glob("*.tar.gz" if kind == "sdist" else "*.whl"))


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the unpacked sdist with a PATH on which there is no node."""
    unpacked = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(unpacked, filter="data")
    bare = tmp_path_factory.mktemp("path")
    assert shutil.which("node", path=str(bare)) is None
    return build("wheel", next(unpacked.iterdir()), tmp_path_factory.mktemp("wheel"), str(bare))


@pytest.fixture(scope="session")
def lesson() -> Callable[[Path], Lesson]:
    """Run a notebook the first time that it is asked for."""
    from tests.lessons import run_lesson

    return cache(run_lesson)
