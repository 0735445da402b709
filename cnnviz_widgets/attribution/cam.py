"""Attribution: class-activation maps, what mattered at a layer.

In: an `Inspector`, a method, a layer and a target. Out: a `Map`.
"""

from __future__ import annotations

from cnnviz_widgets.attribution.map import Map
from cnnviz_widgets.attribution.sweep import MapReport, checked_inspector, sweep_maps
from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.targets import Target
from cnnviz_widgets.methods.default_layer import default_layer
from cnnviz_widgets.methods.registry import find_method


def cam(
    insp: Inspector,
    method: str = "gradcam",
    layer: str | None = None,
    target: Target = None,
    image: int = 0,
    *,
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
    checked_inspector(insp, "cw.cam")
    known = find_method(method, "cam")
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
