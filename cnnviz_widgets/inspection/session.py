"""Inspection: a model, its inputs, and the trace that is valid for both.

In: the user's model, unwrapped, and inputs. Out: activations, gradients, scores and layers, traced
again whenever weights or structure changed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection.axes import Grid
from cnnviz_widgets.inspection.calls import Call, Plan, Source
from cnnviz_widgets.inspection.inputs import Inputs, Normalisation, prepare
from cnnviz_widgets.inspection.layers import LayerInfo, layer_infos
from cnnviz_widgets.inspection.memory import Memory
from cnnviz_widgets.inspection.notices import model_notices
from cnnviz_widgets.inspection.operations import ParameterWrittenError
from cnnviz_widgets.inspection.outputs import Selector, select_scores
from cnnviz_widgets.inspection.pictures import picture_of
from cnnviz_widgets.inspection.probe import Probe
from cnnviz_widgets.inspection.randomness import RandomState
from cnnviz_widgets.inspection.readings import ModelInput, Prepared
from cnnviz_widgets.inspection.shadow import ModelState, Shadow
from cnnviz_widgets.inspection.structure import Structure
from cnnviz_widgets.inspection.targets import Target, score_per_image
from cnnviz_widgets.inspection.trace import Trace, trace
from cnnviz_widgets.inspection.values import tensors_in

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


class ValueLayout(NamedTuple):
    """Layout of one value, the grid of its tokens, and whether it is the model's scores."""

    layout: str
    grid: Grid | None
    is_scores: bool


def check_model(model: object) -> None:
    """Raise unless the model is an nn.Module that can run.

    Raises
    ------
    TypeError
        It is no module, or only the class of one.
    ValueError
        It has parameters or buffers without a shape (lazy modules that never ran).
    """
    if isinstance(model, nn.Module):
        for name, tensor in (*model.named_parameters(), *model.named_buffers()):
            if type(tensor) in {nn.UninitializedParameter, nn.UninitializedBuffer}:
                msg = (
                    f"model={type(model).__name__} has no shape yet for {name!r}, a lazy "
                    f"parameter; run the model once on real data first."
                )
                raise ValueError(msg)
        return
    hint = "; call it to make one" if isinstance(model, type) else ""
    msg = f"model={model!r} is a {type(model).__name__}; give a torch.nn.Module{hint}."
    raise TypeError(msg)


class Session:
    """See the module's docstring; callers hold the model's lock.

    Parameters
    ----------
    model : torch.nn.Module
        Unwrapped.
    output : str, int, callable or None
        Picks the scores out of the model's output.
    normalisation : Normalisation or None
        Of the pictures.
    layouts : mapping of str to str
        The user's answers, by layer name.
    cache_bytes : int
        Bytes of values to keep.

    Attributes
    ----------
    prepared : Prepared
        The inputs.
    structure : Structure
        What does not depend on the values.
    scores : Tensor of shape (N, K) or None
        Class scores, detached.
    selector : str, int, callable or None
        Picks the scores out of the model's output.
    memory : Memory
        What passes found out; forgotten with the trace.
    """

    prepared: Prepared
    structure: Structure
    scores: Tensor | None
    memory: Memory

    def __init__(
        self,
        model: nn.Module,
        *,
        output: Selector | None,
        normalisation: Normalisation | None,
        layouts: Mapping[str, str],
        cache_bytes: int,
    ) -> None:
        self.model = model
        self._answers = dict(layouts)
        self.selector = output
        self._normalisation = normalisation
        self._cache_bytes = cache_bytes
        self._probe: Probe | None = None
        self._built: list[int] = []
        self._state: ModelState | None = None
        self._trace: Trace | None = None
        self._own: frozenset[str] = frozenset()
        self._copies = False
        self._verified: set[object] = set()
        self._graph: Trace | None = None
        self.memory = Memory()
        self._modules: tuple[LayerInfo, ...] | None = None

    # -- tracing ------------------------------------------------------------------------------

    def set_inputs(self, inputs: Inputs) -> None:
        """Trace other inputs; if that raises, the old ones stay."""
        prepare(inputs, ModelInput.of(self.model), self._normalisation).tried(self._retrace)

    def update(self) -> bool:
        """Trace again if weights, buffers or structure changed; say whether they did."""
        if self._probe is not None and self._state == self._probe.shadow.state():
            return False
        self._retrace(self.prepared.moved(ModelInput.of(self.model)))
        return True

    def rebuild(self) -> None:
        """Copy the model anew and trace again."""
        old = self._probe, self._built, self._copies, self._verified
        self._probe = None
        try:
            self._retrace(self.prepared.moved(ModelInput.of(self.model)))
        except BaseException:
            self._probe, self._built, self._copies, self._verified = old
            raise

    def renew(self) -> None:
        """Trace the same inputs again, because a value that was held is not what it was."""
        self._retrace(self.prepared)

    @property
    def trace(self) -> Trace:
        """The values for these inputs and the weights as they were last seen."""
        assert self._trace is not None
        if self._trace.recorder.released:  # other inputs were tried, and raised
            plan = Plan(budget=self._cache_bytes)
            self._trace, self._state = self._traced(self.prepared, plan, self._trace.random)
            self.structure = Structure(self._trace, self.selector, self.prepared.batch_size)
        return self._trace

    def _retrace(self, prepared: Prepared) -> None:
        """Trace; where this raises, another pass brings the old trace back when it is asked for.

        The old values go first: memory that was just written to is quicker to write to again.
        """
        if self._trace is not None:
            self._trace.recorder.release()
        new, state = self._traced(prepared, Plan(budget=self._cache_bytes))
        scores = select_scores(new.output, self.selector, prepared.batch_size)
        _check_has_layers(self.model, new)
        self.structure = Structure(new, self.selector, prepared.batch_size)
        self.prepared, self._trace, self._state = prepared, new, state
        self.scores = None if scores is None else scores.detach()
        self._modules = self._graph = None
        self.memory = self.memory.of_other_values()

    def _traced(
        self, prepared: Prepared, plan: Plan, random: RandomState | None = None
    ) -> tuple[Trace, ModelState]:
        """Run the model; return also the state that it had before, as weights may change since."""
        probe, state = self._ready_probe()
        shapes = [(tensor.shape, tensor.dtype) for tensor in tensors_in(prepared.nest)]
        known = (*shapes, _autocast())
        try:
            new = trace(
                probe,
                prepared.nest,
                prepared.invoke,
                plan=plan._replace(copies=plan.copies or self._copies),
                random=random,
                verify=known not in self._verified,
            )
        except ParameterWrittenError as error:
            self._own |= error.names
            self._probe = None
            return self._traced(prepared, plan, random)
        finally:
            if not probe.shadow.isolated:  # what our run wrote to the model was put back
                before, state = state, probe.shadow.state()
                self._state = state if self._state == before else self._state
        self._verified.add(known)
        self._copies |= new.recorder.plan.copies and not plan.graph
        return new, state

    def _ready_probe(self) -> tuple[Probe, ModelState]:
        state = self._probe.shadow.state() if self._probe is not None else None
        if self._probe is None or state is None or state.structure != self._built:
            self._probe = Probe(Shadow(self.model, self._own))
            state = self._probe.shadow.state()
            self._built = state.structure
            self._copies, self._verified, self.memory = False, set(), Memory()
        return self._probe, state

    @contextlib.contextmanager
    def running(self, *, graph: bool) -> Iterator[Probe]:
        """Make ready for a pass of another kind that draws the trace's random numbers.

        Yields
        ------
        Probe
            Holds the model to run. When the block ends, the random generators are as before.
        """
        probe, state = self._ready_probe()
        before = RandomState.now(tensors_in(self.prepared.nest))
        self.trace.random.restore()
        try:
            with torch.inference_mode(mode=False), torch.set_grad_enabled(graph):
                yield probe
        finally:
            before.restore()
            if not probe.shadow.isolated:
                self._state = probe.shadow.state() if self._state == state else self._state

    @property
    def isolated(self) -> bool:
        """Whether a copy runs in place of the user's model."""
        return self._probe is not None and self._probe.shadow.isolated

    @property
    def device(self) -> torch.device:
        """Where the model runs."""
        return self.prepared.first.device

    @property
    def has_convolutions(self) -> bool:
        """Whether the model calls a plain convolution over pictures."""
        return any(type(call.module) is nn.Conv2d for call in self.trace.calls)

    @property
    def autocasts(self) -> bool:
        """Whether the caller runs under autocast, so that layers change the type of values."""
        return _autocast()

    @property
    def own_parameters(self) -> frozenset[str]:
        """Names of the parameters that are copied, because the forward pass writes to them."""
        return self._own

    def call(self, source: Source) -> Call:
        """Return what the trace noted of a module call."""
        for call in self.trace.calls:
            if call.path == source.path and call.call == source.call:
                return call
        msg = f"no call {source.call} of {source.path!r}"
        raise KeyError(msg)

    # -- values -------------------------------------------------------------------------------

    def activation(self, source: Source) -> Tensor:
        """Return the output of a module call, or its first input."""
        tensor = self.trace.value(_value(self.trace, source))
        if tensor is not None:
            return tensor
        skipped = self.trace.recorder.skipped[_value(self.trace, source)]
        wanted = Plan(wanted=frozenset({skipped}))
        again, _ = self._traced(self.prepared, wanted, self.trace.random)
        tensor = again.value(_value(again, skipped))
        assert tensor is not None, "this forward pass differs from the one before"
        return tensor

    def gradient(self, source: Source, target: Target, class_names: Sequence[str] | None) -> Tensor:
        """Return d score / d output of a module call, detached.

        The graph comes from a pass of its own, and is kept where it fits into the cache.
        """
        # Torch refuses gradients where an in-place function overwrote what they need, as nobody
        # trains such a model; functions that run in new memory then help, as far as they are seen.
        graph = self._graph or self._new_graph(copies=True)
        try:
            return self._gradient(graph, source, target, class_names)
        except RuntimeError as error:
            if "modified by an inplace operation" not in str(error):
                raise
        return self._gradient(self._new_graph(copies=False), source, target, class_names)

    def _new_graph(self, *, copies: bool) -> Trace:
        plan = Plan(graph=True, copies=copies)
        graph, _ = self._traced(self.prepared, plan, self.trace.random)
        fits = self.trace.nbytes + graph.recorder.seen_bytes <= self._cache_bytes
        self._graph = graph if fits else None
        return graph

    def _gradient(
        self, graph: Trace, source: Source, target: Target, class_names: Sequence[str] | None
    ) -> Tensor:
        edge = graph.recorder.edges.get(_value(graph, source))
        with torch.enable_grad():
            scores = select_scores(graph.output, self.selector, self.prepared.batch_size)
            score = score_per_image(target, graph.output, scores, class_names)
            if not score.requires_grad or edge is None:
                raise _not_connected(source.path, target)
            (gradient,) = torch.autograd.grad(
                score.sum(), [edge], retain_graph=True, allow_unused=True
            )
        if gradient is None:
            raise _not_connected(source.path, target)
        return gradient.detach()

    @property
    def nbytes(self) -> int:
        """Bytes of the values held and, as near as can be said, of the graph."""
        return self.trace.nbytes + (self._graph.recorder.seen_bytes if self._graph else 0)

    @property
    def has_graph(self) -> bool:
        """Whether the graph for gradients is held."""
        return self._graph is not None

    # -- what there is ------------------------------------------------------------------------

    @property
    def modules(self) -> tuple[LayerInfo, ...]:
        """Every module call that gave a tensor."""
        if self._modules is None:
            assert self._probe is not None
            self._modules = layer_infos(self.structure, self._probe.shadow, self._answers)
        return self._modules

    def set_layout(self, name: str, layout: str) -> None:
        """Note the user's answer for a layer."""
        self._answers[name] = layout
        self._modules = None

    def layout_of(self, source: Source, name: str) -> ValueLayout:
        """Return what is known of the axes of a module call's output or first input."""
        layout = self.structure.layout(source)
        if source.side == "output":
            layout = self._answers.get(name, layout)
        return ValueLayout(layout, self.structure.grid(source), self.structure.is_scores(source))

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences on how the model was run and its input is shown."""
        assert self._probe is not None
        notices = model_notices(self._probe.shadow, copies=self._copies)
        if self.scores is None:
            notices.append("The output holds no class scores of shape (N, K): no predictions.")
        notice = picture_of(self.prepared.first, 0, self._normalisation)[1]
        if notice:
            notices.append(f"{notice[0].upper()}{notice[1:]}.")
        return tuple(notices)


def _value(trace: Trace, source: Source) -> int:
    """Return the number of a module call's output or first input in a trace."""
    for call in trace.calls:
        if call.path == source.path and call.call == source.call:
            value = call.value if source.side == "output" else call.input_value
            if value >= 0:
                return value
    msg = f"side={source.side!r}: {source.path!r} was called without a tensor; ask for its output."
    raise ValueError(msg)


def _autocast() -> bool:
    """Tell whether the caller runs under autocast on any kind of device."""
    return torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda")


def _check_has_layers(model: nn.Module, new: Trace) -> None:
    alone = next(model.children(), None) is None  # then its one call is that of the model itself
    plain = type(model).__module__.startswith("torch.nn.modules") and type(model) not in _CONTAINERS
    is_layer = not alone or plain or next(model.parameters(), None) is not None
    if not is_layer or not any(call.path and call.value >= 0 for call in new.calls):
        if isinstance(model, torch.jit.ScriptModule):
            msg = (
                f"model={type(model).__name__} was scripted or traced by torch.jit, where no layer "
                f"can be watched; give the nn.Module that it was made from."
            )
            raise ValueError(msg)
        msg = (
            f"model={type(model).__name__} has no layers: no module inside it was called and gave "
            f"a tensor. Build it from nn modules, and call them in forward()."
        )
        raise ValueError(msg)


def _not_connected(path: str, target: Target) -> ValueError:
    msg = (
        f"target={target!r} does not depend on layer={path!r} through the graph, so there is no "
        f"gradient: the model detaches it, runs it under no_grad, or does not use it. Choose "
        f"another layer or target."
    )
    return ValueError(msg)
