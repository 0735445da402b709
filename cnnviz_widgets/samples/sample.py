"""What `load` gives back: a trained network with pictures it never saw, as one frozen record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Sample:
    """A small trained network and held-out pictures, ready to look into.

    Attributes
    ----------
    name
        "shapes" or "digits".
    model
        The network in evaluation mode, built afresh by each `load`: break it freely.
    images
        float32 (N, C, H, W), normalised with `mean` and `std`: what `model` takes.
    labels
        int64 (N,), the true classes.
    class_names
        One name per class, in the order of the logits.
    mean, std
        One number per channel; `images * std + mean` is the picture in 0..1.
    masks
        bool (N, H, W), the pixels of the figure; None where they are not known (digits).
    """

    name: str
    model: nn.Module
    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    masks: Tensor | None

    def __repr__(self) -> str:
        return (
            f"Sample({self.name!r}, {type(self.model).__name__}, "
            f"images {tuple(self.images.shape)}, {len(self.class_names)} classes)"
        )
