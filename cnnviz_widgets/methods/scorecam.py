"""Methods: Score-CAM, channels weighed by the score of the picture seen through them.

In: a `CamCase`. Out: maps, in bounded batches: what is held does not grow with the channels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as nnf
from torch import Tensor

from cnnviz_widgets.methods.cam_case import CamCase, LayerMaps, Progress, Settings
from cnnviz_widgets.methods.case import exact_product
from cnnviz_widgets.methods.layer_grid import LayerGrid

_LONGER = 5
"""Times more inputs in a batch than where gradients are kept; it can be stopped within."""
_MOST_AT_ONCE = 8
"""Twice as many take as long for each, and 80 MB more of ResNet-18, in pieces that do not fit."""


def score_cams(case: CamCase, _names: Sequence[str], _settings: Settings) -> dict[str, LayerMaps]:
    """Return Score-CAM (Wang et al., arXiv:1910.01279, eq. 8 and 9).

    ``w = softmax_k(S_c(X o H_k) - S_c(0))`` over the channels k, with H_k the channel upsampled to
    the input (linearly, align_corners=False) and then scaled to [0, 1] by its own minimum and
    maximum, and X the input as the model takes it: where H_k is 0, so is the normalised input. The
    score of the blank input is the same for all channels and drops out of the softmax. A channel
    with the same value everywhere has no H_k; its weight is 0.

    pytorch-grad-cam upsamples with align_corners=True, torchcam scales before it upsamples;
    tf-keras-vis takes the softmax over the classes instead.
    """
    maps = case.empty(["scorecam"])
    activations = case.insp.passes.activations(case.names, image=case.image)
    case.forward += 1
    work = [(info, place) for info in case.layers for place in range(len(case.targets))]
    total = sum(case.layers[info].channels(info.shape) for info, _ in work)
    done = 0
    for info, place in work:
        matrix = case.layers[info].matrix(activations[info.name])[0]
        progress = Progress(case, "scorecam", info.name, place, done, total)
        maps["scorecam"][info.name][place] = _one(progress, case.layers[info], matrix)
        done += len(matrix)
    return maps


def _one(progress: Progress, grid: LayerGrid, matrix: Tensor) -> Tensor:
    """Return the map (P,) of one layer and target."""
    case = progress.case
    picture = case.insp.passes.input(image=case.image)
    size = tuple(picture.shape[2:])
    at_once = min(_LONGER * case.at_once(picture), _MOST_AT_ONCE)
    scores = torch.full((len(matrix),), -torch.inf, dtype=torch.float32, device="cpu")
    varied = (matrix.amax(1) > matrix.amin(1)).nonzero().flatten().cpu()
    progress(0, None)
    channels_last = len(varied) > at_once and _takes_channels_last(progress, picture)
    for first in range(0, len(varied), at_once):
        chosen = varied[first : first + at_once]
        batch = picture * masks(matrix[chosen], grid.shape, size).to(picture.dtype)
        if channels_last:
            batch = batch.contiguous(memory_format=torch.channels_last)
        scores[chosen] = _scores(progress, batch)
        case.forward += len(chosen)
        progress(first + len(chosen), lambda: weighted(matrix, scores))
    return weighted(matrix, scores)


def _scores(progress: Progress, batch: Tensor) -> Tensor:
    case = progress.case
    found = case.insp.passes.scores(batch, progress.target, image=case.image, check=progress.again)
    return found.detach().float().cpu()


def _takes_channels_last(progress: Progress, picture: Tensor) -> bool:
    """Tell whether the model gives the same score for channels that lie together in memory.

    On CPUs batches then take a sixth less time. A model may refuse, as ``view`` does.
    """
    if picture.dim() != 4 or picture.device.type != "cpu":
        return False
    twice = torch.cat([picture, picture]).contiguous(memory_format=torch.channels_last)
    try:
        found = float(_scores(progress, twice)[0])
    except RuntimeError:
        return False
    progress.case.forward += 2
    return math.isclose(found, progress.target.score, rel_tol=1e-3, abs_tol=1e-5)


def masks(channels: Tensor, shape: tuple[int, ...], size: tuple[int, ...]) -> Tensor:
    """Return channels as masks of the input.

    Parameters
    ----------
    channels : Tensor of shape (B, P)
        None of them constant.
    shape, size : tuple of int
        Their grid, and that of the input.

    Returns
    -------
    Tensor of shape (B, 1, *size)
        Each from exactly 0 to 1.
    """
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[len(size)]
    grown = nnf.interpolate(
        channels.reshape(-1, 1, *shape), size=size, mode=mode, align_corners=False
    )
    flat = grown.flatten(1)
    low, high = flat.amin(1, keepdim=True), flat.amax(1, keepdim=True)
    span = high - low
    scaled = torch.where(span > 0, (flat - low) / span, torch.zeros_like(flat))
    return scaled.reshape(grown.shape)


def weighted(matrix: Tensor, scores: Tensor) -> Tensor:
    """Return ``sum_k softmax(scores)_k A_k``, (P,); zero where no channel has a score yet."""
    if not bool((scores > -torch.inf).any()):
        return torch.zeros_like(matrix[0])
    return exact_product(scores.softmax(0).to(matrix), matrix)
