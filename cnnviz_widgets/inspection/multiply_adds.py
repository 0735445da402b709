"""Inspection: multiply-adds of module calls.

In: a `Structure`, whose operations carry the shapes they ran on. Out: for every module call the
number of multiplications with an addition for one picture, None where a function has no formula.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from cnnviz_widgets.inspection.operations import Operation
from cnnviz_widgets.inspection.structure import Structure

Shapes = Sequence[tuple[int, ...]]


def _convolution(inputs: Shapes, outputs: Shapes) -> int:
    return prod(outputs[0]) * prod(inputs[1][1:])


def _transposed(inputs: Shapes, _outputs: Shapes) -> int:
    return prod(inputs[0]) * prod(inputs[1][1:])


def _linear(inputs: Shapes, outputs: Shapes) -> int:
    return prod(outputs[0]) * inputs[0][-1]


def _added_product(inputs: Shapes, outputs: Shapes) -> int:
    return prod(outputs[0]) * inputs[1][-1]


def _attention(inputs: Shapes, _outputs: Shapes) -> int:
    query, key, value = inputs[:3]
    return prod(query) * key[-2] + prod(query[:-1]) * key[-2] * value[-1]


def _heads(inputs: Shapes, _outputs: Shapes) -> int:
    """multi_head_attention_forward: three projections, two products, one projection back."""
    query, key, value = inputs[:3]  # (L, N, E) or (L, E)
    width, length = query[-1], key[0]
    projections = prod(query) * width + prod(key) * width + prod(value) * width
    return projections + 2 * prod(query) * length + prod(query) * width


_FORMULAS: dict[str, Callable[[Shapes, Shapes], int]] = {
    "conv1d": _convolution, "conv2d": _convolution, "conv3d": _convolution,
    "conv_transpose1d": _transposed, "conv_transpose2d": _transposed,
    "conv_transpose3d": _transposed, "linear": _linear, "matmul": _linear, "__matmul__": _linear,
    "mm": _linear, "bmm": _linear, "mv": _linear, "addmm": _added_product,
    "baddbmm": _added_product, "scaled_dot_product_attention": _attention,
    "multi_head_attention_forward": _heads,
}  # fmt: skip
_UNKNOWN = {
    "einsum", "lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell", "rnn_tanh_cell",
    "rnn_relu_cell", "tensordot", "bilinear", "__rmatmul__", "_native_multi_head_attention",
    "_transformer_encoder_layer_fwd",
}  # fmt: skip


def function_multiply_adds(function: Operation, batch_size: int) -> int | None:
    """Return the multiply-adds of one function for its whole batch; None where not known.

    Attention (L, N, E) whose second axis is not made of images has no cost for one picture.
    """
    if function.name in _UNKNOWN:
        return None
    if function.name == "multi_head_attention_forward":
        query = function.input_shapes[0]
        if len(query) == 3 and query[1] % batch_size:
            return None
    formula = _FORMULAS.get(function.name)
    return formula(function.input_shapes, function.output_shapes) if formula else 0


def multiply_adds_of_calls(structure: Structure) -> dict[tuple[str, int], int | None]:
    """Return the multiply-adds of every module call for one picture.

    A container's are the sum of those inside it; element-wise functions and normalisation count
    as none, as is usual.
    """
    found: dict[tuple[str, int], int | None] = {}
    for call in structure.calls:
        inside = [
            function_multiply_adds(function, structure.batch_size)
            for function in structure.operations[call.began : call.ended]
            if function.call == 0
        ]
        known = [cost for cost in inside if cost is not None]
        found[(call.path, call.call)] = (
            sum(known) // max(structure.batch_size, 1) if len(known) == len(inside) else None
        )
    return found
