"""Inspection: a Keras model on torch as a tree of modules.

In: a Keras model, whose layers are torch modules that it keeps in lists of its own. Out: a
`KerasModel`, in which every layer has a place and a name, and which runs the user's model.
"""

from __future__ import annotations

import sys
import weakref
from typing import Any, NamedTuple, NoReturn

from torch import Tensor, nn

# How to bring the axes of a Keras kernel into torch's order, filters first, by their number.
_KERNEL_ORDERS = {2: (1, 0), 3: (2, 1, 0), 4: (3, 2, 0, 1), 5: (4, 3, 0, 1, 2)}


class PictureInput(NamedTuple):
    """What a Keras model takes: channels, the layer that says so, and where its channels are."""

    channels: int
    layer: str
    channels_last: bool


_MODELS: weakref.WeakValueDictionary[int, KerasModel] = weakref.WeakValueDictionary()


class KerasModel(nn.Module):
    """Stands for a Keras model where modules are looked for.

    Parameters
    ----------
    model : keras.Layer
        Made while Keras ran on torch. It is not changed: its layers are listed here, under their
        Keras names, and it is called as it is.

    Notes
    -----
    Keras calls its layers as torch does, so hooks on them are heard. It copies a layer by saving
    and loading it, with weights of its own; so the model itself is run, as every model that cannot
    be copied, and put back after each run. A model inside a model has a place, ``backbone.conv1``,
    but is no layer itself. Here and in all widgets pictures have their channels first, (N, C, H,
    W), whatever the user's model takes; `forward` moves them.

    Attributes
    ----------
    picture : PictureInput or None
        None where it does not take pictures.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.training = False  # Keras is told with each call, by an argument
        self._model = [model]  # in a list, so that it is no child beside its layers
        _list_layers(self, model)
        self.picture = _picture_input(self, model)
        # Layers show their variables as parameters only after somebody has asked for them.
        for variable in self.model.variables:  # type: ignore[union-attr]  # Keras has no types
            self._parameters[variable.path] = variable.value

    @property
    def model(self) -> nn.Module:
        """The user's model."""
        return self._model[0]

    def forward(self, *args: Any, **kwargs: Any) -> Any:  # Any: as the user's model
        """Run the user's model."""
        if self.picture is not None and self.picture.channels_last and len(args) == 1:
            args = (args[0].permute(0, 2, 3, 1),)
        return self.model(*args, **kwargs)

    def __deepcopy__(self, _memo: object) -> NoReturn:
        raise TypeError("Keras gives the copy of a layer weights of its own")


def as_torch_module(model: nn.Module) -> nn.Module:
    """Return a module whose layers can be found: a `KerasModel` of a Keras model.

    Raises
    ------
    ValueError
        The Keras model has no weights yet.
    """
    if not is_keras(model):
        return model
    if not getattr(model, "built", True):
        msg = (
            f"model={type(model).__name__} is a Keras model that was not built; call it once on "
            f"real data, or give it a keras.Input."
        )
        raise ValueError(msg)
    found = _MODELS.get(id(model))
    if found is None or found.model is not model:
        found = _MODELS[id(model)] = KerasModel(model)
    return found


def is_keras(module: object) -> bool:
    """Tell whether this is a layer or a model of Keras."""
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(module, keras.Layer)


def parameters_of(module: Any) -> list[Tensor]:  # Any: Keras has no types
    """Return the parameters of a module; those of a Keras layer, its moving averages too."""
    if is_keras(module):
        return [variable.value for variable in module.weights]
    return list(module.parameters())


def filters_of(layer: Any) -> Tensor | None:  # Any: Keras has no types
    """Return the kernel of a Keras layer as torch would store it, (filters, inputs, ...)."""
    kernel = getattr(getattr(layer, "kernel", None), "value", None)
    if not isinstance(kernel, Tensor) or kernel.dim() not in _KERNEL_ORDERS:
        return None
    kind = type(layer).__name__
    if kind.startswith("Depthwise"):  # (h, w, inputs, filters of each)
        return kernel.permute(2, 3, 0, 1).flatten(0, 1)[:, None] if kernel.dim() == 4 else None
    order = _KERNEL_ORDERS[kernel.dim()]
    if kind.endswith("Transpose"):  # (h, w, filters, inputs)
        order = (order[1], order[0], *order[2:])
    return kernel.permute(order)


def _picture_input(place: nn.Module, model: Any) -> PictureInput | None:
    """Say what pictures a model takes: as its first convolution does, or its input's shape."""
    for path, layer in place.named_modules():
        spec = getattr(layer, "input_spec", None)
        axes = getattr(spec, "axes", None)
        if is_keras(layer) and getattr(layer, "rank", None) == 2 and axes:
            is_last = getattr(layer, "data_format", "") == "channels_last"
            return PictureInput(int(next(iter(axes.values()))), path, is_last)
    shape = getattr(model, "input_shape", None)
    if isinstance(shape, tuple) and len(shape) == 4 and shape[-1] in {1, 3}:
        return PictureInput(int(shape[-1]), "", channels_last=True)
    return None


def _list_layers(place: nn.Module, layer: Any) -> None:  # Any: Keras has no types
    """Give each layer inside another a place under its name."""
    for inner in layer._flatten_layers(recursive=False, include_self=False):
        if type(inner).__name__ == "InputLayer":
            continue  # nothing happens there
        name = _free_name(place, inner.name.replace(".", "_"))
        if any(True for _ in inner._flatten_layers(recursive=False, include_self=False)):
            place._modules[name] = inside = nn.Module()
            inside.training = False
            _list_layers(inside, inner)
        else:
            place._modules[name] = inner


def _free_name(place: nn.Module, name: str) -> str:
    """Return the name, or one like it that no other layer here has."""
    free, number = name, 1
    while free in place._modules:
        number += 1
        free = f"{name}_{number}"
    return free
