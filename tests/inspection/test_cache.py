"""A cache bounded in bytes."""

from __future__ import annotations

import torch

from cnnviz_widgets.inspection.cache import TensorCache


def test_the_least_recently_used_goes_first() -> None:
    cache = TensorCache(100)
    a, b, c = (torch.zeros(10) for _ in range(3))  # 40 bytes each
    cache.put("a", a)
    cache.put("b", b)
    assert cache.get("a") is a
    cache.put("c", c)
    assert cache.get("b") is None
    assert cache.get("c") is c
    assert (len(cache), cache.nbytes) == (2, 80)


def test_what_never_fits_is_not_kept_and_costs_nothing() -> None:
    cache = TensorCache(100)
    cache.put("a", torch.zeros(10))
    cache.put("big", torch.zeros(1000))
    cache.put("b", torch.zeros(10), reserved=70)
    assert (cache.get("big"), cache.get("b"), len(cache)) == (None, None, 1)


def test_a_key_put_twice_counts_once() -> None:
    cache = TensorCache(100)
    cache.put("a", torch.zeros(10))
    cache.put("a", torch.zeros(5))
    assert cache.nbytes == 20
    cache.clear()
    assert (len(cache), cache.nbytes, cache.get("a")) == (0, 0, None)
