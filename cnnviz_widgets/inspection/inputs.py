"""Inspection: from what a user calls "the input" to tensors.

In: a tensor, a picture in any of its forms, or a tuple or dict of tensors, and how pictures are
normalised. Out: `Prepared`, copies of them that the model can be run on.
"""

from __future__ import annotations

import math
import os
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cnnviz_widgets.inspection.decoding import Decoded, PictureError, decoded, settled
from cnnviz_widgets.inspection.readings import ModelInput, Prepared, rank_doubt, readings
from cnnviz_widgets.inspection.values import Nest, replace_tensors, tensors_in

if TYPE_CHECKING:
    from PIL.Image import Image

# Tensor, ndarray, PIL image, path, list of these, or a tuple or dict of tensors.
Inputs = Any
_FORMS = (
    "a tensor (N, C, H, W), one image (C, H, W), a PIL image, a uint8 array (H, W, 3), a path, "
    "a list of images, or a tuple or dict of tensors"
)


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation by channel, for pixel values in [0, 1]."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(
        cls, mean: Sequence[float] | None, std: Sequence[float] | None, channels: int | None
    ) -> Normalisation | None:
        """Check the user's mean and std; None where neither is given.

        Raises
        ------
        ValueError
            They differ in length from each other or from the model's channels, or are no
            finite numbers, or a std is not positive.
        """
        if mean is None and std is None:
            return None
        means = _numbers("mean", mean if mean is not None else [0.0] * len(std or ()))
        stds = _numbers("std", std if std is not None else [1.0] * len(means))
        for name, values in (("mean", means), ("std", stds)):
            if channels is not None and len(values) not in {1, channels}:
                msg = (
                    f"{name}={list(values)} has {len(values)} numbers, but the model's input has "
                    f"{channels} channels; give {channels} numbers."
                )
                raise ValueError(msg)
        if len(means) != len(stds):
            msg = f"mean has {len(means)} numbers and std {len(stds)}; give as many of each."
            raise ValueError(msg)
        if min(stds) <= 0:
            msg = f"std={list(stds)} must be positive; pixel values are divided by it."
            raise ValueError(msg)
        return cls(means, stds)

    def apply(self, pictures: Tensor) -> Tensor:
        """Normalise pictures (N, C, ...) in [0, 1]."""
        mean, std = self._shaped(pictures)
        return (pictures - mean) / std

    def undo(self, pictures: Tensor) -> Tensor:
        """Return normalised pictures (N, C, ...) to [0, 1]."""
        mean, std = self._shaped(pictures)
        return pictures * std + mean

    def _shaped(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        shape = (1, -1, *[1] * (pictures.dim() - 2))
        mean = torch.tensor(self.mean, dtype=torch.float32, device=pictures.device)
        std = torch.tensor(self.std, dtype=torch.float32, device=pictures.device)
        return mean.reshape(shape), std.reshape(shape)


def _numbers(name: str, values: Sequence[float] | float) -> tuple[float, ...]:
    try:
        array = np.asarray(values, dtype=np.float64).reshape(-1)
    except (TypeError, ValueError):
        array = np.array([np.nan])
    if array.size == 0 or not np.isfinite(array).all():
        msg = (
            f"{name}={values!r} must be one finite number for each channel of the input, for pixel "
            f"values in [0, 1]."
        )
        raise ValueError(msg)
    return tuple(float(value) for value in array)


def prepare(inputs: Inputs, model: ModelInput, normalisation: Normalisation | None) -> Prepared:
    """Turn what the user gave into tensors that the model takes; nothing of theirs is changed.

    Raises
    ------
    TypeError, ValueError
        The input is of no known form, is empty or not finite; the text says what was seen and
        what is allowed.
    FileNotFoundError
        A path leads nowhere.
    """
    given: Nest
    if isinstance(inputs, Mapping):
        given = {str(key): _tensor(item, f"inputs[{key!r}]") for key, item in inputs.items()}
    elif isinstance(inputs, tuple):
        given = tuple(_tensor(item, f"inputs[{i}]") for i, item in enumerate(inputs))
    elif isinstance(inputs, list):
        given = _stacked(inputs, model, normalisation)
    else:
        given = _as_tensor(inputs, model, normalisation)
        _check_size(given)
    tensors = tensors_in(given)
    if not tensors:
        msg = f"inputs={reprlib.repr(inputs)} holds no tensor; give {_FORMS}."
        raise ValueError(msg)
    for tensor in tensors:
        _check_values(tensor)
    given = replace_tensors(given, lambda tensor: tensor.detach().clone())
    if isinstance(given, Tensor) and not isinstance(inputs, list):
        return readings(given, model)
    return replace(Prepared.of(given, model), remark=_labels_remark(given))


def _tensor(item: object, name: str) -> Tensor:
    """Check one of several inputs; the user gives these with their batch axis."""
    if isinstance(item, np.ndarray):
        item = torch.from_numpy(item.copy())
    if not isinstance(item, Tensor):
        msg = (
            f"{name} is a {type(item).__name__}; a tuple or dict of inputs holds tensors, each "
            f"with its batch axis. For several pictures of one input give a list."
        )
        raise TypeError(msg)
    if item.dim() == 0 or item.shape[0] == 0:
        msg = f"{name} has shape {tuple(item.shape)}; it needs a batch axis of at least 1."
        raise ValueError(msg)
    return item


def _stacked(items: list[object], model: ModelInput, norm: Normalisation | None) -> Tensor:
    if not items:
        msg = f"inputs=[] is an empty list; give {_FORMS}."
        raise ValueError(msg)
    batches = [_as_batch(item, f"inputs[{i}]", model, norm) for i, item in enumerate(items)]
    shapes = [tuple(batch.shape[1:]) for batch in batches]
    if len(set(shapes)) > 1:
        odd = next(i for i, shape in enumerate(shapes) if shape != shapes[0])
        msg = (
            f"inputs[{odd}] has shape {shapes[odd]}, but inputs[0] has {shapes[0]}; pictures of "
            f"one batch have one size: resize them first."
        )
        raise ValueError(msg)
    return torch.cat(batches)


def _as_batch(item: object, name: str, model: ModelInput, norm: Normalisation | None) -> Tensor:
    """Return an image of a list, or several, with a batch axis."""
    tensor = _as_tensor(item, model, norm)
    _check_size(tensor)
    if model.spatial is None:
        return tensor[None] if tensor.dim() == 1 and tensor.is_floating_point() else tensor
    if tensor.dim() not in {model.spatial + 1, model.spatial + 2}:
        hint = " Labels are not looked at: leave them out." if _like_labels(tensor) else ""
        raise ValueError(rank_doubt(tensor, model, name) + hint)
    return tensor[None] if tensor.dim() == model.spatial + 1 else tensor


def _like_labels(tensor: Tensor) -> bool:
    return tensor.dim() == 1 and tensor.dtype == torch.int64


def _labels_remark(given: Nest) -> str | None:
    """Say that the last of several inputs looks like what a DataLoader gives beside pictures."""
    if not isinstance(given, tuple) or len(given) < 2 or not _like_labels(tensors_in(given)[-1]):
        return None
    return "The last of the inputs looks like labels: if it is, leave it out."


def _as_tensor(item: object, model: ModelInput, norm: Normalisation | None) -> Tensor:
    if isinstance(item, Tensor):
        item = model.channels_first(item)
        if item.dtype == torch.uint8 and model.spatial is not None:
            return _normalised(item.float() / 255, model, norm)
        return item
    from PIL.Image import Image

    if isinstance(item, str) and "://" in item:
        msg = f"inputs={item!r} is an address; nothing is downloaded: give the path of a file."
        raise ValueError(msg)
    if isinstance(item, (str, os.PathLike)):
        item = open_picture(Path(item)).picture
    if isinstance(item, Image):
        return _normalised(_from_pil(item, model), model, norm)
    if isinstance(item, np.ndarray):
        return _from_array(item, model, norm)
    kind = type(item).__name__
    if isinstance(item, (DataLoader, Dataset)):
        part = "next(iter(inputs))" if isinstance(item, DataLoader) else "inputs[0]"
        msg = f"inputs is a {kind}, not what the model takes; give pictures out of it: {part}[0]."
        raise TypeError(msg)
    hint = " For numbers in lists give torch.tensor(...) of them." if kind == "list" else ""
    msg = f"inputs={reprlib.repr(item)} is a {kind}, nothing to look at; give {_FORMS}.{hint}"
    raise TypeError(msg)


def _normalised(pictures: Tensor, model: ModelInput, norm: Normalisation | None) -> Tensor:
    """Normalise pictures (C, H, W) or (N, C, H, W) in [0, 1]."""
    if norm is None:
        return pictures
    if max(map(abs, norm.mean)) > 2:
        msg = (
            f"mean={list(norm.mean)} and std={list(norm.std)} are not for pixel values in [0, 1], "
            f"which pictures have here; divide both by 255 if they are for 0 to 255."
        )
        raise ValueError(msg)
    single = model.spatial is not None and pictures.dim() == model.spatial + 1
    return norm.apply(pictures[None])[0] if single else norm.apply(pictures)


def open_picture(path: Path) -> Decoded:
    """Read a picture file, turned the way its camera was held.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is no picture, or a directory.
    """
    if path.is_dir():
        msg = f"inputs={str(path)!r} is a directory; give the path of one picture in it."
        raise ValueError(msg)
    if not path.is_file():
        msg = f"inputs={str(path)!r} is not a file; give the path of a picture (PNG, JPEG, ...)."
        raise FileNotFoundError(msg)
    try:
        return decoded(path.read_bytes(), formats=None)
    except (PictureError, OSError) as error:
        msg = (
            f"inputs={str(path)!r} is not a picture that can be read ({error}); give a PNG, JPEG "
            f"or another file that PIL opens."
        )
        raise ValueError(msg) from error


def _from_pil(picture: Image, model: ModelInput) -> Tensor:
    mode = {1: "L", 3: "RGB"}.get(model.channels or 3)
    if mode is None or model.spatial not in {None, 2}:
        msg = (
            f"inputs is a picture, but the model's first convolution {model.layer!r} takes "
            f"{model.channels} channels and {model.spatial} spatial axes; a picture has 1 or 3 "
            f"channels. Give a tensor instead."
        )
        raise ValueError(msg)
    pixels = np.array(settled(picture).picture.convert(mode), dtype=np.float32) / 255
    return torch.from_numpy(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1).copy())


def _from_array(array: NDArray[Any], model: ModelInput, norm: Normalisation | None) -> Tensor:
    from PIL import Image

    if array.dtype == np.uint8 and model.spatial in {None, 2}:
        picture = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
        if picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] == 3):
            return _normalised(_from_pil(Image.fromarray(picture), model), model, norm)
        msg = (
            f"inputs is a uint8 array of shape {array.shape}; a picture is (H, W), (H, W, 1) or "
            f"(H, W, 3). For channels first give a tensor, for several pictures a list."
        )
        raise ValueError(msg)
    if array.dtype.kind not in "fiu":
        msg = f"inputs is an array of {array.dtype}; give numbers: {_FORMS}."
        raise TypeError(msg)
    return model.channels_first(torch.from_numpy(array.copy()))


def _check_size(tensor: Tensor) -> None:
    if tensor.dim() == 0 or tensor.numel() == 0:
        what = "an empty batch" if tensor.dim() and not len(tensor) else "no picture"
        msg = f"inputs has shape {tuple(tensor.shape)}, {what}; give at least one image."
        raise ValueError(msg)


def _check_values(tensor: Tensor) -> None:
    if not tensor.is_floating_point() or math.isfinite(tensor.sum()):
        return  # a sum may overflow, but a finite one has no bad term
    bad = ~torch.isfinite(tensor)
    count = int(bad.sum())
    if count:
        first = tuple(bad.nonzero()[0].tolist())
        msg = (
            f"inputs holds {count} values that are not finite (NaN or infinite) of "
            f"{tensor.numel()}, the first at {first}; clean the picture before you give it."
        )
        raise ValueError(msg)
