"""Methods: class-activation maps from one layer's activation and gradient.

In: float32 activations A and gradients G = dS/dA of one picture, both (C, P): channels x places.
Out: raw signed maps (P,), of as many methods as are asked for, in one walk over the memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

BLOCK_VALUES = (1 << 15) - 1
"""Values worked on at a time: they stay in a core's cache, and torch starts no threads for them."""
ROUNDING = 1e-6
"""A mean smaller than this part of the root mean square is rounding."""


def gradient_cams(names: Sequence[str], activation: Tensor, gradient: Tensor) -> dict[str, Tensor]:
    """Return the maps of several methods, with what they share computed once.

    Parameters
    ----------
    names : sequence of str
        Among `GRADIENT_CAMS`.
    activation, gradient : Tensor of shape (C, P)
        float32, of one picture; contiguous ones are read fastest.

    Returns
    -------
    dict of str to Tensor of shape (P,)
        float32, raw and signed.
    """
    weighted = [name for name in names if name in WEIGHTS]
    direct = [name for name in names if name in PLACES]
    needs = {need for name in weighted for need in WEIGHTS[name].needs}
    found: dict[str, list[Tensor]] = {need: [] for need in needs}
    maps = {name: activation.new_zeros(activation.shape[1]) for name in direct}
    # Grad-CAM alone reads its memory once: blocks would only cost.
    for rows in _blocks(activation, whole=not direct and needs <= {"gradient"}):
        block = Block(activation[rows], gradient[rows])
        for need, listed in found.items():
            listed.append(MEANS[need](block))
        for name in direct:
            maps[name] += PLACES[name](block)
    if weighted:
        joined = {need: torch.cat(listed) for need, listed in found.items()}
        weights = torch.stack([WEIGHTS[name].of(joined) for name in weighted])
        maps.update(zip(weighted, weights @ activation, strict=True))
    return maps


def _blocks(activation: Tensor, *, whole: bool) -> Iterator[slice]:
    channels, places = activation.shape
    step = channels if whole else max(1, BLOCK_VALUES // max(places, 1))
    for first in range(0, channels, step):
        yield slice(first, min(first + step, channels))


class Block:
    """Some channels of a layer, and what methods share about them, computed when first asked for.

    Parameters
    ----------
    activation, gradient : Tensor of shape (c, P)
        float32.
    """

    def __init__(self, activation: Tensor, gradient: Tensor) -> None:
        self.activation = activation
        self.gradient = gradient

    @cached_property
    def product(self) -> Tensor:
        """Activation times gradient at each place, (c, P)."""
        return self.activation * self.gradient

    @cached_property
    def positive(self) -> Tensor:
        """The gradient where it is positive, else zero, (c, P)."""
        return self.gradient.clamp(min=0)

    @cached_property
    def activation_sums(self) -> Tensor:
        """Sum of each channel over the places, (c,)."""
        return self.activation.sum(1)

    @cached_property
    def work(self) -> Tensor:
        """Memory for what nobody shares, (c, P)."""
        return torch.empty_like(self.gradient)


# -- means over the places of each channel --------------------------------------------------------


def _mean_gradient(block: Block) -> Tensor:
    return block.gradient.sum(1) / block.gradient.shape[1]


def _root_mean_square(block: Block) -> Tensor:
    size: Tensor = torch.linalg.vector_norm(block.activation, dim=1)
    return size / math.sqrt(block.activation.shape[1])


def _plus_plus(block: Block) -> Tensor:
    """Return ``sum_ij a_kij ReLU(G_kij)``, see `grad_cam_plus_plus`."""
    sums = block.activation_sums
    terms = torch.mul(block.positive, sums[:, None], out=block.work).add_(2)
    if bool((sums < 0).any()):
        terms.masked_fill_(terms == 0, torch.inf)
    return torch.div(block.positive, terms, out=terms).sum(1)


MEANS: dict[str, Callable[[Block], Tensor]] = {
    "gradient": _mean_gradient,
    "activation": lambda block: block.activation_sums / block.activation.shape[1],
    "size": _root_mean_square,
    "product": lambda block: block.product.sum(1) / block.activation.shape[1],
    "plus plus": _plus_plus,
}


# -- weights of channels: the map is sum_k w_k A_k ------------------------------------------------


def grad_cam(means: dict[str, Tensor]) -> Tensor:
    """Grad-CAM (Selvaraju et al., arXiv:1610.02391, eq. 1): ``w_k = mean_ij G_kij``.

    Equal to Captum's LayerGradCam, whose ReLU is off by default, and to the libraries' maps before
    they are normalised.
    """
    return means["gradient"]


def grad_cam_plus_plus(means: dict[str, Tensor]) -> Tensor:
    """Grad-CAM++ (Chattopadhay et al., arXiv:1710.11063, eq. 19): ``w_k = sum_ij a_kij ReLU(G)``.

    ``a = G^2 / (2 G^2 + S_k G^3)`` with ``S_k = sum_ab A_kab`` over the whole grid, and a = 0 where
    G = 0; so ``a ReLU(G) = ReLU(G) / (2 + S_k ReLU(G))``. Eq. 19 takes the class score to be
    exp(S), which makes its derivatives powers of G. The formula is derived for activations that
    are not negative; where S_k is, it has poles, and a term that meets one exactly counts as zero.

    pytorch-grad-cam adds 1e-6 to the denominator, torchcam 0.5 leaves a at G^2, tf-keras-vis
    divides a by its sum over the grid, Xplique takes means for sums.
    """
    return means["plus plus"]


def xgrad_cam(means: dict[str, Tensor]) -> Tensor:
    """XGrad-CAM (Fu et al., arXiv:2008.02312, eq. 11): ``w_k = sum_ij G_kij A_kij / sum_ij A_kij``.

    A channel whose sum is nothing but rounding (its mean is zero, or below 1e-6 of its root mean
    square) has no such average and gets the weight 0. The libraries add 1e-7 or 1e-8 to the
    denominator instead, whatever the size of the activations.
    """
    weights = means["product"] / means["activation"]
    return weights.masked_fill_(means["activation"].abs() <= ROUNDING * means["size"], 0)


# -- maps that are summed place by place ----------------------------------------------------------


def hires_cam(block: Block) -> Tensor:
    """HiResCAM (Draelos and Carin, arXiv:2011.08891, eq. 4): ``sum_k G_k A_k`` at each place.

    Captum's LayerGradientXActivation, summed over the channels.
    """
    return block.product.sum(0)


def grad_cam_elementwise(block: Block) -> Tensor:
    """Grad-CAM elementwise: ``sum_k ReLU(G_k A_k)`` at each place, as in pytorch-grad-cam.

    The ReLU stands inside the sum: what speaks against the class takes nothing off.
    """
    return torch.clamp(block.product, min=0, out=block.work).sum(0)


def layer_cam(block: Block) -> Tensor:
    """LayerCAM (Jiang et al., IEEE TIP 2021, eq. 5 and 6): ``sum_k ReLU(G_k) A_k`` at each place.

    The paper's scaling by tanh belongs to the fusion of several layers and is left out.
    """
    return torch.mul(block.positive, block.activation, out=block.work).sum(0)


class Weights(NamedTuple):
    """How a method weighs channels, and the means that it needs for it."""

    of: Callable[[dict[str, Tensor]], Tensor]
    needs: tuple[str, ...]


WEIGHTS = {
    "gradcam": Weights(grad_cam, ("gradient",)),
    "gradcam++": Weights(grad_cam_plus_plus, ("plus plus",)),
    "xgradcam": Weights(xgrad_cam, ("product", "activation", "size")),
}
PLACES: dict[str, Callable[[Block], Tensor]] = {
    "hirescam": hires_cam,
    "gradcam_elementwise": grad_cam_elementwise,
    "layercam": layer_cam,
}
GRADIENT_CAMS = (*WEIGHTS, *PLACES)
