"""Inspection: a model, its inputs, and the trace that is valid for both.

In: the user's model, unwrapped, and inputs. Out: activations, gradients, scores and layers, traced
again whenever weights or structure changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection.inputs import Inputs, ModelInput, Normalisation, Prepared, prepare
from cnnviz_widgets.inspection.layers import LayerInfo, layer_infos
from cnnviz_widgets.inspection.layouts import Layouts, find_layouts
from cnnviz_widgets.inspection.outputs import Selector, score_kind, select_scores
from cnnviz_widgets.inspection.pictures import picture_of
from cnnviz_widgets.inspection.probe import Probe
from cnnviz_widgets.inspection.recorder import Call, ParameterWrittenError, Plan, Source
from cnnviz_widgets.inspection.shadow import Shadow, fingerprint, weight_versions
from cnnviz_widgets.inspection.targets import Target, score_per_image
from cnnviz_widgets.inspection.trace import Trace, trace


@dataclass(frozen=True)
class ValueLayout:
    """Layout of one value, the grid of its tokens, and whether it is the model's scores."""

    layout: str
    patches: tuple[int, int] | None
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
            if isinstance(tensor, nn.parameter.UninitializedTensorMixin):
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
    layouts : dict of str to str
        The user's answers, by layer name.
    cache_bytes : int
        Bytes of values to keep.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        output: Selector | None,
        normalisation: Normalisation | None,
        layouts: dict[str, str],
        cache_bytes: int,
    ) -> None:
        self.model = model
        self.layouts = layouts
        self._output = output
        self._normalisation = normalisation
        self._cache_bytes = cache_bytes
        self._probe: Probe | None = None
        self._built: tuple[int, ...] = ()
        self._own: frozenset[str] = frozenset()
        self._protected: frozenset[Source] = frozenset()

    # -- tracing ------------------------------------------------------------------------------

    def set_inputs(self, inputs: Inputs) -> None:
        """Trace other inputs; if that raises, the old ones stay."""
        prepared = prepare(inputs, ModelInput.of(self.model), self._normalisation)
        self._install(prepared, self._traced(prepared, Plan(budget=self._cache_bytes)))

    def update(self) -> bool:
        """Trace again if weights, buffers or structure changed; say whether they did."""
        if self._versions == self._current_versions():
            return False
        self._install(self.prepared, self._traced(self.prepared, Plan(budget=self._cache_bytes)))
        return True

    def rebuild(self) -> None:
        """Copy the model and trace again."""
        old = self._probe
        self._probe = None
        try:
            self._install(
                self.prepared, self._traced(self.prepared, Plan(budget=self._cache_bytes))
            )
        except BaseException:
            self._probe = old
            raise

    def _current_versions(self) -> tuple[int, ...]:
        return (*fingerprint(self.model), *weight_versions(self.model))

    def _install(self, prepared: Prepared, new: Trace) -> None:
        scores = select_scores(new.output, self._output)
        if not any(call.path and call.value >= 0 for call in new.calls):
            msg = (
                f"model={type(self.model).__name__} has no layers: no module inside it was called "
                f"and gave a tensor. Build it from nn modules, and call them in forward()."
            )
            raise ValueError(msg)
        self.prepared = prepared
        self.trace = new
        self.scores = None if scores is None else scores.detach()
        number = -1 if scores is None else new.recorder.values.number(scores)
        self.score_kind = score_kind(new.functions, number)
        self._score_value = number
        self._versions = self._current_versions()
        self._calls = {(call.path, call.call): call for call in new.calls}
        self.forget_layouts()

    def forget_layouts(self) -> None:
        """Read layouts anew, after the user answered for one."""
        self._modules: tuple[LayerInfo, ...] | None = None
        self._layouts: Layouts | None = None

    def _traced(self, prepared: Prepared, plan: Plan) -> Trace:
        probe = self._ready_probe()
        isolated = probe.shadow.isolated
        plan = replace(
            plan,
            protect=self._protected,
            cheap=isolated and not plan.graph and not torch.is_autocast_enabled(),
        )
        try:
            result = trace(probe, prepared.nest, plan, prepared.invoke)
        except ParameterWrittenError as error:
            self._own |= error.names
            self._probe = None
            return self._traced(prepared, plan)
        self._protected = result.protected
        return result

    def _ready_probe(self) -> Probe:
        built = fingerprint(self.model)
        if self._probe is None or self._built != built:
            self._probe = Probe(Shadow(self.model, self._own))
            self._built = built
            self._protected = frozenset()
        return self._probe

    # -- values -------------------------------------------------------------------------------

    def activation(self, path: str, call: int, side: str = "output") -> Tensor:
        """Return the value of a module call, or its first input."""
        value = self._value(self._calls[(path, call)], side)
        tensor = self.trace.value(value)
        if tensor is None:
            tensor = self._recomputed(path, call, side)
        return tensor

    def _value(self, call: Call, side: str) -> int:
        value = call.value if side == "output" else call.input_value
        if value < 0:
            msg = f"side={side!r}: {call.path!r} was called without a tensor; ask for its output."
            raise ValueError(msg)
        return value

    def _recomputed(self, path: str, call: int, side: str) -> Tensor:
        """Run the model again, keeping the one value that is wanted."""
        source = self.trace.source(self._value(self._calls[(path, call)], side))
        again = self._traced(self.prepared, Plan(wanted=lambda kept: kept == source))
        by_name = {(item.path, item.call): item for item in again.calls}
        tensor = again.value(self._value(by_name[(path, call)], side))
        assert tensor is not None, "a forward pass that differs from the one before"
        return tensor

    def gradient(
        self, path: str, call: int, target: Target, class_names: Sequence[str] | None
    ) -> Tensor:
        """Return d score / d output of a module call, detached."""
        graph = self.trace
        if not graph.has_graph:
            graph = self._traced(self.prepared, Plan(graph=True))
            if graph.nbytes <= self._cache_bytes:
                self._install(self.prepared, graph)
        by_name = {(item.path, item.call): item for item in graph.calls}
        kept = graph.recorder.kept[by_name[(path, call)].value].tensor
        with torch.enable_grad():
            scores = select_scores(graph.output, self._output)
            score = score_per_image(target, graph.output, scores, class_names)
            if not score.requires_grad or not kept.requires_grad:
                raise _not_connected(path, target)
            (gradient,) = torch.autograd.grad(
                score.sum(), [kept], retain_graph=True, allow_unused=True
            )
        if gradient is None:
            raise _not_connected(path, target)
        return gradient.detach()

    # -- what there is ------------------------------------------------------------------------

    @property
    def modules(self) -> tuple[LayerInfo, ...]:
        """Every module call that gave a tensor."""
        if self._modules is None:
            assert self._probe is not None
            self._modules = layer_infos(
                self.trace, self._probe.shadow, self._read_layouts().names, self.prepared.batch_size
            )
            if self.layouts:
                self._modules = tuple(
                    replace(info, layout=self.layouts.get(info.name, info.layout))
                    for info in self._modules
                )
        return self._modules

    def _read_layouts(self) -> Layouts:
        if self._layouts is None:
            self._layouts = find_layouts(self.trace)
        return self._layouts

    def layout_of(self, path: str, call: int, side: str) -> ValueLayout:
        """Return what is known of the axes of a module call's output or first input."""
        found = self._read_layouts()
        value = self._value(self._calls[(path, call)], side)
        layout = found.names.get(value, "?")
        if side == "output":
            info = next(i for i in self.modules if i.path == path and i.call == call)
            layout = self.layouts.get(info.name, layout)
        return ValueLayout(layout, found.grids.get(value), value == self._score_value)

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences on how the model was run and its input is shown."""
        assert self._probe is not None
        notices: list[str] = []
        if any(module.training for module in self.model.modules()):
            notices.append("The model is in training mode; it is looked at in eval mode.")
        if not self._probe.shadow.isolated:
            notices.append(
                f"The model cannot be copied ({self._probe.shadow.reason}), so it is run itself "
                f"and put back as it was after each run."
            )
        if self._own:
            names = ", ".join(repr(name) for name in sorted(self._own))
            notices.append(
                f"forward() writes to the parameters {names}; it is given copies of them."
            )
        if self.scores is None:
            notices.append("The output holds no class scores of shape (N, K): no predictions.")
        notice = picture_of(self.prepared.first, 0, self._normalisation)[1]
        if notice:
            notices.append(f"{notice[0].upper()}{notice[1:]}.")
        return tuple(notices)


def _not_connected(path: str, target: Target) -> ValueError:
    msg = (
        f"target={target!r} does not depend on layer={path!r} through the graph, so there is no "
        f"gradient: the model detaches it, runs it under no_grad, or does not use it. Choose "
        f"another layer or target."
    )
    return ValueError(msg)
