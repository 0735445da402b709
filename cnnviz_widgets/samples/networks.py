"""The two embedded networks, untrained: nothing in, an `nn.Module` with random weights out."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn


class DigitNet(nn.Module):
    """A plain network: three times convolution, ReLU and maximum, then two dense layers.

    Takes (N, 1, 32, 32), gives logits (N, 10). Its last convolution has a grid of 8 x 8.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.conv3 = nn.Conv2d(32, 64, 3, padding=1)
        self.relu3 = nn.ReLU()
        self.pool3 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(64 * 4 * 4, 64)
        self.relu4 = nn.ReLU()
        self.dropout = nn.Dropout(0.3)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the logits (N, 10) of pictures (N, 1, 32, 32)."""
        x = self.pool1(self.relu1(self.conv1(x)))
        x = self.pool2(self.relu2(self.conv2(x)))
        x = self.pool3(self.relu3(self.conv3(x)))
        x = self.dropout(self.relu4(self.fc1(self.flatten(x))))
        logits: Tensor = self.fc2(x)
        return logits


class BasicBlock(nn.Module):
    """Two convolutions and a way round them, as He et al. (2016) build it.

    One in-place ReLU serves twice, and the identity is added in place: what residual networks in
    use do, and what a tool that looks inside them must cope with.
    """

    def __init__(self, channels_in: int, channels_out: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.downsample: nn.Module | None = None
        if stride != 1 or channels_in != channels_out:
            self.downsample = nn.Sequential(
                nn.AvgPool2d(stride),
                nn.Conv2d(channels_in, channels_out, 1, bias=False),
                nn.BatchNorm2d(channels_out),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Compute (N, channels_out, H / stride, W / stride) of (N, channels_in, H, W)."""
        identity = x if self.downsample is None else self.downsample(x)
        out: Tensor = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += identity
        activated: Tensor = self.relu(out)
        return activated


class ShapeNet(nn.Module):
    """A small residual network with BatchNorm, maximum, average and global average pooling.

    Takes (N, 3, 64, 64), gives logits (N, 10). Its last convolutions have a grid of 8 x 8, and one
    dense layer follows the global average, so class-activation maps are exact (Zhou et al., 2016).
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            OrderedDict(
                conv=nn.Conv2d(3, 16, 3, padding=1, bias=False),
                bn=nn.BatchNorm2d(16),
                relu=nn.ReLU(inplace=True),
                maxpool=nn.MaxPool2d(2),
            )
        )
        self.layer1 = nn.Sequential(BasicBlock(16, 24))
        self.layer2 = nn.Sequential(BasicBlock(24, 48, stride=2), BasicBlock(48, 48))
        self.layer3 = nn.Sequential(BasicBlock(48, 80, stride=2))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(80, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the logits (N, 10) of pictures (N, 3, 64, 64)."""
        x = self.layer3(self.layer2(self.layer1(self.stem(x))))
        logits: Tensor = self.fc(self.flatten(self.avgpool(x)))
        return logits
