"""`load`: accuracy, errors, freshness, and what it leaves alone."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors import safe_open

from cnnviz_widgets.samples import digits, load, shapes
from cnnviz_widgets.samples.loading import FOLDER, normalised


def right(name: str, images: int) -> float:
    """Share of held-out pictures that the network names rightly."""
    sample = load(name, images=images)
    with torch.inference_mode():
        best = torch.cat([sample.model(part).argmax(1) for part in torch.split(sample.images, 250)])
    return (best == sample.labels).double().mean().item()


@pytest.mark.parametrize(("name", "images"), [("shapes", 1000), ("digits", 360)])
def test_at_least_97_percent_on_pictures_never_seen(name: str, images: int) -> None:
    assert right(name, images) >= 0.97


@pytest.mark.parametrize("name", ["shapes", "digits"])
def test_weights_are_small_and_hold_their_figures(name: str) -> None:
    path = FOLDER / f"{name}.safetensors"
    assert path.stat().st_size < 1_000_000
    with safe_open(path, framework="pt") as stored:
        figures = json.loads(stored.metadata()["training"])
    assert figures["epochs"] >= 1
    assert figures["held_out_accuracy"] >= 0.97
    if name == "digits":
        assert right(name, 360) == pytest.approx(figures["held_out_accuracy"], abs=1e-5)


def test_shapes_sample() -> None:
    sample = load("shapes")
    assert sample.name == "shapes"
    assert sample.images.shape == (16, 3, 64, 64)
    assert sample.images.dtype == torch.float32
    assert sample.labels.dtype == torch.int64
    assert sample.masks is not None
    assert (sample.masks.shape, sample.masks.dtype) == ((16, 64, 64), torch.bool)
    assert len(sample.class_names) == 10
    assert not sample.model.training
    mean, std = torch.tensor(sample.mean)[:, None, None], torch.tensor(sample.std)[:, None, None]
    seen = ((sample.images[5] * std + mean) * 255).round().permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(seen, shapes.scene(shapes.HELD_OUT_SEED, 5).image)


def test_digits_sample() -> None:
    sample = load("digits", images=360)
    assert sample.images.shape == (360, 1, 32, 32)
    assert sample.masks is None
    assert sample.class_names == tuple("0123456789")
    assert not sample.model.training
    seen = ((sample.images * sample.std[0] + sample.mean[0]) * 255).round()
    np.testing.assert_array_equal(seen[:, 0].numpy(), digits.held_out_pictures()[0][..., 0])


@pytest.mark.parametrize("name", ["shapes", "digits"])
def test_fewer_pictures_are_the_first_of_more(name: str) -> None:
    few, more = load(name, images=np.int64(3)), load(name, images=5)
    assert torch.equal(few.images, more.images[:3])
    assert torch.equal(few.labels, more.labels[:3])


@pytest.mark.parametrize("name", ["shapes", "digits"])
def test_each_load_shares_nothing_with_the_last(name: str) -> None:
    first = load(name, images=2)
    kept = load(name, images=2)
    with torch.no_grad():
        for parameter in first.model.parameters():
            parameter.zero_()
        first.images.zero_()
    again = load(name, images=2)
    assert torch.equal(again.images, kept.images)
    assert again.images.abs().max() > 0
    weights = again.model.state_dict()
    assert all(torch.equal(value, weights[key]) for key, value in kept.model.state_dict().items())


def numpy_state() -> str:
    """NumPy's global random state, comparable."""
    return repr(np.random.get_state(legacy=False))  # noqa: NPY002  (the state that users may rely on)


def test_random_numbers_are_left_alone() -> None:
    torch_before, numpy_before = torch.get_rng_state(), numpy_state()
    load("shapes", images=2)
    load("digits", images=2)
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert numpy_state() == numpy_before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("shaeps", r"^name='shaeps' is not an embedded sample; did you mean 'shapes'\? Choose"),
        ("Digit", r"name='Digit' .* did you mean 'digits'\?"),
        ("imagenet", r"^name='imagenet' is not an embedded sample; choose 'shapes' or 'digits'\.$"),
    ],
)
def test_unknown_name(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load(name)


def test_name_of_wrong_type() -> None:
    with pytest.raises(TypeError, match=r"^name=3 is not a string; choose 'shapes' or 'digits'\.$"):
        load(3)  # type: ignore[arg-type]  # the type is what must fail


@pytest.mark.parametrize(("name", "most"), [("shapes", 10_000), ("digits", 360)])
def test_count_out_of_range(name: str, most: int) -> None:
    for images in (0, -1, most + 1):
        message = rf"^images={images} is out of range; give 1 to {most} for '{name}'\.$"
        with pytest.raises(ValueError, match=message):
            load(name, images=images)


@pytest.mark.parametrize("images", [2.0, "4", None, True])
def test_count_of_wrong_type(images: object) -> None:
    with pytest.raises(TypeError, match=r"^images=.* is not a whole number; give 1 to 360"):
        load("digits", images=images)  # type: ignore[arg-type]  # the type is what must fail


def test_import_leaves_torch_alone() -> None:
    code = (
        "import sys, cnnviz_widgets.samples as s; s.load, s.Sample;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'sklearn', 'safetensors')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_loading_needs_no_scikit_learn_and_no_pickle() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import torch, pickle, numpy\n"
        "def refuse(*args, **kwargs): raise AssertionError('unpickled')\n"
        "pickle.load = pickle.loads = torch.load = refuse\n"
        "from cnnviz_widgets.samples import load\n"
        "load('shapes', images=1); load('digits', images=1)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_normalised_by_hand() -> None:
    pictures = np.array([[[[0, 51]], [[255, 102]]]], dtype=np.uint8)
    values = normalised(pictures, (0.5, 0.2), (0.25, 0.1))
    expected = torch.tensor([[[[-2.0], [2.0]], [[0.0], [2.0]]]])
    torch.testing.assert_close(values, expected)
    assert values.is_contiguous()
