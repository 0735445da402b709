"""Attribution: maps that say what they are, and the functions that make them.

In: an `Inspector` and the name of a method. Out: `Map`, NumPy arrays with method, layer, target,
score and status. Comes after methods (torch) and before streaming (bytes).
"""

from __future__ import annotations

from cnnviz_widgets.attribution.cam import cam
from cnnviz_widgets.attribution.map import Map
from cnnviz_widgets.attribution.saliency import saliency
from cnnviz_widgets.attribution.sweep import CamSweep, cam_sweep

__all__ = ["CamSweep", "Map", "cam", "cam_sweep", "saliency"]
