"""What a forward pass may do between its layers that a recorder could miss: a block, and steps."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Block(nn.Module):
    """Convolution, BatchNorm and ReLU, and what `step` does between them."""

    def __init__(self, step: Callable[[Any, Tensor], Tensor], *, inplace: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.bn, self.relu = nn.BatchNorm2d(4), nn.ReLU(inplace=inplace)
        self.after, self.fc = nn.Conv2d(4, 4, 1), nn.Linear(4, 5)
        self.step = step

    def forward(self, x: Tensor) -> Any:
        y = self.step(self, x)
        return self.fc(self.after(y).mean((2, 3)))


def plainly(block: Any, x: Tensor) -> Tensor:
    """Call the three layers in a row."""
    result: Tensor = block.relu(block.bn(block.conv(x)))
    return result


def residual(block: Any, x: Tensor) -> Tensor:
    """Add the ReLU's output to another BatchNorm's, in place, and ReLU that."""
    first = plainly(block, x)
    second = block.bn(block.after(first))
    second += first
    result: Tensor = block.relu(second)
    return result


def branches(block: Any, x: Tensor) -> Tensor:
    """Take another way for bright pictures."""
    y: Tensor = block.bn(block.conv(x))
    if y.sum() > 0:
        y = block.relu(y)
    if x.mean() > 1:
        y = block.bn(y) + 1
    return y


def writes_after(block: Any, x: Tensor) -> Tensor:
    """Write to what a ReLU gave, which is also what BatchNorm gave."""
    y = plainly(block, x)
    y.mul_(2)
    y[:, 0] = 3
    return y


def writes_to_a_kept_convolution(block: Any, x: Tensor) -> Tensor:
    """Write to what the convolution gave after BatchNorm took it."""
    y = block.conv(x)
    z = block.bn(y)
    y.zero_()
    result: Tensor = block.relu(z) + y
    return result


def writes_to_statistics(block: Any, x: Tensor) -> Tensor:
    """Change the statistics between two calls."""
    y = block.bn(block.conv(x))
    block.bn.running_mean.add_(1)
    result: Tensor = block.relu(block.bn(y))
    return result


def writes_to_statistics_unseen(block: Any, x: Tensor) -> Tensor:
    """The same past the write count."""
    y = block.bn(block.conv(x))
    block.bn.running_mean.data.add_(1)
    result: Tensor = block.relu(block.bn(y))
    return result


def adds_to_statistics(block: Any, x: Tensor) -> Tensor:
    """The same by a sum of two tensors."""
    y = block.bn(block.conv(x))
    block.bn.running_mean += torch.ones(4)
    result: Tensor = block.relu(block.bn(y))
    return result


def adds_to_what_is_kept(block: Any, x: Tensor) -> Tensor:
    """Add in place to the convolution's output, to an alias of it, and to a stale tensor."""
    y = block.conv(x)
    z = block.bn(y)
    y += z
    y.add_(y)
    y.detach().add_(z)
    z.view(z.shape).add_(y)
    result: Tensor = block.relu(z + y)
    return result


def trains_inside(block: Any, x: Tensor) -> Tensor:
    """Take the batch's own statistics, which writes to the kept ones, then the kept ones."""
    y = block.bn(block.conv(x))
    block.bn.train()
    y = block.bn(y)
    block.bn.eval()
    result: Tensor = block.relu(block.bn(y))
    return result


def other_settings(block: Any, x: Tensor) -> Tensor:
    """Change a setting for one call."""
    block.bn.eps = 1.0
    y = block.bn(block.conv(x))
    block.bn.eps = 1e-5
    result: Tensor = block.relu(y)
    return result


def other_weights(block: Any, x: Tensor) -> Tensor:
    """Call BatchNorm with other numbers, as functional_call does for a while."""
    numbers = {"weight": torch.full((4,), 2.0), "running_mean": torch.ones(4)}
    y = torch.func.functional_call(block.bn, numbers, (block.conv(x),))
    result: Tensor = block.relu(y)
    return result


def replaced_forward(block: Any, x: Tensor) -> Tensor:
    """Give a layer another forward while the model runs."""
    block.relu.forward = torch.sigmoid
    return plainly(block, x)


def forward_by_hand(block: Any, x: Tensor) -> Tensor:
    """Call forward itself, which is no module call."""
    return plainly(block, block.relu.forward(x))


def keywords(block: Any, x: Tensor) -> Tensor:
    """Give a layer its input by keyword."""
    result: Tensor = block.relu(input=block.bn(input=block.conv(x)))
    return result


def own_copy(block: Any, x: Tensor) -> Tensor:
    """Run a copy of a layer, with other weights."""
    conv = copy.deepcopy(block.conv)
    conv.weight.data.mul_(-1)
    result: Tensor = block.relu(block.bn(conv(x)))
    return result


def hooked_inside(block: Any, x: Tensor) -> Tensor:
    """Hang a hook on a layer that changes what it gives."""
    handle = block.bn.register_forward_hook(lambda _m, _a, y: y * 2)
    result: Tensor = block.relu(block.bn(block.conv(x)))
    handle.remove()
    return result


class Doubling(torch.overrides.TorchFunctionMode):
    """A mode that changes what a function gives."""

    def __torch_function__(
        self, func: Any, types: object, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Double what ReLU gives."""
        result = func(*args, **(kwargs or {}))
        return result * 2 if getattr(func, "__name__", "") == "relu" else result


def under_a_mode(block: Any, x: Tensor) -> Tensor:
    """Run under a mode of the model's own."""
    with Doubling():
        return plainly(block, x)


def autocast_inside(block: Any, x: Tensor) -> Tensor:
    """Run some layers under autocast."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = plainly(block, x)
    return y.float()


def inference_inside(block: Any, x: Tensor) -> Tensor:
    """Run under inference mode, where writes are not counted, and write."""
    with torch.inference_mode():
        y = plainly(block, x)
        y.add_(1)
        return y.clone()


def caught(block: Any, x: Tensor) -> Tensor:
    """Go on after a layer raised."""
    try:
        block.bn(x)
    except RuntimeError:
        x = x * 2
    return plainly(block, x)


def through_a_closure(block: Any, x: Tensor) -> Tensor:
    """Call layers from a function inside, some of them twice."""
    results = [plainly(block, item) for item in (x, x + 1)]
    return results[-1]


def aliased(block: Any, x: Tensor) -> Tensor:
    """Let an in-place ReLU write through a view and a detached alias."""
    y = block.bn(block.conv(x))
    block.relu(y[:, :2])
    block.relu(y.detach())
    result: Tensor = block.relu(y.view(y.shape))
    return result


def not_finite(block: Any, x: Tensor) -> Tensor:
    """Make NaN and infinity on the way."""
    y = block.conv(x)
    y = block.bn(y / (y > 0))
    result: Tensor = torch.nan_to_num(block.relu(y), posinf=1.0)
    return result


STEPS = [
    plainly, residual, branches, writes_after, writes_to_a_kept_convolution,
    writes_to_statistics, adds_to_statistics, adds_to_what_is_kept, writes_to_statistics_unseen,
    trains_inside, other_settings, other_weights, replaced_forward, forward_by_hand, keywords,
    own_copy, hooked_inside, under_a_mode, autocast_inside, inference_inside, caught,
    through_a_closure, aliased, not_finite,
]  # fmt: skip
