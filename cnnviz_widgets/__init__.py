"""Look inside your own convolutional network, live, in a notebook."""

from __future__ import annotations

__version__ = "0.1.0"
