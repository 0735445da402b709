"""Which function makes which map, and what is made together."""

from __future__ import annotations

import pytest

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods import checked_parameters, find_method, methods
from cnnviz_widgets.methods.cam_family import PROVIDERS, cam_maps
from tests.methods.cam_networks import Pooled, built, case_of, picture

NAMES = [method.name for method in methods("cam")]


def test_every_method_is_made_by_something() -> None:
    assert set(NAMES) == set(PROVIDERS)


@pytest.mark.parametrize("name", NAMES)
def test_one_row_for_each_target(name: str) -> None:
    insp = Inspector(built(Pooled()), picture(1, 3, 8, 12))
    case = case_of(insp, ["relu2"], [0, 3])
    settings = {name: checked_parameters(find_method(name, "cam"), {})}
    maps = cam_maps(case, [name], settings)
    assert list(maps) == [name]
    assert maps[name]["relu2"].shape == (2, 24)


def test_methods_of_one_sweep_share_it() -> None:
    insp = Inspector(built(Pooled()), picture(1, 3, 8, 12))
    names = ["gradcam", "layercam", "gradcam++", "eigengradcam", "hirescam"]
    settings = {name: checked_parameters(find_method(name, "cam"), {}) for name in names}
    case = case_of(insp, ["conv1", "conv2"], [0, 1])
    assert list(cam_maps(case, names, settings)) == names
    assert (case.forward, case.backward) == (1, 2)
