"""Maps in few bytes: fewer levels, layers that follow from others, predicted values.

In: codes (C, H, W) with their ranges, frame by frame. Out: bytes that gzip makes small, and what
js/src/host/expand.ts must do to get the codes back. An error is bounded, see `Encoder`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from cnnviz_widgets.rendering.quantise import LEVELS, Codes
from cnnviz_widgets.rendering.ranges import Doubles, Floats
from cnnviz_widgets.streaming.wire import Json

Group = tuple[int, int]
"""Maps that may follow from each other: those of one widget and one picture."""
Key = tuple[Group, tuple[int, ...]]

_FOLLOWED_STEPS = 3
"""Steps by which the codes of a channel that follows from others may be wrong."""
_PROBED = 3
"""Channels on which a relation is tried before it is checked on all."""
_MOST_CANDIDATES = 24
"""Earlier layers that one may follow from."""
_POOLS = (("max", 2, 2, 0), ("max", 3, 2, 1), ("mean", 2, 2, 0), ("mean", 3, 2, 1))


@dataclass(frozen=True)
class Maps:
    """Maps as the page has them: what was coded before, and may be followed from."""

    number: int
    codes: Codes
    low: Floats
    high: Floats

    def values(self, channels: slice = slice(None)) -> Doubles:
        """Return what the codes stand for, float64 (C, H, W)."""
        low = self.low[channels].astype(np.float64)[:, None, None]
        span = self.high[channels].astype(np.float64)[:, None, None] - low
        decoded: Doubles = low + span * (self.codes[channels] / LEVELS)
        return decoded


@dataclass(frozen=True)
class Rule:
    """How maps follow from others: an operation, its numbers, and which maps it takes.

    "same": codes are those of the source; "sum": values are those of the source, or of two added;
    "max" and "mean": values pooled over windows (size, stride, padding).
    """

    operation: str
    sources: tuple[Maps, ...]
    window: tuple[int, ...] = ()

    def codes(self, low: Floats, high: Floats, channels: slice = slice(None)) -> Codes:
        """Return the codes that follow, on these ranges."""
        first, *others = self.sources
        if self.operation == "same":
            return first.codes[channels]
        values = first.values(channels)
        for other in others:
            values = values + other.values(channels)
        if self.window:
            values = pooled(values, self.operation, *self.window)
        return coded(values, low[channels], high[channels])

    def described(self) -> list[Json]:
        """Return what the page must know."""
        return [self.operation, [source.number for source in self.sources], list(self.window)]


def coded(values: Doubles, low: Floats, high: Floats) -> Codes:
    """Return codes of values, those outside of the range at its ends."""
    start = low.astype(np.float64)[:, None, None]
    span = high.astype(np.float64)[:, None, None] - start
    span = np.where(span > 0, span, np.inf)
    levels = np.floor((values - start) / span * LEVELS + 0.5)
    return np.clip(levels, 0, LEVELS).astype(np.uint8)


def pooled(values: Doubles, operation: str, size: int, stride: int, padding: int) -> Doubles:
    """Pool maps: maxima over windows, or means over what of them lies on the map."""
    empty = -np.inf if operation == "max" else np.nan
    border = ((0, 0), (padding, padding), (padding, padding))
    padded = np.pad(values, border, constant_values=empty)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    taken = windows[:, ::stride, ::stride].reshape(len(values), -1, size * size)
    _, height, width = padded.shape
    shape = (len(values), (height - size) // stride + 1, (width - size) // stride + 1)
    if operation == "max":
        return np.asarray(taken.max(axis=-1).reshape(shape))
    return np.asarray(np.nanmean(taken, axis=-1).reshape(shape))


def residuals(levels: Codes) -> Codes:
    """Return what is left of values after a guess from those left, above and upper left.

    The guess is the median of left, above, and left + above - upper left, as in LOCO-I (Weinberger
    et al. 2000); beyond the edges stands 0. Modulo 256.
    """
    left, above, corner = (np.zeros_like(levels) for _ in range(3))
    left[:, :, 1:] = levels[:, :, :-1]
    above[:, 1:] = levels[:, :-1]
    corner[:, 1:, 1:] = levels[:, :-1, :-1]
    small, large = np.minimum(left, above), np.maximum(left, above)
    plane = left + above - corner  # modulo 256, of use only where it lies between
    guess = np.where(corner >= large, small, np.where(corner <= small, large, plane))
    rest: Codes = levels - guess
    return rest


class Encoder:
    """Codes maps one after the other, each in the fewest bytes that keep the error bounded.

    Parameters
    ----------
    steps : int
        Steps of its range that each channel is rounded to, 1 to 252. The error is at most half a
        step for channels that are stored, and three steps for those that follow from others; with
        252 steps there is none. Maps with values that are no numbers keep all 252.
    """

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._count = 0
        self._seen: dict[Key, list[Maps]] = defaultdict(list)
        self.stream: list[bytes] = []

    def add(self, codes: Codes, low: Floats, high: Floats, group: Group) -> list[Json]:
        """Code maps.

        Parameters
        ----------
        codes : uint8 array (C, H, W)
        low, high : float32 arrays (C,)
            As the page will have them.
        group : Group
            Maps of other groups are not looked at.

        Returns
        -------
        list
            What the page must know: steps, rule or None, and a letter for each channel, "0" for
            stored, "1" for one that follows, "2" for one that follows with its codes reversed.
        """
        if int(codes.max(initial=0)) > LEVELS:
            return self._keep(codes, codes, low, high, group, LEVELS, None, "")
        levels = np.floor(codes * (self._steps / LEVELS) + 0.5).astype(np.uint8)
        stored = np.floor(levels * (LEVELS / self._steps) + 0.5).astype(np.uint8)
        rule, kinds = self._rule(codes, low, high, group)
        if rule is not None:
            followed = rule.codes(low, high)
            stored = np.where(kinds[:, None, None] == 1, followed, stored)
            stored = np.where(kinds[:, None, None] == 2, LEVELS - followed, stored)
            levels = levels[kinds == 0]
        text = "".join(map(str, kinds)) if rule else ""
        return self._keep(levels, stored, low, high, group, self._steps, rule, text)

    def _keep(
        self,
        levels: Codes,
        codes: Codes,
        low: Floats,
        high: Floats,
        group: Group,
        steps: int,
        rule: Rule | None,
        kinds: str,
    ) -> list[Json]:
        self.stream.append(residuals(levels).tobytes())
        maps = Maps(self._count, np.ascontiguousarray(codes, dtype=np.uint8), low, high)
        self._count += 1
        if steps != LEVELS or int(codes.max(initial=0)) <= LEVELS:
            self._seen[group, codes.shape].append(maps)
        return [steps, rule.described() if rule else None, kinds]

    def _rule(
        self, codes: Codes, low: Floats, high: Floats, group: Group
    ) -> tuple[Rule | None, npt.NDArray[np.int64]]:
        """Find the rule that most channels follow, and which."""
        best, best_kinds = None, np.zeros(len(codes), np.int64)
        probed = slice(0, _PROBED)
        for rule in self._candidates(codes.shape, group):
            if not self._kinds(rule, codes, low, high, probed).any():
                continue
            kinds = self._kinds(rule, codes, low, high, slice(None))
            if (kinds > 0).sum() > (best_kinds > 0).sum():
                best, best_kinds = rule, kinds
            if best_kinds.all():
                break
        return best, best_kinds

    def _kinds(
        self, rule: Rule, codes: Codes, low: Floats, high: Floats, channels: slice
    ) -> npt.NDArray[np.int64]:
        followed = rule.codes(low, high, channels).astype(np.int16)
        wanted = codes[channels].astype(np.int16)
        allowed = _FOLLOWED_STEPS * LEVELS / self._steps if self._steps < LEVELS else 0
        is_right = np.abs(followed - wanted).max(axis=(1, 2), initial=0) <= allowed
        kinds = is_right.astype(np.int64)
        if rule.operation == "same":
            is_reversed = np.abs(LEVELS - followed - wanted).max(axis=(1, 2), initial=0) <= allowed
            kinds[~is_right & is_reversed] = 2
        return np.asarray(kinds)

    def _candidates(self, shape: tuple[int, ...], group: Group) -> Iterator[Rule]:
        alike = self._seen[group, shape][-_MOST_CANDIDATES:][::-1]
        for operation in ("same", "sum"):
            for maps in alike:
                yield Rule(operation, (maps,))
        for key, earlier in list(self._seen.items()):
            if key[0] == group and key[1][0] == shape[0] and key[1][1] > shape[1]:
                for operation, *window in _POOLS:
                    if _pooled_size(key[1], window) == shape[1:]:
                        for maps in earlier[-_MOST_CANDIDATES:][::-1]:
                            yield Rule(operation, (maps,), tuple(window))
        for pair in combinations(alike, 2):
            yield Rule("sum", pair)


def _pooled_size(shape: tuple[int, ...], window: Sequence[int]) -> tuple[int, int]:
    size, stride, padding = window
    height, width = ((length + 2 * padding - size) // stride + 1 for length in shape[1:])
    return height, width
