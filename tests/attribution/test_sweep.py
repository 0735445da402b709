"""Sweeps: every layer and class from few passes, and maps made when they are looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cnnviz_widgets.attribution import CamSweep, cam, cam_sweep
from cnnviz_widgets.attribution.sweep import grid_layers, sweep_maps
from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods import methods
from cnnviz_widgets.methods.progress import Cancelled
from tests.methods.cam_networks import Along, Pooled, Transformer, built, picture

NAMES = ("ape", "bee", "cat", "dog")
LAYERS = ("conv1", "bn", "relu1", "pool", "conv2", "relu2")


def look(**options: Any) -> Inspector:
    return Inspector(built(Pooled()), picture(2, 3, 8, 12), **options)


def test_a_mapping_from_layer_and_class() -> None:
    sweep = cam_sweep(look(class_names=NAMES), targets=["bee", 3, None], image=1)
    assert sweep.layers == LAYERS
    assert {target.index for target in sweep.targets} >= {1, 3}
    assert len(sweep) == len(list(sweep)) == 6 * len(sweep.targets)
    assert set(sweep) == {(layer, t.index) for layer in LAYERS for t in sweep.targets}
    assert sweep["conv1", 3].target_name == "dog"
    assert np.array_equal(sweep["conv1", "dog"].values, sweep["conv1", 3].values)
    assert repr(sweep) == f"CamSweep('gradcam', 6 layers x {len(sweep.targets)} targets)"


@pytest.mark.parametrize("method", [m.name for m in methods("cam") if m.name != "cam"])
def test_every_map_is_that_of_cam(method: str) -> None:
    insp = look()
    sweep = cam_sweep(insp, method, targets=[2, 0], layers=["conv2", "conv1"], image=1)
    for (layer, target), m in sweep.items():
        alone = cam(insp, method, layer, target, 1)
        scale = np.abs(alone.values).max()
        np.testing.assert_allclose(m.values, alone.values, rtol=1e-4, atol=1e-5 * scale)
        assert (m.layer, m.target_index, m.status, m.parameters) == (
            alone.layer, alone.target_index, alone.status, alone.parameters,
        )  # fmt: skip


def test_values_of_a_layer_come_without_making_maps() -> None:
    sweep = cam_sweep(look(), targets=range(4))
    values = sweep.values_of("pool")
    assert values.shape == (4, 4, 6)
    assert values.dtype == np.float32
    for place in range(4):
        assert np.array_equal(values[place], sweep.map_at("pool", place).values)


def test_one_forward_pass_and_one_backward_pass_for_each_target() -> None:
    sweep = cam_sweep(look(), layers=["conv1", "conv2"], targets=range(3))
    assert sweep["conv1", 0].passes == (1, 3)
    last = cam_sweep(look(), layers=["relu2"], targets=range(4))
    assert last["relu2", 0].passes == (1, 0)


def test_several_methods_share_a_sweep() -> None:
    insp = look()
    names = ["gradcam", "layercam", "eigencam", "scorecam"]
    found = sweep_maps(insp, names, ["conv1"], [1], 0, parameters={"eigencam": {"centred": False}})
    assert list(found) == names
    assert found["eigencam"]["conv1", 1].parameters == {"centred": False}
    for name in ("gradcam", "layercam"):
        assert found[name]["conv1", 1].passes[1] == 1


def test_the_same_class_twice_is_explained_once() -> None:
    insp = look()
    top = insp.predictions(1)[0][0].index
    assert len(cam_sweep(insp, targets=[None, top], layers=["conv1"])) == 1


def test_a_function_has_its_name_for_an_index() -> None:
    def margin(output: torch.Tensor) -> torch.Tensor:
        return output[:, 0] - output[:, 1]

    sweep = cam_sweep(look(), targets=[margin, 2], layers=["conv1"])
    assert list(sweep) == [("conv1", "margin"), ("conv1", 2)]
    assert sweep["conv1", "margin"].score_kind == "custom"


def test_what_is_not_in_a_sweep() -> None:
    sweep = cam_sweep(look(), targets=[1], layers=["conv1"])
    for key in [("conv2", 1), ("conv1", 2), "conv1", ("conv1", None)]:
        with pytest.raises(KeyError, match=r"is not in the sweep; ask for \(layer, target\)"):
            sweep[key]  # type: ignore[index]  # what a user may type
    assert ("conv2", 1) not in sweep
    for look_up in (sweep.values_of, lambda layer: sweep.map_at(layer, 0)):
        with pytest.raises(KeyError, match=r"layer='conv2' is not in the sweep; layers are 'con"):
            look_up("conv2")


def test_sweeps_of_tokens_and_volumes() -> None:
    tokens = cam_sweep(Inspector(built(Transformer()), picture(1, 3, 12, 16)), targets=[0, 1])
    assert tokens.values_of("blocks.0.norm1").shape == (2, 3, 4)
    volumes = cam_sweep(Inspector(built(Along(3)), picture(1, 2, 4, 6, 8)))
    assert volumes.values_of("conv1").shape == (1, 6, 8)
    assert volumes["conv1", volumes.targets[0].index].volume is not None  # type: ignore[index]  # a class


def test_cam_is_swept_where_it_is_defined() -> None:
    assert cam_sweep(look(), "cam", targets=range(4)).layers == ("relu2",)
    with pytest.raises(ValueError, match=r"layer='norm' does not feed global average pooling"):
        cam_sweep(Inspector(built(Transformer()), picture(1, 3, 12, 16)), "cam")


def test_layers_with_a_grid() -> None:
    names = [info.name for info in grid_layers(look())]
    assert names == list(LAYERS)
    tokens = [i.name for i in grid_layers(Inspector(built(Transformer()), picture(1, 3, 12, 16)))]
    assert {"blocks", "blocks.0", "blocks.0.mlp"} <= set(tokens)


@pytest.mark.parametrize("method", ["gradcam", "scorecam", "fullgrad"])
def test_a_report_can_stop_a_sweep(method: str) -> None:
    calls: list[int] = []

    def report(done: int, _total: int, _partial: object) -> None:
        calls.append(done)
        if done >= 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        cam_sweep(look(), method, targets=range(4), report=report)
    assert calls


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"layers": "conv1"}, TypeError, r"layers='conv1' must be a sequence, such as \['conv1'\]"),
        ({"targets": 3}, TypeError, r"targets=3 must be a sequence, such as \[3\]"),
        ({"layers": ["conv1", "fc"]}, ValueError, "layer='fc' has an output"),
        ({"method": "gradcams"}, ValueError, "did you mean 'gradcam'"),
        ({"gamma": 1}, TypeError, "gamma=1 is no parameter of 'gradcam'"),
        ({"layers": []}, ValueError, "layers is empty; name at least one"),
        ({"targets": []}, ValueError, "targets is empty; name at least one"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        cam_sweep(look(), **arguments)


def test_a_bare_model_is_no_inspector() -> None:
    with pytest.raises(TypeError, match=r"insp=Pooled is no Inspector; .* cw.cam_sweep\("):
        cam_sweep(Pooled())  # type: ignore[arg-type]  # what a user may pass


def test_it_is_a_mapping() -> None:
    sweep = cam_sweep(look(), targets=[1], layers=["conv1", "conv2"])
    assert isinstance(sweep, CamSweep)
    assert dict(sweep).keys() == set(sweep.keys())
