"""Keras models on torch: every layer is found, and shows what Keras itself computes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

os.environ.setdefault("KERAS_BACKEND", "torch")
keras: Any = pytest.importorskip("keras", reason="keras is not installed")
if keras.backend.backend() != "torch":
    pytest.skip("keras does not run on torch here", allow_module_level=True)

import cnnviz_widgets as cw  # noqa: E402 - after it is clear that the tests can run
from cnnviz_widgets.inspection.inspector import Inspector  # noqa: E402
from cnnviz_widgets.inspection.weights import Weights  # noqa: E402
from tests.inspection.promise import unchanged  # noqa: E402

layers = keras.layers
PIXELS = np.random.default_rng(4).integers(0, 256, (12, 10, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def _same_weights() -> None:
    keras.utils.set_random_seed(3)


def sequential() -> Any:
    return keras.Sequential(
        [
            keras.Input((12, 10, 3)),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.MaxPooling2D(name="pool"),
            layers.Flatten(name="flat"),
            layers.Dropout(0.5, name="drop"),
            layers.Dense(5, activation="softmax", name="fc"),
        ]
    )


def functional() -> Any:
    given = keras.Input((12, 10, 3))
    one = layers.Conv2D(4, 3, padding="same", name="one")(given)
    two = layers.DepthwiseConv2D(3, padding="same", name="two")(one)
    both = layers.Add(name="both")([one, two])
    return keras.Model(
        given, layers.Dense(5, name="fc")(layers.GlobalAveragePooling2D(name="pool")(both))
    )


def nested() -> Any:
    body = keras.Sequential(
        [layers.Conv2D(4, 3, name="conv"), layers.ReLU(name="relu")], name="body"
    )
    ends = [layers.GlobalMaxPooling2D(name="pool"), layers.Dense(5, name="fc")]
    return keras.Sequential([keras.Input((12, 10, 3)), body, *ends])


def written() -> Any:
    class Own(keras.Model):  # type: ignore[misc]  # Keras has no types
        def __init__(self) -> None:
            super().__init__()
            self.blocks = [layers.Conv2D(4, 3, name="a"), layers.Conv2D(4, 3, name="b")]
            self.fc = layers.Dense(5, name="fc")

        def call(self, x: Tensor) -> Any:
            for block in self.blocks:
                x = block(x)
            return self.fc(keras.ops.mean(x, (1, 2)))

    model = Own()
    model(pictures())
    return model


def pictures(count: int = 2) -> Tensor:
    """Pictures as Keras takes them."""
    return torch.rand(count, 12, 10, 3, generator=torch.Generator().manual_seed(1))


NAMES = {
    sequential: ["conv", "norm", "pool", "flat", "drop", "fc"],
    functional: ["one", "two", "both", "pool", "fc"],
    nested: ["body.conv", "body.relu", "pool", "fc"],
    written: ["a", "b", "fc"],
}


@pytest.mark.parametrize("make", NAMES, ids=lambda make: make.__name__)
def test_layers_are_found_under_their_names_and_the_model_stays_as_it_is(make: Any) -> None:
    model = make()
    with unchanged(model):
        inspector = Inspector(model, pictures())
        assert [layer.name for layer in inspector.layers] == NAMES[make]
        grids = [layer.layout for layer in inspector.layers if len(layer.shape) == 4]
        assert set(grids) == {"NHWC"}
        inspector.gradient(NAMES[make][0], 1)
        maps = cw.cam(inspector, "gradcam", layer=NAMES[make][0])
    assert maps.status == "ok"
    expected = model(pictures()).detach()
    best = [found[0].index for found in inspector.predictions(1)]
    assert best == expected.argmax(1).tolist()


@pytest.mark.parametrize("make", [sequential, functional])
def test_values_are_those_of_keras(make: Any) -> None:
    model = make()
    inspector = Inspector(model, pictures())
    for name in NAMES[make]:
        own = keras.Model(model.inputs, model.get_layer(name).output)
        torch.testing.assert_close(inspector.activation(name), own(pictures()).detach())


def test_gradients_are_those_of_torch() -> None:
    model = functional()
    kept: list[Tensor] = []
    handle = model.get_layer("two").register_forward_hook(lambda *call: kept.append(call[2]))
    score = model(pictures())[:, 2].sum()
    handle.remove()
    (expected,) = torch.autograd.grad(score, kept)
    torch.testing.assert_close(Inspector(model, pictures()).gradient("two", 2), expected)


def test_pictures_are_pictures_whatever_their_form() -> None:
    from PIL import Image

    model = functional()
    inspector = Inspector(model, Image.fromarray(PIXELS))
    expected = inspector.activation("one")
    values = PIXELS.astype(np.float32) / 255
    for form in (values, values[None], torch.from_numpy(values), [PIXELS], PIXELS):
        inspector.set_inputs(form)
        np.testing.assert_array_equal(inspector.picture(0), PIXELS)
        torch.testing.assert_close(inspector.activation("one"), expected)
    assert cw.saliency(inspector, "gradient", target=0).values.shape == (12, 10)


def test_channels_first_models_are_left_as_they_are() -> None:
    conv = layers.Conv2D(4, 3, data_format="channels_first", name="conv")
    pool = layers.GlobalAveragePooling2D(data_format="channels_first")
    model = keras.Sequential([keras.Input((3, 12, 10)), conv, pool])
    inspector = Inspector(model, torch.rand(1, 3, 12, 10))
    assert inspector.layers[0].layout == "NCHW"
    inspector.set_inputs(PIXELS)
    np.testing.assert_array_equal(inspector.picture(0), PIXELS)


def test_a_training_step_is_seen() -> None:
    model = sequential()
    inspector = Inspector(model, pictures())
    before = inspector.activation("fc")
    model.compile(optimizer=keras.optimizers.SGD(0.5), loss="sparse_categorical_crossentropy")
    model.fit(pictures(4), np.array([0, 1, 2, 3]), verbose=0)
    after = inspector.activation("fc")
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after, model(pictures()).detach())


def test_filters_are_in_the_order_of_torch() -> None:
    model = functional()
    weights = Weights(model)
    assert [(info.name, info.shape) for info in weights.layers] == [
        ("one", (4, 3, 3, 3)),
        ("two", (4, 1, 3, 3)),
        ("fc", (5, 4)),
    ]
    kernel = model.get_layer("one").kernel.value.detach().numpy()
    np.testing.assert_array_equal(weights.bank("one").values[2, 1], kernel[:, :, 1, 2])
    depthwise = model.get_layer("two").kernel.value.detach().numpy()
    np.testing.assert_array_equal(weights.bank("two").values[3, 0], depthwise[:, :, 3, 0])
    dense = model.get_layer("fc").kernel.value.detach().numpy()
    np.testing.assert_array_equal(weights.bank("fc").values[1], dense[:, 1])


def test_every_widget_opens() -> None:
    found = cw.explore(functional(), pictures())
    picker = cw.ImagePicker(found.inspector)
    picker.choose(PIXELS)
    assert tuple(found.inspector.inputs.shape) == (1, 3, 12, 10)
    picker.close()
    found.close()


def test_a_model_that_was_not_built_is_refused() -> None:
    model = keras.Sequential([layers.Conv2D(4, 3)])
    with pytest.raises(ValueError, match="is a Keras model that was not built; call it once"):
        Inspector(model, pictures())
