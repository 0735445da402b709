"""The pictures that a notebook's text names, as parts of the page.

In: an address, as it stands in Markdown. Out: a data: URL, or a note that there is none.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

MOST_BYTES = 4_000_000
_SVG = "image/svg+xml"
_KINDS = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}


class Album:
    """Finds the pictures of a notebook.

    Parameters
    ----------
    home : Path or None
        The folder that they are in; None where there is none.

    Attributes
    ----------
    missing : dict of str
        Addresses of those that were asked for and not found, in order.
    """

    def __init__(self, home: Path | None) -> None:
        self._home = home and home.resolve()
        self.missing: dict[str, None] = {}

    def find(self, address: str, attachments: Mapping[str, Any]) -> str | None:
        """Return a picture as a data: URL: an attachment, or a file in the notebook's own folder.

        Parameters
        ----------
        address : str
        attachments : mapping
            Of the cell that names it.
        """
        found = self._attached(address, attachments) or self._read(address)
        if found is None:
            self.missing[address] = None
        return found

    def remarks(self) -> list[str]:
        """Say what is missing, a sentence for each picture."""
        return [
            f"{address!r} is not on the page, which takes in pictures of up to "
            f"{MOST_BYTES / 1e6:g} MB from the notebook's own folder alone; put the file there."
            for address in self.missing
        ]

    def _attached(self, address: str, attachments: Mapping[str, Any]) -> str | None:
        if not address.startswith("attachment:"):
            return None
        bundle = attachments.get(unquote(address.removeprefix("attachment:")), {})
        for kind, data in bundle.items():
            if kind in _KINDS.values():
                return f"data:{kind};base64,{re.sub(r'[^A-Za-z0-9+/=]', '', str(data))}"
        return None

    def _read(self, address: str) -> str | None:
        if self._home is None or re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//", address):
            return None
        file = (self._home / unquote(re.split("[?#]", address)[0])).resolve()
        # A page is made to be passed on, so it takes in nothing from outside of the folder.
        if not file.is_relative_to(self._home) or not file.is_file():
            return None
        data = file.read_bytes() if file.stat().st_size <= MOST_BYTES else b""
        kind = _kind(data, file)
        return f"data:{kind};base64,{base64.b64encode(data).decode()}" if kind else None


def _kind(data: bytes, file: Path) -> str | None:
    """Tell what a file holds, by how it begins. A script in an SVG does not run in an <img>."""
    if file.suffix.lower() == ".svg" and data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return _SVG
    return next((kind for start, kind in _KINDS.items() if data.startswith(start)), None)
