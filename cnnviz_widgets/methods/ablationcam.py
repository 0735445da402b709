"""Methods: Ablation-CAM, channels weighed by how far the score falls without them.

In: a `CamCase`. Out: maps. Only the part of the network behind the layer is run again, on bounded
batches of channels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cnnviz_widgets.inspection.layers import LayerInfo
from cnnviz_widgets.methods.cam_case import CamCase, LayerMaps, Progress, Settings

_AT_ONCE_VALUES = 1 << 22
"""Values of the layer's output in one batch: 16 MB."""
_AT_ONCE_MULTIPLY_ADDS = 4_000_000_000


def ablation_cams(
    case: CamCase, _names: Sequence[str], _settings: Settings
) -> dict[str, LayerMaps]:
    """Return Ablation-CAM (Desai and Ramaswamy, WACV 2020, eq. 3 and 4): ``sum_k w_k A_k``.

    ``w_k = (y - y_k) / |y|`` with y_k the score when channel k of the layer is zero at every place;
    the plain difference where y is 0. The paper divides by y: for a negative score, such as that
    of a class the network rules out, that turns the map around. A channel counts for the class
    here whenever the score falls without it. pytorch-grad-cam divides by y and sets channels below
    their minimum instead of to zero.
    """
    maps = case.empty(["ablationcam"])
    work = [(info, place) for info in case.layers for place in range(len(case.targets))]
    total = sum(case.layers[info].channels(info.shape) for info, _ in work)
    done = 0
    for info, place in work:
        progress = Progress(case, "ablationcam", info.name, place, done, total)
        maps["ablationcam"][info.name][place] = _one(progress, info)
        done += case.layers[info].channels(info.shape)
    case.forward += 1
    return maps


def _one(progress: Progress, info: LayerInfo) -> Tensor:
    """Return the map (P,) of one layer and target."""
    case, target = progress.case, progress.target
    tail = case.insp.passes.tail(info.name, image=case.image)
    grid = case.layers[info]
    matrix = grid.matrix(tail.value)[0]
    falls = torch.zeros(len(matrix))
    at_once = _channels_at_once(tail.value, case.multiply_adds(after=info))
    progress(0, None)
    whole = float(tail.scores(tail.value.clone(), target)[0])  # the model may write to it
    scale = abs(whole) or 1.0
    for first in range(0, len(matrix), at_once):
        channels = range(first, min(first + at_once, len(matrix)))
        without = tail.scores(grid.without(tail.value, channels), target)
        falls[first : channels.stop] = (whole - without.detach().float().cpu()) / scale
        progress(channels.stop, lambda: falls.to(matrix) @ matrix)
    case.forward += len(matrix) + 1
    return falls.to(matrix) @ matrix


def _channels_at_once(value: Tensor, multiply_adds: int | None) -> int:
    """Return how many channels to leave out in one batch, so that it is short and small."""
    most = _AT_ONCE_VALUES // value.numel()
    if multiply_adds:
        most = min(most, _AT_ONCE_MULTIPLY_ADDS // multiply_adds)
    return max(1, most)
