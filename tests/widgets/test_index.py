"""The index: plain values for the browser's tree."""

from __future__ import annotations

import json

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.widgets.index import build_index
from tests.widgets.kernel import CLASS_NAMES, TinyNet, tiny_inputs


def test_the_index_lists_calls_classes_and_pictures() -> None:
    index = build_index(Inspector(TinyNet(), tiny_inputs(), class_names=CLASS_NAMES))
    assert (index["model"], index["batch"], index["classes"]) == ("TinyNet", 2, list(CLASS_NAMES))
    assert [layer["name"] for layer in index["layers"]] == ["conv", "relu", "pool", "fc"]
    conv = index["layers"][0]
    assert (conv["type"], conv["shape"], conv["layout"]) == ("Conv2d", [2, 2, 3, 4], "NCHW")
    assert (conv["params"], conv["trainable"], conv["macs"]) == (2, 2, 2 * 3 * 4)
    assert (conv["leaf"], conv["index"]) == (True, 0)


def test_widgets_over_one_inspector_share_its_name_and_no_others_do() -> None:
    inspector, other = (Inspector(TinyNet(), tiny_inputs()) for _ in range(2))
    names = [build_index(each)["inspector"] for each in (inspector, inspector, other)]
    assert names[0] == names[1] != names[2]


def test_classes_are_counted_also_without_names() -> None:
    index = build_index(Inspector(TinyNet(), tiny_inputs()))
    assert (index["classes"], index["class_count"], index["score_kind"]) == (None, 3, "logit")
    headless = build_index(Inspector(TinyNet().conv, tiny_inputs()))
    assert headless["class_count"] is None


def test_the_index_is_plain_json() -> None:
    index = build_index(Inspector(TinyNet(), tiny_inputs()))
    assert json.loads(json.dumps(index)) == index
