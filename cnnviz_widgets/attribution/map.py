"""Attribution: a map of what mattered, with everything that says what it is.

In: raw signed values. Out: `Map`: raw -> rectified -> display, three forms that are never mixed,
laid over the picture, drawn as a figure or saved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cnnviz_widgets.attribution.resize import resized
from cnnviz_widgets.attribution.status import Status
from cnnviz_widgets.rendering import palette, png_bytes
from cnnviz_widgets.rendering.colormap import NAN_COLOUR, TABLE_SIZE, Rgb

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Map:
    """What mattered where, for one score of one picture.

    Attributes
    ----------
    values : ndarray of float32, shape (h, w)
        Raw and signed, at the layer's own resolution (the input's for methods at the input); one
        row for a 1-d layer, the mean over the depth for a 3-d one.
    method : str
        As in `cnnviz_widgets.methods.methods`.
    parameters : dict
        Every setting of the method, defaults included.
    layer : str or None
        Name as in ``insp.layers``; None for maps at the input.
    image : int
        Place in the batch.
    target_index : int or None
        Class explained; None for a function of the output.
    target_name : str
        Its name, or its index as text.
    score : float
        The number explained, of the unchanged picture.
    score_kind : str
        "logit", "probability", "log-probability" or "custom".
    status : str
        "ok", "empty" (nothing above zero), "constant", "nonfinite" or "saturated".
    note : str or None
        Why there is nothing to see, and what else a reader must know, in full sentences.
    size : (int, int)
        Height and width of the picture, in pixels.
    picture : ndarray of uint8, shape (H, W, 3), or None
        The input as people see it.
    passes : (int, int)
        Forward and backward passes that this map and those made with it took.
    seconds : float
        Wall time of the same.
    channels : ndarray of float32, shape (C, h, w), or None
        Methods at the input: the values of each input channel.
    volume : ndarray of float32, shape (D, h, w), or None
        3-d layers: the values at every depth, of which `values` is the mean.
    completeness_gap : float or None
        Where a method promises what its values add up to: how far their sum is from it.
    final : bool
        False for a map that is still being computed.
    """

    values: Floats
    method: str
    layer: str | None
    image: int
    target_index: int | None
    target_name: str
    score: float
    score_kind: str
    status: Status
    size: tuple[int, int]
    parameters: Mapping[str, object] = field(default_factory=dict)
    note: str | None = None
    picture: Rgb | None = None
    passes: tuple[int, int] = (0, 0)
    seconds: float = 0.0
    channels: Floats | None = None
    volume: Floats | None = None
    completeness_gap: float | None = None
    final: bool = True

    def __repr__(self) -> str:
        height, width = self.values.shape
        place = f" at {self.layer!r}" if self.layer else ""
        return (
            f"Map({self.method!r}{place}, {height}x{width}, target {self.target_name!r} "
            f"({self.score_kind} {self.score:.4g}), {self.status})"
        )

    def _repr_png_(self) -> bytes:
        """Return `figure` as a PNG file: what a notebook shows of a cell's value."""
        from cnnviz_widgets.attribution.figure import as_png

        return as_png(self.figure())

    def rectified(self) -> Floats:
        """Return the values with negative ones set to zero, (h, w); NaN stays NaN."""
        rectified: Floats = np.maximum(self.values, np.float32(0))
        return rectified

    def display(
        self, size: tuple[int, int] | None = None, *, smooth: bool = True, percentile: float = 100
    ) -> Floats:
        """Return the map as it is drawn: rectified, then resized, then divided by its maximum.

        Parameters
        ----------
        size : (int, int), optional
            Height and width in pixels; the picture's by default.
        smooth : bool
            Bilinear (align_corners=False); else the nearest value.
        percentile : float
            Divide by this percentile of the values, 0 to 100, and cut off what is above.

        Returns
        -------
        float32 array of that size
            0 to 1; the largest value is exactly 1, however small it was. All zero for an empty
            map; values that are not finite are NaN and count for nothing.
        """
        wanted = self.size if size is None else _checked_size(size)
        shown = resized(self.rectified(), wanted, smooth=smooth)
        shown = np.where(np.isfinite(shown), shown, np.float32(np.nan))
        high = _peak(shown, _checked_percentile(percentile))
        return np.minimum(shown / np.float32(high), np.float32(1)) if high > 0 else shown

    def overlay(
        self,
        image: Rgb | None = None,
        *,
        opacity: float = 0.5,
        colormap: str = "viridis",
        percentile: float | None = None,
    ) -> Rgb:
        """Return the map's colours laid over a picture.

        Parameters
        ----------
        image : uint8 array (H, W, 3), optional
            The picture; `picture` by default. The map is resized to it.
        opacity : float
            0 shows the picture alone, 1 the map alone.
        colormap : str
            One of ``cnnviz_widgets.rendering.colormap_names()``.
        percentile : float, optional
            As in `display`. By default 100 for maps at a layer and 99 for maps at the input, where
            few pixels have values far above all others.

        Returns
        -------
        uint8 array (H, W, 3)
        """
        picture = self._picture(image)
        part = _checked_opacity(opacity)
        colours = self._colours((picture.shape[0], picture.shape[1]), colormap, percentile)
        mixed = picture * (1 - part) + colours * part
        return np.floor(mixed + 0.5).astype(np.uint8)

    def figure(self, *, colormap: str = "viridis") -> Figure:
        """Return a matplotlib figure: the picture, the map over it, and a legend with numbers.

        It shows itself in a notebook; pyplot does not know it, so there is nothing to close.
        """
        from cnnviz_widgets.attribution.figure import map_figure

        shown = [self._colours(self.size, colormap)]
        if self.picture is not None:
            shown = [self.picture, self.overlay(colormap=colormap)]
        place = f" at {self.layer}" if self.layer else ""
        title = f"{self.target_name} ({self.score_kind} {self.score:.3g}): {self.method}{place}"
        high = _peak(resized(self.rectified(), self.size), self._percentile)
        cut = f", cut off at {high:.3g}" if self._percentile < 100 and high else ""
        return map_figure(
            shown,
            high=high,
            colormap=colormap,
            label=f"{self.method}, rectified{cut}",
            title=title if self.note is None else f"{title}\n{self.note}",
        )

    def save(self, path: str | Path) -> Path:
        """Write the map to a file; return its path.

        Parameters
        ----------
        path : str or Path
            Ends in ``.npy`` for the raw values, float32 (h, w), or in ``.png`` for `overlay` (the
            map's colours alone where there is no picture).

        Raises
        ------
        ValueError
            The name has another ending.
        """
        path = Path(path)
        if path.suffix == ".npy":
            np.save(path, self.values)
        elif path.suffix == ".png":
            alone = self.picture is None
            drawn = self._colours(self.size, "viridis") if alone else self.overlay()
            path.write_bytes(png_bytes(drawn))
        else:
            msg = f"path={str(path)!r} must end in '.png' (a picture) or '.npy' (raw values)."
            raise ValueError(msg)
        return path

    @property
    def _percentile(self) -> float:
        return 99 if self.layer is None else 100

    def _colours(
        self, size: tuple[int, int], colormap: str, percentile: float | None = None
    ) -> Rgb:
        """Return the display form in colours, uint8 (H, W, 3)."""
        shown = self.display(
            size, percentile=self._percentile if percentile is None else percentile
        )
        known = np.isfinite(shown)
        levels = np.floor(np.where(known, shown, 0) * (TABLE_SIZE - 1) + 0.5).astype(np.intp)
        return palette(colormap)[np.where(known, levels, NAN_COLOUR)]

    def _picture(self, image: Rgb | None) -> Rgb:
        if image is None:
            if self.picture is None:
                msg = "image=None, but the input has no picture; give a uint8 array (H, W, 3)."
                raise ValueError(msg)
            return self.picture
        is_picture = isinstance(image, np.ndarray) and image.dtype == np.uint8
        if not is_picture or image.ndim != 3 or image.shape[2] != 3:
            seen = type(image).__name__
            if isinstance(image, np.ndarray):
                seen = f"a {image.dtype} array of shape {image.shape}"
            msg = f"image is {seen}; give a uint8 array (H, W, 3), 0 to 255."
            raise ValueError(msg)
        return image


def _peak(values: Floats, percentile: float) -> float:
    """Return a percentile of the finite values; 0 where there are none.

    Where most values are zero it may be zero, too; then it is the largest.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0
    high = float(finite.max())
    return (float(np.percentile(finite, percentile)) or high) if percentile < 100 else high


def _checked_size(size: object) -> tuple[int, int]:
    sides = tuple(size) if isinstance(size, Sequence) and not isinstance(size, str) else ()
    if len(sides) != 2 or not all(isinstance(n, (int, np.integer)) and n > 0 for n in sides):
        msg = f"size={size!r} must be (height, width), two whole numbers of at least 1 pixel."
        raise ValueError(msg)
    return int(sides[0]), int(sides[1])


def _checked_percentile(percentile: object) -> float:
    if isinstance(percentile, bool) or not isinstance(percentile, (int, float, np.number)):
        msg = f"percentile={percentile!r} is a {type(percentile).__name__}; give 0 to 100."
        raise TypeError(msg)
    if not 0 <= float(percentile) <= 100:
        msg = f"percentile={percentile!r} must be from 0 to 100; 100 is the maximum."
        raise ValueError(msg)
    return float(percentile)


def _checked_opacity(opacity: object) -> float:
    if isinstance(opacity, bool) or not isinstance(opacity, (int, float, np.number)):
        msg = f"opacity={opacity!r} is a {type(opacity).__name__}; give a number from 0 to 1."
        raise TypeError(msg)
    if not 0 <= float(opacity) <= 1:
        msg = f"opacity={opacity!r} must be from 0 (the picture) to 1 (the map)."
        raise ValueError(msg)
    return float(opacity)
