"""Puts a sample together: a name in, the trained network and its held-out pictures out.

torch is imported when a sample is loaded, not when this module is.
"""

from __future__ import annotations

import difflib
import operator
from pathlib import Path
from typing import TYPE_CHECKING

from .sample import Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

FOLDER = Path(__file__).parent
"""Where the weights and the pictures lie."""

_MOST_IMAGES = {"shapes": 10_000, "digits": 360}


def load(name: str, *, images: int = 16) -> Sample:
    """Load an embedded network, trained by us, with pictures it never saw.

    Parameters
    ----------
    name
        "shapes": 64 x 64 RGB pictures of ten textured figures over cluttered backgrounds, with
        masks, and a residual network with BatchNorm. "digits": handwriting in one channel,
        32 x 32, and a plain network.
    images
        How many held-out pictures: 1 to 10000 of "shapes", 1 to 360 of "digits". They are the same
        ones each time, and a larger number begins with those of a smaller.

    Returns
    -------
    Sample
        Nothing in it is shared with an earlier call. Needs no network and reads no pickle.

    Raises
    ------
    TypeError
        If `name` is not a string or `images` is not a whole number.
    ValueError
        If there is no such sample, or not so many pictures.

    Examples
    --------
    >>> sample = load("digits", images=4)
    >>> sample.images.shape
    torch.Size([4, 1, 32, 32])
    """
    _check_name(name)
    count = _check_count(name, images)
    return _shapes(count) if name == "shapes" else _digits(count)


def _check_name(name: str) -> None:
    known = " or ".join(repr(one) for one in _MOST_IMAGES)
    if not isinstance(name, str):
        raise TypeError(f"name={name!r} is not a string; choose {known}.")
    if name not in _MOST_IMAGES:
        near = difflib.get_close_matches(name.lower(), _MOST_IMAGES, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? Choose" if near else "choose"
        raise ValueError(f"name={name!r} is not an embedded sample; {hint} {known}.")


def _check_count(name: str, images: int) -> int:
    most = _MOST_IMAGES[name]
    try:
        count = operator.index(images)
    except TypeError:
        count = None
    if count is None or isinstance(images, bool):
        raise TypeError(f"images={images!r} is not a whole number; give 1 to {most} for {name!r}.")
    if not 1 <= count <= most:
        raise ValueError(f"images={count} is out of range; give 1 to {most} for {name!r}.")
    return count


def _shapes(count: int) -> Sample:
    import torch

    from . import shapes
    from .networks import ShapeNet

    pictures, masks, labels = shapes.scenes(shapes.HELD_OUT_SEED, count)
    return Sample(
        name="shapes",
        model=_trained(ShapeNet, "shapes"),
        images=normalised(pictures, shapes.MEAN, shapes.STD),
        labels=torch.from_numpy(labels),
        class_names=shapes.CLASS_NAMES,
        mean=shapes.MEAN,
        std=shapes.STD,
        masks=torch.from_numpy(masks),
    )


def _digits(count: int) -> Sample:
    import torch

    from . import digits
    from .networks import DigitNet

    pictures, labels = digits.held_out_pictures()
    return Sample(
        name="digits",
        model=_trained(DigitNet, "digits"),
        images=normalised(pictures[:count], digits.MEAN, digits.STD),
        labels=torch.from_numpy(labels[:count]),
        class_names=digits.CLASS_NAMES,
        mean=digits.MEAN,
        std=digits.STD,
        masks=None,
    )


def normalised(
    pictures: NDArray[np.uint8], mean: tuple[float, ...], std: tuple[float, ...]
) -> Tensor:
    """Turn pictures of bytes into what the networks take.

    Parameters
    ----------
    pictures
        uint8 (N, H, W, C).
    mean, std
        One number per channel, for pictures in 0..1.

    Returns
    -------
    Tensor
        float32 (N, C, H, W), contiguous, memory of its own.
    """
    import torch

    values = torch.from_numpy(pictures).permute(0, 3, 1, 2).to(torch.float32).div_(255)
    values.sub_(torch.tensor(mean)[:, None, None]).div_(torch.tensor(std)[:, None, None])
    return values.contiguous()


def _trained(network: type[nn.Module], name: str) -> nn.Module:
    """Build a network, leaving the caller's random numbers as they were, and load its weights."""
    import torch
    from safetensors.torch import load_file

    with torch.random.fork_rng(devices=()):
        model = network()
    model.load_state_dict(load_file(FOLDER / f"{name}.safetensors"))
    return model.eval()
