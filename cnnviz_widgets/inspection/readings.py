"""Inspection: how a model may read the tensors that a user gave.

In: tensors, and what a model's first convolution says about its input. Out: `Prepared`: the
tensors on the model's device with their batch axis, and what to say where the model fails on them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection.keras_model import KerasModel
from cnnviz_widgets.inspection.values import Nest, replace_tensors, tensors_in

_CONVOLUTIONS: dict[type[nn.Module], int] = {
    nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3, nn.ConvTranspose1d: 1, nn.ConvTranspose2d: 2,
    nn.ConvTranspose3d: 3,
}  # fmt: skip


@dataclass(frozen=True)
class ModelInput:
    """What a model's first convolution says about its input.

    Attributes
    ----------
    spatial : int or None
        Number of spatial axes; None without a convolution.
    channels : int or None
        Number of input channels; None without a convolution.
    layer : str
        Path of that convolution.
    device : torch.device
        Where the model's parameters are.
    dtype : torch.dtype
        The floating-point type of its parameters.
    channels_last : bool
        Whether a user's tensors have their channels last, as those of Keras.
    """

    spatial: int | None
    channels: int | None
    layer: str
    device: torch.device
    dtype: torch.dtype
    channels_last: bool = False

    @classmethod
    def of(cls, model: nn.Module) -> ModelInput:
        """Read the first convolution, the device and the type of a model."""
        spatial, channels, layer = None, None, ""
        for path, module in model.named_modules():
            kind = next((kind for kind in _CONVOLUTIONS if isinstance(module, kind)), None)
            if kind is not None:
                spatial, layer = _CONVOLUTIONS[kind], path
                channels = int(module.in_channels)
                break
        tensors = itertools.chain(model.parameters(), model.buffers())
        some = next(
            (tensor for tensor in tensors if tensor.is_floating_point()),
            torch.zeros(0, device="cpu"),
        )
        if isinstance(model, KerasModel) and model.picture is not None:
            return cls(2, *model.picture[:2], some.device, some.dtype, model.picture.channels_last)
        return cls(spatial, channels, layer, some.device, some.dtype)

    def channels_first(self, tensor: Tensor) -> Tensor:
        """Return a user's tensor with its channels before its grid, where they are last."""
        is_last = self.channels_last and tensor.dim() in {3, 4}
        return tensor.movedim(-1, -3) if is_last and tensor.shape[-1] == self.channels else tensor


@dataclass(frozen=True)
class Prepared:
    """Inputs ready for the model.

    Attributes
    ----------
    given : nest of Tensor
        Copies of what the user gave, with their batch axis, of their own type.
    nest : nest of Tensor
        The same on the model's device and of its type.
    batch_size : int
        Images in the batch.
    doubt : str or None
        Why the model may fail on them, in a full sentence: an error then says this first.
    remark : str or None
        What to add to the note on the model's own error.
    other : Prepared or None
        Another reading of the same inputs, to try where this one fails.
    """

    given: Nest
    nest: Nest
    batch_size: int
    doubt: str | None = None
    remark: str | None = None
    other: Prepared | None = None

    @classmethod
    def of(cls, given: Nest, model: ModelInput) -> Prepared:
        """Move tensors to the model's device and type."""
        nest = replace_tensors(given, lambda tensor: _moved(tensor, model))
        return cls(given, nest, int(tensors_in(given)[0].shape[0]))

    def invoke(self, module: nn.Module, inputs: Nest) -> Nest:
        """Call a module with these inputs: a tuple as arguments, a dict as keywords."""
        if isinstance(self.nest, tuple):
            return module(*inputs)
        if isinstance(self.nest, dict):
            return module(**inputs)
        return module(inputs)

    def __str__(self) -> str:
        tensors = tensors_in(self.nest)
        return ", ".join(f"{tuple(t.shape)} {str(t.dtype).removeprefix('torch.')}" for t in tensors)

    @property
    def first(self) -> Tensor:
        """The first tensor, which is the picture where there is one."""
        return tensors_in(self.nest)[0]

    def moved(self, model: ModelInput) -> Prepared:
        """Return the inputs for a model whose device or type may have changed."""
        return Prepared.of(self.given, model)

    def like(self, others: Prepared) -> Prepared:
        """Return the reading of these inputs that has the shapes and types of others.

        Raises
        ------
        ValueError
            There is none.
        """
        for reading in (self, self.other):
            if reading is not None and _shapes(reading.nest) == _shapes(others.nest):
                return reading
        msg = (
            f"inputs={self}: this Inspector looks at {others}, and inputs= takes others of the "
            f"same shapes and types alone; call insp.set_inputs() for these."
        )
        raise ValueError(msg)

    def tried(self, run: Callable[[Prepared], None]) -> None:
        """Run the model on these inputs, or on their other reading where it fails on these.

        Raises
        ------
        ValueError
            The model fails, and the inputs do not look like what it takes.
        """
        try:
            run(self)
        except Exception as error:
            if not getattr(error, "__notes__", None):
                raise  # not the model's own error
            if self.other is not None and _runs(run, self.other):
                return
            if self.doubt is not None:
                msg = f"{self.doubt} Tried as given, it raised {type(error).__name__}: {error}"
                raise ValueError(msg) from error
            if self.remark is not None:
                error.__notes__[-1] += f" {self.remark}"  # type: ignore[attr-defined,unused-ignore]  # PEP 678
            raise


def _runs(run: Callable[[Prepared], None], prepared: Prepared) -> bool:
    try:
        run(prepared)
    except Exception:  # noqa: BLE001 - the error of the first reading is the one to show
        return False
    return True


def _shapes(nest: Nest) -> Nest:
    """Return what a nest has in common with others of the same shapes and types."""
    if isinstance(nest, dict):
        return {name: _shapes(item) for name, item in nest.items()}
    return [(tensor.shape, tensor.dtype) for tensor in tensors_in(nest)], type(nest)


def _moved(tensor: Tensor, model: ModelInput) -> Tensor:
    if tensor.is_floating_point():
        return tensor.to(device=model.device, dtype=model.dtype)
    return tensor.to(device=model.device)


def readings(given: Tensor, model: ModelInput) -> Prepared:
    """Read a tensor as a batch or as one image, the likelier first.

    The first convolution only hints at what the model takes: it may reshape its input, or call
    another convolution first. So the model itself is asked, and an error is explained.
    """
    as_batch = Prepared.of(given, model)
    if model.spatial is None:
        alone = given.dim() == 1 and given.is_floating_point()
        return Prepared.of(given[None], model) if alone else as_batch
    rank = model.spatial + 2
    if not given.is_floating_point():
        as_batch = replace(as_batch, doubt=_type_doubt(given, model))
    elif given.dim() == rank:
        return replace(as_batch, doubt=_last_doubt(given, model), remark=_remark(given, 1, model))
    if given.dim() == rank:
        return as_batch
    if given.dim() != rank - 1:
        return replace(as_batch, doubt=rank_doubt(given, model))
    as_image = Prepared.of(given[None], model)
    if given.shape[0] == model.channels:
        return replace(as_image, other=as_batch)
    doubt, remark = _last_doubt(given, model), _remark(given, 0, model)
    return replace(as_batch, doubt=doubt, remark=remark, other=as_image)


def _type_doubt(given: Tensor, model: ModelInput) -> str:
    """Say that a tensor holds other numbers than the first convolution takes."""
    return (
        f"inputs is a tensor of {str(given.dtype).removeprefix('torch.')}; the model's first "
        f"convolution {model.layer!r} takes {str(model.dtype).removeprefix('torch.')}: give "
        f"inputs.float(), with the range and normalisation that the model was trained on."
    )


def rank_doubt(given: Tensor, model: ModelInput, name: str = "inputs") -> str:
    """Say that a tensor has too many or too few axes for the first convolution."""
    spatial = model.spatial or 0
    axes = ("N", "C", *("D", "H", "W")[3 - spatial :]) if spatial > 1 else ("N", "C", "L")
    wanted = f"({', '.join(axes)}) or one image ({', '.join(axes[1:])})"
    axis = "axis" if given.dim() == 1 else "axes"
    return (
        f"{name} has shape {tuple(given.shape)}, {given.dim()} {axis}; the model's first "
        f"convolution {model.layer!r} takes {wanted}."
    )


def _last_doubt(given: Tensor, model: ModelInput) -> str | None:
    """Say that a tensor has its channels last, where it looks so."""
    first = given.dim() - 1 - (model.spatial or 0)
    if given.shape[-1] != model.channels or given.shape[first] == model.channels:
        return None
    before = ", ".join(str(axis) for axis in (*range(first), given.dim() - 1))
    order = f"{before}, {', '.join(str(axis) for axis in range(first, given.dim() - 1))}"
    return (
        f"inputs has shape {tuple(given.shape)}, with its {model.channels} channels last; the "
        f"model's first convolution {model.layer!r} takes them first: give "
        f"inputs.permute({order}) of a tensor, inputs.transpose({order}) of an array."
    )


def _remark(given: Tensor, axis: int, model: ModelInput) -> str | None:
    """Say that a tensor has another number of channels than the model takes."""
    channels = given.shape[axis]
    if channels == model.channels:
        return None
    plural = "" if channels == 1 else "s"
    return f"inputs has {channels} channel{plural}, {model.layer!r} takes {model.channels}."
