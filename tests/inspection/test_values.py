"""Value numbers, and walks through nested outputs."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from cnnviz_widgets.inspection.values import (
    ValueNumbers,
    first_tensor,
    nbytes,
    replace_tensors,
    storage_of,
    tensors_in,
    version_of,
)

Pair = namedtuple("Pair", "a b")  # noqa: PYI024 - the untyped kind is what models return


@dataclass
class Record:
    """A dataclass output."""

    scores: Tensor
    name: str


A, B = torch.zeros(2), torch.ones(3)
NESTS = [
    (A, [A]),
    ((A, [B, "text", None]), [A, B]),
    ({"x": A, "y": {"z": B}}, [A, B]),
    (Pair(A, 3), [A]),
    (Record(B, "name"), [B]),
    (OrderedDict(x=A), [A]),
    (3, []),
    (None, []),
    (Record, []),
]


@pytest.mark.parametrize(("nest", "expected"), NESTS)
def test_tensors_of_a_nest_in_order(nest: object, expected: list[Tensor]) -> None:
    found = tensors_in(nest)
    assert [id(tensor) for tensor in found] == [id(tensor) for tensor in expected]
    assert first_tensor(nest) is (expected[0] if expected else None)


@pytest.mark.parametrize(("nest", "expected"), NESTS)
def test_replacing_keeps_the_form_and_the_object_where_nothing_changes(
    nest: object, expected: list[Tensor]
) -> None:
    assert replace_tensors(nest, lambda tensor: tensor) is nest
    changed = replace_tensors(nest, lambda tensor: tensor + 1)
    assert type(changed) is type(nest)
    for new, old in zip(tensors_in(changed), expected, strict=True):
        assert torch.equal(new, old + 1)


def test_a_value_has_one_number_until_it_is_written_to() -> None:
    numbers, tensor = ValueNumbers(), torch.zeros(3)
    first = numbers.number(tensor)
    assert numbers.number(tensor) == first
    tensor += 1
    second = numbers.number(tensor)
    assert second != first
    tensor[:1].mul_(2)  # through a view
    assert numbers.number(tensor) not in {first, second}


def test_numbers_are_not_reused_after_a_tensor_is_gone() -> None:
    numbers = ValueNumbers()
    assert len({numbers.number(torch.zeros(3)) for _ in range(20)}) == 20


def test_inference_tensors_have_numbers_too() -> None:
    with torch.inference_mode():
        tensor = torch.zeros(3)
    numbers = ValueNumbers()
    assert numbers.number(tensor) == numbers.number(tensor)
    assert version_of(tensor) == -1


def test_an_alias_stands_for_the_same_value() -> None:
    numbers, tensor = ValueNumbers(), torch.zeros(3)
    copy = tensor.clone()
    numbers.alias(copy, numbers.number(tensor))
    assert numbers.number(copy) == numbers.number(tensor)


def test_storage_and_bytes() -> None:
    tensor = torch.zeros(4, 4)
    assert storage_of(tensor) == storage_of(tensor[1:]) != storage_of(tensor.clone())
    assert nbytes(tensor) == nbytes(tensor[1:]) == 64
    sparse = torch.eye(2).to_sparse()
    assert storage_of(sparse) == id(sparse)
    assert nbytes(sparse) > 0
