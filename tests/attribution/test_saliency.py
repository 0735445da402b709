"""`saliency`: every method through an Inspector, on models as they are."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets.attribution.cam import cam
from cnnviz_widgets.attribution.map import Map
from cnnviz_widgets.attribution.resize import resized
from cnnviz_widgets.attribution.saliency import saliency
from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods import methods
from cnnviz_widgets.methods.progress import Cancelled
from tests.inspection import models

QUICK: dict[str, dict[str, object]] = {
    "integrated_gradients": {"steps": 5},
    "smoothgrad": {"samples": 3},
    "vargrad": {"samples": 3},
    "rise": {"masks": 6},
}
NAMES = [method.name for method in methods("saliency")]
RULED = {"guided_backprop", "deconvnet", "guided_gradcam"}
SAMPLED = sorted(method.name for method in methods("saliency") if method.progressive)


def quick(insp: Inspector, name: str, **more: object) -> Map:
    return saliency(insp, name, **{**QUICK.get(name, {}), **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3, 4, 11])
def test_every_number_of_channels_on_a_picture_that_is_not_square(name: str, channels: int) -> None:
    insp = Inspector(models.built(models.Plain(channels)), models.pictures(2, channels))
    found = quick(insp, name, image=1)
    assert found.values.shape == (12, 10)
    assert found.values.dtype == np.float32
    assert np.isfinite(found.values).all()
    assert (found.method, found.layer, found.image, found.final) == (name, None, 1, True)
    per_channel = found.channels
    assert (per_channel is not None) == ("reduction" in found.parameters)
    assert per_channel is None or per_channel.shape == (channels, 12, 10)


class Line(nn.Module):
    """1-d convolutions, or features alone."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.conv: nn.Module = {
            "line": nn.Conv1d(2, 4, 3), "volume": nn.Conv3d(2, 4, 3), "features": nn.Linear(9, 4),
        }[kind]  # fmt: skip
        self.relu = nn.ReLU()
        self.fc = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.conv(x))
        found: Tensor = self.fc(y.flatten(2).mean(2) if y.dim() > 2 else y)
        return found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("kind", "shape", "values"),
    [
        ("line", (2, 2, 9), (1, 9)),
        ("volume", (2, 2, 5, 6, 7), (6, 7)),
        ("features", (2, 9), (1, 9)),
    ],
)
def test_lines_volumes_and_features(
    name: str, kind: str, shape: tuple[int, ...], values: tuple[int, int]
) -> None:
    inputs = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    insp = Inspector(models.built(Line(kind)), inputs)
    if (name, kind) == ("guided_gradcam", "features"):
        with pytest.raises(ValueError, match="layer=None: no layer of this model"):
            quick(insp, name)
        return
    found = quick(insp, name)
    assert found.values.shape == values
    assert (found.volume is not None) == (kind == "volume")
    if found.volume is not None:
        np.testing.assert_allclose(found.volume.mean(0), found.values, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_half_precision_gives_float32_maps_near_those_of_float32(
    name: str, kind: torch.dtype
) -> None:
    x = models.pictures(1)
    whole = quick(Inspector(models.built(models.Plain()), x), name, target=1)
    half = quick(Inspector(models.built(models.Plain()).to(kind), x.to(kind)), name, target=1)
    assert half.values.dtype == np.float32
    assert half.score == pytest.approx(whole.score, rel=0.05)
    close = float(np.corrcoef(whole.values.ravel(), half.values.ravel())[0, 1])
    assert close > 0.9


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", ["frozen", "no_grad", "inference_mode"])
def test_frozen_parameters_and_callers_without_gradients(name: str, mode: str) -> None:
    model, x = models.built(models.Plain()), models.pictures(1)
    expected = quick(Inspector(model, x), name).values
    if mode == "frozen":
        model.requires_grad_(requires_grad=False)
    outer = {"no_grad": torch.no_grad, "inference_mode": torch.inference_mode}
    with outer.get(mode, contextlib.nullcontext)():
        got = quick(Inspector(model, x), name).values
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_maps_of_other_devices_are_those_of_the_cpu(name: str, device: str) -> None:
    """Seeds too: noise and masks are drawn on the CPU."""
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not present[device]:
        pytest.skip(f"no {device} device here")
    x = models.pictures(1)
    expected = quick(Inspector(models.built(models.Plain()), x), name, target=1).values
    insp = Inspector(models.built(models.Plain()).to(device), x)
    got = quick(insp, name, target=1).values
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize("name", [name for name in NAMES if name not in RULED])
def test_the_first_of_several_inputs_is_explained(name: str) -> None:
    left, right = models.pictures(2), models.pictures(2, 1)
    insp = Inspector(models.built(models.TwoTowers()), (left, right))
    assert quick(insp, name, image=1).values.shape == (12, 10)


@pytest.mark.parametrize("kind", ["tuple", "dict", "dataclass"])
def test_structured_outputs(kind: str) -> None:
    insp = Inspector(models.built(models.Structured(kind)), models.pictures())
    assert quick(insp, "integrated_gradients").score_kind == "logit"


def test_another_place_in_the_batch_is_another_picture() -> None:
    """The map of one image of a batch is that of the image alone."""
    model, x = models.built(models.Plain()), models.pictures(3)
    for name in NAMES:
        alone = quick(Inspector(model, x[2:]), name, target=1).values
        together = quick(Inspector(model, x), name, target=1, image=2).values
        np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-6)


class Head(nn.Module):
    """A network that ends in a softmax, or does not."""

    def __init__(self, *, softmax: bool) -> None:
        super().__init__()
        self.body = models.Plain()
        self.softmax = nn.Softmax(1) if softmax else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.softmax(self.body(x))
        return result


@pytest.mark.parametrize("name", NAMES)
def test_the_logit_before_a_softmax_is_explained_and_said(name: str) -> None:
    x = models.pictures(1)
    probability = quick(Inspector(models.built(Head(softmax=True)), x), name)
    logit = quick(Inspector(models.built(Head(softmax=False)), x), name)
    assert probability.score == pytest.approx(logit.score)
    assert probability.score_kind == "logit"
    assert "the score before it, a logit, is explained" in (probability.note or "")
    np.testing.assert_allclose(probability.values, logit.values, rtol=1e-4, atol=1e-7)


def test_the_top_prediction_is_that_of_the_whole_picture() -> None:
    """Covered or noisy pictures may have another; the score stays."""

    class Turning(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.keep = nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            total = self.keep(x).flatten(1).sum(1)
            return torch.stack([total, 4 - total], 1)  # class 1 as soon as half is covered

    insp = Inspector(Turning(), torch.ones(1, 1, 2, 2))
    found = saliency(insp, "occlusion", window=2, stride=2)
    assert (found.target_index, found.score) == (0, 4.0)
    assert found.values.tolist() == [[4.0, 4.0], [4.0, 4.0]]


class Rectifiers(nn.Module):
    """The same network with ReLUs of different makes."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 6, 3)
        self.fc = nn.Linear(6, 5)
        self.relu1, self.relu2 = nn.ReLU(), nn.ReLU()
        self.inplace = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self._relu(self.second(self._relu(self.first(x), self.relu1)), self.relu2)
        found: Tensor = self.fc(y.mean((2, 3)))
        return found

    def _relu(self, x: Tensor, module: nn.Module) -> Tensor:
        makes: dict[str, Callable[[Tensor], Tensor]] = {
            "modules": module,
            "reused": self.relu1,
            "in place": self.inplace,
            "F.relu": functional.relu,
            "F.relu in place": lambda x: functional.relu(x, inplace=True),
            "relu_": lambda x: x.relu_(),
            "clamp": lambda x: x.clamp(min=0),
            "silu": functional.silu,
        }
        return makes[self.kind](x)


@pytest.mark.parametrize("name", sorted(RULED))
@pytest.mark.parametrize(
    "kind", ["reused", "in place", "F.relu", "F.relu in place", "relu_", "clamp"]
)
def test_every_make_of_relu_is_intercepted(name: str, kind: str) -> None:
    """Where other libraries silently give the plain gradient."""
    x = models.pictures(1)
    expected = quick(Inspector(models.built(Rectifiers("modules")), x), name, layer=layer(name))
    got = quick(Inspector(models.built(Rectifiers(kind)), x), name, layer=layer(name))
    plain = quick(Inspector(models.built(Rectifiers("modules")), x), "gradient")
    np.testing.assert_allclose(got.values, expected.values, rtol=1e-5, atol=1e-8)
    assert not np.allclose(got.values, plain.values, rtol=1e-3)


def layer(name: str) -> str | None:
    return "second" if name == "guided_gradcam" else None


@pytest.mark.parametrize("name", sorted(RULED))
def test_nothing_to_intercept_is_refused_with_the_reason(name: str) -> None:
    insp = Inspector(models.built(Rectifiers("silu")), models.pictures(1))
    text = f"method='{name}' changes how .*Rectifiers has no ReLU: its nonlinearities are SiLU"
    with pytest.raises(ValueError, match=text):
        quick(insp, name)


def test_integrated_gradients_says_its_gap() -> None:
    insp = Inspector(models.built(models.Plain()), models.pictures(1))
    found = saliency(insp, "integrated_gradients", steps=40, baseline="zero")
    empty = Inspector(models.built(models.Plain()), torch.zeros(1, 3, 12, 10))
    index = found.target_index
    assert index is not None
    start = saliency(empty, "gradient", index).score
    assert found.completeness_gap == pytest.approx(
        found.values.sum() - (found.score - start), abs=1e-4
    )
    assert found.note is not None
    assert "a gap of" in found.note
    assert found.passes == (41, 40)


def test_black_is_a_black_pixel_where_the_normalisation_is_known() -> None:
    model, x = models.built(models.Plain()), models.pictures(1)
    mean, std = [0.5, 0.4, 0.3], [0.2, 0.25, 0.5]
    known = Inspector(model, x, mean=mean, std=std)
    black = -torch.tensor(mean) / torch.tensor(std)
    got = saliency(known, "integrated_gradients", steps=5)
    same = saliency(known, "integrated_gradients", steps=5, baseline=black.reshape(3, 1, 1))
    np.testing.assert_array_equal(got.values, same.values)
    assert isinstance(same.parameters["baseline"], np.ndarray)  # no torch in a map
    unknown = Inspector(model, x)
    zero = saliency(unknown, "integrated_gradients", steps=5, baseline=0.0)
    np.testing.assert_array_equal(
        saliency(unknown, "integrated_gradients", steps=5).values, zero.values
    )


@pytest.mark.parametrize("name", SAMPLED)
def test_partial_maps_come_while_it_runs(name: str) -> None:
    """Lazily: a map is made when it is asked for, and costs no pass."""
    insp = Inspector(models.built(models.Plain()), models.pictures(1))
    seen: list[Map] = []
    ends: list[tuple[int, int]] = []

    def report(done: int, total: int, partial: Callable[[], Map] | None) -> None:
        ends.append((done, total))
        if partial is not None:
            before = seen[-1].passes if seen else (0, 0)
            seen.append(partial())
            assert seen[-1].passes > before

    more: dict[str, object] = {
        "rise": {"masks": 100},
        "integrated_gradients": {"steps": 100},
        "occlusion": {"window": 2},
    }.get(name, {"samples": 100})  # type: ignore[assignment]
    last = quick(insp, name, report=report, **more)
    assert ends[0][0] == 0
    assert ends[-1][0] == ends[-1][1]
    assert len(seen) >= 2
    assert not any(map_.final for map_ in seen)
    assert last.final
    assert all(map_.values.shape == last.values.shape for map_ in seen)
    errors = [np.linalg.norm(map_.values - last.values) for map_ in seen]
    assert errors[-1] < np.linalg.norm(last.values)


@pytest.mark.parametrize("name", SAMPLED)
def test_seeds_are_obeyed_and_the_random_state_is_left_alone(name: str) -> None:
    insp = Inspector(models.built(models.Plain()), models.pictures(1))
    before = torch.get_rng_state()
    first, again = quick(insp, name), quick(insp, name)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(first.values, again.values)
    if "seed" in first.parameters:
        assert not np.array_equal(quick(insp, name, seed=1).values, first.values)


class Slow(nn.Module):
    """Ten modules that take 50 ms each."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.Sequential(*(Nap() for _ in range(10)))
        self.conv, self.relu = nn.Conv2d(3, 4, 3), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.relu(self.conv(self.steps(x))).mean((2, 3))
        return result


class Nap(nn.Module):
    """Part of `Slow`."""

    def forward(self, x: Tensor) -> Tensor:
        time.sleep(0.05)
        return x + 0


@pytest.mark.parametrize("name", ["integrated_gradients", "smoothgrad", "occlusion", "rise"])
def test_cancelled_inside_a_pass(name: str) -> None:
    """Not only between batches: here a pass takes half a second, and one module 50 ms."""
    insp = Inspector(models.built(Slow()), models.pictures(1))
    began = time.monotonic()

    def report(_done: int, _total: int, _partial: object) -> None:
        if time.monotonic() - began > 0.2:
            raise Cancelled

    with pytest.raises(Cancelled):
        saliency(insp, name, 0, report=report)
    assert time.monotonic() - began < 0.2 + 0.3
    assert np.isfinite(saliency(insp, "gradient", 0).values).all()  # the lock is free, all is well


def test_other_threads_are_served_between_batches() -> None:
    insp = Inspector(models.built(models.Plain()), models.pictures(1))
    asked, answered = threading.Event(), threading.Event()

    def other() -> None:
        asked.wait(5)
        insp.activation("conv1", wait=2)
        answered.set()

    thread = threading.Thread(target=other)
    thread.start()

    def report(_done: int, _total: int, partial: object) -> None:
        if partial is not None:
            asked.set()
            if answered.wait(2):
                raise Cancelled

    with pytest.raises(Cancelled):
        saliency(insp, "rise", masks=100_000, report=report)
    thread.join()
    assert answered.is_set()


def test_other_inputs_in_the_middle_end_it() -> None:
    insp = Inspector(models.built(models.Plain()), models.pictures(1))

    def report(_done: int, _total: int, partial: object) -> None:
        if partial is not None and insp.epoch == 0:
            insp.set_inputs(models.pictures(1) + 1)

    with pytest.raises(RuntimeError, match="'rise': the model or its inputs changed while it ran"):
        saliency(insp, "rise", masks=1000, report=report)


def test_memory_does_not_grow_with_the_samples() -> None:
    """The largest batch that the model sees is the same for ten times the samples."""
    sizes: list[int] = []

    class Watched(models.Plain):
        def forward(self, x: Tensor) -> Tensor:
            sizes.append(len(x))
            result: Tensor = super().forward(x)
            return result

    insp = Inspector(models.built(Watched()), models.pictures(1))
    for masks in (100, 1000):
        sizes.clear()
        saliency(insp, "rise", masks=masks)
        assert max(sizes) == 32
        assert sum(sizes) - masks in {0, 1}  # once it is tried whether rows change each other


def test_layers_that_are_not_shown_count_too() -> None:
    """How many inputs run at once depends on the whole model."""
    sizes: list[int] = []

    class Watched(models.Plain):
        def forward(self, x: Tensor) -> Tensor:
            sizes.append(len(x))
            result: Tensor = super().forward(x)
            return result

    x = torch.randn(1, 3, 1500, 1500)
    insp = Inspector(models.built(Watched()), x, layers=["fc"])
    saliency(insp, "rise", masks=12)
    assert max(sizes) < 12  # 0.8e9 multiply-adds each, in the convolutions


@pytest.mark.parametrize("name", SAMPLED)
def test_images_that_depend_on_their_batch_run_alone(name: str) -> None:
    """BatchNorm with the batch's own statistics: what else is in the batch must not matter."""

    class Mixing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 5)

        def forward(self, x: Tensor) -> Tensor:
            y = functional.batch_norm(self.conv(x), None, None, training=True)
            result: Tensor = self.fc(y.relu().mean((2, 3)))
            return result

    model, x = models.built(Mixing()), models.pictures(1)
    found = quick(
        Inspector(model, x), name, target=1, **({"window": 6} if name == "occlusion" else {})
    )
    if name == "occlusion":
        score = float(model(x).detach()[0, 1])
        covered = x.clone()
        covered[..., :6, :6] = 0
        assert found.values[0, 0] == pytest.approx(
            score - float(model(covered).detach()[0, 1]), abs=1e-4
        )
    assert np.isfinite(found.values).all()


def test_a_blank_map_says_why() -> None:
    """The gradient of a score that does not depend on the picture is zero everywhere."""
    model = models.built(models.Plain())
    with torch.no_grad():
        model.get_parameter("conv2.weight").zero_()
    found = saliency(Inspector(model, models.pictures(1)), "gradient")
    assert found.status == "empty"
    assert found.note == "Every value is zero."


def test_guided_gradcam_is_guided_backprop_times_grad_cam() -> None:
    """Of the layer's Grad-CAM, rectified and enlarged bilinearly."""
    insp = Inspector(models.built(Rectifiers("modules")), models.pictures(1))
    gradcam = cam(insp, "gradcam", "second", 1)
    guided = saliency(insp, "guided_backprop", 1)
    found = saliency(insp, "guided_gradcam", 1, layer="second")
    assert guided.channels is not None
    assert found.channels is not None
    enlarged = resized(gradcam.rectified(), (12, 10))
    np.testing.assert_allclose(found.channels, guided.channels * enlarged, rtol=1e-4, atol=1e-9)


def test_guided_gradcam_names_its_layer() -> None:
    insp = Inspector(models.built(models.Plain()), models.pictures(1))
    found = saliency(insp, "guided_gradcam", layer="conv2")
    assert found.parameters["layer"] == "conv2"
    assert saliency(insp, "guided_gradcam").parameters["layer"] == "relu#2"


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda i: saliency(nn.Linear(2, 2)), TypeError, "insp=Linear is no Inspector; make one"),  # type: ignore[arg-type]
        (lambda i: saliency(i, "smooth_grad"), ValueError, "did you mean 'smoothgrad'"),
        (lambda i: saliency(i, "gradcam"), ValueError, r"it is a cam method: call cw\.cam"),
        (lambda i: saliency(i, "gradient", layer="conv1"), ValueError, "takes no layer; maps at a"),
        (lambda i: saliency(i, "gradient", steps=3), TypeError, "steps=3 is no parameter of 'gr"),
        (lambda i: saliency(i, "rise", masks=0), ValueError, "masks=0 of 'rise' must be a number"),
        (lambda i: saliency(i, "rise", baseline="white"), ValueError, "baseline='white' of 'rise'"),
        (lambda i: saliency(i, "gradient", 99), ValueError, "target=99 is not a class"),
        (lambda i: saliency(i, "gradient", image=4), ValueError, "image=4"),
        (lambda i: saliency(i, "gradient", baseline=0.0), TypeError, "baseline=0.0 is no param"),
    ],
)  # fmt: skip
def test_bad_arguments(
    call: Callable[[Inspector], object], error: type[Exception], text: str
) -> None:
    insp = Inspector(models.built(models.Plain()), models.pictures())
    with pytest.raises(error, match=text):
        call(insp)


def test_no_bar_for_a_short_method(capsys: pytest.CaptureFixture[str]) -> None:
    saliency(Inspector(models.built(models.Plain()), models.pictures(1)), "gradient")
    assert capsys.readouterr().err == ""
