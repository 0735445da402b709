"""Methods: class-activation maps from one layer's activation and gradient.

In: float32 activations A and gradients G = dS/dA of one picture, both (C, P): channels x places.
Out: raw signed maps (P,), of as many methods as are asked for, in one walk over the memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

Sums = dict[str, Tensor]
"""Sums over the places of each channel, (C,), by what is summed."""
BLOCK_VALUES = (1 << 15) - 1
"""Values worked on at a time: they stay in a core's cache, and torch starts no threads for them."""
ROUNDING = 1e-6
"""A mean smaller than this part of the root mean square is rounding."""


def gradient_cams(names: Sequence[str], activation: Tensor, gradient: Tensor) -> dict[str, Tensor]:
    """Return the maps of several methods for one layer; see `GradientCams`."""
    return GradientCams(names)(activation, gradient)


class GradientCams:
    """Several methods at once, with what they share computed once.

    Parameters
    ----------
    names : sequence of str
        Among `GRADIENT_CAMS`.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._weighted = [name for name in names if name in WEIGHTS]
        self._direct = [name for name in names if name in TERMS]
        needs = [need for name in self._weighted for need in WEIGHTS[name].needs]
        self._needs = list(dict.fromkeys(needs))
        # Grad-CAM alone reads its memory once: blocks would only cost.
        self._whole = not self._direct and set(self._needs) <= {"gradient"}

    def __call__(self, activation: Tensor, gradient: Tensor) -> dict[str, Tensor]:
        """Return the map of each method.

        Parameters
        ----------
        activation, gradient : Tensor of shape (C, P)
            float32, of one picture; contiguous ones are read fastest.

        Returns
        -------
        dict of str to Tensor of shape (P,)
            float32, raw and signed.
        """
        channels, places = activation.shape
        step = channels if self._whole else max(1, BLOCK_VALUES // max(places, 1))
        found: dict[str, list[Tensor]] = {need: [] for need in self._needs}
        maps = {name: activation.new_zeros(places) for name in self._direct}
        scratch = Scratch(min(step, channels), activation)
        for first in range(0, channels, step):
            rows = slice(first, first + step)
            block = Block(activation[rows], gradient[rows], scratch)
            for need, listed in found.items():
                listed.append(SUMS[need](block))
            for name, so_far in maps.items():
                _add_rows(so_far, TERMS[name](block))
        if self._weighted:
            sums = {need: torch.cat(listed) for need, listed in found.items()}
            if "plus plus" in sums and not math.isfinite(float(sums["plus plus"].sum())):
                sums["plus plus"] = _plus_plus_at_poles(activation, gradient)
            weights = torch.stack([WEIGHTS[name].of(sums, places) for name in self._weighted])
            maps.update(zip(self._weighted, weights @ activation, strict=True))
        return maps


def _add_rows(total: Tensor, terms: Tensor) -> None:
    """Add the sum of all rows (c, P) to a total (P,), in place."""
    if len(terms) < 16:  # then torch's sum along this axis is several times slower
        total.addmv_(terms.t(), terms.new_ones(len(terms)))
    else:
        total.add_(terms.sum(0))


class Scratch:
    """Memory that the blocks of a layer use in turn.

    Parameters
    ----------
    rows : int
        Channels of the largest block.
    like : Tensor of shape (C, P)
        The layer's activation.

    Attributes
    ----------
    product, positive, work : Tensor of shape (rows, P)
        To be written to.
    twos : Tensor of shape (rows, P)
        2 everywhere; adding it with a product is faster than adding a number.
    """

    def __init__(self, rows: int, like: Tensor) -> None:
        self.product, self.positive, self.work = (like.new_empty(3, rows, like.shape[1])).unbind()
        self.twos = like.new_full((rows, like.shape[1]), 2.0)


class Block:
    """Some channels of a layer, and what methods share about them, computed when first asked for.

    Parameters
    ----------
    activation, gradient : Tensor of shape (c, P)
        float32.
    scratch : Scratch
        Holds what is computed until the next block.
    """

    def __init__(self, activation: Tensor, gradient: Tensor, scratch: Scratch) -> None:
        self.activation = activation
        self.gradient = gradient
        self.scratch = scratch
        self._product: Tensor | None = None
        self._positive: Tensor | None = None
        self._sums: Tensor | None = None

    @property
    def product(self) -> Tensor:
        """Activation times gradient at each place, (c, P)."""
        if self._product is None:
            room = self.scratch.product[: len(self.activation)]
            self._product = torch.mul(self.activation, self.gradient, out=room)
        return self._product

    @property
    def positive(self) -> Tensor:
        """The gradient where it is positive, else zero, (c, P)."""
        if self._positive is None:
            room = self.scratch.positive[: len(self.activation)]
            self._positive = torch.clamp_min(self.gradient, 0, out=room)
        return self._positive

    @property
    def sums(self) -> Tensor:
        """Sum of each channel's activation over the places, (c,)."""
        if self._sums is None:
            self._sums = self.activation.sum(1)
        return self._sums

    @property
    def work(self) -> Tensor:
        """Memory for what nobody shares, (c, P)."""
        return self.scratch.work[: len(self.activation)]


# -- sums over the places of each channel ---------------------------------------------------------


def _size(block: Block) -> Tensor:
    """Return the root of the sum of squares of each channel, times the root of its places."""
    size: Tensor = torch.linalg.vector_norm(block.activation, dim=1)
    return size * math.sqrt(block.activation.shape[1])


def _plus_plus(block: Block) -> Tensor:
    """Return ``sum_ij a_kij ReLU(G_kij)``, see `grad_cam_plus_plus`; not finite at a pole."""
    twos = block.scratch.twos[: len(block.activation)]
    below = torch.addcmul(twos, block.positive, block.sums[:, None], out=block.work)
    return torch.div(block.positive, below, out=below).sum(1)


def _plus_plus_at_poles(activation: Tensor, gradient: Tensor) -> Tensor:
    """Return the same for a whole layer, with terms at a pole left out."""
    positive = gradient.clamp(min=0)
    below = 2 + positive * activation.sum(1, keepdim=True)
    return (positive / below.masked_fill(below == 0, torch.inf)).sum(1)


SUMS: dict[str, Callable[[Block], Tensor]] = {
    "gradient": lambda block: block.gradient.sum(1),
    "activation": lambda block: block.sums,
    "size": _size,
    "product": lambda block: block.product.sum(1),
    "plus plus": _plus_plus,
}


# -- weights of channels: the map is sum_k w_k A_k ------------------------------------------------


def grad_cam(sums: Sums, places: int) -> Tensor:
    """Grad-CAM (Selvaraju et al., arXiv:1610.02391, eq. 1): ``w_k = mean_ij G_kij``.

    Equal to Captum's LayerGradCam, whose ReLU is off by default, and to the libraries' maps before
    they are normalised.
    """
    return sums["gradient"] / places


def grad_cam_plus_plus(sums: Sums, _places: int) -> Tensor:
    """Grad-CAM++ (Chattopadhay et al., arXiv:1710.11063, eq. 19): ``w_k = sum_ij a_kij ReLU(G)``.

    ``a = G^2 / (2 G^2 + S_k G^3)`` with ``S_k = sum_ab A_kab`` over the whole grid, and a = 0 where
    G = 0; so ``a ReLU(G) = ReLU(G) / (2 + S_k ReLU(G))``. Eq. 19 takes the class score to be
    exp(S), which makes its derivatives powers of G. The formula is derived for activations that
    are not negative; where S_k is, it has poles, and a term that meets one exactly counts as zero.

    pytorch-grad-cam adds 1e-6 to the denominator, torchcam 0.5 leaves a at G^2, tf-keras-vis
    divides a by its sum over the grid, Xplique takes means for sums.
    """
    return sums["plus plus"]


def xgrad_cam(sums: Sums, _places: int) -> Tensor:
    """XGrad-CAM (Fu et al., arXiv:2008.02312, eq. 11): ``w_k = sum_ij G_kij A_kij / sum_ij A_kij``.

    A channel whose sum is nothing but rounding (its mean is zero, or below 1e-6 of its root mean
    square) has no such average and gets the weight 0. The libraries add 1e-7 or 1e-8 to the
    denominator instead, whatever the size of the activations.
    """
    weights = sums["product"] / sums["activation"]
    return weights.masked_fill_(sums["activation"].abs() <= ROUNDING * sums["size"], 0)


# -- terms of each channel and place: the map is their sum over the channels ----------------------


def hires_cam(block: Block) -> Tensor:
    """HiResCAM (Draelos and Carin, arXiv:2011.08891, eq. 4): ``sum_k G_k A_k`` at each place.

    Captum's LayerGradientXActivation, summed over the channels.
    """
    return block.product


def grad_cam_elementwise(block: Block) -> Tensor:
    """Grad-CAM elementwise: ``sum_k ReLU(G_k A_k)`` at each place, as in pytorch-grad-cam.

    The ReLU stands inside the sum: what speaks against the class takes nothing off.
    """
    return torch.clamp(block.product, min=0, out=block.work)


def layer_cam(block: Block) -> Tensor:
    """LayerCAM (Jiang et al., IEEE TIP 2021, eq. 5 and 6): ``sum_k ReLU(G_k) A_k`` at each place.

    The paper's scaling by tanh belongs to the fusion of several layers and is left out.
    """
    return torch.mul(block.positive, block.activation, out=block.work)


class Weights(NamedTuple):
    """How a method weighs channels, and the sums that it needs for it."""

    of: Callable[[Sums, int], Tensor]
    needs: tuple[str, ...]


WEIGHTS = {
    "gradcam": Weights(grad_cam, ("gradient",)),
    "gradcam++": Weights(grad_cam_plus_plus, ("plus plus",)),
    "xgradcam": Weights(xgrad_cam, ("product", "activation", "size")),
}
TERMS: dict[str, Callable[[Block], Tensor]] = {
    "hirescam": hires_cam,
    "gradcam_elementwise": grad_cam_elementwise,
    "layercam": layer_cam,
}
GRADIENT_CAMS = (*WEIGHTS, *TERMS)
