"""Where Chromium is, and how it is started for tests and figures."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> Path | None:
    """Return $CNNVIZ_CHROMIUM, else the system's Chromium, else None."""
    named = os.environ.get("CNNVIZ_CHROMIUM")
    candidates = [named] if named else ["chromium", "chromium-browser", "google-chrome"]
    for candidate in candidates:
        found = shutil.which(candidate)
        if found:
            return Path(found)
    return None


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a headless Chromium; it is closed at the end, whatever happened.

    Raises
    ------
    RuntimeError
        No Chromium was found.
    """
    path = chromium_path()
    if path is None:
        msg = "no Chromium on the PATH; install chromium, or set CNNVIZ_CHROMIUM to its path"
        raise RuntimeError(msg)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS, headless=True)
        try:
            yield browser
        finally:
            browser.close()
