"""The vectors that the TypeScript tests read too: the file is current, and Python agrees."""

from __future__ import annotations

import base64
import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnviz_widgets.rendering import Scale, channel_ranges, dequantise, quantise, render_maps
from cnnviz_widgets.streaming import MessageError, PayloadError, parse_message, unpack

FILE = Path(__file__).parents[1] / "wire_vectors.json"
VECTORS: dict[str, list[dict[str, Any]]] = json.loads(FILE.read_text("utf-8"))


def cases(key: str) -> pytest.MarkDecorator:
    listed = VECTORS[key]
    return pytest.mark.parametrize("case", listed, ids=[case["name"] for case in listed])


def array(values: list[Any], dtype: str, shape: list[int]) -> Any:
    return np.array([float(value) for value in values]).astype(dtype).reshape(shape)


def test_the_file_is_what_the_script_writes() -> None:
    script = runpy.run_path(str(Path(__file__).with_name("make_wire_vectors.py")))
    assert FILE.read_text("utf-8") == script["text"]()


@cases("messages")
def test_messages(case: dict[str, Any]) -> None:
    if case["payload"] is None:
        assert "arrays" not in case["header"]
        return
    found = unpack(case["header"], base64.b64decode(case["payload"]))
    assert list(found) == list(case["arrays"])
    for name, expected in case["arrays"].items():
        exact = array(expected["values"], f"<{expected['dtype']}", expected["shape"])
        np.testing.assert_array_equal(found[name], exact)
        assert found[name].dtype == exact.dtype


@cases("broken")
def test_broken_messages(case: dict[str, Any]) -> None:
    with pytest.raises(PayloadError):
        unpack(case["header"], base64.b64decode(case["payload"]))


@cases("requests")
def test_requests(case: dict[str, Any]) -> None:
    if case["error"] is None:
        parse_message(case["content"])
        return
    with pytest.raises(MessageError) as caught:
        parse_message(case["content"])
    assert case["error"] in str(caught.value)


@cases("quantise")
def test_quantisation(case: dict[str, Any]) -> None:
    values = array(case["values"], "f4", case["shape"])
    low, high = channel_ranges(values)
    codes = quantise(values, low, high)
    assert low.tolist() == case["low"]
    assert high.tolist() == case["high"]
    assert codes.ravel().tolist() == case["codes"]
    np.testing.assert_array_equal(
        dequantise(codes, low, high), array(case["decoded"], "f8", case["shape"])
    )


@cases("drawing")
def test_drawing(case: dict[str, Any]) -> None:
    codes = array(case["codes"], "u1", case["shape"])
    low, high = np.array(case["low"], np.float32), np.array(case["high"], np.float32)
    drawn = render_maps(codes, low, high, scale=Scale(**case["scale"]), colormap=case["colormap"])
    assert drawn.tobytes() == base64.b64decode(case["rgb"])
