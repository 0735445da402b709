"""A blank map says why it is blank."""

from __future__ import annotations

import numpy as np
import pytest

from cnnviz_widgets.attribution.status import status_of


@pytest.mark.parametrize(
    ("values", "status", "text"),
    [
        ([[0, 1], [-2, 3]], "ok", None),
        ([[1e-38, 0], [0, 0]], "ok", None),
        ([[5.0]], "ok", None),
        ([[0, 0], [0, 0]], "empty", "Every value is zero: the layer is dead on this picture"),
        ([[-1, 0], [-3, 0]], "empty", "all values are zero or negative, down to -3."),
        ([[-2, -2]], "empty", "No place speaks for the class"),
        ([[2, 2], [2, 2]], "constant", "Every place has the same value, 2: no place stands out."),
        ([[1, np.nan], [1, 1]], "nonfinite", "1 of 4 values are not finite"),
        ([[np.inf, -np.inf], [1, 1]], "nonfinite", "2 of 4 values are not finite"),
    ],
)
def test_status(values: list[list[float]], status: str, text: str | None) -> None:
    found, note = status_of(np.array(values, np.float32))
    assert found == status
    assert note is None if text is None else note is not None and text in note


def test_a_saturated_score() -> None:
    status, note = status_of(np.ones((2, 2), np.float32), saturated=True)
    assert status == "saturated"
    assert note is not None
    assert "before the softmax" in note
    assert status_of(np.full((2, 2), np.nan, np.float32), saturated=True)[0] == "nonfinite"
