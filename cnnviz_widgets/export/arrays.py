"""The arrays of a page's answers in few bytes, and the list of what gives them back.

In: stored answers. Out: bytes for gzip, and pieces that js/src/host/expand.ts puts into memory.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from cnnviz_widgets.rendering.quantise import LEVELS
from cnnviz_widgets.streaming.baked import StoredAnswer, StoredFrame
from cnnviz_widgets.streaming.wire import ALIGNMENT, Json, unpack

from .codec import Encoder, Group, residuals

_ROW_BITS = (13, 13, 11, 8, 13, 13)
"""Bits kept of a float's mantissa: low, high, mean, variance, minimum, maximum of a channel."""
_FLOAT_BITS = 13
"""Bits kept of the mantissa of any other float."""
_ENDS = 2
"""Rows of low and high ends; means and variances after them follow from whole maps."""
_WHOLE_ROWS = 4
"""Rows of statistics of maps that were not reduced."""
_TABLE_COLUMNS = 7
_HEADER_BYTES = 60


class Arrays:
    """Takes answers one after the other, equal arrays once.

    Parameters
    ----------
    steps : int
        As for `Encoder`; 252 keeps every bit.
    """

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._encoder = Encoder(steps)
        self._places: dict[bytes, int] = {}
        self._raw: list[bytes] = []
        self._pictures: list[bytes] = []
        self._picture_pieces: list[Json] = []
        self._floats: list[npt.NDArray[np.uint32]] = []
        self._raw_pieces: list[Json] = []
        self._float_pieces: list[Json] = []
        self._map_pieces: list[Json] = []
        self._added = 0
        self.size = 0

    def describe(self, answer: StoredAnswer, group: int) -> tuple[list[Json], int]:
        """Take an answer.

        Parameters
        ----------
        answer : StoredAnswer
        group : int
            Of the widget: maps may follow from those of the same group and picture.

        Returns
        -------
        list
            ``[kind, params, [[header, start, size], ...]]``.
        int
            About the bytes that it adds, compressed.
        """
        image = answer.params.get("image")
        key = (group, image if isinstance(image, int) else -1)
        self._added = _HEADER_BYTES * len(answer.frames)
        placed = [(frame, self._place(frame, key)) for frame in answer.frames]
        frames: list[Json] = [[each.header, at, len(each.payload)] for each, at in placed]
        return [answer.kind, answer.params, frames], self._added

    def packed(self) -> tuple[bytes, dict[str, Json]]:
        """Return the bytes, and what must be known to expand them."""
        words = np.concatenate([np.zeros(0, np.uint32), *self._floats])
        planes = words.view(np.uint8).reshape(-1, 4).T.tobytes()
        stream = b"".join([*self._raw, *self._pictures, planes, *self._encoder.stream])
        return stream, {
            "size": self.size,
            "raw": self._raw_pieces,
            "pictures": self._picture_pieces,
            "floats": self._float_pieces,
            "maps": self._map_pieces,
        }

    def _place(self, frame: StoredFrame, group: Group) -> int:
        start = self._places.get(frame.payload)
        if start is not None:
            return start
        start = self._places[frame.payload] = self.size + -self.size % ALIGNMENT
        self.size = start + len(frame.payload)
        arrays = unpack(frame.header, frame.payload)
        described = cast("Sequence[Mapping[str, Any]]", frame.header["arrays"])
        at = {str(entry["name"]): start + int(entry["offset"]) for entry in described}
        codes, facts = arrays.get("codes"), arrays.get("statistics")
        if codes is not None and facts is not None and _are_maps(codes, facts):
            self._add_maps(start, codes, facts, at, group)
            del arrays["codes"], arrays["statistics"]
        sizes = _plane_sizes(arrays)
        if sizes:
            self._add_planes(at["codes"], arrays.pop("codes").astype(np.uint8), sizes)
        for name, array in arrays.items():
            if array.dtype == np.float32:
                kept = fewer_bits(array, _FLOAT_BITS) if self._steps < LEVELS else array
                self._add_floats(at[name], kept)
            elif name == "rgb" and array.shape[2:] == (3,):
                self._add_picture(at[name], array.astype(np.uint8))
            else:
                self._raw.append(self._weighed(array.tobytes()))
                self._raw_pieces.append([at[name], array.nbytes])
        return start

    def _add_maps(
        self,
        frame: int,
        codes: npt.NDArray[np.generic],
        facts: npt.NDArray[np.generic],
        at: Mapping[str, int],
        group: Group,
    ) -> None:
        kept = rounded(facts) if self._steps < LEVELS else facts.astype(np.float32)
        entry = self._encoder.add(codes.astype(np.uint8), kept[0], kept[1], group)
        self._weighed(self._encoder.stream[-1])
        is_whole = len(kept) == _WHOLE_ROWS and entry[0] != LEVELS
        self._add_floats(at["statistics"], kept[:_ENDS] if is_whole else kept)
        place: list[Json] = [frame, at["codes"], list(codes.shape), at["statistics"], is_whole]
        self._map_pieces.append([*place, *entry])

    def _weighed(self, data: bytes) -> bytes:
        """Count what is added, and return it."""
        self._added += len(zlib.compress(data, 1))
        return data

    def _add_picture(self, at: int, rgb: npt.NDArray[np.uint8]) -> None:
        planes = np.ascontiguousarray(rgb.transpose(2, 0, 1))
        planes[[0, 2]] -= planes[1]  # modulo 256; colours differ by less than brightness does
        self._pictures.append(self._weighed(residuals(planes).tobytes()))
        self._picture_pieces.append([at, 0, [[3, *rgb.shape[:2]]]])

    def _add_planes(
        self, at: int, codes: npt.NDArray[np.uint8], sizes: Sequence[tuple[int, int]]
    ) -> None:
        steps = self._steps if int(codes.max(initial=0)) <= LEVELS else LEVELS
        levels = np.floor(codes * (steps / LEVELS) + 0.5).astype(np.uint8)
        if steps == LEVELS:
            levels = codes
        done = 0
        runs: list[list[int]] = []
        for height, width in sizes:
            plane = levels[done : done + height * width].reshape(1, height, width)
            self._pictures.append(self._weighed(residuals(plane).tobytes()))
            done += height * width
            if runs and runs[-1][1:] == [height, width]:
                runs[-1][0] += 1
            else:
                runs.append([1, height, width])
        self._picture_pieces.append([at, steps, runs])

    def _add_floats(self, at: int, array: npt.NDArray[np.generic]) -> None:
        words = np.ascontiguousarray(array, "<f4").view("<u4").reshape(-1)
        self._weighed(words.tobytes())
        self._floats.append(words)
        self._float_pieces.append([at, array.size])


def _plane_sizes(
    arrays: Mapping[str, npt.NDArray[np.generic]],
) -> list[tuple[int, int]]:
    """Return the sizes of the maps in a frame of `cam_frames.sweep_frames`, [] for another frame.

    The rows of its table have height, width, and at the end whether there are two maps.
    """
    table, codes = arrays.get("table"), arrays.get("codes")
    if table is None or codes is None or codes.dtype != np.uint8 or table.ndim != 2:
        return []
    rows = table.astype(np.int64)
    if rows.shape[1] < _TABLE_COLUMNS:
        return []
    sizes = [(int(row[2]), int(row[3])) for row in rows for _ in range(1 + int(row[6] > 0))]
    return sizes if sum(height * width for height, width in sizes) == codes.size else []


def _are_maps(codes: npt.NDArray[np.generic], facts: npt.NDArray[np.generic]) -> bool:
    """Tell whether these are codes of channels whose ranges are the first rows of facts."""
    is_codes = codes.dtype == np.uint8 and codes.ndim == 3 and codes.size > 0
    is_facts = facts.dtype == np.float32 and facts.ndim == 2 and len(facts) >= _WHOLE_ROWS
    return is_codes and is_facts and facts.shape[1] == len(codes)


def rounded(facts: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """Round rows of statistics to as many bits as they need.

    Parameters
    ----------
    facts : float32 array (R, C)
        Rows as `layer_frames.layer_frame` has them.

    Returns
    -------
    float32 array (R, C)
        Within 2^-14 of the ends of ranges, 2^-12 of means and 2^-9 of variances, relatively.
    """
    rows = [fewer_bits(row, bits) for row, bits in zip(facts, _ROW_BITS, strict=False)]
    return np.stack(rows)


def fewer_bits(values: npt.NDArray[np.generic], bits: int) -> npt.NDArray[np.float32]:
    """Round float32 to so many bits of the mantissa, so that gzip finds more to save.

    Returns
    -------
    float32 array of the same shape
        Within 2^-(bits + 1), relatively; NaN and infinities as they are.
    """
    words = np.array(values, np.float32).view(np.uint32)
    dropped = np.uint32(23 - bits)
    half = np.uint32(1) << (dropped - np.uint32(1))
    is_number = (words >> np.uint32(23)) & np.uint32(255) < np.uint32(254)
    kept = (words + half) >> dropped << dropped
    return np.where(is_number, kept, words).astype(np.uint32).view(np.float32)
