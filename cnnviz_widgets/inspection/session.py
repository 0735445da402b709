"""Inspection: a model, its inputs, and the trace that is valid for both.

In: the user's model, unwrapped, and inputs. Out: activations, gradients, scores and layers, traced
again whenever weights or structure changed.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection.arguments import check_has_layers
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
from cnnviz_widgets.inspection.refusals import in_our_words, is_refusal, not_connected
from cnnviz_widgets.inspection.shadow import ModelState, Shadow
from cnnviz_widgets.inspection.structure import Structure
from cnnviz_widgets.inspection.targets import Target, score_per_image
from cnnviz_widgets.inspection.trace import Trace, trace
from cnnviz_widgets.inspection.values import tensors_in
from cnnviz_widgets.words import phrase


class ValueLayout(NamedTuple):
    """Layout of one value, the grid of its tokens, and whether it is the model's scores."""

    layout: str
    grid: Grid | None
    is_scores: bool


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
    random : RandomState or None
        What every pass over these inputs begins with; None: what the first finds.
    selector : str, int, callable or None
        Picks the scores out of the model's output.
    memory : Memory
        What passes found out; forgotten with the trace.
    """

    prepared: Prepared
    random: RandomState | None
    memory: Memory
    _structure: Structure
    _scores: Tensor | None

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
        self._waits = False  # whether these inputs were not traced yet
        self.is_known = False  # whether the structure is known to be theirs all the same
        self._supposes = self._has_moved = (
            False  # whether a trace that had to wait met other weights
        )
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

    def guest(self, inputs: Inputs) -> Session:
        """Return a session over other inputs of the same shapes; this one stays as it is.

        It shares the copy of the model and what is known of it, and is traced when something asks
        for that. Other shapes or types are a ValueError.
        """
        guest = copy.copy(self)
        prepared = prepare(inputs, ModelInput.of(self.model), self._normalisation)
        guest.prepared = prepared.like(self.prepared)
        guest.memory = self.memory.of_other_values()
        guest.random = guest._trace = guest._graph = None
        guest._waits, guest.is_known, guest._has_moved = True, False, False
        return guest

    @property
    def may_suppose(self) -> bool:
        """Whether the model is likely to take these inputs as it took those before.

        That they are one picture spares the question of what images of a batch have in common.
        """
        given = self.prepared.nest
        known = self.waits and self.isolated and not self._copies and self._scores is not None
        one = isinstance(given, Tensor) and len(given) == 1 and given.is_floating_point()
        return known and one and self._key(self.prepared) in self._verified

    def update(self) -> bool:
        """Trace again if weights, buffers or structure changed; say whether they did."""
        if self.memory.ahead is not None:  # what is asked now is about that pass
            return False
        state = None if self._probe is None else self._probe.shadow.state()
        if self.waits and state is not None and state.structure == self._built:
            self._state = state  # nothing was shown yet
        if state is not None and self._state == state:
            moved, self._has_moved = self._has_moved, False
            return moved
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
        self.settle()
        assert self._trace is not None
        return self._trace

    def settle(self) -> None:
        """Trace where no trace is held: it had to wait, or other inputs were tried, and raised."""
        if self._trace is not None and not self._trace.recorder.released:
            return
        state, memory = self._state, self.memory
        self._retrace(self.prepared, self.random)
        self.memory = memory if self._state == state else self.memory
        self._has_moved |= self._state != state

    @property
    def structure(self) -> Structure:
        """What does not depend on the values."""
        if self.waits:
            self.settle()
        return self._structure

    @property
    def scores(self) -> Tensor | None:
        """Class scores of shape (N, K), detached, or None."""
        if self._waits:
            self.settle()
        return self._scores

    @property
    def class_count(self) -> int | None:
        """Number of classes, or None without class scores; asks for no trace."""
        return None if self._scores is None else int(self._scores.shape[1])

    @property
    def waits(self) -> bool:
        """Whether nothing is known of how the model takes these inputs."""
        return self._waits and not self.is_known

    @contextlib.contextmanager
    def supposed(self) -> Iterator[None]:
        """Take the structure of the inputs before for theirs, until the block ends."""
        self.is_known = self._supposes = True
        try:
            yield
        finally:
            self.is_known = self._supposes = False

    def _retrace(self, prepared: Prepared, random: RandomState | None = None) -> None:
        """Trace; where this raises, another pass brings the old trace back when it is asked for.

        The old values go as the new ones come: memory that is at hand is quicker to write to.
        """
        spare = None if self._trace is None else self._trace.recorder.release()
        new, state = self._traced(prepared, Plan(budget=self._cache_bytes), random, spare)
        scores = select_scores(new.output, self.selector, prepared.batch_size)
        check_has_layers(self.model, has_called=new.recorder.has_layers)
        self._structure = Structure(new, self.selector, prepared.batch_size)
        self.prepared, self._trace, self._state = prepared, new, state
        self._scores = None if scores is None else scores.detach()
        self.random, self._waits = new.random, False
        self._modules = self._graph = None
        self.memory = self.memory.of_other_values()

    def _key(self, prepared: Prepared) -> object:
        """Return what inputs have in common on which traces need no second look."""
        shapes = [(tensor.shape, tensor.dtype) for tensor in tensors_in(prepared.nest)]
        return (*shapes, _autocast())

    def _traced(
        self,
        prepared: Prepared,
        plan: Plan,
        random: RandomState | None = None,
        spare: list[Tensor] | None = None,
    ) -> tuple[Trace, ModelState]:
        """Run the model; return also the state that it had before, as weights may change since."""
        probe, state = self._ready_probe()
        known = self._key(prepared)
        try:
            new = trace(
                probe,
                prepared.nest,
                prepared.invoke,
                plan=plan._replace(copies=plan.copies or (self._copies and not plan.graph)),
                random=random,
                verify=known not in self._verified or self._copies,
                spare=spare,
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
        if self._supposes and self._probe and self._state:  # `update` has just read it
            return self._probe, self._state
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
        self.random = self.random or before
        if self.random is not before:
            self.random.restore()
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
        again, _ = self._traced(self.prepared, wanted, self.random)
        tensor = again.value(_value(again, skipped))
        assert tensor is not None, "this forward pass differs from the one before"
        return tensor

    def gradient(self, source: Source, target: Target, class_names: Sequence[str] | None) -> Tensor:
        """Return d score / d output of a module call, detached.

        The graph comes from a pass of its own, and is kept where it fits into the cache.
        """
        # Torch refuses gradients where an in-place function overwrote what they need, as nobody
        # trains such a model; functions that run in new memory then help, as far as they are seen.
        with in_our_words(self.structure):
            graph = self._graph or self._new_graph(copies=True)
            try:
                return self._gradient(graph, source, target, class_names)
            except RuntimeError as error:
                if not is_refusal(error):
                    raise
            return self._gradient(self._new_graph(copies=False), source, target, class_names)

    def _new_graph(self, *, copies: bool) -> Trace:
        plan = Plan(graph=True, copies=copies)
        graph, _ = self._traced(self.prepared, plan, self.random)
        fits = self.trace.nbytes + graph.recorder.seen_bytes <= self._cache_bytes
        self._graph = graph if fits else None
        return graph

    def _gradient(
        self, graph: Trace, source: Source, target: Target, class_names: Sequence[str] | None
    ) -> Tensor:
        edge = graph.recorder.edge(_value(graph, source))
        with torch.enable_grad():
            scores = select_scores(graph.output, self.selector, self.prepared.batch_size)
            score = score_per_image(target, graph.output, scores, class_names)
            if not score.requires_grad or edge is None:
                raise not_connected(source.path, target)
            (gradient,) = torch.autograd.grad(
                score.sum(), [edge], retain_graph=True, allow_unused=True
            )
        if gradient is None:
            raise not_connected(source.path, target)
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
        structure = self.structure
        if self._modules is None:
            assert self._probe is not None
            self._modules = layer_infos(structure, self._probe.shadow, self._answers)
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
            notices.append(phrase("no_class_scores"))
        if notice := picture_of(self.prepared.first, 0, self._normalisation)[1]:
            notices.append(notice)
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
