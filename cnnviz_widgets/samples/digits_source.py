"""Packs scikit-learn's handwritten digits into `digits_pictures.npz`; only developers run this.

Run `python -m cnnviz_widgets.samples.digits_source`. Source and licence: `digits_pictures.md`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .digits import SOURCE


def pack(path: Path = SOURCE) -> None:
    """Write all 1797 pictures, uint8 (1797, 8, 8) in 0..16, and their labels, uint8 (1797,).

    Parameters
    ----------
    path
        The `.npz` file to write.
    """
    from sklearn.datasets import load_digits

    source = load_digits()
    images = source.images.astype(np.uint8)
    np.savez_compressed(path, images=images, labels=source.target.astype(np.uint8))


if __name__ == "__main__":
    pack()
