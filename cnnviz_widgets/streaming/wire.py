"""The wire format: one buffer of arrays per message, described in its JSON header.

In: NumPy arrays. Out: a header and fresh bytes, read by js/src/wire.ts; tests/wire_vectors.json
holds both to it. What the browser sends is read in `messages`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypeGuard

import numpy as np
import numpy.typing as npt

PROTOCOL_VERSION = 1
ALIGNMENT = 8
"""Every array starts at a multiple of this many bytes, so that a browser can view it in place."""
WIRE_DTYPES: dict[str, np.dtype[np.generic]] = {
    "u1": np.dtype("<u1"),
    "u2": np.dtype("<u2"),
    "u4": np.dtype("<u4"),
    "f4": np.dtype("<f4"),
}
"""Element types on the wire, all little endian."""

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Header: TypeAlias = "dict[str, Json]"
Arrays: TypeAlias = "Mapping[str, npt.NDArray[np.generic]]"


class PayloadError(ValueError):
    """A header and a payload that do not fit each other, or were not written by `pack`."""


def pack(header: Mapping[str, Json], arrays: Arrays) -> tuple[Header, bytes]:
    """Put arrays into one buffer and describe them in the header.

    Parameters
    ----------
    header : mapping
        The message's own fields; it is not changed.
    arrays : mapping of name to array
        Arrays of type uint8, uint16, uint32 or float32 and any shape, empty ones too, in this
        order.

    Returns
    -------
    header : dict
        `header` with ``"arrays": [{"name", "dtype", "shape", "offset"}, ...]``, offsets in bytes.
    payload : bytes
        Little endian, C order, each array at a multiple of 8 bytes. Fresh and immutable: the arrays
        may be changed as soon as this returns. Their bytes are copied once (twice where an array is
        not C-contiguous).

    Raises
    ------
    TypeError
        When an array's type is not one of the wire's.
    ValueError
        When the header already has "arrays".
    """
    if "arrays" in header:
        raise ValueError('header already has "arrays"; give the arrays in the second argument.')
    described: list[Json] = []
    pieces: list[memoryview | bytes] = []
    size = 0
    for name, array in arrays.items():
        dtype = _wire_dtype(name, array)
        padding = -size % ALIGNMENT
        pieces += [bytes(padding), np.ascontiguousarray(array, dtype=WIRE_DTYPES[dtype]).data]
        size += padding
        # Of the array itself: ascontiguousarray gives a scalar one axis.
        shape = list(array.shape)
        described.append({"name": name, "dtype": dtype, "shape": shape, "offset": size})
        size += array.nbytes
    return {**header, "arrays": described}, b"".join(pieces)


def _wire_dtype(name: str, array: npt.NDArray[np.generic]) -> str:
    code = f"{array.dtype.kind}{array.dtype.itemsize}"
    if code not in WIRE_DTYPES:
        raise TypeError(
            f"array {name!r} is {array.dtype}; the wire carries uint8, uint16, uint32 and float32."
        )
    return code


def unpack(header: Mapping[str, Json], payload: bytes) -> dict[str, npt.NDArray[np.generic]]:
    """Read the arrays that a header describes.

    Parameters
    ----------
    header : mapping
        With "arrays" as `pack` writes it.
    payload : bytes

    Returns
    -------
    dict of name to array
        Read-only views of `payload`.

    Raises
    ------
    PayloadError
        When the description does not fit the payload or is no description.
    """
    described = header.get("arrays")
    if not isinstance(described, list):
        raise PayloadError('header has no list "arrays"; it was not written by pack.')
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for entry in described:
        name, dtype, shape, offset = _described(entry)
        end = offset + math.prod(shape) * dtype.itemsize
        if end > len(payload):
            raise PayloadError(
                f"array {name!r} ends at byte {end}, but the payload has {len(payload)} bytes."
            )
        if name in arrays:
            raise PayloadError(f"array {name!r} is described twice.")
        arrays[name] = np.ndarray(shape, dtype, buffer=payload, offset=offset)
    return arrays


def _described(entry: Json) -> tuple[str, np.dtype[np.generic], list[int], int]:
    """Check one entry of "arrays"."""
    if not isinstance(entry, dict):
        raise PayloadError(f"{entry!r} does not describe an array; an object is needed.")
    name, dtype, shape, offset = (entry.get(key) for key in ("name", "dtype", "shape", "offset"))
    if not isinstance(name, str):
        raise PayloadError(f"name={name!r} of an array is no text.")
    if not isinstance(dtype, str) or dtype not in WIRE_DTYPES:
        raise PayloadError(
            f"dtype={dtype!r} of array {name!r} is none of {', '.join(WIRE_DTYPES)}."
        )
    if not isinstance(shape, list):
        raise PayloadError(f"shape={shape!r} of array {name!r} is no list.")
    sizes = [size for size in shape if _is_size(size)]
    if len(sizes) != len(shape):
        raise PayloadError(f"shape={shape!r} of array {name!r} has an entry that is no size.")
    if not _is_size(offset) or offset % ALIGNMENT:
        raise PayloadError(f"offset={offset!r} of array {name!r} is no multiple of {ALIGNMENT}.")
    return name, WIRE_DTYPES[dtype], sizes, offset


def _is_size(value: Json) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
