"""Inspection: one forward pass of the shadow and everything that was kept of it.

In: a `Probe`, the model's inputs and a `Plan`. Out: a `Trace` with the values and the raw output;
the first of its kind also says which operations ran, which later ones need not watch.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection.calls import Call, CallRecorder, Plan, Source
from cnnviz_widgets.inspection.following import FollowingRecorder, Pattern
from cnnviz_widgets.inspection.operations import Operation, OperationRecorder
from cnnviz_widgets.inspection.probe import Probe
from cnnviz_widgets.inspection.values import Nest, replace_tensors, tensors_in

_MOST_PASSES = 4

Invoke = Callable[[nn.Module, Nest], Nest]


@dataclass(frozen=True)
class Trace:
    """What one forward pass left behind.

    Attributes
    ----------
    recorder : CallRecorder
        The calls and the kept values.
    operations : list of Operation or None
        Torch functions and leaf calls; None for a pass that followed a pattern.
    output : object
        What the model returned.
    leaves : list of Tensor
        The input tensors that gradients can be taken for (with a graph only).
    has_graph : bool
        Whether gradients can be taken.
    pattern : Pattern or None
        What the next pass may follow; None where every pass has to be watched.
    """

    recorder: CallRecorder
    operations: list[Operation] | None
    output: Nest
    leaves: list[Tensor]
    has_graph: bool
    pattern: Pattern | None

    @property
    def calls(self) -> list[Call]:
        """Every module call, in the order in which they began."""
        return self.recorder.calls

    @property
    def nbytes(self) -> int:
        """Bytes of the values held, each piece of memory counted once."""
        return self.recorder.kept_bytes

    def value(self, number: int) -> Tensor | None:
        """Return the tensor with this value number; None where it was not kept.

        Cheap layers are computed here from the value they were computed from.
        """
        kept = self.recorder.kept.get(number)
        if kept is not None:
            return kept.tensor
        recipe = self.recorder.recipes.get(number)
        if recipe is None:
            return None
        values = [self.value(source) for source in recipe.sources]
        found = [value for value in values if value is not None]
        if len(found) < len(values):
            return None
        with torch.inference_mode(mode=False), torch.no_grad():
            return recipe.compute(*found)

    def missing(self, number: int) -> frozenset[Source]:
        """Return the module calls whose values are needed for one that is not here."""
        recipe = self.recorder.recipes.get(number)
        if recipe is not None:
            return frozenset().union(*(self.missing(source) for source in recipe.sources))
        skipped = self.recorder.skipped.get(number)
        return frozenset() if skipped is None else frozenset({skipped})


def trace(
    probe: Probe,
    inputs: Nest,
    invoke: Invoke,
    *,
    plan: Plan,
    pattern: Pattern | None = None,
) -> Trace:
    """Run the model and record it.

    With a pattern only module calls are watched, which is cheaper; where the pass turns out to
    differ, and where a view of a kept value was written to, the model is run again.

    Parameters
    ----------
    probe : Probe
        Hooks on the shadow.
    inputs : nest of Tensor
        The model's inputs; they are copied, so that the pass may write to them.
    invoke : callable
        ``invoke(module, inputs)`` calls the module.
    plan : Plan
        What to keep, and whether with a graph.
    pattern : Pattern or None
        Of an earlier trace on inputs of the same shapes.

    Raises
    ------
    BaseException
        Whatever the model raises, with a note that names the layer and its input's shape.
    """
    with torch.inference_mode(mode=False), torch.set_grad_enabled(plan.graph):
        if pattern is not None:
            result = _followed(probe, inputs, invoke, plan, pattern)
            if result is not None:
                return result
        result = _watched(probe, inputs, invoke, plan)
        for _ in range(_MOST_PASSES):
            overwritten = result.recorder.overwritten()
            if not overwritten:
                break
            plan = plan._replace(protect=plan.protect | overwritten)
            result = _watched(probe, inputs, invoke, plan)
    return result


def _watched(probe: Probe, inputs: Nest, invoke: Invoke, plan: Plan) -> Trace:
    """Run the model with every module call and torch function recorded."""
    own_inputs, leaves = _own_inputs(inputs, graph=plan.graph)
    recorder = OperationRecorder(plan, probe.unusual, probe.parameters)
    with same_random_state(inputs):
        try:
            output = probe.watch(recorder, lambda module: invoke(module, own_inputs))
        except Exception as error:
            _explain(error, recorder)
            raise
    learnt = _pattern(recorder) if probe.shadow.isolated else None
    recorder.forget_stale()
    return Trace(recorder, recorder.operations, output, leaves, plan.graph, learnt)


def _pattern(recorder: OperationRecorder) -> Pattern | None:
    plan = recorder.plan
    if plan.graph or plan.wanted is not None or not recorder.is_plain:
        return None
    return Pattern(
        recorder.calls,
        {kept.source: (number, kept.tensor.shape) for number, kept in recorder.kept.items()},
        recorder.recipes,
        recorder.skipped,
        frozenset(recorder.run_apart_in),
        plan.protect,
    )


def _followed(
    probe: Probe, inputs: Nest, invoke: Invoke, plan: Plan, pattern: Pattern
) -> Trace | None:
    """Run the model with the few hooks that a pattern needs; None where it does not fit."""
    own_inputs, leaves = _own_inputs(inputs, graph=False)
    recorder = FollowingRecorder(plan, pattern)
    with same_random_state(inputs):
        try:
            output = probe.follow(recorder, pattern, lambda module: invoke(module, own_inputs))
        except Exception:  # noqa: BLE001 - the watched pass that comes next raises it, explained
            return None
    if not recorder.is_complete():
        return None
    return Trace(recorder, None, output, leaves, has_graph=False, pattern=pattern)


def _own_inputs(inputs: Nest, *, graph: bool) -> tuple[Nest, list[Tensor]]:
    """Return copies that the model may write to, and the leaves that gradients are taken for."""
    leaves: list[Tensor] = []

    def fresh(tensor: Tensor) -> Tensor:
        copy = tensor.detach().clone()
        if graph and (copy.is_floating_point() or copy.is_complex()):
            leaves.append(copy.requires_grad_())
            return copy.clone()  # not a leaf, so that the model may write to it
        return copy

    return replace_tensors(inputs, fresh), leaves


def _explain(error: Exception, recorder: CallRecorder) -> None:
    """Add a note that says which layer failed, and on what."""
    running = recorder.running or recorder.failed[:1]
    if not running:
        return
    call = running[-1]
    where = f"layer {call.path!r}" if call.path else "the model's own forward()"
    shape = f" on an input of shape {tuple(call.input_shape)}" if call.input_tensors else ""
    note = (
        f"cnnviz_widgets: raised in {where} ({type(call.module).__name__}){shape}. Check that the "
        f"inputs have the size and the number of channels that the model expects."
    )
    if call.path and recorder.calls[0].input_shape:
        note += f" The model itself was given {tuple(recorder.calls[0].input_shape)}."
    # add_note() by hand, because Python 3.10 has none.
    notes = [*getattr(error, "__notes__", ()), note]
    error.__notes__ = notes  # type: ignore[attr-defined,unused-ignore]  # PEP 678


@contextlib.contextmanager
def same_random_state(inputs: Nest) -> Iterator[None]:
    """Leave the random generators of torch (CPU and GPUs in use), NumPy and Python alone."""
    devices = {tensor.device for tensor in tensors_in(inputs) if tensor.device.type == "cuda"}
    cpu, python = torch.get_rng_state(), random.getstate()
    numpy = np.random.get_state()  # noqa: NPY002 - the global generator is what forward() may use
    on_device = [(device, torch.cuda.get_rng_state(device)) for device in devices]
    try:
        yield
    finally:
        torch.set_rng_state(cpu)
        np.random.set_state(numpy)  # noqa: NPY002
        random.setstate(python)
        for device, state in on_device:
            torch.cuda.set_rng_state(state, device)
