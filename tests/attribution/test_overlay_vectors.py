"""The vectors that both languages read: up to date, and what Map and torch say too."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from cnnviz_widgets.attribution.map import Map
from cnnviz_widgets.attribution.resize import resized
from tests.attribution import make_overlay_vectors as vectors

CASES = vectors.build()


def numbers(values: list[Any], shape: list[int]) -> Any:
    return np.array([float(value) for value in values], np.float32).reshape(shape)


def test_the_file_is_what_the_script_writes() -> None:
    assert vectors.TARGET.read_text() == vectors.text()


@pytest.mark.parametrize("case", CASES["resize"], ids=lambda case: case["name"])
def test_maps_are_enlarged_alike(case: dict[str, Any]) -> None:
    values = numbers(case["values"], case["shape"])
    wanted = numbers(case["resized"], case["size"])
    height, width = case["size"]
    ours = resized(values, (height, width), smooth=case["smooth"])
    np.testing.assert_allclose(
        np.where(np.isfinite(ours), ours, np.nan),
        np.where(np.isfinite(wanted), wanted, np.nan),
        rtol=1e-5, atol=1e-6,
    )  # fmt: skip
    if case["smooth"] and np.isfinite(values).all():
        tensor = torch.from_numpy(values)[None, None]
        theirs = interpolate(tensor, size=(height, width), mode="bilinear", align_corners=False)
        np.testing.assert_allclose(wanted, theirs[0, 0].numpy(), rtol=1e-5, atol=1e-6)


def test_the_rectified_form_is_that_of_map_overlay() -> None:
    case = next(case for case in CASES["paint"] if case["name"] == "rectified")
    height, width = case["shape"]
    picture = np.frombuffer(base64.b64decode(case["rgb"]), np.uint8).reshape(height, width, 3)
    found = Map(
        values=numbers(case["values"], case["shape"]), method="gradcam", layer="conv", image=0,
        target_index=0, target_name="ant", score=1.0, score_kind="logit", status="ok",
        size=(height, width), picture=picture,
    )  # fmt: skip
    drawn = np.frombuffer(base64.b64decode(case["rgba"]), np.uint8).reshape(height, width, 4)
    np.testing.assert_array_equal(found.overlay(), drawn[..., :3])
