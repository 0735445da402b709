"""The `digits` pictures: packaged 8 x 8 handwriting in, 32 x 32 one-channel pictures out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIZE = 32
"""Height and width in pixels."""
MARGIN = 4
"""Pixels around the 24 x 24 that the source's 8 x 8 blocks are scaled to."""
TRAINING_PICTURES = 1437
"""The first 1437 of 1797 pictures are for training; the others are held out."""
CLASS_NAMES = tuple("0123456789")
MEAN = (0.18,)
STD = (0.30,)

SOURCE = Path(__file__).with_name("digits_pictures.npz")


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weigh a neighbour by its distance (Keys, 1981, a = -1/2): smooth, exact at the samples."""
    d = np.abs(distance)
    near = 1.5 * d**3 - 2.5 * d**2 + 1
    far = -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def enlarge(blocks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale pictures of the source up, as all `digits` pictures are.

    In the source each digit was a bitmap stretched to fill 32 x 32 from top to bottom, its box
    centred from left to right, and then counted in 4 x 4 blocks. Here the 8 x 8 counts become
    24 x 24 pixels by cubic interpolation, with 4 empty pixels on every side. So the ink of every
    picture is 24 pixels high (26 with its soft edge), and its box is centred: a drawn
    digit looks alike if it is scaled to a height of 24 pixels and its box is put in the middle.

    Parameters
    ----------
    blocks
        uint8 (N, 8, 8), 0 (paper) to 16 (ink).

    Returns
    -------
    ndarray, uint8 (N, 32, 32, 1)
        0 (paper, black) to 255 (ink, white).
    """
    place = (np.arange(SIZE) - MARGIN + 0.5) * 8 / (SIZE - 2 * MARGIN) - 0.5
    weights = _cubic(place[:, None] - np.arange(8))
    values: NDArray[np.float64] = weights @ (blocks.astype(np.float64) / 16) @ weights.T
    whole: NDArray[np.float64] = np.floor(np.clip(values, 0, 1) * 255 + 0.5)
    return whole.astype(np.uint8)[..., None]


def _source() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    with np.load(SOURCE, allow_pickle=False) as stored:
        return stored["images"], stored["labels"]


def training_pictures() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read the pictures that the network was trained on.

    Returns
    -------
    pictures, labels
        uint8 (1437, 32, 32, 1) and int64 (1437,).
    """
    blocks, labels = _source()
    return enlarge(blocks[:TRAINING_PICTURES]), labels[:TRAINING_PICTURES].astype(np.int64)


def held_out_pictures() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read the pictures that the network never saw.

    Returns
    -------
    pictures, labels
        uint8 (360, 32, 32, 1) and int64 (360,).
    """
    blocks, labels = _source()
    return enlarge(blocks[TRAINING_PICTURES:]), labels[TRAINING_PICTURES:].astype(np.int64)
