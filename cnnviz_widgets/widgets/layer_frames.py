"""Frames of a layer: its maps or values, one exact channel, and the picture that went in.

In: an Inspector and what a view asks for. Out: header fields and arrays, with no widget in sight.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.inspection.maps import LayerMaps, Side
from cnnviz_widgets.rendering.quantise import quantise, reduce_maps
from cnnviz_widgets.rendering.ranges import channel_ranges, statistics
from cnnviz_widgets.streaming.wire import Json
from cnnviz_widgets.words import told

from .base import Frame


def layer_frame(inspector: Inspector, layer: str, *, image: int, tile: int, side: Side) -> Frame:
    """All channels of a layer for one picture.

    Parameters
    ----------
    inspector : Inspector
    layer : str
        Name of a layer or container.
    image : int
        Which picture of the batch.
    tile : int
        Side of a map on the screen, in device pixels: larger maps are reduced to fit.
    side : {"output", "input"}
        What the layer gives, or what it is given.

    Returns
    -------
    Frame
        "kind_of" says which: "maps" with codes (C, h, w), "zeros" (C,) and "statistics", rows of
        one number per channel: low and high end of the codes, mean, variance and, where the maps
        are reduced, minimum and maximum of the full ones (then "factor" and "full" say how), 1
        byte a value and 18 to 28 bytes a channel; "vector" with float32 values (C,); "ask" with
        the layouts to choose from.
    """
    maps = inspector.maps(layer, image, side=side)
    if maps.kind == "maps":
        return _maps_frame(maps, tile)
    if maps.kind == "vector":
        labels = None if maps.labels is None else list(maps.labels)
        values = np.ascontiguousarray(maps.values.reshape(-1))
        return Frame(
            {"kind_of": "vector", "note": told(maps.note), "labels": labels}, {"values": values}
        )
    return Frame({"kind_of": "ask", "note": told(maps.note), "choices": list(maps.choices)})


def _maps_frame(maps: LayerMaps, tile: int) -> Frame:
    """Quantise maps; the statistics are always those of the full maps."""
    values = maps.values
    reduced, factor = reduce_maps(values, tile_px=tile)
    facts = statistics(values)
    low, high = (facts.minimum, facts.maximum) if factor == 1 else channel_ranges(reduced)
    # Two bytes hold the count of any map up to 255 x 255, and small maps are where bytes matter.
    pixels = values.shape[1] * values.shape[2]
    zeros = facts.zeros.astype(np.uint16) if pixels < 1 << 16 else facts.zeros
    rows = [low, high, facts.mean, facts.variance]
    fields: dict[str, Json] = {"kind_of": "maps"}
    # Headers weigh as much as small maps do, so they name only what is not the usual case.
    if factor > 1:
        rows += [facts.minimum, facts.maximum]
        fields |= {"factor": factor, "full": [values.shape[1], values.shape[2]]}
    if maps.note is not None:
        fields["note"] = told(maps.note)
    codes = quantise(reduced, low, high)
    return Frame(fields, {"codes": codes, "statistics": np.stack(rows), "zeros": zeros})


def channel_frame(inspector: Inspector, layer: str, *, image: int, channel: int) -> Frame:
    """One channel at full resolution, float32 (H, W): 4 bytes a value, exact.

    Raises
    ------
    ValueError
        When the layer has no maps or not so many channels.
    """
    maps = inspector.maps(layer, image)
    if maps.kind != "maps":
        raise ValueError(f"layer={layer!r} has no maps, so it has no channel {channel} to open.")
    count = len(maps.values)
    if channel >= count:
        raise ValueError(f"channel={channel} must be from 0 to {count - 1} in layer {layer!r}.")
    return Frame({}, {"values": np.ascontiguousarray(maps.values[channel])})


def input_frame(inspector: Inspector, *, image: int, top: int = 5) -> Frame:
    """Show the picture that goes in, as people see it, and the network's `top` predictions."""
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    picture = inspector.picture(image)
    if picture is not None:
        arrays["rgb"] = np.ascontiguousarray(picture)
    ranked = inspector.predictions(top)[image] if inspector.has_scores else []
    fields: dict[str, Json] = {
        "predictions": [
            {
                "index": found.index,
                "name": found.name,
                "score": found.score,
                "probability": found.probability,
            }
            for found in ranked
        ],
        "score_kind": inspector.score_kind,
        "notices": [told(notice) for notice in inspector.notices],
    }
    return Frame(fields, arrays)
