"""Frames of a FilterGrid: all filters of a layer, one filter exactly, which are alike, an answer.

In: a `FilterBank` and what a view asks for. Out: header fields and arrays, with no widget in sight.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.inspection.weights import FilterBank
from cnnviz_widgets.rendering.colormap import Rgb, render_maps
from cnnviz_widgets.rendering.filters import (
    LEAST_VALUES,
    block_norms,
    filter_norms,
    likeness,
    place_norms,
    render_colour,
    symmetric_ends,
)
from cnnviz_widgets.rendering.quantise import quantise, reduce_maps
from cnnviz_widgets.rendering.ranges import Floats, Scale, statistics
from cnnviz_widgets.streaming.wire import Json
from cnnviz_widgets.words import told

from .base import Frame
from .filter_index import kernel_axes

LARGEST_KERNEL = 64
"""Values along a side of a kernel in the overview; larger ones are drawn as means."""
LARGEST_ANSWER = 512
"""Values along a side of an activation map that is sent as an answer."""
_MOST_CODES = 1 << 22
"""Codes of one matrix, 4 MB: beyond, more of its columns go into one."""
_CHEAP_PRODUCT = 2e9
"""Multiplications of a comparison, some 0.05 s, that is made without being asked for."""


def bank_frame(bank: FilterBank, *, width: int, colour: bool) -> Frame:
    """Show all filters of a layer, each as one small picture.

    Parameters
    ----------
    bank : FilterBank
    width : int
        Device pixels that a row of a matrix may take; wider matrices are reduced to it.
    colour : bool
        Whether the inputs are red, green and blue.

    Returns
    -------
    Frame
        "kind_of" says which: "colour", codes (F, 3, h, w); "kernels", codes (F, d, h, w) of the one
        kernel that a filter has, or where it has one for each input (then "signed" is false) of
        their L2 norm at every place; "matrix", codes (F, 1, 1, c), each the value, or where
        "factor" columns go into one (then "signed" is false) their root mean square. Codes run from
        -end to end, or from 0 to end. "facts" are rows of one number per filter: end, minimum,
        maximum, mean and L2 norm; "zeros" counts the weights that are exactly 0. With "nearest",
        "cosine" and "order" as in `likeness_frame` where they cost little.
    """
    values = bank.values
    info = bank.info
    facts = statistics(values.reshape(info.filters, 1, -1))
    kind, pictures, fields = _overview(bank, width=width, colour=colour)
    flat = pictures.reshape(len(pictures), -1, pictures.shape[-1])
    ends = symmetric_ends(flat)
    codes = quantise(flat, -ends if fields["signed"] else np.zeros_like(ends), ends)
    norms = filter_norms(facts)
    rows = np.stack([ends, facts.minimum, facts.maximum, facts.mean, norms])
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "codes": codes.reshape(pictures.shape),
        "facts": rows,
        "zeros": facts.zeros,
    }
    if info.filters**2 * (values.size // max(info.filters, 1)) <= _CHEAP_PRODUCT:
        arrays.update(_likeness_arrays(bank))
    return Frame({"kind_of": kind, **fields}, arrays)


def drawn_bank(frame: Frame, scale_mode: str) -> Rgb:
    """Draw what `bank_frame` shows of each filter in the colours of the view.

    Parameters
    ----------
    frame : Frame
        Of `bank_frame`.
    scale_mode : {"layer", "filter"}
        What one scale is of.

    Returns
    -------
    uint8 array (F, h, w, 3)
        A pixel for each code; the slices of a kernel stand side by side.
    """
    codes = np.asarray(frame.arrays["codes"], np.uint8)
    ends = np.asarray(frame.arrays["facts"], np.float32)[0]
    signed = bool(frame.fields["signed"])
    scale = Scale("channel" if scale_mode == "filter" else "layer", diverging=signed)
    if frame.fields["kind_of"] == "colour":
        return render_colour(codes, -ends, ends, scale=scale)
    flat = codes.transpose(0, 2, 1, 3).reshape(len(codes), codes.shape[2], -1)
    low, colormap = (-ends, "coolwarm") if signed else (np.zeros_like(ends), "viridis")
    return render_maps(flat, low, ends, scale=scale, colormap=colormap)


def _overview(bank: FilterBank, *, width: int, colour: bool) -> tuple[str, Floats, dict[str, Json]]:
    """Choose what stands for a filter: (F, planes, h, w), and what it is."""
    values, info = bank.values, bank.info
    depth, height, wide = kernel_axes(info.kernel)
    if colour:
        maps, factor = _reduced(values.reshape(-1, height, wide))
        pictures = maps.reshape(info.filters, info.inputs, *maps.shape[1:])
        return "colour", pictures, _fields(factor, signed=True)
    if depth * height * wide == 1 and info.inputs > 1:
        matrix = values.reshape(info.filters, info.inputs)
        columns = max(1, min(width, _MOST_CODES // max(info.filters, 1)))
        factor = -(-info.inputs // columns)
        drawn = matrix if factor == 1 else block_norms(matrix, factor)
        return "matrix", drawn[:, None, None], _fields(factor, signed=factor == 1)
    signed = info.inputs == 1
    one = values[:, 0] if signed else place_norms(values)
    maps, factor = _reduced(one.reshape(-1, height, wide))
    pictures = maps.reshape(info.filters, depth, *maps.shape[1:])
    return "kernels", pictures, _fields(factor, signed=signed)


def _reduced(maps: Floats) -> tuple[Floats, int]:
    return reduce_maps(np.ascontiguousarray(maps), LARGEST_KERNEL)


def _fields(factor: int, *, signed: bool) -> dict[str, Json]:
    return {"signed": signed} if factor == 1 else {"signed": signed, "factor": factor}


def _likeness_arrays(bank: FilterBank) -> dict[str, npt.NDArray[np.generic]]:
    found = likeness(bank.values, groups=bank.info.groups)
    if found is None:
        return {}
    return {"nearest": found.nearest, "cosine": found.cosine, "order": found.order}


def likeness_frame(bank: FilterBank) -> Frame:
    """Say which filters are alike: "nearest", "cosine" and "order", see `Likeness`.

    Without them where filters cannot be compared; "note" then says why.
    """
    arrays = _likeness_arrays(bank)
    if arrays:
        return Frame({}, arrays)
    few = bank.values[:1].size < LEAST_VALUES
    what = "of so few values" if few else "so many and large"
    return Frame({"note": f"Filters {what} are not compared with each other."})


def filter_frame(bank: FilterBank, filter_: int) -> Frame:
    """Give one filter, float32 (inputs, depth, height, width), exact: 4 bytes a value.

    Raises
    ------
    ValueError
        When the layer has not so many filters.
    """
    info = bank.info
    if filter_ >= info.filters:
        raise ValueError(
            f"filter={filter_} must be from 0 to {info.filters - 1} in layer {info.name!r}."
        )
    values = bank.values[filter_].reshape(info.inputs, *kernel_axes(info.kernel))
    return Frame({}, {"values": np.array(values)})  # a copy: the model may be trained meanwhile


def answer_frame(inspector: Inspector, layer: str, *, image: int, filter_: int) -> Frame:
    """Show what a filter answers on a picture: its channel of the layer's output.

    Parameters
    ----------
    inspector : Inspector
    layer : str
        Call whose output it is.
    image : int
        Which picture of the batch.
    filter_ : int
        Which channel.

    Returns
    -------
    Frame
        "kind_of" says which: "map" with float32 values (H, W), exact up to a side of 512, beyond
        that means ("factor"), the middle slice of a volume; "value" with one number, its "place"
        among "count", the largest first, and its class's name ("label"); "none" where the output
        has no such channel.
    """
    maps = inspector.maps(layer, image)
    if maps.kind == "vector" and filter_ < len(maps.values):
        value = float(maps.values[filter_])
        place = int((maps.values > value).sum()) + 1
        shown = value if math.isfinite(value) else str(value)
        label = None if maps.labels is None else maps.labels[filter_]
        fields: dict[str, Json] = {"value": shown, "label": label}
        return Frame({"kind_of": "value", **fields, "place": place, "count": len(maps.values)})
    channel = filter_ * maps.depth + maps.depth // 2
    if maps.kind != "maps" or channel >= len(maps.values):
        return Frame({"kind_of": "none", "note": told(maps.note)})
    reduced, factor = reduce_maps(maps.values[channel : channel + 1], LARGEST_ANSWER)
    fields = {"kind_of": "map"}
    if maps.depth > 1:
        fields["slice"] = [maps.depth // 2, maps.depth]
    if factor > 1:
        fields["factor"] = factor
    return Frame(fields, {"values": np.array(reduced[0])})
