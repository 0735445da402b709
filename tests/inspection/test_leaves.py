"""Which layers are known, and that they do what their class does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from cnnviz_widgets.inspection.leaves import Leaves, as_torch_wrote_them, known_leaf

NONE: frozenset[str] = frozenset()
LISTED: list[tuple[Callable[[], nn.Module], tuple[int, ...]]] = [
    (lambda: nn.Conv1d(3, 4, 3, padding="same"), (2, 3, 9)),
    (lambda: nn.Conv2d(4, 4, 3, stride=2, dilation=2, groups=2, bias=False), (2, 4, 9, 8)),
    (lambda: nn.Conv3d(3, 4, 2), (1, 3, 4, 5, 6)),
    (lambda: nn.Linear(5, 3), (2, 4, 5)),
    (lambda: nn.BatchNorm1d(3), (2, 3)),
    (lambda: nn.BatchNorm2d(3, eps=0.1, affine=False), (2, 3, 4, 4)),
    (lambda: nn.BatchNorm3d(3), (1, 3, 4, 5, 6)),
    (lambda: nn.MaxPool2d(3, 2, padding=1), (2, 3, 7, 8)),
    (lambda: nn.ReLU(), (2, 3)),
]


def randomised(module: nn.Module) -> nn.Module:
    """Give a layer numbers of its own, in eval mode."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            tensor.data.uniform_(0.5, 2)
    return module.eval()


@pytest.mark.parametrize("place", range(len(LISTED)))
def test_a_leaf_gives_what_its_module_gives(place: int) -> None:
    build, shape = LISTED[place]
    torch.manual_seed(0)
    module, x = randomised(build()), torch.randn(shape)
    leaf = known_leaf("layer", module, NONE)
    assert leaf is not None
    with torch.no_grad():
        expected = module(x)
        assert torch.equal(leaf.run(x), expected)
        leaves = Leaves()
        leaves.append(leaf)
        numbers = leaves.numbers()
        for tensor in module.buffers():
            tensor.zero_()
        if leaf.cheap:
            assert torch.equal(leaf.again(numbers, x), expected)


class Subclass(nn.Conv2d):
    """A layer of the user's."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's own name
        """Double what the layer gives."""
        return super().forward(input) * 2


def hooked() -> nn.Module:
    """Return a layer with a hook of the user's."""
    module = nn.ReLU()
    module.register_forward_hook(lambda *_: None)
    return module


def replaced() -> nn.Module:
    """Return a layer with another forward."""
    module = nn.ReLU()
    vars(module)["forward"] = torch.sigmoid
    return module


UNLISTED: list[Callable[[], nn.Module]] = [
    lambda: Subclass(3, 3, 1),
    lambda: nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"),
    lambda: nn.BatchNorm2d(3, track_running_stats=False),
    lambda: parametrizations.weight_norm(nn.Linear(3, 3)),
    lambda: nn.GELU(),
    hooked,
    replaced,
]


@pytest.mark.parametrize("place", range(len(UNLISTED)))
def test_what_may_do_anything_else_is_not_known(place: int) -> None:
    assert known_leaf("layer", UNLISTED[place](), NONE) is None


def test_parameters_that_forward_writes_to_are_not_known() -> None:
    assert known_leaf("fc", nn.Linear(3, 3), frozenset({"fc.weight"})) is None
    assert known_leaf("fc", nn.Linear(3, 3), frozenset({"other.weight"})) is not None


def test_hooks_on_all_modules_and_patches_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert as_torch_wrote_them()
    handle = nn.modules.module.register_module_forward_hook(lambda *_: None)
    assert not as_torch_wrote_them()
    handle.remove()
    monkeypatch.setattr(torch, "batch_norm", lambda *_: None)
    assert not as_torch_wrote_them()
