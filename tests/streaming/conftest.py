from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.streaming.gated import Widget


@pytest.fixture
def widget() -> Iterator[Widget]:
    made = Widget()
    yield made
    made.gate.set()
    made.worker.close()
