"""What lets a widget do without a kernel: baked answers, and a page of its own.

In: what a view may ask. Out: the `_baked` trait, and HTML. The base of all widgets.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, cast

import traitlets
from tqdm import tqdm

from cnnviz_widgets.streaming.baked import StoredAnswer, pack_answers
from cnnviz_widgets.streaming.wire import Header

from .pictured import Pictured
from .spoken import SpokenWidget

STATIC = Path(__file__).parent.parent / "static"
MB = 1_000_000
_HEADER_BYTES = 60
"""About what a frame's header weighs, compressed."""
_FULL = 0.01
"""Share of a budget that is not worth looking for what fits into it."""


def built(name: str) -> Path:
    """Path of a file that js/ builds; its lack is told at once, since no widget can do without."""
    path = STATIC / name
    if not path.exists():
        raise FileNotFoundError(
            f"{path} has not been built. In a checkout run `make setup` (or `npm ci && npm run "
            "build`); an installed package always carries it."
        )
    return path


@dataclass(frozen=True)
class Wanted:
    """A request whose answer is worth keeping.

    Attributes
    ----------
    kind, params : str, dict
        As the view writes them, params in the same order.
    what : str
        What it shows, in words and in the plural: "layers of picture 2".
    """

    kind: str
    params: Header
    what: str


@dataclass(frozen=True)
class LeftOut:
    """Answers that were not kept: what they show, how many, and why."""

    what: str
    count: int
    why: str

    def __str__(self) -> str:
        return f"{self.what} ({self.count}): {self.why.removesuffix('.')}"


@dataclass(frozen=True)
class Baked:
    """What `bake` has stored, and what it has not.

    Attributes
    ----------
    answers : int
        How many requests are answered without a kernel.
    size_bytes : int
        Bytes stored.
    left_out : tuple of LeftOut
        What was not, and why.
    """

    answers: int
    size_bytes: int
    left_out: tuple[LeftOut, ...]

    def __repr__(self) -> str:
        stored = f"Baked {self.answers} answers, {self.size_bytes / MB:.2f} MB."
        if not self.left_out:
            return f"{stored} Nothing was left out."
        return f"{stored} Left out: {'; '.join(str(each) for each in self.left_out)}."


class BakedWidget(Pictured, SpokenWidget):
    """A widget that can be kept for a place without a kernel."""

    _baked = traitlets.Bytes(b"", help="Answers for when there is no kernel.").tag(
        sync=True, echo_update=False
    )

    NEEDS_KERNEL: ClassVar[tuple[str, ...]] = ()
    """Controls (their `data-cnnviz-control`) that do nothing without a kernel."""

    _plain_bundle: str | None = None

    @property
    def bundle(self) -> str:
        """The widget's ES module, without what reads baked answers."""
        return self._plain_bundle or str(cast("Any", self)._esm)

    @property
    def style_sheet(self) -> str:
        """The widget's CSS."""
        return str(cast("Any", self)._css)

    @classmethod
    def class_bundle(cls) -> str:
        """ES module of all widgets of the class."""
        return str(cast("Any", cls)._esm)

    @classmethod
    def class_style_sheet(cls) -> str:
        """CSS of all widgets of the class."""
        return str(cast("Any", cls)._css)

    def title(self) -> str:
        """Name what the widget shows, for the head of a page."""
        return type(self).__name__

    def bake(self, *, max_mb: float = 4.0) -> Baked:
        """Keep what the views may ask, so that the widget works where no kernel is.

        The answers become part of the widget's state: save the notebook with its widgets
        (``jupyter nbconvert --execute`` does), and its HTML works without a kernel. Bake after the
        last change: other inputs or weights make it stale, and it is forgotten.

        Parameters
        ----------
        max_mb : float
            Most megabytes to store, compressed. What does not fit is left out, the least needed
            first.

        Returns
        -------
        Baked
            How much was stored, what was left out, and why.

        Raises
        ------
        ValueError
            `max_mb` is not above 0.
        """
        if not max_mb > 0:
            raise ValueError(f"max_mb={max_mb} must be above 0 megabytes.")
        answers, left_out = self.answers(max_bytes=max_mb * MB)
        self._set_baked(pack_answers(answers))
        return Baked(len(answers), len(self._baked), left_out)

    def answers(self, *, max_bytes: float) -> tuple[list[StoredAnswer], tuple[LeftOut, ...]]:
        """Answer what the views may ask, within a budget.

        Parameters
        ----------
        max_bytes : float
            Of all answers together, compressed. Arrays that are equal count once.

        Returns
        -------
        answers : list of StoredAnswer
        left_out : tuple of LeftOut
        """
        ledger = _Ledger(max_bytes)
        wanted = list(self._bake_requests())
        kept: list[StoredAnswer] = []
        title = f"Baking {type(self).__name__}"
        for each in tqdm(wanted, desc=title, delay=1.0, leave=False, unit="answer"):
            if ledger.is_full:
                ledger.leave_out(each, ledger.no_room)
                continue
            try:
                answer = self._stored_answer(each.kind, each.params)
            except ValueError as error:  # a busy model raises another, and ends this
                ledger.leave_out(each, str(error))
                continue
            if ledger.take(each, answer):
                kept.append(answer)
        return kept, ledger.left_out()

    def to_html(
        self,
        path: str | PathLike[str],
        *,
        title: str | None = None,
        max_mb: float | None = None,
        steps: int | None = None,
    ) -> Path:
        """Write the widget as one HTML file that opens from disk and needs no network.

        Parameters
        ----------
        path, title, max_mb, steps
            As in `cnnviz_widgets.to_html`; None is the default.

        Returns
        -------
        Path
            The file.
        """
        from cnnviz_widgets.export.page import MAX_MB, to_html
        from cnnviz_widgets.export.payload import STEPS

        return to_html(
            [self],
            path,
            title=title,
            max_mb=MAX_MB if max_mb is None else max_mb,
            steps=STEPS if steps is None else steps,
        )

    def _bake_requests(self) -> Iterator[Wanted]:
        """Name what the views may ask, what matters most first."""
        return iter(())

    def _stored_answer(self, kind: str, params: Header) -> StoredAnswer:
        """Answer one request here and now."""
        raise NotImplementedError

    def _set_baked(self, packed: bytes) -> None:
        """Store baked answers, and the code that reads them; none of both for no bytes."""
        self._plain_bundle = self.bundle
        self._baked = packed
        self.set_trait("_esm", baked_module(self.bundle) if packed else self.bundle)


class _Ledger:
    """What the answers weigh so far, and what did not fit."""

    def __init__(self, max_bytes: float) -> None:
        self._left = max_bytes
        self._max_bytes = max_bytes
        self.no_room = f"no room in {max_bytes / MB:g} MB"
        self._seen: set[bytes] = set()
        self._out: dict[tuple[str, str], int] = {}

    @property
    def is_full(self) -> bool:
        """Whether hardly anything fits any more."""
        return self._left < _FULL * self._max_bytes

    def take(self, wanted: Wanted, answer: StoredAnswer) -> bool:
        """Enter an answer if it fits."""
        new = {frame.payload for frame in answer.frames} - self._seen
        size = sum(len(zlib.compress(payload)) for payload in new)
        size += _HEADER_BYTES * len(answer.frames)
        if size > self._left:
            self.leave_out(wanted, self.no_room)
            return False
        self._left -= size
        self._seen |= new
        return True

    def leave_out(self, wanted: Wanted, why: str) -> None:
        """Note what is not kept."""
        key = (wanted.what, why)
        self._out[key] = self._out.get(key, 0) + 1

    def left_out(self) -> tuple[LeftOut, ...]:
        """Return what was not kept, in order."""
        return tuple(LeftOut(what, count, why) for (what, why), count in self._out.items())


def baked_module(bundle: str) -> str:
    """Wrap a widget's ES module so that it reads baked answers where no kernel is."""
    parts = json.dumps([bundle, built("baked.js").read_text(encoding="utf-8")])
    return (
        "const load = async (text) => (await import(URL.createObjectURL(\n"
        '  new Blob([text], { type: "text/javascript" })))).default;\n'
        f"const [widget, baked] = await Promise.all({parts}.map(load));\n"
        "export default baked(widget);\n"
    )
