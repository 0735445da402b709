"""Methods: class-activation maps from one layer's activation and gradient.

In: float32 activations A and gradients G = dS/dA of one picture, both (C, P): channels x places.
Out: raw signed maps (P,), of as many methods as are asked for, in one walk over the memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from cnnviz_widgets.methods.case import exact_product

Sums = dict[str, Tensor]
"""Sums over the places of each channel, (C,), by what is summed."""
BLOCK_VALUES = (1 << 15) - 1
"""Values worked on at a time: they stay in a core's cache, and torch starts no threads for them."""
ROUNDING = 1e-6
"""A mean smaller than this part of the root mean square is rounding."""
_FEW_ROWS = 16
_LONG = 512  # a product of matrices with longer sums is given threads, which costs more than it


class GradientCams:
    """Several methods at once, with what they share computed once.

    Parameters
    ----------
    names : sequence of str
        Among `GRADIENT_CAMS`.
    """

    def __init__(self, names: Sequence[str]) -> None:
        needs = {need for name in names for need in _NEEDS[name]}
        self._steps = [step for name, step in _STEPS.items() if name in needs]
        self._weighted = [name for name in names if name in WEIGHTS]
        self._direct = [name for name in names if name not in WEIGHTS]

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
        places = activation.shape[1]
        if self._weighted == ["gradcam"] and not self._direct:  # blocks would only cost
            weights = grad_cam({"gradient": gradient.sum(1)}, places)
            return {"gradcam": exact_product(weights, activation)}
        walk = Walk(activation, gradient, self._direct)
        for first in range(0, len(activation), walk.step):
            rows = slice(first, first + walk.step)
            walk.enter(activation[rows], gradient[rows])
            for step in self._steps:
                step(walk)
        maps = walk.maps
        if self._weighted:
            sums = walk.joined()
            if not math.isfinite(float(sums.get("plus plus", activation[0, :1]).sum())):
                sums["plus plus"] = _plus_plus_at_poles(activation, gradient)
            weights = torch.stack([WEIGHTS[name](sums, places) for name in self._weighted])
            maps.update(zip(self._weighted, _weighted_sums(weights, activation), strict=True))
        return maps


def _weighted_sums(weights: Tensor, activation: Tensor) -> Tensor:
    """Return ``weights @ activation``, (M, P), for weights (M, C)."""
    total = exact_product(weights[:, :_LONG], activation[:_LONG])
    for first in range(_LONG, len(activation), _LONG):
        rows = slice(first, first + _LONG)
        total.addmm_(weights[:, rows], activation[rows])
    return total


class Walk:
    """The channels of a layer, a block of them at a time, with memory that blocks use in turn.

    Parameters
    ----------
    activation, gradient : Tensor of shape (C, P)
        float32.
    direct : sequence of str
        Maps that are added up block by block.

    Attributes
    ----------
    step : int
        Channels of a block.
    activation, gradient : Tensor of shape (c, P)
        The block's.
    product, positive, work, twos : Tensor of shape (c, P)
        A G; ReLU(G); memory for what nobody shares; 2 everywhere.
    row_sums : Tensor of shape (c,)
        A, added up over the places.
    maps : dict of str to Tensor of shape (P,)
        The maps so far.
    sums : dict of str to list of Tensor of shape (c,)
        Sums over the places, by block.
    """

    row_sums: Tensor

    def __init__(self, activation: Tensor, gradient: Tensor, direct: Sequence[str]) -> None:
        channels, places = activation.shape
        self.step = min(channels, max(1, BLOCK_VALUES // max(places, 1)))
        self.activation, self.gradient = activation, gradient
        self.maps = {name: activation.new_zeros(places) for name in direct}
        self.sums: dict[str, list[Tensor]] = {}
        self._use(activation.new_empty(3, self.step, places).unbind())
        self.twos = activation.new_full((self.step, places), 2.0)
        self._ones = activation.new_ones(self.step)

    def _use(self, rooms: Sequence[Tensor]) -> None:
        self.product, self.positive, self.work = rooms

    def enter(self, activation: Tensor, gradient: Tensor) -> None:
        """Go on to the next block."""
        self.activation, self.gradient = activation, gradient
        rows = len(activation)
        if rows < len(self._ones):  # the last block may be smaller
            self._use([room[:rows] for room in (self.product, self.positive, self.work)])
            self.twos, self._ones = self.twos[:rows], self._ones[:rows]

    def note(self, name: str, sums: Tensor) -> None:
        """Keep sums (c,) of this block."""
        self.sums.setdefault(name, []).append(sums)

    def joined(self) -> Sums:
        """Return the sums of all blocks."""
        return {name: torch.cat(parts) for name, parts in self.sums.items()}

    def add(self, name: str, terms: Tensor) -> None:
        """Add terms (c, P) to a map."""
        if len(terms) < _FEW_ROWS:  # then torch's sum along this axis is several times slower
            self.maps[name].addmv_(terms.t(), self._ones)
        else:
            self.maps[name].add_(terms.sum(0))


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


WEIGHTS: dict[str, Callable[[Sums, int], Tensor]] = {
    "gradcam": grad_cam,
    "gradcam++": grad_cam_plus_plus,
    "xgradcam": xgrad_cam,
}


# -- steps: what is done with each block ----------------------------------------------------------


def _gradient_sums(walk: Walk) -> None:
    walk.note("gradient", walk.gradient.sum(1))


def _activation_sums(walk: Walk) -> None:
    walk.row_sums = walk.activation.sum(1)
    walk.note("activation", walk.row_sums)


def _size(walk: Walk) -> None:
    """Note the root mean square of each channel times its places, as a sum is to be judged by."""
    size: Tensor = torch.linalg.vector_norm(walk.activation, dim=1)
    walk.note("size", size.mul_(math.sqrt(walk.activation.shape[1])))


def _product(walk: Walk) -> None:
    torch.mul(walk.activation, walk.gradient, out=walk.product)


def _product_sums(walk: Walk) -> None:
    walk.note("product", walk.product.sum(1))


def _positive(walk: Walk) -> None:
    torch.clamp_min(walk.gradient, 0, out=walk.positive)


def _plus_plus(walk: Walk) -> None:
    """Note ``sum_ij a_kij ReLU(G_kij)``, see `grad_cam_plus_plus`; not finite at a pole."""
    torch.addcmul(walk.twos, walk.positive, walk.row_sums[:, None], out=walk.work)
    torch.div(walk.positive, walk.work, out=walk.work)
    walk.note("plus plus", walk.work.sum(1))


def _plus_plus_at_poles(activation: Tensor, gradient: Tensor) -> Tensor:
    """Return the same for a whole layer, with terms at a pole left out."""
    positive = gradient.clamp(min=0)
    below = 2 + positive * activation.sum(1, keepdim=True)
    return (positive / below.masked_fill(below == 0, torch.inf)).sum(1)


def hires_cam(walk: Walk) -> None:
    """HiResCAM (Draelos and Carin, arXiv:2011.08891, eq. 4): ``sum_k G_k A_k`` at each place.

    Captum's LayerGradientXActivation, summed over the channels.
    """
    walk.add("hirescam", walk.product)


def grad_cam_elementwise(walk: Walk) -> None:
    """Grad-CAM elementwise: ``sum_k ReLU(G_k A_k)`` at each place, as in pytorch-grad-cam.

    The ReLU stands inside the sum: what speaks against the class takes nothing off.
    """
    walk.add("gradcam_elementwise", torch.clamp_min(walk.product, 0, out=walk.work))


def layer_cam(walk: Walk) -> None:
    """LayerCAM (Jiang et al., IEEE TIP 2021, eq. 5 and 6): ``sum_k ReLU(G_k) A_k`` at each place.

    The paper's scaling by tanh belongs to the fusion of several layers and is left out.
    """
    walk.add("layercam", torch.mul(walk.positive, walk.activation, out=walk.work))


_STEPS: dict[str, Callable[[Walk], None]] = {
    "gradient sums": _gradient_sums,
    "activation sums": _activation_sums,
    "size": _size,
    "product": _product,
    "product sums": _product_sums,
    "hirescam": hires_cam,
    "gradcam_elementwise": grad_cam_elementwise,
    "positive": _positive,
    "layercam": layer_cam,
    "plus plus": _plus_plus,
}
"""In an order in which each finds what it needs."""
_NEEDS = {
    "gradcam": ("gradient sums",),
    "gradcam++": ("activation sums", "positive", "plus plus"),
    "xgradcam": ("activation sums", "size", "product", "product sums"),
    "hirescam": ("product", "hirescam"),
    "gradcam_elementwise": ("product", "gradcam_elementwise"),
    "layercam": ("positive", "layercam"),
}
GRADIENT_CAMS = tuple(_NEEDS)
