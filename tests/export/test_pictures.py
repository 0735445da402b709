"""Pictures of a notebook's text: its own folder and its attachments, and nothing else."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from cnnviz_widgets.export.pictures import MOST_BYTES, Album

PNG = b"\x89PNG and more"
SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a notebook's folder, beside a picture that is not for others."""
    (tmp_path / "secret.png").write_bytes(PNG)
    folder = tmp_path / "book"
    (folder / "images").mkdir(parents=True)
    (folder / "a b.png").write_bytes(PNG)
    (folder / "images" / "drawn.SVG").write_bytes(SVG)
    (folder / "notes.txt").write_text("private")
    (folder / "page.html.svg").write_text("private")
    (folder / "large.png").write_bytes(PNG + bytes(MOST_BYTES))
    (folder / "out.png").symlink_to(tmp_path / "secret.png")
    return folder


def url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("a%20b.png", url("image/png", PNG)),
        ("./a b.png?v=2#x", url("image/png", PNG)),
        ("images/drawn.SVG", url("image/svg+xml", SVG)),
    ],
)
def test_pictures_of_the_folder_become_part_of_the_page(
    address: str, expected: str, folder: Path
) -> None:
    album = Album(folder)
    assert album.find(address, {}) == expected
    assert album.remarks() == []


@pytest.mark.parametrize(
    "address",
    [
        *("../secret.png", "notes.txt", "page.html.svg", "out.png", "large.png", "none.png", ""),
        *("https://e.example/x.png", "//e.example/x.png", "file:///etc/hostname", "/etc/hostname"),
    ],
)
def test_nothing_else_does_and_that_is_told(address: str, folder: Path) -> None:
    album = Album(folder)
    assert album.find(address, {}) is album.find(address, {}) is None
    (remark,) = album.remarks()
    assert remark.startswith(f"{address!r} is not on the page, which takes in pictures of up to 4")


def test_attachments_are_pictures_of_their_cell() -> None:
    album = Album(None)
    attached = {"a b.png": {"image/png": 'AA"A='}, "x": {"text/html": "<b>"}}
    assert album.find("attachment:a%20b.png", attached) == "data:image/png;base64,AAA="
    assert album.find("attachment:x", attached) is None
    assert album.find("a.png", attached) is None
    assert list(album.missing) == ["attachment:x", "a.png"]
