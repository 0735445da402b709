"""Inspection: the states of the random generators that a forward pass may draw from.

In: nothing, or the devices in use. Out: `RandomState`: put back after a pass, and given again to a
later pass that must draw the same numbers.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor


class RandomState(NamedTuple):
    """States of the generators of torch (CPU, and GPUs in use), Python and NumPy."""

    cpu: Tensor
    python: tuple[Any, ...]
    numpy: dict[str, Any]
    devices: tuple[tuple[torch.device, Tensor], ...]

    @classmethod
    def now(cls, tensors: Iterable[Tensor]) -> RandomState:
        """Read the states, those of the GPUs that hold these tensors included."""
        devices = {tensor.device for tensor in tensors if tensor.device.type == "cuda"}
        return cls(
            torch.get_rng_state(),
            random.getstate(),
            # The global generator, which forward() may use; legacy tuples take twice as long.
            np.random.get_state(legacy=False),  # noqa: NPY002
            tuple((device, torch.cuda.get_rng_state(device)) for device in devices),
        )

    def restore(self) -> None:
        """Make the generators go on from these states."""
        torch.set_rng_state(self.cpu)
        random.setstate(self.python)
        np.random.set_state(self.numpy)  # noqa: NPY002 - as above
        for device, state in self.devices:
            torch.cuda.set_rng_state(state, device)
