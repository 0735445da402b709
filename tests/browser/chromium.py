"""Where Chromium is, how it is started for tests and figures, and how it is installed.

`python tests/browser/chromium.py --install` needs nothing but Python: it runs before the
environment exists.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_WAYS = (
    "install Chromium (Debian: apt-get install chromium; anywhere: "
    "python -m playwright install --with-deps chromium), or set CNNVIZ_CHROMIUM to its path"
)


def chromium_path() -> Path | None:
    """Return $CNNVIZ_CHROMIUM, else the system's Chromium, else Playwright's own, else None."""
    named = os.environ.get("CNNVIZ_CHROMIUM")
    candidates = [named] if named else ["chromium", "chromium-browser", "google-chrome"]
    for candidate in candidates:
        found = shutil.which(candidate)
        if found:
            return Path(found)
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "~/.cache/ms-playwright")).expanduser()
    return None if named else max(cache.glob("chromium-*/chrome-linux*/chrome"), default=None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a headless Chromium; it is closed at the end, whatever happened.

    Raises
    ------
    RuntimeError
        No Chromium was found.
    """
    from playwright.sync_api import sync_playwright

    path = chromium_path()
    if path is None:
        msg = f"no Chromium was found: {_WAYS}"
        raise RuntimeError(msg)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS, headless=True)
        try:
            yield browser
        finally:
            browser.close()


def install() -> str:
    """Install Chromium with apt when it is missing and apt may be used; say what was done."""
    path = chromium_path()
    if path is not None:
        return f"Chromium: {path}"
    asks = [] if os.geteuid() == 0 else ["sudo", "-n"]
    apt = shutil.which("apt-get")
    if apt and (not asks or shutil.which("sudo")):
        for arguments in (["update", "-q"], ["install", "-y", "-q", "chromium"]):
            subprocess.run([*asks, apt, *arguments], check=False, stdout=subprocess.DEVNULL)
        path = chromium_path()
        if path is not None:
            return f"Chromium: {path} (installed)"
    return f"Chromium: none, so the browser tests will be skipped; {_WAYS}"


if __name__ == "__main__":
    if sys.argv[1:] != ["--install"]:
        sys.exit("usage: chromium.py --install")
    sys.stderr.write(install() + "\n")
