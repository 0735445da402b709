"""Writes tests/overlay_vectors.json (`python tests/attribution/make_overlay_vectors.py`).

The Python and the TypeScript tests read that file; test_overlay_vectors.py holds it to this script.
"""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from cnnviz_widgets.rendering.colormap import NAN_COLOUR, palette

TARGET = Path(__file__).parents[1] / "overlay_vectors.json"

ABOUT = """\
What Python and TypeScript must agree on when a map is laid over a picture. Written by
tests/attribution/make_overlay_vectors.py; never edit by hand. Numbers are plain JSON numbers or one
of the strings "NaN", "Infinity", "-Infinity"; arrays are flat lists in C order beside their shape.
resize: values (h, w) -> resized (H, W), bilinear with align_corners=False or the nearest value.
  Worked out in float64 and rounded to float32: equal to 1 in 10^6.
paint: values (H, W), rgb (base64 of H * W * 3 bytes, or null), low, high, opacity, threshold and a
  colormap -> rgba, base64 of H * W * 4 bytes: exact. Values nearer to zero than the threshold are
  left out: the picture is seen there, and nothing where there is none.
""".splitlines()


def number(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(value)


def flat(array: Any) -> list[float | str]:
    return [number(value) for value in np.asarray(array, np.float64).ravel().tolist()]


def neighbours(place: int, given: int, wanted: int) -> list[tuple[int, float]]:
    """Old places that a new one lies between, with their parts; those of no part are left out."""
    at = min(max((place + 0.5) * given / wanted - 0.5, 0.0), given - 1.0)
    first = math.floor(at)
    part = at - first
    return [(first, 1 - part), (first + 1, part)] if part else [(first, 1.0)]


def resized(values: Any, height: int, width: int, *, smooth: bool) -> Any:
    """Enlarge one pixel after the other, in float64."""
    result = np.empty((height, width))
    rows, columns = values.shape
    for y in range(height):
        for x in range(width):
            if smooth:
                result[y, x] = sum(
                    down * sum(across * values[i, j] for j, across in neighbours(x, columns, width))
                    for i, down in neighbours(y, rows, height)
                )
            else:
                result[y, x] = values[y * rows // height, x * columns // width]
    return result.astype(np.float32)


def resize_case(name: str, values: Any, height: int, width: int, *, smooth: bool) -> dict[str, Any]:
    values = np.asarray(values, np.float32)
    return {
        "name": name,
        "shape": list(values.shape),
        "values": flat(values),
        "size": [height, width],
        "smooth": smooth,
        "resized": flat(resized(values.astype(np.float64), height, width, smooth=smooth)),
    }


def painted(values: Any, picture: Any, low: float, high: float, **look: Any) -> Any:
    """Lay a map over a picture one pixel after the other."""
    colours = palette(look["colormap"])
    result = np.zeros((*values.shape, 4), np.uint8)
    part = look["opacity"] if picture is not None else 1.0
    for place in np.ndindex(values.shape):
        value = float(values[place])
        if abs(value) < look["threshold"]:
            if picture is not None:
                result[place] = [*picture[place], 255]
            continue
        row = NAN_COLOUR
        flat_place = 127.5 if look["diverging"] else 0.0
        if math.isfinite(value):
            t = (value - low) / (high - low) * 255 if high > low else flat_place
            row = min(max(math.floor(t + 0.5), 0), 255)
        under = picture[place] if picture is not None else np.zeros(3, np.uint8)
        mixed = [
            int(c) * part + int(p) * (1 - part) for c, p in zip(colours[row], under, strict=True)
        ]
        result[place] = [*(math.floor(level + 0.5) for level in mixed), 255]
    return result


def paint_case(name: str, values: Any, picture: Any, low: float, high: float, **look: Any) -> Any:
    values = np.asarray(values, np.float32)
    look = {
        "opacity": 0.5,
        "threshold": 0.0,
        "colormap": "viridis",
        "diverging": low < 0,
        **look,
    }
    drawn = painted(values, picture, low, high, **look)
    coded = None if picture is None else base64.b64encode(picture.tobytes()).decode("ascii")
    return {
        "name": name,
        "shape": list(values.shape),
        "values": flat(values),
        "rgb": coded,
        "low": low,
        "high": high,
        **look,
        "rgba": base64.b64encode(drawn.tobytes()).decode("ascii"),
    }


def build() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    small = rng.normal(size=(3, 4))
    odd = small.copy()
    odd[0, 1], odd[2, 3], odd[1, 0] = np.nan, np.inf, -np.inf
    resize = [
        resize_case("enlarged", small, 7, 10, smooth=True),
        resize_case("by a whole number", small, 9, 12, smooth=True),
        resize_case("reduced", rng.normal(size=(9, 7)), 4, 3, smooth=True),
        resize_case("one value", [[2.5]], 3, 5, smooth=True),
        resize_case("one row", rng.normal(size=(1, 6)), 4, 9, smooth=True),
        resize_case("same size", small, 3, 4, smooth=True),
        resize_case("not finite", odd, 8, 9, smooth=True),
        resize_case("nearest", small, 7, 10, smooth=False),
        resize_case("nearest, reduced", rng.normal(size=(9, 7)), 4, 3, smooth=False),
    ]
    field = rng.normal(size=(6, 5))
    picture = rng.integers(0, 256, (6, 5, 3), np.uint8)
    bad = np.where(rng.random((6, 5)) < 0.3, np.nan, field)
    bad[0, 0] = np.inf
    high = float(np.float32(field).max())
    paint = [
        paint_case("rectified", np.maximum(field, 0), picture, 0.0, high),
        paint_case("signed", field, picture, -2.0, 2.0, colormap="coolwarm", opacity=0.7),
        paint_case("beyond the ends", field, picture, -0.5, 0.5, colormap="magma"),
        paint_case("above a threshold", field, picture, -high, high, threshold=0.8),
        paint_case("not finite", bad, picture, 0.0, 1.0, opacity=0.3),
        paint_case("no picture", field, None, -1.0, 1.0, threshold=0.4, colormap="cividis"),
        paint_case("blank", np.zeros((6, 5)), picture, 0.0, 0.0),
        paint_case("blank and signed", np.zeros((6, 5)), picture, 0.0, 0.0, diverging=True),
        paint_case("the picture alone", field, picture, 0.0, high, opacity=0.0),
        paint_case("the map alone", field, picture, 0.0, high, opacity=1.0, colormap="gray"),
    ]
    return {"about": ABOUT, "resize": resize, "paint": paint}


def text() -> str:
    return json.dumps(build(), indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text())
