"""Networks for class-activation maps: one with numbers for hands, and others of every layout."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.targets import Target
from cnnviz_widgets.methods.cam_case import CamCase
from cnnviz_widgets.methods.cam_family import cam_maps
from cnnviz_widgets.methods.layer_grid import layer_and_grid
from cnnviz_widgets.methods.registry import checked_parameters, find_method

HAND_PICTURE = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])


def hand_network() -> nn.Sequential:
    """Channels x and 5 - x, a ReLU, and three classes that are weighted sums of all values.

    On `HAND_PICTURE`, A = [[1, 2, 3, 4], [4, 3, 2, 1]]. Class 0 has the gradients
    [[1, 0, -1, 2], [0, 2, 1, 1]] and the score 15, class 1 the negative of both, class 2 has half
    of the gradients and the score 7.5.
    """
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
    head = torch.tensor([1.0, 0, -1, 2, 0, 2, 1, 1])
    with torch.no_grad():
        network.get_parameter("0.weight").copy_(torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1))
        network.get_parameter("0.bias").copy_(torch.tensor([0.0, 5.0]))
        network.get_parameter("3.weight").copy_(torch.stack([head, -head, head / 2]))
        network.get_parameter("3.bias").zero_()
    return network


class Pooled(nn.Module):
    """Two convolutions with BatchNorm between, global average pooling and one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 5, 3, padding=1)
        self.bn = nn.BatchNorm2d(5)
        self.relu1 = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(5, 6, 3, padding=1)
        self.relu2 = nn.ReLU(inplace=True)
        self.fc = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, H, W) to (N, 4)."""
        x = self.pool(self.relu1(self.bn(self.conv1(x))))
        return self.fc(self.relu2(self.conv2(x)).mean((2, 3)))  # type: ignore[no-any-return]  # torch's


class Transformer(nn.Module):
    """A small vision transformer: patches, a class token, two blocks, and the class token read."""

    def __init__(self, *, read: str = "class token") -> None:
        super().__init__()
        self.read = read
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.positions = nn.Parameter(torch.randn(1, 13, 8))
        self.blocks = nn.Sequential(Block(8), Block(8))
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, 12, 16) to (N, 4)."""
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], dim=1) + self.positions
        x = self.norm(self.blocks(x))
        x = x[:, 0] if self.read == "class token" else x[:, 1:].mean(1)
        return self.head(x)  # type: ignore[no-any-return]  # torch's


class Block(nn.Module):
    """Attention and a two-layer network, each around an identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, L, C) to the same shape."""
        q, k, v = self.qkv(self.norm1(x)).chunk(3, dim=-1)
        x = x + (q @ k.transpose(1, 2) / q.shape[-1] ** 0.5).softmax(-1) @ v
        return x + self.mlp(self.norm2(x))  # type: ignore[no-any-return]  # torch's


class Windows(nn.Module):
    """A small Swin: (N, H, W, C) values, attention in shifted 2 x 2 windows, patches merged."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 2, stride=2)
        self.norm1 = nn.LayerNorm(8)
        self.block = Block(8)
        self.merge = nn.Linear(32, 12)
        self.norm2 = nn.LayerNorm(12)
        self.head = nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, 12, 16) to (N, 4)."""
        x = self.norm1(self.patches(x).permute(0, 2, 3, 1))
        n, h, w, c = x.shape
        windows = torch.roll(x, (-1, -1), (1, 2))
        windows = windows.view(n, h // 2, 2, w // 2, 2, c).transpose(2, 3).reshape(-1, 4, c)
        windows = self.block(windows).view(n, h // 2, w // 2, 2, 2, c).transpose(2, 3)
        x = x + torch.roll(windows.reshape(n, h, w, c), (1, 1), (1, 2))
        parts = [x[:, i::2, j::2, :] for j in (0, 1) for i in (0, 1)]
        x = self.norm2(self.merge(torch.cat(parts, dim=-1)))
        return self.head(x.mean((1, 2)))  # type: ignore[no-any-return]  # torch's


class Along(nn.Module):
    """A network with convolutions along 1 or 3 axes."""

    def __init__(self, axes: int) -> None:
        super().__init__()
        conv = {1: nn.Conv1d, 3: nn.Conv3d}[axes]
        self.conv1: nn.Module = conv(2, 4, 3, padding=1)
        self.relu = nn.ReLU()
        self.conv2: nn.Module = conv(4, 5, 3, stride=2, padding=1)
        self.fc = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 2, ...) to (N, 3)."""
        x = self.conv2(self.relu(self.conv1(x)))
        return self.fc(x.flatten(2).mean(2))  # type: ignore[no-any-return]  # torch's


OTHER_AXES: tuple[tuple[nn.Module, str, tuple[int, ...]], ...] = (
    (Transformer(), "blocks.0", (3, 12, 16)),
    (Along(1), "conv2", (2, 16)),
    (Along(3), "conv2", (2, 4, 6, 8)),
)
"""Tokens, and places along 1 or 3 axes: a network, its layer, the shape of a picture for it."""


def picture(*shape: int, seed: int = 3) -> Tensor:
    """Return normal random numbers, the same every time."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def built(model: nn.Module) -> nn.Module:
    """Give a model random weights and statistics, the same every time, in eval mode."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.copy_(torch.randn(buffer.shape, generator=generator))
            if name.endswith("running_var"):
                buffer.copy_(torch.rand(buffer.shape, generator=generator) + 0.5)
    return model.eval()


def case_of(insp: Inspector, layers: list[str], targets: list[Target], image: int = 0) -> CamCase:
    """Return a case that nobody watches."""
    grids = dict(layer_and_grid(insp, layer) for layer in layers)
    resolved = insp.passes.targets(targets, image=image)
    return CamCase(insp, grids, resolved, image, lambda _done, _total, _partial: None)


def raw_map(
    insp: Inspector, method: str, layer: str, target: Target = None, **parameters: object
) -> Tensor:
    """Return one method's map on the layer's grid."""
    case = case_of(insp, [layer], [target])
    settings = {method: checked_parameters(find_method(method, "cam"), parameters)}
    found = cam_maps(case, [method], settings)[method][layer]
    return found[0].reshape(case.grid(layer).shape)
