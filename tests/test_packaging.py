"""The sdist and the wheel: the JavaScript is in both, and the sdist builds with no node at hand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BUNDLES = ("layer-browser.js", "layer-browser.css")
WEIGHTS = ("digits.safetensors", "shapes.safetensors")

pytestmark = pytest.mark.packaging


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


def test_the_sdist_carries_the_javascript_and_the_weights(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        sizes = {Path(member.name).name: member.size for member in archive.getmembers()}
    for name in (*BUNDLES, *WEIGHTS):
        assert sizes.get(name, 0) > 500, f"{name} is missing from {sdist.name} or empty"


def test_the_wheel_carries_the_javascript_and_the_weights(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
    for name in BUNDLES:
        assert sizes.get(f"cnnviz_widgets/static/{name}", 0) > 500
    for name in WEIGHTS:
        assert sizes.get(f"cnnviz_widgets/samples/{name}", 0) > 500
    assert "cnnviz_widgets/py.typed" in sizes
    foreign = [name for name in sizes if not name.startswith("cnnviz_widgets")]
    assert foreign == [], f"the wheel holds files of no use to a user: {foreign}"


def test_a_build_without_javascript_says_what_to_do(sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    source = next(tmp_path.iterdir())
    shutil.rmtree(source / "cnnviz_widgets" / "static")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", str(source)]
    bare = {**os.environ, "PATH": str(tmp_path / "nowhere")}
    done = subprocess.run(command, capture_output=True, text=True, env=bare, check=False)
    assert done.returncode != 0
    assert "Install node 20 or newer and run `npm ci && npm run build`" in done.stdout + done.stderr
