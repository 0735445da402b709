"""The wheel in a clean environment: installed with its dependencies, and seen to paint."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import JupyterLab
from tests.browser.layer_view import LayerView

pytestmark = [pytest.mark.browser, pytest.mark.packaging]

CELL = """
import sys, cnnviz_widgets as cw
assert cw.__file__.startswith(sys.prefix), cw.__file__
shapes = cw.samples.load("shapes", images=2)
cw.LayerBrowser(shapes.model, shapes.images, class_names=shapes.class_names)
"""


@pytest.fixture(scope="module")
def clean_kernel(wheel: Path, lab: JupyterLab, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A kernel whose environment has the wheel, what it depends on, and nothing of ours beside."""
    home = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    python = home / "bin" / "python"
    # The torch of this environment first: the newest one may bring several GB with it.
    version = torch.__version__.split("+")[0]
    for wanted in ([f"torch=={version}"], [str(wheel), "ipykernel"]):
        command = [str(python), "-m", "pip", "install", "--quiet", "--no-input", *wanted]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    spec = {
        "argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "clean",
        "language": "python",
        "env": {"PYTHONPATH": ""},
    }
    lab.add_kernel("clean", json.dumps(spec))
    return "clean"


def test_a_widget_of_the_installed_wheel_paints(
    clean_kernel: str, open_notebook: OpenNotebook
) -> None:
    notebook = open_notebook(kernel=clean_kernel)
    notebook.run(CELL)
    view = LayerView(notebook)
    view.wait_for("stem.conv")
    colours = np.unique(view.pixels().reshape(-1, 4), axis=0)
    assert len(colours) > 50, "the maps of a trained layer have many colours"
