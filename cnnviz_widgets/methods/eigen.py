"""Methods: the strongest pattern among the channels of a layer.

In: a float32 matrix (C, P), channels x places. Out: a map (P,) whose sign is defined.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cnnviz_widgets.methods.case import exact_product


def principal_map(matrix: Tensor, *, centred: bool = True) -> Tensor:
    """Project each place on the direction in which the channels vary most.

    Eigen-CAM (Muhammad and Yeasin, arXiv:2008.00299): with the places as rows of O = U S V^T, the
    map is ``O v_1``. The paper does not centre O, pytorch-grad-cam takes off each channel's mean;
    the latter is the default here, as without it the first direction is mostly that mean.

    Singular vectors have no sign: libraries return bright or dark objects by chance. Here the map
    is turned so that it correlates positively, over the places, with the sum of all channels
    (Eigen-CAM: bright is where the layer is active; EigenGrad-CAM: bright is what speaks for the
    class). Where that correlation is zero, the largest absolute value is positive.

    Parameters
    ----------
    matrix : Tensor of shape (C, P)
        float32: the activation A, or G * A for EigenGrad-CAM.
    centred : bool
        Whether each channel's mean over the places is taken off first.

    Returns
    -------
    Tensor of shape (P,)
        float32, raw and signed; zero where nothing varies; NaN where the matrix is not finite.
    """
    if not bool(torch.isfinite(matrix).all()):
        return torch.full_like(matrix[0], torch.nan)
    rows = matrix - matrix.mean(1, keepdim=True) if centred else matrix
    size = rows.abs().max()
    if size == 0:
        return torch.zeros_like(matrix[0])
    rows = rows / size  # squares of tiny values must not vanish
    projected = exact_product(_first_direction(rows), rows) * size
    return projected * _sign(projected, matrix.sum(0))


def _first_direction(rows: Tensor) -> Tensor:
    """Return the first left singular vector of a matrix (C, P), from its smaller Gram matrix."""
    channels, places = rows.shape
    wide = rows if channels <= places else rows.T
    gram = exact_product(wide, wide.T)
    # Small, and on the CPU in float64, which not every device has.
    _, vectors = torch.linalg.eigh(gram.cpu().double())
    first: Tensor = vectors[:, -1].to(rows)
    if channels > places:
        first = exact_product(rows, first)
        first /= torch.linalg.vector_norm(first)
    return first


def _sign(projected: Tensor, total: Tensor) -> Tensor:
    """Return 1 or -1: which way round the map correlates with the sum of the channels."""
    centred, total = (values.double().cpu() for values in (projected, total))
    centred, total = centred - centred.mean(), total - total.mean()
    agreement = torch.dot(centred, total)
    limit = 1e-6 * torch.linalg.vector_norm(centred) * torch.linalg.vector_norm(total)
    if agreement.abs() <= limit:
        agreement = projected[projected.abs().argmax()].double().cpu()
    return torch.where(agreement < 0, -1.0, 1.0).to(projected)
