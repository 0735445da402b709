"""Inspection: one forward pass of the shadow and everything that was kept of it.

In: a `Probe`, the model's inputs and a `Plan`. Out: a `Trace`: module calls, values, operations
and the raw output.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection.probe import Probe
from cnnviz_widgets.inspection.recorder import (
    Call,
    Function,
    ParameterWrittenError,
    Plan,
    Recorder,
    Source,
)
from cnnviz_widgets.inspection.values import Nest, replace_tensors, tensors_in

_MOST_PASSES = 4


@dataclass
class Trace:
    """What one forward pass left behind.

    Attributes
    ----------
    calls : list of Call
        Every module call, in the order in which they began.
    functions : list of Function
        Torch functions and leaf calls, in the order in which they ended.
    output : object
        What the model returned.
    leaves : list of Tensor
        The input tensors that gradients can be taken for (graph traces only).
    has_graph : bool
        Whether gradients can be taken.
    protected : frozenset of Source
        Values that needed a copy, to be asked for at the next pass.
    """

    calls: list[Call]
    functions: list[Function]
    output: Nest
    leaves: list[Tensor]
    has_graph: bool
    protected: frozenset[Source]
    recorder: Recorder

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
        module, source = recipe
        tensor = self.value(source)
        if tensor is None:
            return None
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


def trace(probe: Probe, inputs: Nest, plan: Plan, invoke: Callable[..., Nest]) -> Trace:
    """Run the model once (again where a view of a kept value was written to) and record it.

    Parameters
    ----------
    probe : Probe
        Hooks on the shadow.
    inputs : nest of Tensor
        The model's inputs; they are copied, so that the pass may write to them.
    plan : Plan
        What to keep, and whether with a graph.
    invoke : callable
        ``invoke(module, inputs)`` calls the module.

    Raises
    ------
    BaseException
        Whatever the model raises, with a note that names the layer and its input's shape.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.set_grad_enabled(plan.graph))
        result = _one_pass(probe, inputs, plan, invoke)
        for _ in range(_MOST_PASSES):
            overwritten = result.recorder.overwritten()
            if not overwritten:
                break
            plan = replace(plan, protect=plan.protect | overwritten)
            result = _one_pass(probe, inputs, plan, invoke)
    return result


def _one_pass(probe: Probe, inputs: Nest, plan: Plan, invoke: Callable[..., Nest]) -> Trace:
    recorder = Recorder(plan, probe.parameters)
    leaves: list[Tensor] = []

    def fresh(tensor: Tensor) -> Tensor:
        copy = tensor.detach().clone()
        if plan.graph and (copy.is_floating_point() or copy.is_complex()):
            leaves.append(copy.requires_grad_())
            return copy.clone()  # not a leaf, so that the model may write to it
        return copy

    own_inputs = replace_tensors(inputs, fresh)

    def call(module: nn.Module) -> Nest:
        return invoke(module, own_inputs)

    with same_random_state(inputs):
        try:
            output = probe.run(recorder, call)
        except ParameterWrittenError:
            raise
        except BaseException as error:
            _explain(error, recorder)
            raise
    recorder.finish()
    return Trace(
        recorder.calls,
        recorder.functions,
        output,
        leaves,
        plan.graph,
        plan.protect,
        recorder,
    )


def _explain(error: BaseException, recorder: Recorder) -> None:
    """Add a note that says which layer failed, and on what."""
    if not isinstance(error, Exception):
        return
    running = recorder.stack or recorder.failed[:1]
    if not running:
        return
    call = running[-1]
    where = f"layer {call.path!r}" if call.path else "the model's own forward()"
    shape = f" on an input of shape {call.input_shape}" if call.tensor_inputs else ""
    note = (
        f"cnnviz_widgets: raised in {where} ({type(call.module).__name__}){shape}. Check that the "
        f"inputs have the size and the number of channels that the model expects."
    )
    if call.path and recorder.calls and recorder.calls[0].input_shape:
        note += f" The model itself was given {recorder.calls[0].input_shape}."
    notes = getattr(error, "__notes__", None)
    # add_note() by hand, because Python 3.10 has none.
    error.__notes__ = [*(notes or ()), note]  # type: ignore[attr-defined]  # PEP 678


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
