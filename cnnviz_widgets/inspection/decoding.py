"""Inspection: a picture file as pixels, upright and without transparency.

In: the bytes of a file, or a PIL image. Out: a PIL image of mode L or RGB, and what was done to it.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from cnnviz_widgets.words import Phrase, phrase

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")
"""What files that come from a page may be; other readers of PIL start programs of their own."""
MAX_PIXELS = 64_000_000
_ORIENTATION = 0x0112  # of EXIF
_GREY = frozenset({"1", "L", "LA", "La"})
_ALPHA = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})
_SIXTEEN_BITS = frozenset({"I;16", "I;16B", "I;16L", "I;16N", "I"})


class PictureError(ValueError):
    """A file that is no picture, a broken one, or one that is too large."""


class Step(NamedTuple):
    """One thing that was done to a picture.

    Attributes
    ----------
    kind : str
        "frame" (the first picture of several was taken), "turned" (as the camera was held),
        "white" (transparent parts were laid on white), "depth" (16 bits became 8), "grey",
        "coloured", "cropped", "padded", "stretched", "shrunk", "enlarged", "normalised",
        "preprocessed".
    width, height : int
        Of the picture after it, in pixels; 0 where it did not change them.
    name : str
        Of the function that preprocessed it.
    """

    kind: str
    width: int = 0
    height: int = 0
    name: str = ""


@dataclass(frozen=True)
class Decoded:
    """A picture, and what was done to it.

    Attributes
    ----------
    picture : PIL.Image.Image
        Of mode "L" or "RGB", 8 bits.
    steps : tuple of Step
        In order.
    """

    picture: Image
    steps: tuple[Step, ...] = ()


def decoded(data: bytes, *, formats: Sequence[str] | None = FORMATS) -> Decoded:
    """Read a picture file.

    Parameters
    ----------
    data : bytes
        The file.
    formats : sequence of str or None
        PIL's names of the formats that it may have; None: any.

    Raises
    ------
    PictureError
        It is empty, no picture, broken, or has more than 64 million pixels.

    Notes
    -----
    Pixels are those of the file: colour profiles are not applied, as in torchvision.
    """
    from PIL import Image, UnidentifiedImageError

    if not data:
        raise PictureError(phrase("picture_file_empty"))
    try:
        with Image.open(io.BytesIO(data), formats=_known(formats)) as opened:
            _check_size(opened.size)
            several = opened.format != "MPO" and bool(getattr(opened, "is_animated", False))
            opened.load()
            upright, steps = _upright(opened)
            found = settled(upright)
    except UnidentifiedImageError as error:
        names = ", ".join(FORMATS)
        raise PictureError(phrase("picture_none", formats=names)) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(_too_large()) from error
    except PictureError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise PictureError(phrase("picture_broken", error=str(error))) from error
    first = (Step("frame"),) if several else ()
    return Decoded(found.picture, (*first, *steps, *found.steps))


def settled(picture: Image) -> Decoded:
    """Lay the transparent parts of a picture on white, and make it 8 bits of grey or RGB.

    Raises
    ------
    PictureError
        Its pixels are numbers of no known range.
    """
    steps: list[Step] = []
    if picture.mode == "F":
        raise PictureError(phrase("picture_numbers"))
    if picture.mode in _SIXTEEN_BITS:
        picture = _eight_bits(picture)
        steps.append(Step("depth"))
    if picture.mode in _ALPHA or "transparency" in picture.info:
        seen = picture.convert("RGBA")
        if seen.getchannel("A").getextrema()[0] != 255:
            steps.append(Step("white"))
        mode = "L" if picture.mode in _GREY else "RGB"
        picture = _on_white(seen).convert(mode)
    return Decoded(picture.convert("L" if picture.mode in _GREY else "RGB"), tuple(steps))


def _upright(picture: Image) -> tuple[Image, tuple[Step, ...]]:
    """Turn a picture the way its camera was held."""
    from PIL import ImageOps

    if picture.getexif().get(_ORIENTATION, 1) not in range(2, 9):
        return picture, ()
    turned = ImageOps.exif_transpose(picture)
    return turned, (Step("turned", *turned.size),)


def _known(formats: Sequence[str] | None) -> list[str] | None:
    """Return the formats that this PIL was built with."""
    from PIL import Image

    if formats is None:
        return None
    Image.init()
    return [name for name in formats if name in Image.OPEN]


def _check_size(size: tuple[int, int]) -> None:
    if math.prod(size) > MAX_PIXELS:
        raise PictureError(_too_large())


def _too_large() -> Phrase:
    return phrase("picture_huge", most=MAX_PIXELS // 1_000_000)


def _eight_bits(picture: Image) -> Image:
    """Keep the upper 8 of 16 bits, where PIL would cut everything above 255."""
    import numpy as np
    from PIL import Image

    values = np.asarray(picture).astype(np.int64)
    if values.min() < 0 or values.max() > 0xFFFF:
        raise PictureError(phrase("picture_numbers"))
    return Image.fromarray((values >> 8).astype(np.uint8))


def _on_white(picture: Image) -> Image:
    from PIL import Image

    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture)
    return paper.convert("RGB")
