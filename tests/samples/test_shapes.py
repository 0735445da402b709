"""The drawn pictures: repeatable, apart from one another, and true to their masks."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cnnviz_widgets.samples import shapes


def grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Add the pixels that touch the mask, corners included."""
    padded = np.pad(mask, 1)
    size = mask.shape[0]
    views = [padded[i : i + size, j : j + size] for i in range(3) for j in range(3)]
    result: NDArray[np.bool_] = np.logical_or.reduce(views)
    return result


def test_the_same_picture_each_time_and_in_any_order() -> None:
    forwards = [shapes.scene(7, index) for index in range(12)]
    for index in reversed(range(12)):
        again = shapes.scene(7, index)
        np.testing.assert_array_equal(again.image, forwards[index].image)
        np.testing.assert_array_equal(again.mask, forwards[index].mask)


def test_stacked_pictures_are_the_single_ones() -> None:
    images, masks, labels = shapes.scenes(7, 5)
    assert (images.shape, images.dtype) == ((5, 64, 64, 3), np.dtype(np.uint8))
    assert (masks.shape, masks.dtype) == ((5, 64, 64), np.dtype(np.bool_))
    assert labels.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(images[3], shapes.scene(7, 3).image)


@pytest.mark.parametrize("seed", [shapes.TRAINING_SEED, shapes.HELD_OUT_SEED])
def test_only_the_figure_is_under_the_mask(seed: int) -> None:
    shares = []
    for index in range(100):
        scene = shapes.scene(seed, index)
        change = np.abs(scene.image.astype(int) - scene.backdrop.astype(int)).max(axis=2)
        # A pixel outside the mask may show up to half the figure only if it touches the mask.
        assert not change[~grown(scene.mask)].any()
        shares.append((change[scene.mask] > 10).mean())
        covered = change[scene.mask].mean()
        assert covered > 40
    assert min(shares) > 0.97


def test_figures_lie_whole_inside_the_picture() -> None:
    _, masks, _ = shapes.scenes(3, 200)
    border = masks.copy()
    border[:, 1:-1, 1:-1] = False
    assert not border.any()
    assert masks.sum(axis=(1, 2)).min() > 80
    assert masks.mean(axis=(1, 2)).max() < 0.4


def test_pictures_are_cluttered_and_often_hold_a_distractor() -> None:
    backdrops = np.stack([shapes.scene(3, index).backdrop for index in range(100)])
    spread = backdrops.std(axis=(1, 2)).max(axis=1)
    assert (spread > 3).all()
    # A coloured thing stands far from the ground's own median in at least some pixels.
    median = np.median(backdrops, axis=(1, 2), keepdims=True)
    far = (np.abs(backdrops - median).max(axis=3) > 60).sum(axis=(1, 2)) > 20
    assert 0.4 < far.mean() < 0.95


def test_training_and_held_out_pictures_do_not_overlap() -> None:
    training = {shapes.scene(shapes.TRAINING_SEED, index).image.tobytes() for index in range(300)}
    held_out = {shapes.scene(shapes.HELD_OUT_SEED, index).image.tobytes() for index in range(300)}
    assert len(training) == len(held_out) == 300
    assert not training & held_out


def test_mean_and_deviation_are_those_of_the_training_pictures() -> None:
    images, _, _ = shapes.scenes(shapes.TRAINING_SEED, 400)
    pixels = images.reshape(-1, 3) / 255
    np.testing.assert_allclose(pixels.mean(axis=0), shapes.MEAN, atol=0.03)
    np.testing.assert_allclose(pixels.std(axis=0), shapes.STD, atol=0.03)
