"""One JupyterLab server and one Chromium for all tests here; a fresh page and kernel for each."""

from __future__ import annotations

import importlib.util
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

import cnnviz_widgets as cw
from tests.browser.chromium import chromium, chromium_path
from tests.browser.lab import JupyterLab
from tests.browser.notebook import Notebook
from tests.browser.saved_page import SavedPage

OpenNotebook = Callable[..., Notebook]
OpenPage = Callable[..., SavedPage]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """A JupyterLab server, shared by all tests."""
    if importlib.util.find_spec("jupyterlab") is None:
        pytest.skip("JupyterLab is not installed: pip install 'cnnviz_widgets[dev]'")
    with JupyterLab(tmp_path_factory.mktemp("lab") / "home") as server:
        yield server


# Not for the whole session: Playwright leaves an event loop running in this thread, and tests
# elsewhere start their own. One for all tests here: it refuses a second one beside it.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    if chromium_path() is None:
        pytest.skip("no Chromium: install it (make chromium) or set CNNVIZ_CHROMIUM to its path")
    with chromium() as started:
        yield started


@pytest.fixture
def open_notebook(browser: Browser, lab: JupyterLab) -> Iterator[OpenNotebook]:
    """Open a notebook in a page of its own; fail at the end when the console got an error."""
    contexts: list[BrowserContext] = []
    opened: list[Notebook] = []
    names = itertools.count()

    def open_one(
        cells: Sequence[str] = (),
        *,
        name: str | None = None,
        width: int = 1280,
        dpr: float = 1,
        kernel: str = "python3",
        locale: str = "en-US",
    ) -> Notebook:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, device_scale_factor=dpr, locale=locale
        )
        contexts.append(context)
        file = name or f"test-{os.getpid()}-{id(contexts):x}-{next(names)}.ipynb"
        notebook = Notebook(lab, context.new_page(), name=file, cells=cells, kernel=kernel)
        opened.append(notebook)
        return notebook

    yield open_one
    errors = [error for notebook in opened for error in notebook.our_errors()]
    for context in contexts:
        context.close()
    lab.stop_kernels()
    assert not errors, "the browser's console got errors:\n" + "\n".join(errors)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Open files; fail at the end when a page complained, was blocked, or wanted the network."""
    opened: list[SavedPage] = []

    def open_one(path: Path, **options: Any) -> SavedPage:
        opened.append(SavedPage(browser, path, **options))
        return opened[-1]

    yield open_one
    for each in opened:
        each.check()
        each.close()


@pytest.fixture(scope="session")
def four_views(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported page with a view of each kind over one Inspector."""
    sample = cw.samples.load("shapes")
    inspector = cw.Inspector(
        sample.model,
        sample.images[:1],
        class_names=sample.class_names,
        mean=sample.mean,
        std=sample.std,
    )
    kinds = (cw.LayerBrowser, cw.CamSlider, cw.SaliencyOverlay, cw.FilterGrid)
    path = tmp_path_factory.mktemp("four") / "page.html"
    return cw.to_html([kind(inspector) for kind in kinds], path)


@pytest.fixture(scope="session")
def shots() -> Path | None:
    """Where screenshots go ($CNNVIZ_SHOTS), or None when nobody wants them."""
    folder = os.environ.get("CNNVIZ_SHOTS")
    return Path(folder) if folder else None
