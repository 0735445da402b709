"""What axe-core finds in a page, and what it does not look at: contrast of borders and focus rings.

In: a Playwright page. Out: lines of text, one for each thing that is wrong.
"""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.server import PROJECT

_AXE = PROJECT / "node_modules" / "axe-core" / "axe.min.js"

# At which level a widget's headings stand is a matter of the text around it.
_RUN = """
async (roots) => {
  const context = roots === null ? document : { include: roots.map((root) => [root]) };
  const rules = { "heading-order": { enabled: false } };
  const { violations } = await axe.run(context, { rules, resultTypes: ["violations"] });
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ html, any, all, none }) => {
      const why = [...any, ...all, ...none].map(({ message }) => message).join("; ");
      return `${impact} ${id}: ${html.slice(0, 200)}: ${why}`;
    }));
}
"""

# Colours as the browser computes them may be in any notation: a canvas makes numbers of them.
_CONTRAST = """
(roots) => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const level = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const light = (colours) => {
    context.clearRect(0, 0, 1, 1);
    for (const colour of ["white", ...colours]) {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
    }
    const parts = [...context.getImageData(0, 0, 1, 1).data];
    const [red, green, blue] = parts.map((part) => level(part / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const grounds = (element) => {
    const found = [];
    for (let at = element; at; at = at.parentElement) {
      found.unshift(getComputedStyle(at).backgroundColor);
    }
    return found;
  };
  const ratio = (colour, element) => {
    const ground = grounds(element);
    const [dark, bright] = [light(ground), light([...ground, colour])].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const isEmpty = (colour) => colour === "rgba(0, 0, 0, 0)" || colour === "transparent";
  const wrong = [];
  const name = (element) => element.outerHTML.slice(0, 120);
  for (const root of document.querySelectorAll(roots)) {
    const all = [...root.querySelectorAll("select, input, button, summary, [tabindex='0']")];
    for (const control of all) {
      if (control.disabled || !control.checkVisibility()) continue;
      const { borderTopStyle: line, borderTopColor: edge } = getComputedStyle(control);
      const isBoxed = control.matches("select, button, summary, [type=number], [type=search]");
      if (isBoxed && line !== "none" && !isEmpty(edge)) {
        const found = ratio(edge, control.parentElement);
        if (found < 3) wrong.push(`border ${found.toFixed(2)}: ${name(control)}`);
      }
      control.focus({ preventScroll: true, focusVisible: true });
      const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(
        control.closest("label")?.querySelector("canvas") ?? control);
      const ring = outlineStyle === "none" ? 0 : ratio(outlineColor, control.parentElement);
      if (ring < 3 || parseFloat(outlineWidth) < 2) {
        wrong.push(`ring ${ring.toFixed(2)} ${outlineStyle} ${outlineWidth}: ${name(control)}`);
      }
    }
  }
  return wrong;
}
"""


def violations(page: Page, roots: list[str] | None) -> list[str]:
    """Return what axe-core's rules find wrong within the roots, or in the whole document."""
    if page.evaluate("() => typeof axe") == "undefined":
        page.evaluate(_AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(_RUN, roots)
    return found


def faint_controls(page: Page, roots: str) -> list[str]:
    """Return controls whose border or focus ring has less than 3 to 1 against what is around it."""
    found: list[str] = page.evaluate(_CONTRAST, roots)
    return found
