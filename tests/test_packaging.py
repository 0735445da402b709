"""The sdist and the wheel: the JavaScript is in both, and the sdist builds with no node at hand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from cnnviz_widgets.words import LANGUAGES

WIDGETS = sorted(Path(__file__).parents[1].glob("js/src/widgets/*.ts"))
BUNDLES = [f"{widget.stem}.{suffix}" for widget in WIDGETS for suffix in ("js", "css")]
BUNDLES += ["baked.js", "host.js", "page.css"]
WEIGHTS = ("digits.safetensors", "shapes.safetensors")

pytestmark = pytest.mark.packaging


def test_scripts_inside_the_checkout_keep_their_own_kind() -> None:
    """With "type": "module" node cannot run JupyterLab's yarn.js, and `make demo` prints it all."""
    assert "type" not in json.loads((Path(__file__).parents[1] / "package.json").read_text())


def test_the_sdist_carries_the_javascript_and_the_weights(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        sizes = {Path(member.name).name: member.size for member in archive.getmembers()}
    for name in (*BUNDLES, *WEIGHTS):
        assert sizes.get(name, 0) > 100, f"{name} is missing from {sdist.name} or empty"


def test_the_wheel_carries_the_javascript_and_the_weights(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
    for name in BUNDLES:
        assert sizes.get(f"cnnviz_widgets/static/{name}", 0) > 100
    for name in WEIGHTS:
        assert sizes.get(f"cnnviz_widgets/samples/{name}", 0) > 500
    for language in LANGUAGES:
        assert sizes.get(f"cnnviz_widgets/words/{language}.json", 0) > 500
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
