"""The language of the interface: that of the browser, or the one that Python sets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import OpenNotebook
from tests.browser.saved_page import SavedPage

pytestmark = pytest.mark.browser

SHOW = """
import re
import cnnviz_widgets as cw
from IPython.display import display
sample = cw.samples.load("shapes")
insp = cw.Inspector(sample.model, sample.images[:2], class_names=sample.class_names,
                    mean=sample.mean, std=sample.std)
shown = [cw.LayerBrowser(insp), cw.CamSlider(insp), cw.SaliencyOverlay(insp), cw.FilterGrid(insp),
         cw.ImagePicker(insp)]
display(*shown)
"""
VIEWS = {
    "layer-browser": ("What the network says", "网络的预测"),
    "cam-slider": ("Threshold", "阈值"),
    "saliency-overlay": ("Clip: ", "截断："),  # noqa: RUF001  # as Chinese writes it
    "filter-grid": ("All filters", "所有滤波器"),
    "image-picker": ("Samples", "示例图片"),
}
NAMES = {
    *("Softmax", "logit", "arXiv", "JPEG", "WebP", "TIFF", "Ctrl", "Grad"),
    *("viridis", "magma", "cividis", "gray", "coolwarm"),
}
"""Words that are the same in every language, besides those of the network."""


def view_of(page: Page, name: str) -> Locator:
    return page.locator(f'.cnnviz[data-cnnviz-widget="{name}"]')


def expect_language(page: Page, place: int, tag: str) -> None:
    """Wait until each view says its own words in a language."""
    for name, words in VIEWS.items():
        view = view_of(page, name)
        expect(view).to_have_attribute("lang", tag)
        expect(view).to_contain_text(words[place])
        expect(view).not_to_contain_text(words[1 - place])


def test_a_language_that_is_set_changes_what_is_on_the_screen(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook()
    notebook.run(SHOW)
    expect_language(notebook.page, 0, "en")
    layers = view_of(notebook.page, "layer-browser")
    layers.locator('[data-cnnviz-control="layer"]').press("Home")
    expect(layers).to_have_attribute("data-shown-layer", "stem.conv")
    notebook.run('cw.set_language("zh")')
    expect_language(notebook.page, 1, "zh-Hans")
    expect(layers).to_have_attribute("data-shown-layer", "stem.conv")
    expect(layers.locator(".cnnviz-caption:visible").first).to_contain_text(
        re.compile(r"\d+ 个通道")
    )
    notebook.run("cw.set_language(None)")
    expect_language(notebook.page, 0, "en")


def test_a_chinese_browser_is_spoken_to_in_chinese(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(locale="zh-CN")
    notebook.run(SHOW)
    expect_language(notebook.page, 1, "zh-Hans")
    network = notebook.evaluate(
        "[*sample.class_names, *(info.type for info in insp.modules),"
        " *(part for info in insp.modules for part in info.path.split('.')),"
        " *(part for method in shown[2]._methods if isinstance(method['title'], str)"
        " for part in re.findall(r'\\w+', method['title']))]"
    )
    assert isinstance(network, list)
    for name in VIEWS:
        view = view_of(notebook.page, name)
        text = view.evaluate(
            "(view) => [view.innerText, ...[...view.querySelectorAll('[aria-label]')]"
            ".map((each) => each.getAttribute('aria-label'))].join('\\n')"
        )
        assert {*re.findall(r"[A-Za-z]\w{3,}", text)} - NAMES - set(map(str, network)) == set()


@pytest.mark.parametrize(("locale", "place", "tag"), [("en-GB", 0, "en"), ("zh-CN", 1, "zh-Hans")])
def test_an_exported_page_speaks_as_its_reader_does(
    browser: Browser, tmp_path: Path, locale: str, place: int, tag: str
) -> None:
    import cnnviz_widgets as cw

    sample = cw.samples.load("shapes")
    insp = cw.Inspector(sample.model, sample.images[:1], class_names=sample.class_names)
    widgets = [cw.LayerBrowser(insp), cw.SaliencyOverlay(insp)]
    with pytest.warns(UserWarning, match="are left out to keep the page small"):
        path = cw.to_html(widgets, tmp_path / "page.html", max_mb=0.12)
    page = SavedPage(browser, path, locale=locale)
    for name in ("layer-browser", "saliency-overlay"):
        view = view_of(page.page, name)
        expect(view).to_have_attribute("lang", tag)
        expect(view).to_contain_text(VIEWS[name][place])
    note = page.page.locator(".page-note").first
    expect(note).to_have_attribute("lang", tag)
    expect(note).to_contain_text(("are left out", "省略了")[place])
    hint = ("This needs a kernel", "此项需要内核")[place]
    expect(page.page.locator(f'[title^="{hint}"]').first).to_be_attached()
    page.check()
    page.close()
