"""Carries arrays to the browser and its requests to a worker; knows neither torch nor widgets.

Comes after rendering (codes and ranges) and before the widgets, which own the connection.
"""

from __future__ import annotations

from .messages import (
    KINDS,
    Cancel,
    ChannelParams,
    Hello,
    InputParams,
    LayerParams,
    MessageError,
    PrefetchParams,
    Request,
    failure,
    frame,
    parse_message,
    welcome,
)
from .wire import PROTOCOL_VERSION, PayloadError, pack, unpack
from .worker import LatestWorker, Token

__all__ = [
    "KINDS",
    "PROTOCOL_VERSION",
    "Cancel",
    "ChannelParams",
    "Hello",
    "InputParams",
    "LatestWorker",
    "LayerParams",
    "MessageError",
    "PayloadError",
    "PrefetchParams",
    "Request",
    "Token",
    "failure",
    "frame",
    "pack",
    "parse_message",
    "unpack",
    "welcome",
]
