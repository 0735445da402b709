"""The handwriting: unchanged from its source, split by index, scaled up as documented."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cnnviz_widgets.samples import digits
from cnnviz_widgets.samples.digits_source import pack


def keys(distance: float) -> float:
    """Cubic convolution kernel, from the paper."""
    s = abs(distance)
    if s < 1:
        return 1.5 * s**3 - 2.5 * s**2 + 1
    return -0.5 * s**3 + 2.5 * s**2 - 4 * s + 2 if s < 2 else 0.0


def test_packaged_file_is_what_the_script_writes(tmp_path: Path) -> None:
    pack(tmp_path / "again.npz")
    with (
        np.load(digits.SOURCE, allow_pickle=False) as here,
        np.load(tmp_path / "again.npz", allow_pickle=False) as again,
    ):
        assert sorted(here.files) == ["images", "labels"]
        np.testing.assert_array_equal(here["images"], again["images"])
        np.testing.assert_array_equal(here["labels"], again["labels"])
        assert here["images"].shape == (1797, 8, 8)


def test_packaged_file_is_small_and_names_its_licence() -> None:
    assert digits.SOURCE.stat().st_size <= 80_000
    notice = digits.SOURCE.with_suffix(".md").read_text()
    assert "CC BY 4.0" in notice
    assert "Alpaydin" in notice


def test_split_has_every_picture_once() -> None:
    train, train_labels = digits.training_pictures()
    test, test_labels = digits.held_out_pictures()
    assert train.shape == (1437, 32, 32, 1)
    assert test.shape == (360, 32, 32, 1)
    assert (len(train_labels), len(test_labels)) == (1437, 360)
    seen = {picture.tobytes() for picture in train}
    assert not any(picture.tobytes() in seen for picture in test)
    assert set(test_labels.tolist()) == set(range(10))


def test_enlarged_is_the_slow_interpolation() -> None:
    blocks = np.random.default_rng(1).integers(0, 17, (1, 8, 8)).astype(np.uint8)
    large = digits.enlarge(blocks)[0, :, :, 0]
    for row in range(0, 32, 3):
        for column in range(0, 32, 2):
            y, x = (row - 4 + 0.5) / 3 - 0.5, (column - 4 + 0.5) / 3 - 0.5
            value = sum(
                int(blocks[0, i, j]) / 16 * keys(y - i) * keys(x - j)
                for i in range(8)
                for j in range(8)
            )
            assert abs(int(large[row, column]) - min(max(value, 0), 1) * 255) <= 0.5 + 1e-9


def test_block_centres_keep_their_value() -> None:
    blocks = np.arange(64, dtype=np.uint8).reshape(1, 8, 8) % 17
    large = digits.enlarge(blocks)[0, :, :, 0]
    expected = np.floor(blocks[0] / 16 * 255 + 0.5)
    np.testing.assert_array_equal(large[5:28:3, 5:28:3], expected)


def test_ink_is_as_high_and_centred_as_documented() -> None:
    pictures, _ = digits.training_pictures()
    ink = pictures[..., 0] > 40
    rows: NDArray[np.bool_] = np.logical_or.reduce(ink, axis=2)
    columns: NDArray[np.bool_] = np.logical_or.reduce(ink, axis=1)
    assert set(rows.sum(axis=1).tolist()) <= {25, 26}
    top, left = rows.argmax(axis=1), columns.argmax(axis=1)
    right = 31 - columns[:, ::-1].argmax(axis=1)
    assert set(top.tolist()) <= {3, 4}
    assert ((left + right) / 2).mean() == pytest.approx(15.5, abs=0.6)


def test_mean_and_deviation_are_those_of_the_training_pictures() -> None:
    pictures, _ = digits.training_pictures()
    assert pictures.mean() / 255 == pytest.approx(digits.MEAN[0], abs=0.01)
    assert pictures.std() / 255 == pytest.approx(digits.STD[0], abs=0.01)
