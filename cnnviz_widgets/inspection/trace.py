"""Inspection: one forward pass of the shadow and everything that was kept of it.

In: a `Probe`, the model's inputs and a `Plan`. Out: a `Trace` with the values, the operations and
the raw output.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection.calls import Call, CallRecorder, Plan
from cnnviz_widgets.inspection.operations import Operation, OperationRecorder
from cnnviz_widgets.inspection.probe import Probe
from cnnviz_widgets.inspection.quick import QuickRecorder
from cnnviz_widgets.inspection.randomness import RandomState
from cnnviz_widgets.inspection.values import Nest, replace_tensors, same_bits, tensors_in

Invoke = Callable[[nn.Module, Nest], Nest]


@dataclass(frozen=True)
class Trace:
    """What one forward pass left behind.

    Attributes
    ----------
    recorder : OperationRecorder
        The calls, the kept values and the operations.
    output : object
        What the model returned.
    random : RandomState
        What the pass began with; another pass that begins so gives the same values.
    """

    recorder: OperationRecorder
    output: Nest
    random: RandomState

    @property
    def calls(self) -> list[Call]:
        """Every module call, in the order in which they began."""
        return self.recorder.called()

    @property
    def operations(self) -> list[Operation]:
        """Torch functions and leaf calls, in the order in which they ended."""
        return self.recorder.listed()

    @property
    def nbytes(self) -> int:
        """Bytes of the values held, each piece of memory counted once."""
        return self.recorder.kept_bytes

    def value(self, number: int) -> Tensor | None:
        """Return the tensor with this value number; None where it is not at hand."""
        return self.recorder.value(number)


def trace(
    probe: Probe,
    inputs: Nest,
    invoke: Invoke,
    *,
    plan: Plan,
    random: RandomState | None = None,
    verify: bool = False,
    spare: list[Tensor] | None = None,
) -> Trace:
    """Run the model and record it.

    Where a kept value was overwritten in a way that could not be helped, and where `verify` finds
    a difference, the model is run again with copies; ``recorder.plan.copies`` of the result says
    so, and the caller had better ask for copies from then on.

    Parameters
    ----------
    probe : Probe
        Hooks on the shadow.
    inputs : nest of Tensor
        The model's inputs; they are copied, so that the pass may write to them.
    invoke : callable
        ``invoke(module, inputs)`` calls the module.
    plan : Plan
        What to keep, and how.
    random : RandomState, optional
        What to begin with; None: the generators' states of now, which stay as they are in any case.
    verify : bool
        Whether to compare every value, bit for bit, with that of a pass with copies, where an
        in-place function was run in new memory. Costs that second pass.
    spare : list of Tensor, optional
        Values of an earlier pass, the last one first, that nobody else holds. Each is let go just
        before the one that takes its place is computed, so that no memory goes back to the system
        to be asked for again; the rest at the end.

    Raises
    ------
    BaseException
        Whatever the model raises, with a note that names the layer and its input's shape.
    """
    if spare:
        spare[-1] = torch.empty(0)  # an input goes before the copy that takes its place
    before = RandomState.now(tensors_in(inputs))
    begin = random or before
    with torch.inference_mode(mode=False), torch.set_grad_enabled(plan.graph):
        try:
            recorder: OperationRecorder = QuickRecorder(plan, probe.parameters, spare)
            careful = plan._replace(copies=True)
            if random is not None:
                random.restore()
            try:
                result = _run(probe, recorder, inputs, invoke, begin)
            except Exception:
                if not recorder.took_shortcuts:
                    raise
                recorder = OperationRecorder(careful, probe.parameters)
                begin.restore()
                return _run(probe, recorder, inputs, invoke, begin)
            if recorder.overwritten() or (verify and recorder.took_shortcuts):
                recorder = OperationRecorder(careful, probe.parameters)
                begin.restore()
                other = _run(probe, recorder, inputs, invoke, begin)
                if result.recorder.overwritten() or not _same(result, other):
                    return other
            return result
        finally:
            before.restore()


def _run(
    probe: Probe, recorder: OperationRecorder, inputs: Nest, invoke: Invoke, begin: RandomState
) -> Trace:
    own_inputs = _own_inputs(inputs, graph=recorder.plan.graph)
    try:
        output = probe.watch(recorder, lambda module: invoke(module, own_inputs))
    except Exception as error:
        recorder.finish()
        _explain(error, recorder)
        raise
    recorder.finish()
    return Trace(recorder, output, begin)


def _same(one: Trace, other: Trace) -> bool:
    """Tell whether two passes gave the same values; an output without tensors cannot be told."""
    outputs = tensors_in(one.output)
    return (
        bool(outputs)
        and len(one.calls) == len(other.calls)
        and all(map(same_bits, outputs, tensors_in(other.output)))
        and all(_same_call(one, other, *pair) for pair in zip(one.calls, other.calls, strict=True))
    )


def _same_call(one: Trace, other: Trace, ours: Call, theirs: Call) -> bool:
    """Tell whether two passes made the same call, with the same input and output."""
    if (ours.path, ours.call, ours.is_leaf) != (theirs.path, theirs.call, theirs.is_leaf):
        return False
    for mine, its in ((ours.value, theirs.value), (ours.input_value, theirs.input_value)):
        a, b = one.value(mine), other.value(its)
        if a is not None and b is not None and not same_bits(a, b):
            return False
    return True


def _own_inputs(inputs: Nest, *, graph: bool) -> Nest:
    """Return copies that the model may write to, from which gradients can be taken."""

    def fresh(tensor: Tensor) -> Tensor:
        copy = tensor.detach().clone()
        if graph and (copy.is_floating_point() or copy.is_complex()):
            return copy.requires_grad_().clone()  # not a leaf, so that the model may write to it
        return copy

    return replace_tensors(inputs, fresh)


def _explain(error: Exception, recorder: CallRecorder) -> None:
    """Add a note that says which layer failed, and on what."""
    running = recorder.running or recorder.failed[:1]
    if not running:
        return
    call = running[-1]
    where = f"layer {call.path!r}" if call.path else "the model's own forward()"
    shape = f" on an input of shape {tuple(call.input_shape)}" if call.input_value >= 0 else ""
    note = (
        f"cnnviz_widgets: raised in {where} ({type(call.module).__name__}){shape}. Check that the "
        f"inputs have the size and the number of channels that the model expects."
    )
    whole = recorder.called()[0]
    if call.path and whole.input_shape:
        note += f" The model itself was given {tuple(whole.input_shape)}."
    # add_note() by hand, because Python 3.10 has none.
    notes = [*getattr(error, "__notes__", ()), note]
    error.__notes__ = notes  # type: ignore[attr-defined,unused-ignore]  # PEP 678
