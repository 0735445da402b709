"""Inspection: how operations move the axes of a value.

In: an operation, and what is known of the axes of the values that it took. Out: `Axes` of those
that it gave. Only functions that are listed here pass anything on; all others give unknown axes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from cnnviz_widgets.inspection.operations import Operation

Shape = tuple[int, ...]
_SPATIAL = {"1d": "L", "2d": "HW", "3d": "DHW"}


@dataclass(frozen=True)
class Grid:
    """How a row of tokens lies on a picture, row by row.

    Attributes
    ----------
    height, width : int
        Size of the grid.
    before, after : int
        Tokens before and after it that stand for no place (class and register tokens).
    """

    height: int
    width: int
    before: int = 0
    after: int = 0


class Axes(NamedTuple):
    """What the axes of a value mean.

    Attributes
    ----------
    letters : str
        One for each axis: N image, C channel, D, H, W place, L place in a row, c one of several
        axes that the channels were split into; "?" not known.
    grid : Grid or None
        Where the places of axis L lie on a picture, where that is known.
    """

    letters: str
    grid: Grid | None = None

    @classmethod
    def unknown(cls, shape: Shape) -> Axes:
        """Return axes of which nothing is known."""
        return cls("?" * len(shape))


Rule = Callable[[Operation, Sequence[Axes]], Sequence[Axes]]


def axes_after(operation: Operation, given: Sequence[Axes]) -> list[Axes]:
    """Return the axes of what an operation gives.

    Parameters
    ----------
    operation : Operation
        A function, with its shapes and the arguments that move axes.
    given : sequence of Axes
        Those of its inputs, in order.
    """
    shapes = operation.output_shapes
    rule = _rule(operation.name) if operation.call == 0 and given else None
    found = list(rule(operation, given)) if rule else []
    return [
        _settled(axes) if axes and len(axes.letters) == len(shape) else Axes.unknown(shape)
        for axes, shape in zip([*found, *[None] * len(shapes)], shapes, strict=False)
    ]


def _settled(axes: Axes) -> Axes:
    """Let the only axis that is left of split channels be the channels."""
    parts = axes.letters.count("c")
    return axes._replace(letters=axes.letters.replace("c", "C")) if parts == 1 else axes


def axes_before(operation: Operation) -> Axes | None:
    """Return the axes that a convolution or pooling takes; None for other operations."""
    if operation.call or not operation.input_shapes or not operation.name.startswith(_DEFINING):
        return None
    for ending, letters in _SPATIAL.items():
        if ending in operation.name and len(operation.input_shapes[0]) == len(letters) + 2:
            return Axes(f"NC{letters}")
    return None


def merged(one: Axes, other: Axes) -> Axes:
    """Return what two accounts of the same axes say together; "?" where they disagree."""
    if len(one.letters) != len(other.letters):
        return Axes("?" * len(one.letters))
    pairs = zip(one.letters, other.letters, strict=True)
    letters = "".join(a if b in {a, "?"} else b if a == "?" else "?" for a, b in pairs)
    grids = {axes.grid for axes in (one, other) if axes.grid is not None}
    return Axes(letters, grids.pop() if len(grids) == 1 else None)


# -- rules: functions from an operation and the axes it took to the axes it gives ----------------


def _same(operation: Operation, given: Sequence[Axes]) -> list[Axes]:
    """Every output stands for the inputs of its shape, place by place."""
    found = []
    for shape in operation.output_shapes:
        axes = Axes.unknown(shape)
        for other, taken in zip(given, operation.input_shapes, strict=True):
            if tuple(taken) == tuple(shape):
                axes = merged(axes, other)
        found.append(axes)
    return found


def _first(operation: Operation, given: Sequence[Axes]) -> list[Axes]:
    """Take the axes of the first input, of whatever size."""
    return [_resized(given[0], operation.input_shapes[0], operation.output_shapes[0])]


def _resized(axes: Axes, old: Shape, new: Shape) -> Axes:
    """Return the same axes; images and the grid of a row only where their number stayed."""
    letters = axes.letters
    if len(old) != len(new):
        return Axes(letters)
    if letters.startswith("N") and old[0] != new[0]:
        letters = f"?{letters[1:]}"
    place = letters.find("L")
    return Axes(letters, axes.grid if place >= 0 and old[place] == new[place] else None)


def _convolution(operation: Operation, _given: Sequence[Axes]) -> list[Axes]:
    before = axes_before(operation)
    return [before] if before else []


def _pooling(operation: Operation, given: Sequence[Axes]) -> list[Axes]:
    if "?" not in given[0].letters:
        return _first(operation, given)
    return _convolution(operation, given) * len(operation.output_shapes)


def _permuted(operation: Operation, given: Sequence[Axes]) -> list[Axes]:
    order = _option(operation, 0, "dims")
    if isinstance(order, int):
        order = operation.arguments
    axes = _whole_numbers(order, len(given[0].letters))
    if axes is None or sorted(axes) != list(range(len(given[0].letters))):
        return []
    return [_with_letters(given[0], "".join(given[0].letters[axis] for axis in axes))]


def _transposed(operation: Operation, given: Sequence[Axes]) -> list[Axes]:
    pair = _option(operation, 0, "dim0", "axis0"), _option(operation, 1, "dim1", "axis1")
    axes = _whole_numbers(pair, len(given[0].letters))
    if axes is None:
        return []
    letters = list(given[0].letters)
    a, b = axes
    letters[a], letters[b] = letters[b], letters[a]
    return [_with_letters(given[0], "".join(letters))]


def _reversed(_operation: Operation, given: Sequence[Axes]) -> list[Axes]:
    return [_with_letters(given[0], given[0].letters[::-1])]


def _moved(operation: Operation, given: Sequence[Axes]) -> list[Axes]:
    rank = len(given[0].letters)
    source = _whole_numbers(_option(operation, 0, "source"), rank)
    target = _whole_numbers(_option(operation, 1, "destination"), rank)
    if source is None or target is None or len(source) != len(target):
        return []
    rest = iter(letter for i, letter in enumerate(given[0].letters) if i not in source)
    places = dict(zip(target, source, strict=True))
    letters = [given[0].letters[places[i]] if i in places else next(rest) for i in range(rank)]
    return [_with_letters(given[0], "".join(letters))]


def _reduced(operation: Operation, given: Sequence[Axes]) -> list[Axes]:
    letters, new = given[0].letters, operation.output_shapes[0]
    if len(new) == len(letters):
        return [_resized(given[0], operation.input_shapes[0], shape) for shape in (new, new)]
    gone = _whole_numbers(_option(operation, 0, "dim", "axis"), len(letters))
    if gone is None:
        return []
    left = "".join(letter for i, letter in enumerate(letters) if i not in gone)
    return [_with_letters(given[0], left)] * len(operation.output_shapes)


def _pieces(operation: Operation, given: Sequence[Axes]) -> list[Axes]:
    old = operation.input_shapes[0]
    return [_resized(given[0], old, shape) for shape in operation.output_shapes]


def _turned(operation: Operation, given: Sequence[Axes]) -> list[Axes]:
    """Turn a value: a row leaves its grid, and images must stay in their places."""
    option = _option(operation, 1 if operation.name == "roll" else 0, "dims")
    if operation.name == "flip" and isinstance(option, int):
        option = operation.arguments
    axes = _whole_numbers(option, len(given[0].letters))
    return [] if axes is None or 0 in axes else [Axes(given[0].letters)]


def _joined(operation: Operation, given: Sequence[Axes]) -> list[Axes]:
    """Join values: other tokens stand before and after those of the only one with a grid."""
    letters = functools.reduce(merged, (Axes(part.letters) for part in given)).letters
    axes = _whole_numbers(_option(operation, 0, "dim", "axis", default=0), len(letters))
    if axes is None:
        return []
    if letters[axes[0]] == "N":
        letters = letters.replace("N", "?")  # which rows are whose images is lost
    if letters[axes[0]] != "L":
        grids = {part.grid for part in given}
        return [Axes(letters, grids.pop() if len(grids) == 1 else None)]
    places = [place for place, part in enumerate(given) if part.grid is not None]
    grid = given[places[0]].grid if len(places) == 1 else None
    if grid is None:
        return [Axes(letters)]
    sizes = [shape[axes[0]] for shape in operation.input_shapes]
    before, after = sum(sizes[: places[0]]), sum(sizes[places[0] + 1 :])
    longer = replace(grid, before=grid.before + before, after=grid.after + after)
    return [Axes(letters, longer)]


def _features(operation: Operation, given: Sequence[Axes]) -> list[Axes]:
    """Map the last axis to channels, where no other axis can be them."""
    shape, axes = operation.output_shapes[0], given[0]
    leading = axes.letters[:-1]
    last = "?" if set(leading) & set("?Cc") else "C"
    return [Axes(leading + last, axes.grid if "L" in leading else None)] if shape else []


def _product(operation: Operation, given: Sequence[Axes]) -> list[Axes]:
    """Multiply matrices: rows of the first, columns of the second."""
    if len(given) < 2:
        return []
    one, other = given[:2]
    if len(other.letters) == 2 and len(one.letters) > 2:
        return _features(operation, given)
    if len(one.letters) != len(other.letters):
        return []
    grid = one.grid if "L" in one.letters[:-1] else None
    return [Axes(one.letters[:-1] + other.letters[-1:], grid)]


def _embedded(_operation: Operation, given: Sequence[Axes]) -> list[Axes]:
    """Embed: the number in place (n, l) becomes channels."""
    return [Axes("NLC")] if given[0].letters in {"N?", "NL"} else []


def _selected(operation: Operation, given: Sequence[Axes]) -> list[Axes]:
    """Take one place, or all in turn, of an axis that goes away."""
    letters = given[0].letters
    gone = _whole_numbers(_option(operation, 0, "dim", default=0), len(letters))
    if gone is None:
        return []
    left = "".join(letter for i, letter in enumerate(letters) if i not in gone)
    return [_with_letters(given[0], left)] * len(operation.output_shapes)


def _indexed(operation: Operation, given: Sequence[Axes]) -> list[Axes]:
    """Index with whole numbers, slices, None and an ellipsis."""
    if len(operation.arguments) != 1 or len(given) != 1:
        return []  # a mask or a tensor of indices
    index = operation.arguments[0]
    parts = list(index) if isinstance(index, tuple) else [index]
    axes, shape = given[0], operation.input_shapes[0]
    used = sum(part is not None and part is not Ellipsis for part in parts)
    fill: list[object] = [slice(None)] * (len(shape) - used)
    at = next((i for i, part in enumerate(parts) if part is Ellipsis), len(parts))
    parts[at : at + 1] = fill
    letters, place, grid = "", 0, axes.grid
    for part in parts:
        if part is None:
            letters += "?"
            continue
        if isinstance(part, slice):
            whole = axes.letters[place] != "N" or part == slice(None)
            letters += axes.letters[place] if whole else "?"
            if axes.letters[place] == "L" and grid is not None:
                grid = _cut(grid, part, shape[place])
        elif isinstance(part, bool) or not isinstance(part, int):
            return []
        place += 1
    return [Axes(letters, grid if "L" in letters else None)]


def _cut(grid: Grid, part: slice, length: int) -> Grid | None:
    """Return the grid of a slice of a row; None where places of the grid are cut off."""
    try:
        start, stop, step = part.indices(length)
    except TypeError:  # bounds that are tensors
        return None
    if step != 1 or start > grid.before or stop < length - grid.after:
        return None
    return replace(grid, before=grid.before - start, after=grid.after - (length - stop))


def _reshaped(operation: Operation, given: Sequence[Axes]) -> list[Axes]:
    """Let axes keep their meaning where their sizes can be matched."""
    return [reshaped_axes(given[0], operation.input_shapes[0], operation.output_shapes[0])]


def reshaped_axes(axes: Axes, old: Shape, new: Shape) -> Axes:
    """Return the axes of a value of shape `old` after a reshape to `new`."""
    letters = ""
    grid = axes.grid
    for olds, news in _groups(old, new):
        taken = "".join(axes.letters[i] for i in olds)
        sizes = [old[i] for i in olds]
        made, on_grid = _regrouped(taken, sizes, [new[i] for i in news], axes.grid)
        grid = on_grid or grid
        letters += made
    if len(letters) != len(new):
        return Axes.unknown(new)
    return Axes(letters, grid if "L" in letters else None)


def _groups(old: Shape, new: Shape) -> list[tuple[list[int], list[int]]]:
    """Split two shapes into the shortest runs of equal products; ones at the end join the last."""
    groups: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(old) and j < len(new):
        olds, news, left, right = [i], [j], old[i], new[j]
        i, j = i + 1, j + 1
        while left != right:
            if left < right and i < len(old):
                left, i = left * old[i], i + 1
                olds.append(i - 1)
            elif right < left and j < len(new):
                right, j = right * new[j], j + 1
                news.append(j - 1)
            else:
                return []
        groups.append((olds, news))
    if groups and all(size == 1 for size in (*old[i:], *new[j:])):
        groups[-1][0].extend(range(i, len(old)))
        groups[-1][1].extend(range(j, len(new)))
        return groups
    return []


def _regrouped(
    letters: str, sizes: list[int], new: list[int], grid: Grid | None
) -> tuple[str, Grid | None]:
    """Return the letters of the axes that one run of axes is turned into, and a new row's grid."""
    if len(letters) == len(new) == 1:
        return letters, None
    if letters in {"HW", "WH"} and len(new) == 1:
        return "L", Grid(*sizes) if letters == "HW" else None
    if letters == "L" and grid is not None and new == [grid.height, grid.width]:
        return ("HW" if grid.before + grid.after == 0 else "??"), None
    real = [letter for letter, size in zip(letters, sizes, strict=True) if size != 1]
    if len(real) == 1 and sum(size != 1 for size in new) == 1:
        return "".join(real[0] if size != 1 else "?" for size in new), None
    if letters in {"C", "c"}:
        return "c" * len(new), None
    if set(letters) == {"c"} and len(new) == 1:
        return "c", None
    return "?" * len(new), None


def _with_letters(axes: Axes, letters: str) -> Axes:
    """Return axes with other letters; the grid stays with axis L."""
    return Axes(letters, axes.grid if "L" in letters else None)


# -- arguments -----------------------------------------------------------------------------------


def _option(operation: Operation, position: int, *names: str, default: object = None) -> object:
    """Return an argument by its place behind the first, or by keyword."""
    if position < len(operation.arguments):
        return operation.arguments[position]
    return next((item for name, item in operation.keywords if name in names), default)


def _whole_numbers(option: object, rank: int) -> list[int] | None:
    """Return one or several axes counted from 0; None where they are not plain numbers."""
    listed = list(option) if isinstance(option, (tuple, list)) else [option]
    if not all(isinstance(item, int) and -rank <= item < rank for item in listed):
        return None
    return [int(str(item)) % rank for item in listed]


# -- which function follows which rule -----------------------------------------------------------

_DEFINING = ("conv1d", "conv2d", "conv3d", "conv_transpose", "max_pool", "avg_pool", "adaptive_",
             "lp_pool", "fractional_max_pool")  # fmt: skip
_ELEMENTWISE_NAMES = """
    add sub mul div true_divide floor_divide remainder fmod pow neg negative abs sign exp exp2
    expm1 log log2 log10 log1p sqrt rsqrt square reciprocal sin cos tan tanh sinh cosh atan erf erfc
    sigmoid logit relu relu6 leaky_relu prelu rrelu elu selu celu gelu silu mish hardtanh hardswish
    hardsigmoid hardshrink softshrink tanhshrink threshold softplus softsign logsigmoid softmax
    softmin log_softmax gumbel_softmax normalize clamp clamp_min clamp_max clip round floor ceil
    trunc frac where lerp addcmul addcdiv maximum minimum fmax fmin masked_fill nan_to_num
    dropout dropout1d dropout2d dropout3d alpha_dropout feature_dropout feature_alpha_dropout
    layer_norm group_norm batch_norm instance_norm rms_norm local_response_norm cumsum
    to type type_as float double half bfloat16 int long bool cpu cuda contiguous clone detach
    alias requires_grad fill zero copy eq ne lt le gt ge logical_not logical_and logical_or
    write setitem radd rsub rmul rdiv rtruediv truediv rpow iadd isub imul itruediv ipow
    floordiv mod invert and or xor positive pos expand expand_as broadcast_to data multiply
    zeros_like ones_like empty_like full_like rand_like randn_like bernoulli subtract divide
"""
_ELEMENTWISE = tuple(_ELEMENTWISE_NAMES.split())
_FUNCTIONS: dict[str, Rule] = {
    **dict.fromkeys(_ELEMENTWISE, _same),
    **dict.fromkeys(
        ("pad", "interpolate", "upsample", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle",
         "multi_head_attention_forward", "_native_multi_head_attention",
         "_transformer_encoder_layer_fwd", "scaled_dot_product_attention"),
        _first,
    ),
    **dict.fromkeys(("transpose", "swapaxes", "swapdims"), _transposed),
    **dict.fromkeys(("movedim", "moveaxis"), _moved),
    **dict.fromkeys(
        ("reshape", "view", "flatten", "unflatten", "squeeze", "unsqueeze", "view_as",
         "reshape_as"),
        _reshaped,
    ),
    **dict.fromkeys(("mean", "sum", "amax", "amin", "max", "min", "var", "std"), _reduced),
    **dict.fromkeys(("chunk", "split", "tensor_split", "split_with_sizes", "narrow"), _pieces),
    **dict.fromkeys(("cat", "concat", "concatenate"), _joined),
    **dict.fromkeys(("flip", "roll"), _turned),
    **dict.fromkeys(("matmul", "bmm", "mm", "__matmul__"), _product),
    "permute": _permuted, "linear": _features, "embedding": _embedded, "select": _selected,
    "unbind": _selected, "__getitem__": _indexed, "t": _reversed, "T": _reversed,
    "mT": lambda _, given: [
        _with_letters(given[0], given[0].letters[:-2] + given[0].letters[:-3:-1])],
}  # fmt: skip


def _rule(name: str) -> Rule | None:
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    if name.startswith("conv"):
        return _convolution
    if name.startswith(_DEFINING):
        return _pooling
    if name.startswith("__"):
        name = name.strip("_")
        return _same if name in _ELEMENTWISE else None
    return _FUNCTIONS.get(name.removesuffix("_"))
