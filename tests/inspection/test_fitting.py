"""Pictures brought to a size: which part of them is taken, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cnnviz_widgets.inspection.decoding import Step
from cnnviz_widgets.inspection.fitting import FITS, fitted

RNG = np.random.default_rng(3)
WIDE = RNG.integers(0, 256, (40, 100, 3), dtype=np.uint8)


@pytest.mark.parametrize("fit", FITS)
def test_a_picture_of_the_size_stays_as_it_is(fit: str) -> None:
    found = fitted(Image.fromarray(WIDE), (40, 100), fit=fit)
    np.testing.assert_array_equal(np.asarray(found.picture), WIDE)
    assert found.steps == ()


def test_cropping_takes_the_middle() -> None:
    found = fitted(Image.fromarray(WIDE), (40, 40), fit="crop")
    np.testing.assert_array_equal(np.asarray(found.picture), WIDE[:, 30:70])
    assert found.steps == (Step("cropped", 40, 40),)
    tall = fitted(Image.fromarray(WIDE.transpose(1, 0, 2)), (40, 40), fit="crop")
    np.testing.assert_array_equal(np.asarray(tall.picture), WIDE.transpose(1, 0, 2)[30:70])


def test_what_is_cropped_is_then_scaled_with_averaging() -> None:
    found = fitted(Image.fromarray(WIDE), (10, 20), fit="crop")
    middle = Image.fromarray(WIDE[:, 10:90])
    expected = np.asarray(middle.resize((20, 10), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(np.asarray(found.picture), expected)
    assert found.steps == (Step("cropped", 80, 40), Step("shrunk", 20, 10))
    assert fitted(Image.new("L", (2, 2)), (8, 8), fit="crop").steps == (Step("enlarged", 8, 8),)


def test_padding_shows_all_of_it_between_black() -> None:
    found = fitted(Image.fromarray(WIDE), (100, 100), fit="pad")
    seen = np.asarray(found.picture)
    np.testing.assert_array_equal(seen[30:70], WIDE)
    assert not seen[:30].any()
    assert not seen[70:].any()
    assert found.steps == (Step("padded", 100, 100),)


def test_stretching_changes_the_proportions() -> None:
    found = fitted(Image.fromarray(WIDE), (40, 40), fit="stretch")
    assert found.picture.size == (40, 40)
    assert found.steps == (Step("stretched", 40, 40),)
    assert fitted(Image.fromarray(WIDE), (20, 50), fit="stretch").steps == (Step("shrunk", 50, 20),)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(1, 500), (500, 1), (1, 1)])
def test_odd_pictures_come_out_at_the_size(fit: str, size: tuple[int, int]) -> None:
    assert fitted(Image.new("RGB", size), (7, 9), fit=fit).picture.size == (9, 7)
