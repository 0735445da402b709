"""Every saliency method with few passes, for tests."""

from __future__ import annotations

from cnnviz_widgets.attribution.map import Map
from cnnviz_widgets.attribution.saliency import saliency
from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods import methods

FEW: dict[str, dict[str, object]] = {
    "integrated_gradients": {"steps": 5},
    "smoothgrad": {"samples": 3},
    "vargrad": {"samples": 3},
    "rise": {"masks": 6},
}
NAMES = [method.name for method in methods("saliency")]
RULED = {"guided_backprop", "deconvnet", "guided_gradcam"}
SAMPLED = sorted(method.name for method in methods("saliency") if method.progressive)


def quick(insp: Inspector, name: str, **more: object) -> Map:
    """Return the map of few passes, other settings as given."""
    return saliency(insp, name, **{**FEW.get(name, {}), **more})  # type: ignore[arg-type]  # by name
