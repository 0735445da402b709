"""What the records of the class-activation maps say is so."""

from __future__ import annotations

import pytest

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods import Method, methods
from cnnviz_widgets.methods.cam_catalogue import METHODS
from cnnviz_widgets.methods.cam_family import cam_maps
from tests.methods.cam_networks import Pooled, built, case_of, picture

CAMS = {
    "cam", "gradcam", "gradcam++", "smoothgradcam++", "hirescam", "gradcam_elementwise",
    "xgradcam", "layercam", "eigencam", "eigengradcam", "scorecam", "ablationcam", "finercam",
    "fullgrad",
}  # fmt: skip


def test_the_family_is_complete() -> None:
    assert {method.name for method in METHODS} == CAMS
    assert methods("cam") == METHODS


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_signs_and_passes_are_as_said(method: Method) -> None:
    insp = Inspector(built(Pooled()), picture(1, 3, 8, 12))
    layer = "relu2" if method.name == "cam" else "conv2"
    case = case_of(insp, [layer], [0, 1, 2, 3])
    settings = {method.name: {p.name: p.default for p in method.parameters}}
    values = cam_maps(case, [method.name], settings)[method.name][layer]
    if not method.signed:
        assert bool((values >= 0).all())
    if method.one_pass:
        assert case.forward <= 2
        assert case.backward <= 4
    else:
        assert case.forward > 4


def test_methods_that_take_long_can_be_stopped() -> None:
    assert {method.name for method in METHODS if method.progressive} == {
        "smoothgradcam++", "scorecam", "ablationcam",
    }  # fmt: skip
    assert all(method.one_pass != method.progressive for method in METHODS)
