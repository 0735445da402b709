"""Attribution: class-activation maps, what mattered at a layer.

In: an `Inspector`, a method, a layer and a target. Out: a `Map`.
"""

from __future__ import annotations

from cnnviz_widgets.attribution.map import Map
from cnnviz_widgets.attribution.sweep import MapReport, ahead, checked_inspector, sweep_maps
from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.guests import guest_of
from cnnviz_widgets.inspection.inputs import Inputs
from cnnviz_widgets.inspection.targets import Target
from cnnviz_widgets.methods.default_layer import default_layer, likely_layers
from cnnviz_widgets.methods.registry import find_method


def cam(
    insp: Inspector,
    method: str = "gradcam",
    layer: str | None = None,
    target: Target = None,
    image: int = 0,
    *,
    inputs: Inputs | None = None,
    report: MapReport | None = None,
    **parameters: object,
) -> Map:
    """Return what mattered at a layer for one score of one picture.

    Parameters
    ----------
    insp : Inspector
        Look at a model through it: ``cw.Inspector(model, inputs)``.
    method : str
        A name from ``cnnviz_widgets.methods.methods("cam")``, such as "gradcam", "layercam" or
        "scorecam".
    layer : str, optional
        Name as in ``insp.layers``, or of a container. By default the last layer whose output has a
        grid of places; in networks with class tokens the last whose places still reach the score;
        for "fullgrad" the input.
    target : int, str, callable or None
        Class index, class name, ``output -> scalar per image``, or None for the top prediction.
        Where the model ends in a softmax or sigmoid, the score before it is explained, and the
        map's note says so.
    image : int
        Place in the batch.
    inputs : object, optional
        Another picture than that of the Inspector, of the same shape and type, in any form that
        `Inspector` takes. The Inspector stays as it is. Layers and their axes are known already,
        so methods that ask for gradients or activations of the picture as it is take one pass of
        their own; where the model takes another path on this picture, that is found out, and it is
        traced. The first picture of a model, which an `Inspector` is made with, always is.
    report : callable, optional
        ``report(done, total, partial)`` is called after every batch of methods that sample or
        perturb; `partial` gives the map so far. Raise `cnnviz_widgets.methods.progress.Cancelled`
        in it to stop. Without it a bar is drawn on standard error after a second.
    **parameters : object
        Settings of the method, as its record in the registry lists them.

    Returns
    -------
    Map
        `values` are raw and signed, at the layer's resolution; no ReLU is applied and nothing is
        normalised before `Map.rectified` and `Map.display`.

    Raises
    ------
    TypeError, ValueError
        An argument is not what it must be; the text names it, its value and what to do.
    Cancelled
        `report` raised it.
    """
    insp = guest_of(checked_inspector(insp, "cw.cam"), inputs)
    known = find_method(method, "cam")
    with ahead(insp, [known.name], lambda: likely_layers(insp, layer)):
        (explained,) = insp.passes.targets([target], image=image)
        layers = [layer] if layer is not None else []
        if layer is None and known.name != "fullgrad":
            layers = [default_layer(insp, explained, image)]
        given = {known.name: parameters}
        found = sweep_maps(
            insp, [known.name], layers, [explained], image, parameters=given, report=report
        )
    sweep = found[known.name]
    return sweep.map_at(sweep.layers[0], 0)
