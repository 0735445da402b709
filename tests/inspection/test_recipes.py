"""Which functions are sums that can be computed again."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cnnviz_widgets.inspection.recipes import is_sum

A, B = torch.zeros(2), torch.ones(2)


@pytest.mark.parametrize(
    ("function", "arguments", "keywords", "expected"),
    [
        (torch.add, (A, B), {}, True),
        (Tensor.__iadd__, (A, B), {}, True),
        (Tensor.add_, (A, B), None, True),
        (torch.add, (A, B), {"alpha": 2}, False),
        (torch.add, (A, 1.0), {}, False),
        (torch.add, (A, torch.ones(1)), {}, False),
        (torch.add, (A, B.double()), {}, False),
        (torch.add, (A, torch.nn.Parameter(B)), {}, False),
        (torch.sub, (A, B), {}, False),
    ],
)
def test_only_plain_sums(
    function: object,
    arguments: tuple[object, ...],
    keywords: dict[str, object] | None,
    *,
    expected: bool,
) -> None:
    assert is_sum(function, arguments, keywords) == expected
