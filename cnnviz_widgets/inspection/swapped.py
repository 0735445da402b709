"""Inspection: many variants of one value, each with one channel replaced, computed as two values.

In: a value, the same with every channel replaced, and the channels to swap. Out: `Swapped`, a
tensor that stands for all variants while the functions it meets keep channels apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from cnnviz_widgets.inspection.inplace import written
from cnnviz_widgets.inspection.values import tensors_in

# Functions of one tensor that keep channels and images apart, whatever their other arguments.
_APART = {
    "relu", "relu_", "relu6", "hardtanh", "hardtanh_", "leaky_relu", "leaky_relu_", "elu", "elu_",
    "selu", "celu", "gelu", "silu", "mish", "hardswish", "hardsigmoid", "softplus", "sigmoid",
    "sigmoid_", "tanh", "tanh_", "threshold", "_threshold", "clamp_min", "clamp_min_", "clamp",
    "clamp_", "clip", "exp", "sqrt", "abs", "neg", "square", "contiguous", "clone", "detach",
    "float", "max_pool1d", "max_pool2d", "max_pool3d", "_max_pool1d", "_max_pool2d",
    "_max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d",
    "adaptive_avg_pool2d", "adaptive_avg_pool3d", "interpolate",
}  # fmt: skip
_PAIRS = {
    "add", "add_", "__add__", "__radd__", "__iadd__", "sub", "sub_", "__sub__", "__rsub__",
    "__isub__", "mul", "mul_", "__mul__", "__rmul__", "__imul__", "div", "div_", "__truediv__",
    "__itruediv__", "true_divide", "maximum", "minimum",
}  # fmt: skip
_CONVOLUTIONS = {"conv1d", "conv2d", "conv3d"}
_SHAPES = {"flatten", "view", "reshape"}
_SAYS_NOTHING = {
    "dim", "size", "numel", "stride", "is_contiguous", "is_floating_point", "is_complex", "__len__",
    "get_device", "element_size", "__hash__",
}  # fmt: skip
_BLOCK = 1 << 19  # numbers of a temporary that stays in the cache
_LOSES = 100  # times a value may shrink by a change that is added, until digits are missing
_SMALL = 16  # times more may be written out of values without a grid


class SwapError(RuntimeError):
    """These variants cannot be computed as two values."""


class TooManyRowsError(SwapError):
    """Written out, the variants take too much memory.

    Attributes
    ----------
    rows : int
        How many variants fit.
    """

    def __init__(self, rows: int) -> None:
        super().__init__(f"at most {rows} variants at once")
        self.rows = rows


class Swapped(Tensor):
    """Variants of a value (1, C, ...), of shape (B, C, ...): in row b, channel b is replaced.

    Functions that keep channels apart run on the value and on the value with all channels
    replaced, instead of on B variants; a dense layer needs no more than its own weights once. Any
    other function is given the variants written out. Values that are the same in all rows are
    Swapped, too, with `other` None.

    Attributes
    ----------
    base : Tensor of shape (1, C * block, ...)
        The value.
    other : Tensor or None
        The value with every channel replaced.
    channels : tuple of int
        Which channel is replaced in each row.
    block : int
        Numbers along axis 1 that belong to a channel: 1, or the places of a flattened grid.
    most : int
        Numbers that variants may be written out to.
    """

    base: Tensor
    other: Tensor | None
    channels: tuple[int, ...]
    block: int
    most: int

    @classmethod
    def of(
        cls,
        base: Tensor,
        other: Tensor | None,
        channels: Sequence[int],
        *,
        most: int,
        block: int = 1,
    ) -> Swapped:
        """Return the variants."""
        shape = (len(channels), *base.shape[1:])
        nothing = torch.zeros((), dtype=base.dtype, device=base.device)  # only its shape counts
        new = nothing.expand(shape).as_subclass(cls)
        new.base, new.other, new.channels = base, other, tuple(channels)
        new.block, new.most = block, most
        return new

    def like(self, base: Tensor, other: Tensor | None, block: int | None = None) -> Swapped:
        """Return other variants of the same channels."""
        block = self.block if block is None else block
        return Swapped.of(base, other, self.channels, most=self.most, block=block)

    def written_out(self) -> Tensor:
        """Return all variants as a plain tensor."""
        rows = len(self.channels)
        if self.other is None:
            return self.base.expand(rows, *self.base.shape[1:])
        most = self.most * (_SMALL if self.base.dim() == 2 else 1)
        if rows > 1 and rows * self.base.numel() > most:
            raise TooManyRowsError(max(1, most // self.base.numel()))
        out = self.base.repeat(rows, *[1] * (self.base.dim() - 1))
        device = self.base.device
        places = torch.arange(rows, device=device)
        channels = torch.tensor(self.channels, device=device)
        grid = self.base.shape[2:]
        other = self.other.reshape(-1, self.block, *grid)
        out.view(rows, -1, self.block, *grid)[places, channels] = other[channels]
        return out

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # Any: the result of any torch function
        """Run one torch function on the two values, or on all variants."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        with torch._C.DisableTorchFunctionSubclass():
            if name in _SAYS_NOTHING:
                return func(*args, **kwargs)
            if name == "__get__":
                asked = func(*args)
                if not isinstance(asked, Tensor):
                    return asked
            else:
                found = _kept_apart(name, func, args, kwargs)
                if found is not None:
                    return found
            if any(isinstance(tensor, Swapped) for tensor in written(func, args, kwargs)):
                msg = f"{name} writes to variants"
                raise SwapError(msg)
            return func(*_plain(args), **_plain(kwargs))


def _plain(nest: Any) -> Any:  # Any: arguments of any torch function
    if isinstance(nest, Swapped):
        return nest.written_out()
    if isinstance(nest, (tuple, list)):
        return type(nest)([_plain(item) for item in nest])
    if isinstance(nest, dict):
        return {key: _plain(item) for key, item in nest.items()}
    return nest


def _kept_apart(
    name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Tensor | None:
    """Return the result as variants, or as a plain tensor; None where channels are mixed."""
    x = args[0] if args else None
    if name in _PAIRS:
        return _pair(func, args, kwargs)
    rest = args[1:]
    alone = not any(isinstance(tensor, Swapped) for tensor in tensors_in((rest, kwargs)))
    if not isinstance(x, Swapped) or not alone:
        return None
    training = name == "batch_norm" and _argument(rest, kwargs, 4, "training")
    if name in _APART or (name == "batch_norm" and not training):
        return _each(x, lambda value: func(value, *rest, **kwargs))
    if name == "dropout" and not _argument(rest, kwargs, 1, "training"):
        return x
    if name == "mean":
        return _mean(x, func, rest, kwargs)
    if name in _SHAPES:
        return _flattened(x, name, rest, kwargs)
    if name == "linear":
        return _linear(x, func, rest, kwargs)
    if name in _CONVOLUTIONS:
        depthwise = rest[0].shape[1] == 1 and rest[0].shape[0] == x.base.shape[1]
        if x.other is None or (depthwise and x.block == 1):
            return _each(x, lambda value: func(value, *rest, **kwargs))
    return None


def _argument(rest: tuple[Any, ...], kwargs: dict[str, Any], place: int, name: str) -> Any:
    return rest[place] if len(rest) > place else kwargs.get(name)


def _each(x: Swapped, run: Callable[[Tensor], Any]) -> Swapped | None:
    """Run a function on both values; where it works in place, on them."""
    base = run(x.base)
    if not isinstance(base, Tensor):
        return None
    other = None if x.other is None else run(x.other)
    return x if base is x.base else x.like(base, other)


def _pair(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """Run a function of two values number by number; None where they do not fit together."""
    first, second = args[:2]
    varied = [v for v in (first, second) if isinstance(v, Swapped) and v.other is not None]
    width = varied[0].shape[1] if varied else 0
    left, right = _side(first, width), _side(second, width)
    if left is None or right is None or any(v.block != varied[0].block for v in varied):
        return None
    (base, other), (operand, operand_other) = left, right
    name = func.__name__
    if name.startswith("__i") or (name.endswith("_") and not name.startswith("__")):
        if not isinstance(first, Swapped):
            done: Tensor | None = None if varied else func(first, operand, *args[2:], **kwargs)
            return done
        if varied and first.other is None:
            msg = "a value that was the same in all variants no longer is"
            raise SwapError(msg)
        if varied:
            func(other, operand_other, *args[2:], **kwargs)
        func(base, operand, *args[2:], **kwargs)
        return first
    like = varied[0] if varied else next(v for v in (first, second) if isinstance(v, Swapped))
    result = func(base, operand, *args[2:], **kwargs)
    if varied and result.shape[1] != width:
        return None
    return like.like(result, func(other, operand_other, *args[2:], **kwargs) if varied else None)


def _side(value: Any, width: int) -> tuple[Any, Any] | None:
    """Return an operand for the value and for the replaced one; None where rows differ."""
    if isinstance(value, Swapped):
        if value.other is None and width and value.dim() > 1 and value.shape[1] not in {1, width}:
            return None
        return value.base, value.base if value.other is None else value.other
    if isinstance(value, Tensor) and value.dim() > 1 and len(value) > 1:
        if value.stride(0) != 0:
            return None
        value = value[:1]
    return value, value


def _mean(
    x: Swapped, func: Callable[..., Any], rest: tuple[Any, ...], kwargs: dict[str, Any]
) -> Swapped | None:
    """Run a mean over the grid."""
    dims = _argument(rest, kwargs, 0, "dim")
    if dims is None:
        return None
    listed = dims if isinstance(dims, (tuple, list)) else (dims,)
    if any(dim % x.dim() < 2 for dim in listed):
        return None
    return _each(x, lambda value: func(value, *rest, **kwargs))


def _flattened(
    x: Swapped, name: str, rest: tuple[Any, ...], kwargs: dict[str, Any]
) -> Swapped | None:
    """Put everything behind axis 0 into one axis; None for any other shape."""
    length = x.base.numel()
    if name == "flatten":
        start = _argument(rest, kwargs, 0, "start_dim")
        end = _argument(rest, kwargs, 1, "end_dim")
        fits = start == 1 and end in {None, -1, x.dim() - 1}
    else:
        sizes = rest[0] if len(rest) == 1 and isinstance(rest[0], (tuple, list)) else rest
        rows = len(x.channels)
        fits = not kwargs and tuple(sizes) in {(rows, -1), (rows, length), (-1, length)}
    if not fits:
        return None
    block = x.block * x.base[0, 0].numel()
    other = None if x.other is None else x.other.reshape(1, -1)
    return x.like(x.base.reshape(1, -1), other, block)


def _linear(
    x: Swapped, func: Callable[..., Any], rest: tuple[Any, ...], kwargs: dict[str, Any]
) -> Tensor | None:
    """Run a dense layer: what a channel changes, its own columns of the weights say."""
    if x.other is None:
        return _each(x, lambda value: func(value, *rest, **kwargs))
    if x.dim() != 2:
        return None
    weight: Tensor = _argument(rest, kwargs, 0, "weight")
    base: Tensor = func(x.base, *rest, **kwargs)
    change = (x.other - x.base)[0]
    channels = torch.tensor(x.channels, device=base.device)
    out = base.repeat(len(x.channels), 1)
    step = max(1, _BLOCK // weight.shape[1])
    for start in range(0, len(weight), step):
        part = weight[start : start + step] * change
        part = part.view(len(part), -1, x.block).sum(2)
        out[:, start : start + step] += part[:, channels].T
    lost = _lost(x, base, change, out)
    for row in lost.nonzero()[:, 0].tolist():
        one = Swapped.of(x.base, x.other, x.channels[row : row + 1], most=x.most, block=x.block)
        out[row] = func(one.written_out(), *rest, **kwargs)[0]
    return out


def _lost(x: Swapped, base: Tensor, change: Tensor, out: Tensor) -> Tensor:
    """Tell in which rows a change took away so much that what is left is not exact."""
    channels = torch.tensor(x.channels, device=base.device)
    sizes = x.base.reshape(-1, x.block).abs().amax(1)
    largest = sizes.topk(min(2, len(sizes))).values
    others = torch.where(sizes == largest[0], largest[-1], largest[0])
    changed = change.reshape(-1, x.block).abs().amax(1)
    outlier = (sizes > _LOSES * others) | ~changed.isfinite()
    return outlier[channels] | (base.abs().amax() > _LOSES * out.abs().amax(1))
