"""Small trained networks with pictures they never saw: `load("shapes")` or `load("digits")`."""

from __future__ import annotations

from .loading import load
from .sample import Sample

__all__ = ["Sample", "load"]


def __dir__() -> list[str]:
    return [*(name for name in globals() if name.startswith("__")), *__all__]
