"""Trained networks and photographs of $CNNVIZ_TEST_DATA, for tests.

In: a name. Out: the model with its weights, pictures cut as it takes them, an `Inspector`.
"""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image
from safetensors.torch import load_file
from torch import nn

from cnnviz_widgets.inspection import Inspector

DATA = Path(
    os.environ.get("CNNVIZ_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")
)

needs_data = pytest.mark.skipif(
    not (DATA / "models").is_dir(),
    reason=f"no networks in {DATA}; set CNNVIZ_TEST_DATA to their folder",
)


class TrainedNetwork(NamedTuple):
    """A trained network with what it needs."""

    model: nn.Module
    class_names: list[str]
    recipe: dict[str, Any]


def load(name: str) -> TrainedNetwork:
    """Build a network of the data folder and load its weights."""
    folder = DATA / "models" / name
    spec = importlib.util.spec_from_file_location(f"real_{name}", folder / "model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model: nn.Module = module.build()
    model.load_state_dict(load_file(folder / "model.safetensors"))
    names = (folder / "labels.txt").read_text().splitlines()
    return TrainedNetwork(model.eval(), names, json.loads((folder / "preprocess.json").read_text()))


def photograph(recipe: dict[str, Any], name: str) -> Image.Image:
    """Open a photograph, scaled by its shorter side and cropped from the middle."""
    with Image.open(DATA / "images" / name) as opened:
        picture: Image.Image = opened.convert(recipe["color"])
    scale = recipe["resize_shorter_side"] / min(picture.size)
    width, height = (round(side * scale) for side in picture.size)
    picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    side = recipe["center_crop"]
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def look(network: TrainedNetwork, picture: Image.Image) -> Inspector:
    """Inspect a network on a photograph."""
    return Inspector(
        network.model,
        picture,
        class_names=network.class_names,
        mean=network.recipe["mean"],
        std=network.recipe["std"],
    )
