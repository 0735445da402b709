"""Inspection: a picture cut and scaled to the size that a network takes.

In: a picture and a size. Out: the picture at that size, and what was done to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnviz_widgets.inspection.decoding import Decoded, Step

if TYPE_CHECKING:
    from PIL.Image import Image

FITS = ("crop", "pad", "stretch")
"""How a picture of another shape is made to fit."""


def fitted(picture: Image, size: tuple[int, int], *, fit: str) -> Decoded:
    """Bring a picture to a size; one that has it stays as it is, pixel by pixel.

    Parameters
    ----------
    picture : PIL.Image.Image
        Of mode "L" or "RGB".
    size : tuple of int
        Height and width.
    fit : {"crop", "pad", "stretch"}
        "crop" takes the largest part in the middle that has the proportions of `size`; "pad"
        takes all of it, with black beside it or above and below; "stretch" changes its proportions.

    Returns
    -------
    Decoded
        Scaling is PIL's bilinear filter, which averages where it makes smaller, as
        ``torchvision.transforms.Resize`` does with PIL images.
    """
    height, width = size
    if fit == "stretch":
        same = picture.width * height == picture.height * width
        return _scaled(picture, (width, height), "" if same else "stretched")
    if fit == "crop":
        cut = _cropped(picture, height, width)
        whole = _scaled(cut, (width, height))
        first = () if cut is picture else (Step("cropped", *cut.size),)
        return Decoded(whole.picture, (*first, *whole.steps))
    return _padded(picture, height, width)


def _cropped(picture: Image, height: int, width: int) -> Image:
    scale = min(picture.width / width, picture.height / height)
    cut_width = min(picture.width, max(1, round(width * scale)))
    cut_height = min(picture.height, max(1, round(height * scale)))
    if (cut_width, cut_height) == picture.size:
        return picture
    left, top = (picture.width - cut_width) // 2, (picture.height - cut_height) // 2
    return picture.crop((left, top, left + cut_width, top + cut_height))


def _padded(picture: Image, height: int, width: int) -> Decoded:
    from PIL import Image

    scale = min(width / picture.width, height / picture.height)
    inner = (
        min(width, max(1, round(picture.width * scale))),
        min(height, max(1, round(picture.height * scale))),
    )
    whole = _scaled(picture, inner)
    if inner == (width, height):
        return whole
    paper = Image.new(picture.mode, (width, height))
    paper.paste(whole.picture, ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return Decoded(paper, (*whole.steps, Step("padded", width, height)))


def _scaled(picture: Image, size: tuple[int, int], kind: str = "") -> Decoded:
    from PIL import Image

    if picture.size == size:
        return Decoded(picture)
    kind = kind or ("shrunk" if picture.width > size[0] else "enlarged")
    return Decoded(picture.resize(size, Image.Resampling.BILINEAR), (Step(kind, *size),))
