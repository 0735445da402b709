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
from cnnviz_widgets.inspection.operations import (
    Operation,
    OperationRecorder,
    ParameterWrittenError,
)
from cnnviz_widgets.inspection.probe import Probe
from cnnviz_widgets.inspection.values import Nest, replace_tensors, tensors_in

_MOST_PASSES = 4


@dataclass(frozen=True)
class Pattern:
    """What a pass taught for the next one on inputs of the same shape.

    Attributes
    ----------
    sequence : list of (str, tuple of int)
        The module calls; a pass with others has another pattern.
    out_of_place : frozenset of torch.nn.Module
        Modules of the shadow that must not work in place, so that kept values stay.
    protect : frozenset of Source
        Values to hand on as copies.
    """

    sequence: list[tuple[str, tuple[int, ...]]]
    out_of_place: frozenset[nn.Module]
    protect: frozenset[Source]


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
        tensor = None if recipe is None else self.value(recipe[1])
        if recipe is None or tensor is None:
            return None
        module = recipe[0]
        with torch.inference_mode(mode=False), torch.no_grad():
            if getattr(module, "inplace", False):
                tensor = tensor.clone()
            result = module.forward(tensor)
        assert isinstance(result, Tensor)
        return result

    def source(self, number: int) -> Source | None:
        """Return the module call to keep, so that a value that was not kept can be had."""
        recipe = self.recorder.recipes.get(number)
        while recipe is not None:
            number = recipe[1]
            recipe = self.recorder.recipes.get(number)
        return self.recorder.skipped.get(number)


def trace(
    probe: Probe,
    inputs: Nest,
    invoke: Callable[[nn.Module, Nest], Nest],
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
            result = _one_pass(probe, inputs, invoke, plan, pattern)
            same = result.recorder.sequence() == pattern.sequence
            if same and not result.recorder.overwritten():
                return result
            plan = plan._replace(replaced=result.recorder)
        result = _one_pass(probe, inputs, invoke, plan, None)
        for _ in range(_MOST_PASSES):
            overwritten = result.recorder.overwritten()
            if not overwritten:
                break
            plan = plan._replace(protect=plan.protect | overwritten, replaced=None)
            result = _one_pass(probe, inputs, invoke, plan, None)
    return result


def _one_pass(
    probe: Probe,
    inputs: Nest,
    invoke: Callable[[nn.Module, Nest], Nest],
    plan: Plan,
    pattern: Pattern | None,
) -> Trace:
    leaves: list[Tensor] = []

    def fresh(tensor: Tensor) -> Tensor:
        copy = tensor.detach().clone()
        if plan.graph and (copy.is_floating_point() or copy.is_complex()):
            leaves.append(copy.requires_grad_())
            return copy.clone()  # not a leaf, so that the model may write to it
        return copy

    own_inputs = replace_tensors(inputs, fresh)
    if pattern is None:
        watcher = OperationRecorder(plan, probe.unusual, probe.parameters)
        output = _run(probe, watcher, inputs, lambda module: invoke(module, own_inputs))
        learnt = _pattern(watcher, plan, isolated=probe.shadow.isolated)
        watcher.forget_stale()
        return Trace(watcher, watcher.operations, output, leaves, plan.graph, learnt)
    plan = plan._replace(protect=plan.protect | pattern.protect)
    recorder = CallRecorder(plan, probe.unusual)
    output = _run(
        probe,
        recorder,
        inputs,
        lambda module: invoke(module, own_inputs),
        out_of_place=pattern.out_of_place,
    )
    return Trace(recorder, None, output, leaves, plan.graph, pattern)


def _pattern(watcher: OperationRecorder, plan: Plan, *, isolated: bool) -> Pattern | None:
    if plan.graph or plan.wanted is not None or not (watcher.is_plain and isolated):
        return None
    return Pattern(watcher.sequence(), frozenset(watcher.run_apart_in), plan.protect)


def _run(
    probe: Probe,
    recorder: CallRecorder,
    inputs: Nest,
    call: Callable[[nn.Module], Nest],
    *,
    out_of_place: frozenset[nn.Module] = frozenset(),
) -> Nest:
    with same_random_state(inputs):
        try:
            return probe.run(recorder, call, out_of_place=out_of_place)
        except ParameterWrittenError:
            raise
        except Exception as error:
            _explain(error, recorder)
            raise


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
