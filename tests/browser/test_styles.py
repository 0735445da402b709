"""Style sheets are the whole page's: those of one widget must not change another."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser

# Boxes and styles of a view's elements, with all style sheets and with its own alone.
_COMPARE = """
(name) => {
  const root = document.querySelector(`[data-cnnviz-widget="${name}"]`);
  const sheets = [...document.styleSheets];
  const about = (sheet) => [...sheet.cssRules].map(({ cssText }) => cssText).join();
  const of = (sheet, widget) => about(sheet).includes(`.cnnviz[data-cnnviz-widget${widget}`);
  const others = sheets.filter((sheet) => of(sheet, "=") && !of(sheet, `="${name}"`));
  const read = () => {
    const { top, left } = root.getBoundingClientRect();
    return [...root.querySelectorAll("*")].map((element) => {
      const { x, y, width, height } = element.getBoundingClientRect();
      const { color, backgroundColor, borderTopColor } = getComputedStyle(element);
      const box = [x - left, y - top, width, height].map((size) => Math.round(size));
      // Where an element is that is not shown is nobody's matter.
      if (!width && !height) return "";
      return [...box, color, backgroundColor, borderTopColor].join(" ");
    });
  };
  const together = read();
  for (const sheet of others) sheet.disabled = true;
  const alone = read();
  for (const sheet of others) sheet.disabled = false;
  const differ = [...root.querySelectorAll("*")].flatMap((element, place) =>
    alone[place] === together[place]
      ? []
      : [`${element.outerHTML.slice(0, 90)}: ${alone[place]} alone, ${together[place]} together`]);
  return [others.length, differ.slice(0, 5)];
}
"""


@pytest.mark.parametrize("width", [1180, 600, 320])
def test_a_view_looks_the_same_beside_others(
    four_views: Path, open_page: OpenPage, width: int
) -> None:
    page = open_page(four_views, width=width).page
    page.set_viewport_size({"width": width, "height": 6000})
    expect(page.locator(".cnnviz[data-shown-seq]")).to_have_count(4)
    for name in ("layer-browser", "cam-slider", "saliency-overlay", "filter-grid"):
        sheets, differences = page.evaluate(_COMPARE, name)
        assert sheets == 3
        assert not differences, "\n".join([name, *differences])
