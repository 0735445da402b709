"""Still pictures of saliency maps, for places where no widget can be shown.

In: values of maps, a picture, and how they are drawn. Out: an RGB picture, as the browser draws it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnnviz_widgets.attribution.resize import resized
from cnnviz_widgets.rendering.colormap import NAN_COLOUR, Rgb, palette

from .stills import beside, captioned, enlarged

Floats = npt.NDArray[np.float32]
_SIDE = 240
"""Side of each map, in pixels, about."""


@dataclass(frozen=True)
class Look:
    """How maps are drawn; see the traits of `SaliencyOverlay`."""

    show: str
    opacity: float
    percentile: float
    smooth: bool
    colormap: str


def drawn(values: Floats, picture: Rgb | None, form: str, look: Look) -> Rgb:
    """Draw a map over its picture.

    Parameters
    ----------
    values : float32 array (h, w)
        Raw and signed.
    picture : uint8 array (H, W, 3) or None
    form : {"absolute", "signed", "positive"}
        Which values.
    look : Look
        The scale ends at its percentile of the sizes of the values drawn, by NumPy's linear rule.

    Returns
    -------
    uint8 array (H, W, 3)
    """
    if form != "signed":
        values = np.abs(values) if form == "absolute" else np.maximum(values, np.float32(0))
    size = values.shape if picture is None else picture.shape
    shown = resized(values, (size[0], size[1]), smooth=look.smooth)
    finite = np.isfinite(shown)
    sizes = np.abs(shown[finite]).astype(np.float64)
    high = float(np.percentile(sizes, look.percentile)) if sizes.size else 0.0
    low = -high if form == "signed" else 0.0
    rest = 0.5 if form == "signed" else 0.0
    shares = np.full(shown.shape, rest)
    if high > low:
        shares[finite] = (shown[finite].astype(np.float64) - low) / (high - low)
    rows = np.floor(np.clip(shares, 0, 1) * 255 + 0.5).astype(np.intp)
    table = palette("coolwarm" if form == "signed" else look.colormap)
    colours: Rgb = table[np.where(finite, rows, NAN_COLOUR)]
    if picture is None:
        return colours
    part = {"both": look.opacity, "picture": 0.0, "map": 1.0}[look.show]
    mixed: Rgb = np.floor(picture * (1 - part) + colours * part + 0.5).astype(np.uint8)
    return mixed


def saliency_still(parts: Sequence[Rgb], caption: str) -> Rgb | None:
    """Put maps in a row, with a line under them; None where there are none."""
    if not parts:
        return None
    same = [enlarged(np.ascontiguousarray(part)[None], _SIDE)[0] for part in parts]
    return captioned(beside(same), caption)
