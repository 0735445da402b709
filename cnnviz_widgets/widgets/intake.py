"""From any picture to the tensor that an Inspector's network takes, with the list of what was done.

In: a file's bytes, a path, a PIL image, an array or a tensor. Out: a `Choice`, and what becomes of
it in an `Intake`.
"""

from __future__ import annotations

import os
import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from cnnviz_widgets.inspection.decoding import Step, decoded, settled
from cnnviz_widgets.inspection.fitting import fitted
from cnnviz_widgets.inspection.inputs import open_picture
from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.inspection.pictures import picture_of
from cnnviz_widgets.rendering.colormap import Rgb
from cnnviz_widgets.samples.sample import Sample

if TYPE_CHECKING:
    from PIL.Image import Image

Preprocess = Callable[["Image"], Tensor]
_FORMS = "a path, a PIL image, a uint8 array (H, W, 3) or (H, W), or a tensor (C, H, W)"
_THUMBNAIL_PX = 96


@dataclass(frozen=True)
class Choice:
    """A picture that somebody chose.

    Attributes
    ----------
    name : str
        What it is called; may be empty.
    picture : PIL.Image.Image or Tensor
        Of mode "L" or "RGB"; or a tensor (C, H, W) that the network takes as it is.
    steps : tuple of Step
        What was done to it so far.
    """

    name: str
    picture: Image | Tensor
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Taken:
    """What a network is given: a tensor (1, C, H, W), and how it came about."""

    inputs: Tensor
    steps: tuple[Step, ...]


def picture_size(inspector: Inspector) -> tuple[int, int]:
    """Return height and width of the pictures that an Inspector holds.

    Raises
    ------
    TypeError
        It is no Inspector.
    ValueError
        Its inputs are no picture.
    """
    if not isinstance(inspector, Inspector):
        raise TypeError(
            f"inspector={type(inspector).__name__} is no Inspector; make one with "
            "cnnviz_widgets.Inspector(model, images, mean=..., std=...)."
        )
    picture = inspector.picture(0)
    if picture is None:
        raise ValueError(
            "inspector: its inputs are no picture, so there is nothing to draw or choose; give it "
            "a network that takes pictures of 1 or 3 channels."
        )
    return picture.shape[0], picture.shape[1]


def file_choice(data: bytes, name: str) -> Choice:
    """Read a file that came from a page.

    Raises
    ------
    PictureError
        It is no picture, broken, or too large.
    """
    found = decoded(data)
    return Choice(name, found.picture, found.steps)


def choice_of(picture: object, name: str = "") -> Choice:
    """Take a picture that Python gives.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        It is none; the text says what was given and what is allowed.
    """
    from PIL import Image

    if isinstance(picture, (str, os.PathLike)):
        path = Path(picture)
        found = open_picture(path)
        return Choice(name or path.name, found.picture, found.steps)
    if isinstance(picture, Tensor):
        rows = picture if picture.dim() == 4 else picture[None]
        if rows.dim() != 4 or len(rows) != 1:
            shape = tuple(picture.shape)
            raise ValueError(f"picture has shape {shape}; give one picture (C, H, W).")
        return Choice(name, rows[0].detach().clone())
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 or picture.ndim not in {2, 3}:
            raise ValueError(
                f"picture is an array of {picture.dtype}, shape {picture.shape}; give {_FORMS}."
            )
        picture = Image.fromarray(picture[:, :, 0] if picture.shape[2:] == (1,) else picture)
    if isinstance(picture, Image.Image):
        found = settled(picture)
        return Choice(name, found.picture, found.steps)
    kind = type(picture).__name__
    raise TypeError(f"picture={reprlib.repr(picture)} is a {kind}; give {_FORMS}.")


def sample_choices(samples: object, inspector: Inspector) -> list[Choice]:
    """Take what is offered to choose from.

    Parameters
    ----------
    samples : Sample, Tensor, sequence, mapping or None
        A sample of this library; pictures, or names and pictures; None: those of the Inspector.
    inspector : Inspector

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        One of them is no picture.
    """
    if samples is None:
        samples = inspector.inputs
    if isinstance(samples, Sample):
        names = [samples.class_names[label] for label in samples.labels.tolist()]
        return [Choice(name, row) for name, row in zip(names, samples.images, strict=True)]
    if isinstance(samples, Mapping):
        return [choice_of(picture, f"{name}") for name, picture in samples.items()]
    if isinstance(samples, Tensor) and samples.dim() != 4:
        raise ValueError(f"samples has shape {tuple(samples.shape)}; give (N, C, H, W).")
    if isinstance(samples, (Sequence, Tensor)) and not isinstance(samples, str):
        return [choice_of(picture) for picture in samples]
    raise TypeError(
        f"samples={reprlib.repr(samples)} is a {type(samples).__name__}; give a list of pictures, "
        "a dict of names and pictures, a tensor (N, C, H, W), or a sample of cw.samples.load()."
    )


class Intake:
    """Makes of any picture what a network takes.

    Parameters
    ----------
    inspector : Inspector
        Its pictures say how many channels there are; its mean and std are applied.
    size : tuple of int
        Height and width.
    preprocess : callable, optional
        ``preprocess(image)`` makes the tensor (C, H, W) of an RGB image, in place of all this.

    Raises
    ------
    TypeError, ValueError
        Something else was given, or the network takes no pictures of 1 or 3 channels.
    """

    def __init__(
        self, inspector: Inspector, size: tuple[int, int], preprocess: Preprocess | None
    ) -> None:
        if preprocess is not None and not callable(preprocess):
            raise TypeError(f"preprocess={preprocess!r} must be a function of a PIL image.")
        given = inspector.inputs
        channels = given.shape[1] if isinstance(given, Tensor) and given.dim() == 4 else 0
        if preprocess is None and channels not in {1, 3}:
            raise ValueError(
                "inspector: its inputs are not pictures (N, C, H, W) of 1 or 3 channels; give "
                "preprocess=, a function that makes of a PIL image what the network takes."
            )
        self.size = size
        self.name = "" if preprocess is None else _name_of(preprocess)
        self._channels = channels
        self._normalisation = inspector.normalisation
        self._preprocess = preprocess

    def taken(self, choice: Choice, fit: str) -> Taken:
        """Return what the network is given of a picture.

        Raises
        ------
        TypeError, ValueError
            The function of the user gave something else than a tensor.
        """
        picture = choice.picture
        if isinstance(picture, Tensor):
            return Taken(picture[None].clone(), choice.steps)
        if self._preprocess is not None:
            steps = (*choice.steps, Step("preprocessed", name=self.name))
            return Taken(_checked(self._preprocess(picture.convert("RGB")), self.name), steps)
        mode = "L" if self._channels == 1 else "RGB"
        found = fitted(picture, self.size, fit=fit)
        steps = (*choice.steps, *found.steps)
        if picture.mode != mode:
            steps += (Step("grey" if mode == "L" else "coloured"),)
        pixels = np.array(found.picture.convert(mode), dtype=np.float32) / 255
        pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
        inputs = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]
        if self._normalisation is not None:
            inputs = self._normalisation.apply(inputs)
            steps += (Step("normalised"),)
        return Taken(inputs, steps)

    def thumbnail(self, choice: Choice) -> Rgb:
        """Return a small picture of a choice, uint8 (h, w, 3); all of them have one size."""
        from PIL import Image

        picture = choice.picture
        if isinstance(picture, Tensor):
            seen = picture_of(picture[None].float(), 0, self._normalisation)[0]
            picture = Image.new("RGB", (1, 1)) if seen is None else Image.fromarray(seen)
        small = fitted(picture.convert("RGB"), self.size, fit="crop").picture
        if max(self.size) > _THUMBNAIL_PX:
            scale = _THUMBNAIL_PX / max(self.size)
            height, width = (max(1, round(side * scale)) for side in self.size)
            small = small.resize((width, height), Image.Resampling.BOX)
        return np.asarray(small)


def _checked(made: object, name: str) -> Tensor:
    """Return what the user's function made, with a batch axis."""
    if not isinstance(made, Tensor):
        kind = type(made).__name__
        raise TypeError(f"preprocess: {name} returned a {kind}; it must return a tensor (C, H, W).")
    if made.dim() == 3:
        return made[None]
    if made.dim() != 4 or len(made) != 1:
        shape = tuple(made.shape)
        raise ValueError(f"preprocess: {name} returned shape {shape}; it must be (C, H, W).")
    return made


def _name_of(function: Any) -> str:  # Any: whatever can be called
    return str(getattr(function, "__name__", type(function).__name__))
