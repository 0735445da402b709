"""Inspection: what happens inside a model, from one forward pass that never touches it.

In: the user's model and inputs. Out: `Inspector`, whose maps are NumPy arrays. The only stage,
with `methods`, that knows torch.
"""

from __future__ import annotations

from cnnviz_widgets.inspection.cache import CacheInfo
from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.inspection.layers import LayerInfo
from cnnviz_widgets.inspection.locks import ModelBusyError
from cnnviz_widgets.inspection.maps import LayerMaps
from cnnviz_widgets.inspection.predictions import Prediction

__all__ = [
    "CacheInfo",
    "Inspector",
    "LayerInfo",
    "LayerMaps",
    "ModelBusyError",
    "Prediction",
]
