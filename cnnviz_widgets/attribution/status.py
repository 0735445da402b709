"""Attribution: whether there is something to see in a map, and if not, why.

In: the raw values of a map. Out: a status and a sentence.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

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
        return "nonfinite", (
            f"{bad} of {values.size} values are not finite: the activations or gradients of this "
            f"layer are NaN or infinite."
        )
    if saturated:
        return "saturated", (
            "The score explained is at the end of its range, where its gradient vanishes: explain "
            "a value before the softmax or sigmoid instead."
        )
    if high > 0:
        if high == low and values.size > 1:
            return "constant", f"Every place has the same value, {high:.3g}: no place stands out."
        return "ok", None
    if low == 0:
        return "empty", (
            "Every value is zero: the layer is dead on this picture, or the score does not depend "
            "on its places."
        )
    return "empty", (
        f"No place speaks for the class: all values are zero or negative, down to {low:.3g}. See "
        f"the signed values."
    )
