"""Carries arrays to the browser and its requests to a worker; knows neither torch nor widgets.

Comes after rendering (codes and ranges) and before the widgets, which own the connection.
"""

from __future__ import annotations

from .messages import (
    Cancel,
    Hello,
    MessageError,
    Request,
    failure,
    frame,
    parse_message,
    read_name,
    read_names,
    read_whole,
    welcome,
)
from .wire import PROTOCOL_VERSION, PayloadError, pack, unpack
from .worker import LatestWorker, Token

__all__ = [
    "PROTOCOL_VERSION",
    "Cancel",
    "Hello",
    "LatestWorker",
    "MessageError",
    "PayloadError",
    "Request",
    "Token",
    "failure",
    "frame",
    "pack",
    "parse_message",
    "read_name",
    "read_names",
    "read_whole",
    "unpack",
    "welcome",
]
