"""Picture files as pixels: exact where they can be, upright, on white, and refused with reasons."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnviz_widgets.inspection import decoding
from cnnviz_widgets.inspection.decoding import PictureError, Step, decoded, settled

RNG = np.random.default_rng(7)
PIXELS = RNG.integers(0, 256, (4, 6, 3), dtype=np.uint8)


def file_of(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Return a picture as the bytes of a file."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_pixels_of_a_lossless_file_are_those_that_were_written(kind: str) -> None:
    found = decoded(file_of(Image.fromarray(PIXELS), kind))
    assert (found.picture.mode, found.steps) == ("RGB", ())
    np.testing.assert_array_equal(np.asarray(found.picture), PIXELS)


def test_grey_stays_grey() -> None:
    found = decoded(file_of(Image.fromarray(PIXELS[:, :, 0])))
    assert found.picture.mode == "L"
    np.testing.assert_array_equal(np.asarray(found.picture), PIXELS[:, :, 0])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_as_its_camera_was_held(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turns: dict[int, Callable[[Any], Any]] = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: np.rot90,
    }
    found = decoded(file_of(Image.fromarray(PIXELS), exif=exif))
    expected = turns[orientation](PIXELS)
    np.testing.assert_array_equal(np.asarray(found.picture), expected)
    height, width = expected.shape[:2]
    assert found.steps == (() if orientation == 1 else (Step("turned", width, height),))


def test_transparent_parts_are_laid_on_white() -> None:
    alpha = np.zeros((4, 6, 1), np.uint8)
    alpha[0], alpha[1] = 255, 51  # a fifth
    found = decoded(file_of(Image.fromarray(np.concatenate([PIXELS, alpha], axis=2))))
    seen = np.asarray(found.picture).astype(float)
    np.testing.assert_array_equal(seen[0], PIXELS[0])
    np.testing.assert_allclose(seen[1], PIXELS[1] / 5 + 255 * 4 / 5, atol=1)
    assert (seen[2:] == 255).all()
    assert found.steps == (Step("white"),)


def test_an_alpha_channel_without_transparency_changes_nothing() -> None:
    alpha = np.full((4, 6, 1), 255, np.uint8)
    found = decoded(file_of(Image.fromarray(np.concatenate([PIXELS, alpha], axis=2))))
    np.testing.assert_array_equal(np.asarray(found.picture), PIXELS)
    assert found.steps == ()


def test_a_palette_with_a_transparent_colour() -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 40, 50, 60])
    picture.putdata([0, 1])
    found = decoded(file_of(picture, transparency=1))
    assert np.asarray(found.picture).tolist() == [[[10, 20, 30], [255, 255, 255]]]
    assert found.steps == (Step("white"),)


def test_sixteen_bits_keep_the_upper_eight() -> None:
    values = np.array([[0, 255, 256, 65535]], np.uint16)
    found = decoded(file_of(Image.fromarray(values)))
    assert np.asarray(found.picture).tolist() == [[0, 0, 1, 255]]
    assert found.steps == (Step("depth"),)


def test_of_several_pictures_the_first_is_taken() -> None:
    first, second = Image.new("L", (3, 2), 10), Image.new("L", (3, 2), 200)
    found = decoded(file_of(first, "GIF", save_all=True, append_images=[second]))
    assert found.steps[0] == Step("frame")
    assert (np.asarray(found.picture) == 10).all()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"hello", "is not a picture that can be read; give PNG, JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not a picture"),
        (file_of(Image.fromarray(PIXELS))[:60], "the picture is broken"),
        (file_of(Image.new("RGB", (64, 64)), "JPEG")[:400], "the picture is broken"),
    ],
)
def test_files_that_are_no_pictures(data: bytes, message: str) -> None:
    with pytest.raises(PictureError, match=message):
        decoded(data)


def test_pictures_that_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    data = file_of(Image.fromarray(PIXELS))
    monkeypatch.setattr(decoding, "MAX_PIXELS", 23)
    with pytest.raises(PictureError, match="too large: more than 0 million pixels"):
        decoded(data)
    for most in (20, 10):  # a warning of PIL's, and an error
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
        with pytest.raises(PictureError, match="the picture is too large"):
            decoded(data)


@pytest.mark.parametrize("values", [np.zeros((2, 2), np.float32), np.full((2, 2), -1, np.int32)])
def test_numbers_of_no_known_range_are_refused(values: Any) -> None:
    with pytest.raises(PictureError, match="give it as a tensor instead"):
        settled(Image.fromarray(values))
