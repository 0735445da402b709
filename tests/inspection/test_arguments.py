"""What a user may pass to the Inspector, and what is said about the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cnnviz_widgets.inspection import Inspector
from tests.inspection import models

BAD: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "negative bytes": ({"cache_bytes": -5}, ValueError, r"cache_bytes=-5 must be at least 0"),
    "bytes in words": (
        {"cache_bytes": "1GB"}, TypeError, r"cache_bytes='1GB' is a str; .* 1 << 30 for 1 GiB"),
    "no bytes": ({"cache_bytes": None}, TypeError, r"cache_bytes=None is a NoneType"),
    "class_names": (
        {"class_names": 5}, TypeError, r"class_names=5 must be a sequence of strings, one for"),
    "names by index": (
        {"class_names": {0: "a"}}, TypeError, r"one for each class; give \[class_names\[i\] for i"),
    "labels": ({"labels": ["a"]}, TypeError, r"labels=.*, which it does not know\. It takes cl"),
    "mean by name": ({"mean": "imagenet"}, ValueError, r"mean='imagenet' must .* in \[0, 1\]\.$"),
    "one layer": ({"layers": "fc"}, TypeError, r"layers='fc' is one string; .* such as \['fc'\]"),
    "no layer": ({"layers": []}, ValueError, r"layers=\[\] names no layer; name at least one, or"),
    "layer numbers": ({"layers": [0]}, TypeError, r"layers=\[0\] must be a sequence of layer"),
    "layouts": ({"layouts": ["NCHW"]}, TypeError, r"layouts=\['NCHW'\] is a list; give a dict"),
    "unknown": (
        {"clas_names": ["a"]}, TypeError,
        r"clas_names=\['a'\], .*did you mean 'class_names'\? It takes class_names, .*cache_bytes"),
    "far off": ({"zzz": 1}, TypeError, r"Inspector got zzz=1, which it does not know\. It takes"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_of_the_inspector(case: str) -> None:
    options, error, text = BAD[case]
    with pytest.raises(error, match=text):
        Inspector(models.Plain(), models.pictures(), **options)


MODELS: dict[str, tuple[object, type[Exception], str]] = {
    "a state dict": (models.Plain().state_dict(), TypeError, r"Module; .* its load_state_dict\(\)"),
    "a tensor": (models.pictures(), TypeError, r"; the model comes first, then its inputs\.$"),
    "a file": ("net.pt", TypeError, r"model='net.pt' is a str; .* load the file's weights into it"),
    "a class": (models.Plain, TypeError, r"is a type; give a torch.nn.Module; call it to make one"),
    "no values": (
        models.Plain().to("meta"), ValueError, r"model=Plain is on the meta device and has no val"),
}  # fmt: skip


@pytest.mark.parametrize("case", MODELS)
def test_what_is_no_model_is_not_repeated_at_length(case: str) -> None:
    model, error, text = MODELS[case]
    with pytest.raises(error, match=text) as caught:
        Inspector(model, models.pictures())  # type: ignore[arg-type]  # that is the point
    assert len(str(caught.value)) < 300


CALLS: dict[str, tuple[Callable[[Any], object], type[Exception], str]] = {
    "a word": (lambda i: i.maps("fc", "a"), TypeError, r"image='a' is a str; .* from 0 to 1"),
    "a float": (lambda i: i.maps("fc", 1.0), TypeError, r"image=1.0 is a float; give the place"),
    "a tensor": (
        lambda i: i.maps("fc", models.pictures()), TypeError, r"A picture itself goes to inputs="),
    "a layer": (
        lambda i: i.activation(i.layers[0]), TypeError, r"a LayerInfo; .* string, here 'conv1'\."),
    "a module": (
        lambda i: i.activation(i.model), TypeError, r"=Plain\(\.\.\.\) is a Plain; .* lists it"),
    "several targets": (
        lambda i: i.gradient("fc", [1, 2]), TypeError, r"One at a time; cw.cam_sweep\(\) takes s"),
    "a picture": (lambda i: i.picture(0.5), TypeError, r"image=0.5 is a float; give the place"),
    "beyond": (lambda i: i.picture(2), ValueError, r"image=2 is not in the batch of 2; give 0"),
    "no number": (lambda i: i.predictions(0.5), ValueError, r"k=0.5 must be a whole number"),
}  # fmt: skip


@pytest.mark.parametrize("case", CALLS)
def test_bad_arguments_of_calls(case: str) -> None:
    call, error, text = CALLS[case]
    with pytest.raises(error, match=text):
        call(Inspector(models.Plain(), models.pictures()))


def test_numpys_whole_numbers_will_do() -> None:
    inspector = Inspector(models.Plain(), models.pictures(), cache_bytes=np.int64(1 << 20))
    assert len(inspector.predictions(np.int64(2))[0]) == 2
    assert inspector.maps("fc", np.int64(1)).kind == "vector"
    assert inspector.cache_info()["budget_bytes"] == 1 << 20
