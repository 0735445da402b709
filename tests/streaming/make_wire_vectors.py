"""Writes tests/wire_vectors.json (`python tests/streaming/make_wire_vectors.py`).

The Python and the TypeScript tests read that file; test_wire_vectors.py holds it to this script.
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cnnviz_widgets.rendering.colormap import colormap_names, counted_channels, render_maps
from cnnviz_widgets.rendering.quantise import dequantise, quantise
from cnnviz_widgets.rendering.ranges import Scale, channel_ranges, scale_range
from cnnviz_widgets.streaming.wire import PROTOCOL_VERSION, pack

TARGET = Path(__file__).parents[1] / "wire_vectors.json"

ABOUT = """\
What Python and TypeScript must agree on. Written by tests/streaming/make_wire_vectors.py; never
edit by hand. Numbers are plain JSON numbers (a float32 is written as the double equal to it, so
Math.fround changes nothing) or one of the strings "NaN", "Infinity", "-Infinity". Compare them
with ==: a zero may come out with either sign. Arrays are flat lists in C order beside their shape.
messages: kernel -> browser. header is the message content, payload the one buffer in base64.
  Put the payload at byte_offset of a larger ArrayBuffer (3 is not aligned to any element) and
  decode it from there: arrays gives dtype, shape and values by name. payload null: the message
  has no buffer and no arrays; payload "": it has no arrays, and an empty buffer or none.
broken: header and payload of messages that a reader must refuse with an error.
requests: browser -> kernel. error null: the kernel accepts content; else error is part of the
  text of its refusal.
quantise: values (C, H, W) -> low, high (C), codes (C, H, W) and decoded, the double that each
  code stands for: min(low + (high - low) * (code / 252), high); 253 is NaN, 254 Infinity,
  255 -Infinity. The browser only decodes.
drawing: codes, low, high, scale, colormap -> rgb, base64 of 3 bytes per value, (C, H, W, 3).
  range_low, range_high (C) are the ends that the scale gives each channel. A channel counts for
  the layer's range when one of its codes is <= 252. scale.low and scale.high mean something in
  mode "fixed" only. Below and above are drawn in mode "fixed" only, from comparing the decoded
  value (not t) with the ends, also where the two ends are equal.
""".splitlines()


def number(value: float) -> float | str:
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else float(value)


def flat(array: Any) -> list[float | str]:
    return [number(value) for value in np.asarray(array).ravel().tolist()]


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def message(
    name: str, header: dict[str, Any], arrays: dict[str, Any] | None, offset: int = 0
) -> dict[str, Any]:
    if arrays is None:
        return {"name": name, "header": header, "payload": None, "byte_offset": 0, "arrays": {}}
    full, payload = pack(header, arrays)
    listed = {
        key: {
            "dtype": f"{array.dtype.kind}{array.dtype.itemsize}",
            "shape": list(array.shape),
            "values": flat(array),
        }
        for key, array in arrays.items()
    }
    return {
        "name": name,
        "header": full,
        "payload": base64_text(payload),
        "byte_offset": offset,
        "arrays": listed,
    }


def frame(kind: str, params: dict[str, Any], **fields: Any) -> dict[str, Any]:
    start = {"type": "frame", "cid": "c1", "seq": 7, "kind": kind, "params": params}
    return {**start, "epoch": 1, "final": True, "ms": 1.5, **fields}


def sample_maps() -> np.ndarray[Any, np.dtype[np.float32]]:
    """Five channels: a ramp, a constant, special values, nothing finite, both signs."""
    nan, inf = np.nan, np.inf
    return np.array(
        [
            [[0, 1, 2], [3, 4, 5]],
            [[1.5, 1.5, 1.5], [1.5, 1.5, 1.5]],
            [[nan, inf, -inf], [-2, 0.25, 7]],
            [[nan, nan, inf], [inf, -inf, -inf]],
            [[-3, -0.1, 0], [0.1, 1, 2.9]],
        ],
        np.float32,
    )


def layer_arrays(values: Any, *, reduced: bool = False) -> dict[str, Any]:
    low, high = channel_ranges(values)
    channels = len(values)
    rows: list[Any] = [low, high, np.linspace(0, 1, channels), np.linspace(2, 3, channels)]
    if reduced:
        rows += [low - 1, high + 1]
    return {
        "codes": quantise(values, low, high),
        "statistics": np.stack(rows).astype(np.float32),
        "zeros": np.arange(channels, dtype=np.uint32),
    }


def messages() -> list[dict[str, Any]]:
    welcome = {"type": "welcome", "v": PROTOCOL_VERSION, "cid": "c1", "epoch": 1}
    error = {"type": "err", "cid": "c1", "seq": 8, "kind": "layer"}
    return [
        message("welcome", welcome, None),
        *layer_messages(),
        *other_frames(),
        message("error", {**error, "message": "the model is busy", "hint": None}, None),
    ]


def layer_messages() -> list[dict[str, Any]]:
    layer = {"layer": "layer1.0.conv1", "image": 0, "tile": 64}
    maps = {"kind_of": "maps"}
    values = sample_maps()
    one = np.array([[[0.1]]], np.float32)
    odd = np.arange(3 * 7 * 5, dtype=np.float32).reshape(3, 7, 5)
    return [
        message(
            "maps with NaN, infinities and a constant",
            frame("layer", layer, **maps),
            layer_arrays(values),
        ),
        message("unaligned buffer", frame("layer", layer, **maps), layer_arrays(values), offset=3),
        message(
            "odd sizes need padding",
            frame("layer", layer, **maps, full=[14, 10], factor=2),
            layer_arrays(odd, reduced=True),
        ),
        message("one value", frame("layer", layer, **maps), layer_arrays(one)),
        message(
            "vector",
            frame("layer", {**layer, "layer": "fc"}, kind_of="vector", note=None),
            {"values": np.array([-1.25, 0, 3.5], np.float32)},
        ),
        message(
            "layout to ask about",
            frame("layer", layer, kind_of="ask", note="(2, 50, 64) may be NLC or NCL"),
            {},
        ),
    ]


def other_frames() -> list[dict[str, Any]]:
    special = np.array([[np.nan, np.inf, -np.inf, 0.1, -1e-40, 3.4028235e38]], np.float32)
    empty = {"first": np.zeros(3, np.uint8), "none": np.zeros((0, 4), np.float32)}
    every = {
        "a": np.array([255], np.uint8),
        "b": np.array([1, 65535], np.uint16),
        "c": np.array([1, 2, 4294967295], np.uint32),
        "d": np.array([0.5, -0.25, 0.1], np.float32),
    }
    channel = {"layer": "layer1.0.conv1", "image": 0, "channel": 3}
    return [
        message(
            "exact values of a channel, unaligned",
            frame("channel", channel),
            {"values": special},
            offset=3,
        ),
        message(
            "input picture",
            frame(
                "input",
                {"image": 0},
                predictions=[],
                score_kind="logit",
                notices=["in training mode"],
            ),
            {"rgb": np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)},
        ),
        message("empty array at the end", frame("channel", channel), empty),
        message("every type", frame("channel", channel), every, offset=3),
        message(
            "end of a prefetch",
            frame(
                "prefetch",
                {"layers": ["conv1"], "image": 0, "tile": 64, "bytes": 1000},
                sent=["conv1"],
            ),
            {},
        ),
    ]


def broken() -> list[dict[str, Any]]:
    header, payload = pack({"type": "frame"}, {"low": np.arange(3, dtype=np.float32)})

    def case(name: str, change: dict[str, Any], data: bytes = payload) -> dict[str, Any]:
        entry = {"name": "low", "dtype": "f4", "shape": [3], "offset": 0, **change}
        return {"name": name, "header": {**header, "arrays": [entry]}, "payload": base64_text(data)}

    return [
        {"name": "no arrays", "header": {"type": "frame"}, "payload": base64_text(payload)},
        case("payload cut short", {}, payload[:-1]),
        case("shape larger than the payload", {"shape": [4]}),
        case("offset behind the payload", {"offset": 16}),
        case("offset not aligned", {"offset": 4, "shape": [2]}),
        case("unknown type", {"dtype": "f8", "shape": [1]}),
        case("negative size", {"shape": [-1]}),
        case("size that is no whole number", {"shape": [1.5]}),
        case("no shape", {"shape": None}),
        case("no name", {"name": None}),
    ]


def requests() -> list[dict[str, Any]]:
    hello = {"type": "hello", "v": PROTOCOL_VERSION, "cid": "c1", "dpr": 1.25, "visible": True}
    cancel = {"type": "cancel", "cid": "c1", "seq": 4}
    layer = {"layer": "layer1.0.conv1", "image": 0, "tile": 64}
    channel = {"layer": "relu#2", "image": 3, "channel": 12}
    prefetch = {"layers": ["conv1", "relu#1"], "image": 0, "tile": 64, "bytes": 4000000}

    def asks(kind: Any, params: Any, **change: Any) -> dict[str, Any]:
        return {"type": "req", "cid": "c1", "seq": 4, "kind": kind, "params": params, **change}

    cases: list[tuple[str, Any, str | None]] = [
        ("hello", hello, None),
        ("hello, hidden", {**hello, "dpr": 2, "visible": False}, None),
        ("cancel", cancel, None),
        ("layer", asks("layer", layer), None),
        ("layer, unknown extra fields", asks("layer", {**layer, "later": [1]}), None),
        ("channel", asks("channel", channel), None),
        ("input", asks("input", {"image": 0}), None),
        ("prefetch", asks("prefetch", prefetch), None),
        ("prefetch of nothing", asks("prefetch", {**prefetch, "layers": []}), None),
        ("no object", [1, 2], "message=[1, 2] must be an object"),
        ("no type", {"cid": "c1"}, "type=None must be one of hello, req, cancel"),
        ("other version", {**hello, "v": 2}, "the page speaks version 2"),
        ("no pixel ratio", {**hello, "dpr": 0}, "dpr=0 must be a number above 0"),
        ("visible as number", {**hello, "visible": 1}, "visible=1 must be true or false"),
        ("no cid", {**cancel, "cid": None}, "cid=None must be a text"),
        ("empty cid", {**cancel, "cid": ""}, "cid='' must be a text"),
        ("long cid", {**cancel, "cid": "c" * 65}, "must be a text of 1 to 64 characters"),
        ("negative seq", {**cancel, "seq": -1}, "seq=-1 must be a whole number"),
        ("seq true", {**cancel, "seq": True}, "seq=True must be a whole number"),
        ("seq as text", {**cancel, "seq": "4"}, "seq='4' must be a whole number"),
        ("no kind", asks(None, {}), "kind=None must be a text"),
        ("kind is a list", asks(["layer"], {}), "kind=['layer'] must be a text"),
        ("no params", asks("layer", None), "params=None must be an object"),
        ("params a list", asks("layer", [1]), "params=[1] must be an object"),
    ]
    return [{"name": name, "content": content, "error": error} for name, content, error in cases]


def quantise_cases() -> list[dict[str, Any]]:
    rng = np.random.default_rng(1)
    cases = {
        "ramp, constant, special values, nothing finite": sample_maps(),
        "ties round up": np.array([[[0, 0.5, 1.5, 2.5, 251.5, 252]]], np.float32),
        "one value": np.array([[[-7.25]]], np.float32),
        "no values": np.zeros((2, 0, 3), np.float32),
        "the whole float32 range": np.array(
            [[[-3.4028235e38, 0, 1e-45, 3.4028235e38]]], np.float32
        ),
        "far apart ends": np.array([[[-30, -1e-9]], [[1e-12, 1]]], np.float32),
        "random": rng.standard_normal((3, 5, 7), dtype=np.float32),
    }
    listed = []
    for name, values in cases.items():
        low, high = channel_ranges(values)
        codes = quantise(values, low, high)
        listed.append(
            {
                "name": name,
                "shape": list(values.shape),
                "values": flat(values),
                "low": flat(low),
                "high": flat(high),
                "codes": flat(codes),
                "decoded": flat(dequantise(codes, low, high)),
            }
        )
    return listed


def drawing_case(name: str, values: Any, scale: Scale, colormap: str = "viridis") -> dict[str, Any]:
    low, high = channel_ranges(values)
    codes = quantise(values, low, high)
    start, end = scale_range(low, high, scale=scale, counted=counted_channels(codes, low, high))
    rgb = render_maps(codes, low, high, scale=scale, colormap=colormap)
    return {
        "name": name,
        "shape": list(codes.shape),
        "codes": flat(codes),
        "low": flat(low),
        "high": flat(high),
        "scale": {
            "mode": scale.mode,
            "low": scale.low,
            "high": scale.high,
            "diverging": scale.diverging,
        },
        "colormap": colormap,
        "range_low": flat(start),
        "range_high": flat(end),
        "rgb": base64_text(rgb.tobytes()),
    }


def scaled_cases(values: Any) -> list[tuple[str, Any, Scale]]:
    return [
        ("channel", values, Scale("channel")),
        ("layer", values, Scale("layer")),
        ("fixed", values, Scale("fixed", -0.5, 2.5)),
        ("fixed, one point", values, Scale("fixed", 1.5, 1.5)),
        ("fixed at zero", values, Scale("fixed", 0, 0)),
        ("fixed, narrow", values, Scale("fixed", 1.5, 1.5 + 1e-12)),
        ("constant zero", np.zeros((2, 1, 2), np.float32), Scale()),
        ("nothing finite", values[3:4], Scale("layer")),
    ]


def drawing_cases() -> list[dict[str, Any]]:
    values = sample_maps()
    every = np.arange(253, dtype=np.float32).reshape(1, 11, 23) * np.float32(0.37) - np.float32(40)
    apart = np.array([[[-30, -1e-9]], [[1e-12, 1]]], np.float32)
    listed = [
        drawing_case(f"every code, {name}", every, Scale(), name) for name in colormap_names()
    ]
    for diverging in (False, True):
        word = "diverging" if diverging else "sequential"
        colormap = "coolwarm" if diverging else "magma"
        for name, shown, scale in scaled_cases(values):
            turned = replace(scale, diverging=diverging)
            listed.append(drawing_case(f"{name}, {word}", shown, turned, colormap))
    end = float(apart[0].max())
    listed.append(
        drawing_case("fixed at a channel's own ends", apart[:1], Scale("fixed", -30, end))
    )
    listed.append(
        drawing_case("one value, layer", np.full((1, 1, 1), 3, np.float32), Scale("layer"))
    )
    return listed


def vectors() -> dict[str, Any]:
    return {
        "about": ABOUT,
        "messages": messages(),
        "broken": broken(),
        "requests": requests(),
        "quantise": quantise_cases(),
        "drawing": drawing_cases(),
    }


def text() -> str:
    """One case a line, so that a change shows as the cases it changes."""
    parts = []
    for key, cases in vectors().items():
        lines = ",\n  ".join(json.dumps(case, allow_nan=False) for case in cases)
        parts.append(f' "{key}": [\n  {lines}\n ]')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
