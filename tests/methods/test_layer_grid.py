"""Where on the picture the values of a layer lie."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods.layer_grid import LayerGrid, layer_and_grid, spatial_layers
from tests.methods.cam_networks import Along, Pooled, Transformer, Windows, built, picture

LAYOUTS = [
    (LayerGrid("NCHW", (2, 3)), (4, 2, 3)),
    (LayerGrid("NHWC", (2, 3)), (2, 3, 4)),
    (LayerGrid("NCL", (6,)), (4, 6)),
    (LayerGrid("NCDHW", (2, 1, 3)), (4, 2, 1, 3)),
    (LayerGrid("NLC", (2, 3), before=2, after=1), (9, 4)),
]


@pytest.mark.parametrize(("grid", "shape"), LAYOUTS)
def test_channels_times_places(grid: LayerGrid, shape: tuple[int, ...]) -> None:
    values = picture(2, *shape)
    matrix = grid.matrix(values)
    assert matrix.shape == (2, 4, 6)
    assert matrix.is_contiguous()
    assert matrix.dtype == torch.float32
    assert grid.channels((2, *shape)) == 4
    for place in range(6):
        if grid.layout in {"NCHW", "NCL", "NCDHW"}:
            expected = values[1].flatten(1)[:, place]
        elif grid.layout == "NHWC":
            expected = values[1, place // 3, place % 3]
        else:
            expected = values[1, 2 + place]
        assert torch.equal(matrix[1, :, place], expected)


@pytest.mark.parametrize(("grid", "shape"), LAYOUTS)
def test_cleared_is_zero_at_every_place(grid: LayerGrid, shape: tuple[int, ...]) -> None:
    value = picture(1, *shape) + 10
    kept = value.clone()
    cleared = grid.cleared(value)
    assert torch.equal(value, kept)
    assert not grid.matrix(cleared).any()
    if grid.layout == "NLC":  # tokens without a place keep their values
        assert torch.equal(cleared[:, :2], value[:, :2])
        assert torch.equal(cleared[:, -1:], value[:, -1:])


def test_half_precision_becomes_float32() -> None:
    grid = LayerGrid("NCHW", (2, 3))
    assert grid.matrix(picture(1, 4, 2, 3).bfloat16()).dtype == torch.float32


def test_layers_of_a_convolutional_network() -> None:
    insp = Inspector(built(Pooled()), picture(1, 3, 8, 12))
    grids = {info.name: grid.shape for info, grid in spatial_layers(insp).items()}
    assert grids == {
        "conv1": (8, 12), "bn": (8, 12), "relu1": (8, 12), "pool": (4, 6),
        "conv2": (4, 6), "relu2": (4, 6),
    }  # fmt: skip


def test_tokens_lie_on_their_grid_without_class_tokens() -> None:
    insp = Inspector(built(Transformer()), picture(2, 3, 12, 16))
    for name in ("blocks.0", "blocks.0.norm1", "blocks.1.mlp.2", "norm"):
        assert layer_and_grid(insp, name)[1] == LayerGrid("NLC", (3, 4), before=1)
    assert layer_and_grid(insp, "patches")[1] == LayerGrid("NCHW", (3, 4))


def test_windows_of_a_swin() -> None:
    insp = Inspector(built(Windows()), picture(1, 3, 12, 16))
    assert layer_and_grid(insp, "norm1")[1] == LayerGrid("NHWC", (6, 8))
    assert layer_and_grid(insp, "norm2")[1] == LayerGrid("NHWC", (3, 4))


@pytest.mark.parametrize(("axes", "shape"), [(1, (2, 16)), (3, (2, 4, 6, 8))])
def test_one_and_three_axes(axes: int, shape: tuple[int, ...]) -> None:
    insp = Inspector(built(Along(axes)), picture(1, *shape))
    assert layer_and_grid(insp, "conv1")[1].shape == shape[1:]


def test_layers_without_places() -> None:
    insp = Inspector(built(Pooled()), picture(1, 3, 8, 8))
    with pytest.raises(ValueError, match=r"layer='fc' has an output of shape \(1, 4\), which"):
        layer_and_grid(insp, "fc")
    with pytest.raises(ValueError, match=r"choose another layer, such as 'relu2'"):
        layer_and_grid(insp, "fc")
    with pytest.raises(ValueError, match=r"layer='conv3' is not a layer of this model; close"):
        layer_and_grid(insp, "conv3")


def test_axes_that_are_not_known() -> None:
    class Hidden(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)
            self.mixed = nn.Identity()
            self.fc = nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.mixed(torch.einsum("nchw->nwhc", self.conv(x)))
            return self.fc(x.mean((1, 2)))  # type: ignore[no-any-return]  # torch's

    insp = Inspector(built(Hidden()), picture(1, 3, 8, 8))
    with pytest.raises(ValueError, match=r"what its axes mean is not known.*insp.set_layout\(\)"):
        layer_and_grid(insp, "mixed")
    insp.set_layout("mixed", "NHWC")
    assert layer_and_grid(insp, "mixed")[1] == LayerGrid("NHWC", (6, 6))
