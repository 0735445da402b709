"""Maps show the figure: on 40 pictures of `shapes`; the benchmark counts 200, for all methods."""

from __future__ import annotations

import pytest

from cnnviz_widgets.attribution import cam
from tests.benchmarks.bench_masks import Scene, brightest, scenes


@pytest.fixture(scope="module")
def pictures() -> list[Scene]:
    return list(scenes(40))


@pytest.mark.parametrize("method", ["gradcam", "layercam", "hirescam"])
def test_the_brightest_place_is_on_the_figure(method: str, pictures: list[Scene]) -> None:
    layer = {"gradcam": "layer2.1.relu#2"}.get(method, "layer3.0.relu#2")
    hits = [
        bool(scene.mask[brightest(cam(scene.insp, method, layer).display(scene.mask.shape))])
        for scene in pictures
    ]
    assert len(hits) >= 36  # the network is right about most of them
    assert sum(hits) >= 0.9 * len(hits)
