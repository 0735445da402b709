"""ResNet-18, ResNet-50 and VGG-16 in plain torch, untrained.

Layer names, parameter counts and in-place ReLUs are torchvision's, which the project does not need
for anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

_VGG16 = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)  # 0: pool


def _conv(channels: int, width: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, width, size, stride, padding=size // 2, bias=False)


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions around an identity: ResNet-18's block."""

    expansion = 1

    def __init__(self, channels: int, width: int, stride: int, downsample: nn.Module | None):
        super().__init__()
        self.conv1 = _conv(channels, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = _conv(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, width, H / stride, W / stride)."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += x if self.downsample is None else self.downsample(x)
        return cast("Tensor", self.relu(out))


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 and 1 x 1 convolutions around an identity: ResNet-50's block."""

    expansion = 4

    def __init__(self, channels: int, width: int, stride: int, downsample: nn.Module | None):
        super().__init__()
        self.conv1 = _conv(channels, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = _conv(width, width * 4, 1)
        self.bn3 = nn.BatchNorm2d(width * 4)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, 4 width, H / stride, W / stride)."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += x if self.downsample is None else self.downsample(x)
        return cast("Tensor", self.relu(out))


class ResNet(nn.Module):
    """A stem, four stages of blocks, the mean over the picture, and one linear layer."""

    layer1: nn.Module
    layer2: nn.Module
    layer3: nn.Module
    layer4: nn.Module

    def __init__(self, block: type[BasicBlock | Bottleneck], blocks: Sequence[int]):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        channels = 64
        for stage, count in enumerate(blocks, start=1):
            width, stride = 32 << stage, 1 if stage == 1 else 2
            setattr(self, f"layer{stage}", _stage(block, channels, width, count, stride))
            channels = width * block.expansion
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, 1000)

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures (N, 3, H, W) to scores (N, 1000)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return cast("Tensor", self.fc(self.avgpool(x).flatten(1)))


def _stage(
    block: type[BasicBlock | Bottleneck], channels: int, width: int, count: int, stride: int
) -> nn.Sequential:
    layers: list[nn.Module] = []
    for index in range(count):
        step, out = stride if index == 0 else 1, width * block.expansion
        changes = step != 1 or channels != out
        shortcut = (
            nn.Sequential(_conv(channels, out, 1, step), nn.BatchNorm2d(out)) if changes else None
        )
        layers.append(block(channels, width, step, shortcut))
        channels = out
    return nn.Sequential(*layers)


class VGG(nn.Module):
    """Convolutions and in-place ReLUs in a row, then three linear layers."""

    def __init__(self, widths: Sequence[int]):
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for width in widths:
            if width == 0:
                layers.append(nn.MaxPool2d(2))
                continue
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            channels = width
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Linear(channels * 49, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, 1000),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures (N, 3, H, W) to scores (N, 1000)."""
        return cast("Tensor", self.classifier(self.avgpool(self.features(x)).flatten(1)))


def resnet18() -> ResNet:
    """Return ResNet-18: 11,689,512 parameters."""
    return ResNet(BasicBlock, (2, 2, 2, 2))


def resnet50() -> ResNet:
    """Return ResNet-50: 25,557,032 parameters."""
    return ResNet(Bottleneck, (3, 4, 6, 3))


def vgg16() -> VGG:
    """Return VGG-16: 138,357,544 parameters."""
    return VGG(_VGG16)
