"""Inspection: a recorder that lets known layers run unwatched.

In: calls of `Leaf` layers, beside all that an `OperationRecorder` hears. Out: `QuickRecorder`,
which notes the same calls, operations and values, most of them by a `Recipe`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor

from cnnviz_widgets.inspection.calls import Call, Kept, Plan, Source
from cnnviz_widgets.inspection.inplace import Function
from cnnviz_widgets.inspection.leaves import Leaf, Leaves
from cnnviz_widgets.inspection.operations import (
    Operation,
    OperationRecorder,
    leaf_operation,
)
from cnnviz_widgets.inspection.recipes import MOST_STEPS, SUMS_IN_PLACE, Recipe, is_sum
from cnnviz_widgets.inspection.values import is_wrapped, storage_of, version_of

# A call in short, so that little time is spent while the model runs: the layer, which of its
# calls, the numbers of its input and output, their shapes, the output's type, and how many
# operations ended before.
Short = tuple[Leaf, int, int, int, tuple[int, ...], tuple[int, ...], torch.dtype, int]
_modes = torch._C._len_torch_function_stack
_is_scripting = torch._C._get_tracing_state
_FAR = 1 << 30


class QuickRecorder(OperationRecorder):
    """Record a pass in which known layers run unwatched.

    Watching costs more than small layers themselves. What a call of torch's own BatchNorm does is
    known, so functions inside it need not be seen; that it was called, on what, and what it gave
    is noted as always. Outputs of convolutions are kept; those of BatchNorm, ReLU and sums are
    computed again when they are asked for, from what is kept and the numbers of then. Max pooling
    over pictures runs one axis after the other, which gives the same in less time.

    A call that differs in any way from what is known is watched. With a graph, copies, or single
    values that are wanted, all are.

    Attributes
    ----------
    recipes : dict of int to Recipe
        By value number.
    """

    def __init__(
        self, plan: Plan, parameters: dict[int, str], spare: list[Tensor] | None = None
    ) -> None:
        super().__init__(plan, parameters)
        self._spare = [] if spare is None else spare
        self.recipes: dict[int, Recipe] = {}
        self._steps: dict[int, int] = {}  # that computing a value takes, of all that are at hand
        self._numbers: list[Tensor] = []  # what BatchNorms compute with
        self._fresh: list[Tensor] = []  # kept, and their storages not yet among the guarded
        self._budget = plan.budget
        self._leaves: Leaves | None = None
        self._unwatched = False  # whether any call was
        self._noted = cast("list[Call | Short]", self.calls)
        self._ran = cast("list[Operation | Short]", self.operations)

    def begin(self, leaves: Leaves) -> bool:
        """Get ready for a pass over these layers; tell whether they may run unwatched."""
        if self.plan.graph or self.plan.copies or self.plan.wanted is not None:
            return False
        self._numbers = leaves.numbers()
        self._leaves = leaves
        return True

    def run(self, leaf: Leaf, x: Tensor) -> Tensor | None:
        """Run a listed layer; return None, and do nothing, where the call must be watched."""
        state = leaf.state
        if type(x) is not Tensor or _modes() != 1 or any(leaf.hooks) or _is_scripting():
            return None
        if len(state) != leaf.size or is_wrapped(x) or (self._stale and id(x) in self._stale):
            return None
        for holder, name, tensor in leaf.held:
            if holder[name] is not tensor:
                return None
        if leaf.takes is not None and not leaf.takes(leaf, x):
            leaf.cheap = False  # a BatchNorm writes to its statistics, uncounted, or has changed
            return None
        given = self.values.number(x)
        steps = self._steps.get(given, -1)
        if steps < 0:
            steps = self._taken(leaf, x, given)
        shape = x.shape
        if self._spare and not leaf.cheap:
            self._spare.pop()  # its memory is what the output will take
        try:
            y: Tensor | None
            if leaf.may_write and state["inplace"]:
                y = self._in_place(leaf, x, steps)
            else:
                y = leaf.run(x)
        except BaseException:
            self.enter(leaf.path, leaf.module, (x,), {})  # as a call that did not return
            raise
        if y is not None:
            self._note_short(leaf, given, shape, y, steps)
        return y

    def _taken(self, leaf: Leaf, x: Tensor, given: int) -> int:
        """Keep an input that is not at hand; return the steps that computing it takes."""
        self.keep(x, given, Source(leaf.path, self._counts.get(leaf.path, 0) + 1, "input"))
        return self._steps.get(given, _FAR)

    def _in_place(self, leaf: Leaf, x: Tensor, steps: int) -> Tensor | None:
        """Run a ReLU that writes to its input, in new memory where that is kept."""
        if self._may_write(x, steps):
            return torch.relu_(x)
        if x._is_view() or (self._aliased and storage_of(x) in self._aliased):
            return None
        y = leaf.run(x)
        self._stale[id(x)] = (x, y)
        self.replaced = True
        return y

    def _note_short(
        self, leaf: Leaf, given: int, shape: tuple[int, ...], y: Tensor, steps: int
    ) -> None:
        """Note what a listed layer gave, and keep it or how it is computed again."""
        try:
            version = y._version
        except RuntimeError:  # made in inference mode, where writes are not counted
            version, steps = -1, _FAR
            self._aliased.add(storage_of(y))
        value = self.values.give(y, version)
        path = leaf.path
        self._counts[path] = number = self._counts.get(path, 0) + 1
        if self.running:
            self.running[-1].is_leaf = False
        ran = self._ran
        short = (leaf, number, given, value, shape, y.shape, y.dtype, len(ran))
        self._noted.append(short)
        ran += (short, short)  # the function, and the whole call
        if leaf.cheap and steps < MOST_STEPS:
            self.recipes[value] = leaf, (given,)
            self._steps[value] = steps + 1
            return
        source = leaf.source if number == 1 else Source(path, number, "output")
        size = y.nbytes
        if self.kept_bytes + size > self._budget:
            self.skipped[value] = source
            return
        self.kept_bytes += size
        self.kept[value] = Kept(y, version, source)
        self._steps[value] = 0
        self._fresh.append(y)

    def __torch_function__(
        self,
        func: Function,
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # Any: the result of any torch function
        """Run one torch function; a sum, the commonest between layers, the short way."""
        if self._leaves is not None and is_sum(func, args, kwargs):
            one, other = args
            y = self._sum(func, one, other)
            if y is not None:
                return y
        return super().__torch_function__(func, types, args, kwargs)

    def _sum(self, func: Function, one: Tensor, other: Tensor) -> Tensor | None:
        """Add two tensors; return None, and do nothing, where that must be watched."""
        if self._stale and not self._stale.keys().isdisjoint((id(one), id(other))):
            return None
        number, known = self.values.number, self._steps
        inputs = number(one), number(other)
        before = known.get(inputs[0], _FAR)
        steps = before + known.get(inputs[1], _FAR)
        if func in SUMS_IN_PLACE and not self._may_write(one, before):
            return None
        y: Tensor = func(one, other)
        if y.is_inference() or y._is_view():
            self._aliased.add(storage_of(y))
            steps = _FAR
        value = self.values.give(y, version_of(y))
        path = self.running[-1].path if self.running else ""
        shape = y.shape
        self.operations.append(
            Operation(func.__name__, path, 0, inputs, (value,), (shape, shape), (shape,), ())
        )
        if steps < MOST_STEPS:
            self.recipes[value] = torch.add, inputs
            known[value] = steps + 1
        return y

    def _may_write(self, x: Tensor, steps: int) -> bool:
        """Tell whether a function may write to a value that takes so many steps to compute."""
        if not steps or x._is_view() or (self._aliased and storage_of(x) in self._aliased):
            return False
        if steps < _FAR:
            return True
        storage = storage_of(x)
        weights = self._leaves.storages if self._leaves is not None else ()
        return not (self.is_guarded(storage) or storage in weights or storage in self._parameters)

    def is_guarded(self, storage: int) -> bool:
        """Tell whether memory holds a kept value."""
        if self._fresh:
            self.guarded.update(map(storage_of, self._fresh))
            self._fresh.clear()
        return super().is_guarded(storage)

    def _hold(self, tensor: Tensor, value: int, source: Source) -> None:
        self.is_guarded(-1)
        if self._spare:
            self._spare.pop()
        super()._hold(tensor, value, source)
        self._steps[value] = 0

    def release(self) -> list[Tensor]:
        """Let go of all values, and of what they would be computed from."""
        self.recipes.clear()
        self._steps.clear()
        self._numbers.clear()
        self._fresh.clear()
        return super().release()

    def at_hand(self, value: int) -> bool:
        """Tell whether a value is kept or can be computed from what is kept."""
        return value in self._steps

    def _expose(self, tensors: list[Tensor]) -> None:
        super()._expose(tensors)
        self._spoilt |= self._leaves is not None  # a value, or numbers, to compute others with

    def _write(
        self,
        func: Function,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        targets: list[Tensor],
    ) -> Any:  # Any: the result of any torch function
        if self._leaves is not None:
            self._spoilt |= any(storage_of(target) in self._leaves.storages for target in targets)
        return super()._write(func, args, kwargs, targets)

    def value(self, number: int) -> Tensor | None:
        """Return the tensor with this value number; None where it is not at hand."""
        if number not in self.recipes:
            return super().value(number)
        step, inputs = self.recipes[number]
        given = [tensor for value in inputs if (tensor := self.value(value)) is not None]
        with _plainly(given):
            return step.again(self._numbers, *given) if isinstance(step, Leaf) else step(*given)

    @property
    def took_shortcuts(self) -> bool:
        """Whether the pass ran in another way than the model is written."""
        return self.replaced or self._unwatched

    def finish(self) -> None:
        """Tidy up once the pass is over."""
        super().finish()
        self._spare.clear()
        self._unwatched = any(not isinstance(noted, Call) for noted in self._noted)

    def called(self) -> list[Call]:
        """Return the module calls, those in short written out."""
        for place, noted in enumerate(self._noted):
            if not isinstance(noted, Call):
                self.calls[place] = _call(noted)
        return self.calls

    @property
    def has_layers(self) -> bool:
        """Whether a module inside the model was called and gave a tensor."""
        return self._unwatched or super().has_layers

    def listed(self) -> list[Operation]:
        """Return the operations, those in short written out."""
        before: object = None
        for place, ran in enumerate(self._ran):
            if not isinstance(ran, Operation):
                is_whole = ran is before
                self.operations[place] = (
                    leaf_operation(_call(ran)) if is_whole else self._function(ran)
                )
            before = ran
        return self.operations

    def _function(self, short: Short) -> Operation:
        """Return what ran inside a known layer."""
        leaf, _, given, value, input_shape, shape, _, _ = short
        tensors = [tensor for _, _, tensor in leaf.held]
        return Operation(
            leaf.function,
            leaf.path,
            0,
            (given, *map(self.values.number, tensors)),
            (value,),
            (input_shape, *(tensor.shape for tensor in tensors)),
            (shape,),
            (),
        )


@contextlib.contextmanager
def _plainly(tensors: list[Tensor]) -> Iterator[None]:
    """Keep what the reader runs under away from a step."""
    with (
        torch.inference_mode(mode=False),
        torch.no_grad(),
        torch.autocast(tensors[0].device.type, enabled=False),
        torch._C.DisableTorchFunction(),
    ):
        yield


def _call(short: Short) -> Call:
    leaf, number, given, value, input_shape, shape, dtype, began = short
    call = Call(leaf.path, number, leaf.module)
    call.value, call.shape, call.dtype = value, shape, dtype
    call.input_value, call.input_shape = given, input_shape
    call.began, call.ended = began, began + 1
    return call
