"""What has a still picture of itself, for places where no JavaScript runs.

In: a drawing. Out: PNG, by itself and beside the widget in the outputs of a notebook.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from cnnviz_widgets.rendering.colormap import Rgb
from cnnviz_widgets.rendering.png import png_bytes

STILL_BYTES = 80_000
"""Largest PNG of a widget that is shown where no JavaScript runs."""


class Snapshot(bytes):
    """A still picture of a widget: the bytes of a PNG file, which a notebook shows."""

    def _repr_png_(self) -> bytes:
        return bytes(self)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the file and return its path."""
        target = Path(path)
        target.write_bytes(self)
        return target


class Pictured:
    """What of a widget is seen on GitHub and on other still pages: a base beside an ipywidget."""

    def snapshot(self, *, max_bytes: int = STILL_BYTES) -> Snapshot:
        """Draw a still picture of what the widget shows first.

        Parameters
        ----------
        max_bytes : int
            Largest size of the file; the picture is made smaller until it fits.

        Returns
        -------
        Snapshot
            The bytes of a PNG file. A notebook shows it; ``.save(path)`` writes it.

        Raises
        ------
        ValueError
            There is nothing to draw.
        """
        picture = self._still()
        if picture is None:
            raise ValueError(f"{type(self).__name__} shows nothing that can be drawn as a picture.")
        return Snapshot(png_bytes(picture, max_bytes=max_bytes))

    def __repr__(self) -> str:
        shown = getattr(self, "inspector", None)
        return f"{type(self).__name__}({'' if shown is None else repr(shown)})"

    def _still(self) -> Rgb | None:
        """Draw what the widget shows first, or None where there is nothing to draw."""
        return None

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Add a still picture for places where no widget can be shown."""
        bundle: Any = super()._repr_mimebundle_(**options)  # type: ignore[misc]  # an ipywidget's
        if isinstance(bundle, tuple):
            data: Mapping[str, Any] = bundle[0]
            return {**data, **self._still_entry()}, dict(bundle[1])
        return None if bundle is None else {**bundle, **self._still_entry()}

    def _still_entry(self) -> dict[str, str]:
        try:
            return {"image/png": base64.b64encode(self.snapshot()).decode()}
        # Whatever goes wrong with the still picture, the widget itself is to be shown.
        except Exception:  # noqa: BLE001
            return {}
