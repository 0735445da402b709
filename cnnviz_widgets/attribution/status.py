"""Attribution: whether there is something to see in a map, and if not, why.

In: the raw values of a map. Out: a status and a sentence.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from cnnviz_widgets.words import phrase

Floats = npt.NDArray[np.float32]
Status = Literal["ok", "empty", "constant", "nonfinite", "saturated"]


def status_of(values: Floats, *, saturated: bool = False) -> tuple[Status, str | None]:
    """Tell whether a map shows something.

    Parameters
    ----------
    values : float32 array (h, w)
        Raw and signed.
    saturated : bool
        Whether the score explained is at the end of its range, so that its gradient vanishes.

    Returns
    -------
    status : str
        "nonfinite": NaN or an infinity among the values. "saturated": as said, and this map has
        nothing above zero for it or is tiny. "empty": no value above zero, so the rectified form is
        blank. "constant": the same positive value everywhere. Else "ok".
    note : str or None
        Why there is nothing to see.
    """
    high, low = (float(values.max()), float(values.min())) if values.size else (0.0, 0.0)
    if not np.isfinite([high, low]).all():
        bad = int(values.size - np.isfinite(values).sum())
        return "nonfinite", phrase("not_finite", bad=bad, count=values.size)
    if saturated:
        return "saturated", phrase("saturated")
    if high > 0:
        if high == low and values.size > 1:
            return "constant", phrase("constant", value=f"{high:.3g}")
        return "ok", None
    if low == 0:
        return "empty", phrase("all_zero_layer")
    return "empty", phrase("none_positive", low=f"{low:.3g}")
