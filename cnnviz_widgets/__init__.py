"""Look inside your own convolutional network, live, in a notebook.

The names below are imported when they are first used: `import cnnviz_widgets` is quick and
brings in neither torch nor matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnviz_widgets import samples
    from cnnviz_widgets.attribution.cam import cam
    from cnnviz_widgets.attribution.map import Map
    from cnnviz_widgets.attribution.saliency import saliency
    from cnnviz_widgets.attribution.sweep import CamSweep, cam_sweep
    from cnnviz_widgets.export.notebook import notebook_to_html
    from cnnviz_widgets.export.page import to_html
    from cnnviz_widgets.inspection.inspector import Inspector
    from cnnviz_widgets.widgets.cam_slider import CamSlider
    from cnnviz_widgets.widgets.explore import explore
    from cnnviz_widgets.widgets.filter_grid import FilterGrid
    from cnnviz_widgets.widgets.image_picker import ImagePicker
    from cnnviz_widgets.widgets.layer_browser import LayerBrowser
    from cnnviz_widgets.widgets.saliency_overlay import SaliencyOverlay
    from cnnviz_widgets.widgets.sketch_pad import SketchPad
    from cnnviz_widgets.words.language import set_language

__version__ = "0.1.0"
__all__ = [
    "CamSlider",
    "CamSweep",
    "FilterGrid",
    "ImagePicker",
    "Inspector",
    "LayerBrowser",
    "Map",
    "SaliencyOverlay",
    "SketchPad",
    "cam",
    "cam_sweep",
    "explore",
    "notebook_to_html",
    "saliency",
    "samples",
    "set_language",
    "to_html",
]

# public name -> the module that defines it; a module stands for itself
_HOME = {
    "CamSlider": "cnnviz_widgets.widgets.cam_slider",
    "CamSweep": "cnnviz_widgets.attribution.sweep",
    "FilterGrid": "cnnviz_widgets.widgets.filter_grid",
    "ImagePicker": "cnnviz_widgets.widgets.image_picker",
    "Inspector": "cnnviz_widgets.inspection.inspector",
    "LayerBrowser": "cnnviz_widgets.widgets.layer_browser",
    "Map": "cnnviz_widgets.attribution.map",
    "SaliencyOverlay": "cnnviz_widgets.widgets.saliency_overlay",
    "SketchPad": "cnnviz_widgets.widgets.sketch_pad",
    "cam": "cnnviz_widgets.attribution.cam",
    "cam_sweep": "cnnviz_widgets.attribution.sweep",
    "explore": "cnnviz_widgets.widgets.explore",
    "notebook_to_html": "cnnviz_widgets.export.notebook",
    "saliency": "cnnviz_widgets.attribution.saliency",
    "samples": "cnnviz_widgets.samples",
    "set_language": "cnnviz_widgets.words.language",
    "to_html": "cnnviz_widgets.export.page",
}

_HTML = "latex2mathml mistune nbclient nbformat nh3 pygments"


def __getattr__(name: str) -> object:
    if name not in _HOME:
        known = ", ".join(__all__)
        msg = f"module 'cnnviz_widgets' has no attribute {name!r}; it has {known}"
        raise AttributeError(msg)
    try:
        module = importlib.import_module(_HOME[name])
    except ModuleNotFoundError as error:
        if name != "notebook_to_html":
            raise
        msg = f"cw.{name} needs {error.name}, of the extra html: pip install {_HTML}."
        raise ModuleNotFoundError(msg, name=error.name) from error
    value: object = getattr(module, name) if hasattr(module, name) else module
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*(name for name in globals() if name.startswith("__")), *__all__]
