"""Writes cnnviz_widgets/rendering/colormaps.json from matplotlib's tables.

Run it as `python tests/rendering/make_colormaps.py`. The special colours were picked by searching
a grid of RGB colours for five that stay apart from each other and from all five tables under normal
vision, protanopia and deuteranopia; test_colormap.py measures those distances (CIEDE2000: plain
CIELAB takes two deep blues for far apart that nobody can tell apart in a legend).
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt

NAMES = ("viridis", "magma", "cividis", "gray", "coolwarm")
SPECIAL = {
    "nan": [255, 102, 204],
    "posinf": [221, 0, 0],
    "neginf": [0, 51, 0],
    "below": [0, 0, 255],
    "above": [255, 128, 0],
}
TARGET = Path(__file__).parents[2] / "cnnviz_widgets" / "rendering" / "colormaps.json"


def table(name: str) -> npt.NDArray[np.uint8]:
    rgba = np.asarray(mpl.colormaps[name](np.arange(256)))
    return np.round(rgba[:, :3] * 255).astype(np.uint8)


def main() -> None:
    tables = {name: base64.b64encode(table(name).tobytes()).decode("ascii") for name in NAMES}
    lines = [f"{json.dumps(name)}: {json.dumps(text)}" for name, text in tables.items()]
    lines.append(f'"special": {json.dumps(SPECIAL)}')
    TARGET.write_text("{\n " + ",\n ".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
