"""A small zoo: models that break tools which look inside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Plain(nn.Module):
    """Two convolutions, BatchNorm, a pooling and a linear layer; any number of input channels."""

    def __init__(self, channels: int = 3, *, inplace: bool = False):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=inplace)
        self.conv2 = nn.Conv2d(4, 6, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Any:
        x = self.relu(self.bn(self.conv1(x)))
        x = self.relu(self.conv2(x))
        return self.fc(self.pool(x).flatten(1))


class InPlace(nn.Module):
    """A convolution, an in-place step of the given kind, and what comes after."""

    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.skip = nn.Conv2d(3, 4, 1)
        self.act = _ACTIVATIONS.get(kind, nn.ReLU)(inplace=True)
        self.after = nn.Conv2d(4, 4, 3, padding=1)
        self.fc = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Any:
        y = self.conv(x)
        y = self.step(x, y)
        return self.fc(self.after(y).mean((2, 3)))

    def step(self, x: Tensor, y: Tensor) -> Any:
        """Apply what `kind` names."""
        if self.kind in _ACTIVATIONS:
            return self.act(y)
        if self.kind == "F.relu_":
            F.relu_(y)
        elif self.kind == "F.relu(inplace)":
            F.relu(y, inplace=True)
        elif self.kind == "tensor.relu_":
            y.relu_()
        elif self.kind == "residual":
            y += self.skip(x)
        elif self.kind == "slice":
            y[:, :2] = 0
        elif self.kind == "view":
            y.view(y.shape[0], -1).mul_(0.5)
        elif self.kind == "chunk":
            y.chunk(2, dim=1)[0].clamp_(min=0)
        elif self.kind == "pre-activation":
            return self.skip(x) + self.act(y) + y  # y holds the activation by then
        elif self.kind == "old object":
            self.act(y)
            return y
        elif self.kind == "out=":
            torch.add(y, 1.0, out=y)
        elif self.kind == "twice":
            y += 1
            y *= 2
        elif self.kind == "input":
            x *= 2
            y = y + self.skip(x)
        elif self.kind == "detached alias":
            y.detach().mul_(0.5)
        elif self.kind == "data alias":
            y.data.mul_(0.5)
        return y


_ACTIVATIONS: dict[str, Any] = {
    "ReLU": nn.ReLU,
    "ReLU6": nn.ReLU6,
    "Hardswish": nn.Hardswish,
    "SiLU": nn.SiLU,
    "LeakyReLU": nn.LeakyReLU,
    "ELU": nn.ELU,
    "Hardtanh": nn.Hardtanh,
    "Mish": nn.Mish,
    "Dropout": nn.Dropout,
}
IN_PLACE_KINDS = (
    *_ACTIVATIONS, "F.relu_", "F.relu(inplace)", "tensor.relu_", "residual", "slice", "view",
    "chunk", "pre-activation", "old object", "out=", "twice", "input",
    "detached alias", "data alias",
)  # fmt: skip


class Functional(nn.Module):
    """ReLU, pooling and softmax as functions: no modules to hook."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3)
        self.conv2 = nn.Conv2d(4, 5, 3)

    def forward(self, x: Tensor) -> Any:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        return F.softmax(F.adaptive_avg_pool2d(self.conv2(x), 1).flatten(1), dim=1)


@dataclass
class Output:
    """A model's output in a dataclass."""

    logits: Tensor
    features: Tensor


class Structured(nn.Module):
    """Returns its scores and features as a tuple, dict or dataclass."""

    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind
        self.body = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Any:
        maps = self.body(x)
        logits = self.head(maps.mean((2, 3)))
        if self.kind == "tuple":
            return maps, logits
        if self.kind == "dict":
            return {"maps": maps, "logits": logits}
        if self.kind == "ambiguous":
            return {"logits": logits, "aux": logits * 2}
        return Output(logits, maps)


class TwoTowers(nn.Module):
    """Two pictures in, by position or by keyword."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Conv2d(3, 4, 3)
        self.right = nn.Conv2d(1, 4, 3)
        self.fc = nn.Linear(8, 5)

    def forward(self, left: Tensor, right: Tensor) -> Any:
        pair = (self.left(left).mean((2, 3)), self.right(right).mean((2, 3)))
        return self.fc(torch.cat(pair, 1))


class Tokens(nn.Module):
    """A small vision transformer: patches, a class token, attention."""

    def __init__(self, *, class_token: bool = True):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        self.token = nn.Parameter(torch.zeros(1, 1, 8)) if class_token else None
        self.norm = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.mlp = nn.Linear(8, 8)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Any:
        x = self.patches(x).flatten(2).transpose(1, 2)
        if self.token is not None:
            x = torch.cat((self.token.expand(x.shape[0], -1, -1), x), dim=1)
        y = self.norm(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        x = x + self.mlp(x)
        return self.head(x[:, 0])


class ChannelsLast(nn.Module):
    """(N, H, W, C) inside, as in Swin and ConvNeXt."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 2, stride=2)
        self.norm = nn.LayerNorm(6)
        self.mlp = nn.Linear(6, 7)
        self.head = nn.Linear(7, 5)

    def forward(self, x: Tensor) -> Any:
        x = self.mlp(self.norm(self.stem(x).permute(0, 2, 3, 1)))
        return self.head(x.mean((1, 2)))


class Opaque(nn.Module):
    """Mixes its axes so that nobody can say what they mean."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.mix = nn.Linear(9, 6)
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Any:
        x = self.conv(x)
        x = self.mix(x.reshape(x.shape[0], -1, 9))
        return self.head(x.mean(1))


class Branches(nn.Module):
    """Bright pictures take another path than dark ones."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.bright, self.dark = nn.ReLU(), nn.Sigmoid()

    def forward(self, x: Tensor) -> Any:
        y = self.conv(x)
        return (self.bright(y) if x.mean() > 0 else self.dark(y)).mean((2, 3))


class AcrossImages(nn.Module):
    """Divides by the spread over the whole batch, so that its images depend on each other."""

    def forward(self, x: Tensor) -> Tensor:
        return x / (x.std() + x.abs().amax((1, 2, 3), keepdim=True).mean())


class Fails(nn.Module):
    """Raises the given error half-way, when switched on."""

    def __init__(self, error: type[BaseException]):
        super().__init__()
        self.error = error
        self.conv = nn.Conv2d(3, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.breaks = Breaking(self)
        self.fc = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.breaks(self.bn(self.conv(x))).mean((2, 3)))


class Breaking(nn.Module):
    """Part of `Fails`; `FAILING` is the switch, so that nothing on the model changes."""

    def __init__(self, owner: Fails):
        super().__init__()
        self.error = owner.error

    def forward(self, x: Tensor) -> Tensor:
        if FAILING:
            msg = "half-way"
            raise self.error(msg)
        return x * 2


FAILING: list[bool] = []


class Weird(nn.Module):
    """Writes to a parameter, a buffer, itself and a plain tensor whenever it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.fc = nn.Linear(4, 5)
        self.seen: Tensor
        self.register_buffer("seen", torch.zeros(1))
        self.memory = torch.zeros(4)
        self.count = 0

    def forward(self, x: Tensor) -> Any:
        self.conv.weight.data.clamp_(-0.05, 0.05)
        self.seen += 1
        self.memory += 1
        self.count += 1
        torch.rand(1)
        return self.fc(self.conv(x).mean((2, 3)))


class NoCopy(Plain):
    """Refuses to be copied."""

    def __deepcopy__(self, memo: object) -> NoCopy:
        msg = "no copies of me"
        raise RuntimeError(msg)


def pictures(count: int = 2, channels: int = 3, height: int = 12, width: int = 10) -> Tensor:
    """Return random pictures (N, C, H, W), the same every time."""
    generator = torch.Generator().manual_seed(7)
    return torch.randn(count, channels, height, width, generator=generator)


def built(model: nn.Module, *, seed: int = 0) -> nn.Module:
    """Give a model random weights and BatchNorm statistics; put it into eval mode."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator) * 0.3
            parameter.copy_(noise.to(parameter.dtype))
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_(generator=generator)
                module.running_var.uniform_(0.5, 2, generator=generator)
    return model.eval()
