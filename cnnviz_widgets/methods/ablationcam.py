"""Methods: Ablation-CAM, channels weighed by how far the score falls without them.

In: a `CamCase`. Out: maps. Only the part of the network behind the layer is run again, on bounded
batches of channels.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from cnnviz_widgets.inspection.layers import LayerInfo
from cnnviz_widgets.methods.cam_case import CamCase, LayerMaps, Progress, Settings
from cnnviz_widgets.methods.case import exact_product


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
    whole = float(tail.scores(tail.value, target)[0])

    def so_far(scores: Tensor) -> Tensor:
        falls = (whole - scores.detach().to(matrix)) / (abs(whole) or 1.0)
        return exact_product(falls, matrix[: len(falls)])

    def done(count: int, _total: int, scores: Tensor) -> None:
        progress(count, lambda: so_far(scores))

    progress(0, None)
    scores = tail.channel_scores(
        target, replacement=grid.cleared(tail.value), done=done, check=progress.again
    )
    case.forward += len(matrix) + 1
    return so_far(scores)
