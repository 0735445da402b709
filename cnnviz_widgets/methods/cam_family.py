"""Methods: which function makes which class-activation maps.

In: a `CamCase` and names of methods. Out: their maps, those that can share a pass made together.
"""

from __future__ import annotations

from collections.abc import Sequence

from cnnviz_widgets.methods.ablationcam import ablation_cams
from cnnviz_widgets.methods.cam_case import CamCase, LayerMaps, Provider, Settings
from cnnviz_widgets.methods.fullgrad import full_gradients
from cnnviz_widgets.methods.gradient_sweep import SWEPT, class_weights, eigen, finer, swept
from cnnviz_widgets.methods.scorecam import score_cams
from cnnviz_widgets.methods.smooth_gradcam import smooth_grad_cams

PROVIDERS: dict[str, Provider] = {
    **dict.fromkeys(SWEPT, swept),
    "finercam": finer,
    "cam": class_weights,
    "eigencam": eigen,
    "fullgrad": full_gradients,
    "smoothgradcam++": smooth_grad_cams,
    "scorecam": score_cams,
    "ablationcam": ablation_cams,
}

ONE_FORWARD = frozenset((*SWEPT, "cam", "eigencam"))
"""Methods that run no other forward pass than that of the picture as it is."""


def cam_maps(case: CamCase, names: Sequence[str], settings: Settings) -> dict[str, LayerMaps]:
    """Return the maps of several methods, by method and layer.

    Parameters
    ----------
    case : CamCase
        Picture, layers and targets.
    names : sequence of str
        Keys of `PROVIDERS`.
    settings : mapping
        Every method's parameters.
    """
    maps: dict[str, LayerMaps] = {}
    for provider in dict.fromkeys(PROVIDERS[name] for name in names):
        together = [name for name in names if PROVIDERS[name] is provider]
        maps.update(provider(case, together, settings))
    return maps
