"""ImagePicker in JupyterLab: a file chosen, dropped and pasted, samples, and views that follow."""

from __future__ import annotations

import base64
import io
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenNotebook
from tests.browser.notebook import Notebook

Pixels = npt.NDArray[np.uint8]

pytestmark = pytest.mark.browser

LOAD = """
import zlib
import torch
import cnnviz_widgets as cw
shapes = cw.samples.load("shapes")
inspector = cw.Inspector(shapes.model, shapes.images, class_names=shapes.class_names,
                         mean=shapes.mean, std=shapes.std)
picker = cw.ImagePicker(inspector, samples=shapes)

def given():
    mean, std = (torch.tensor(each)[:, None, None] for each in (shapes.mean, shapes.std))
    levels = ((inspector.inputs[0] * std + mean) * 255).round().byte()
    return zlib.crc32(levels.permute(1, 2, 0).contiguous().numpy())

picker
"""
NOISE = np.random.default_rng(11).integers(0, 256, (64, 64, 3), dtype=np.uint8)
CARRY = """
([type, data, name]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name, { type: "image/png" }));
  const init = { bubbles: true, cancelable: true };
  const zone = document.querySelector('[data-cnnviz-control="file"]');
  if (type === "paste") {
    zone.dispatchEvent(new ClipboardEvent("paste", { ...init, clipboardData: carried }));
    return;
  }
  for (const step of ["dragenter", "dragover", "drop"]) {
    zone.dispatchEvent(new DragEvent(step, { ...init, dataTransfer: carried }));
  }
}
"""


def png(pixels: Pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


class Picker:
    """The view of a picker in a notebook, and a browser of layers below it."""

    def __init__(self, notebook: Notebook) -> None:
        notebook.run(LOAD)
        notebook.run("cw.LayerBrowser(inspector)")
        self.notebook = notebook
        self.root = notebook.page.locator('[data-cnnviz-widget="image-picker"]')
        self.browser = notebook.page.locator('[data-cnnviz-widget="layer-browser"]')
        expect(self.root).to_have_attribute("data-shown-image", "0")

    def see(self) -> None:
        """Bring the picker into sight: a view that is not seen asks for nothing."""
        self.root.scroll_into_view_if_needed()

    def pixels(self, view: Locator) -> Pixels:
        """Return the picture that goes in, as a view draws it."""
        canvas = view.locator('[aria-label="The picture that goes in"] canvas')
        handle = canvas.element_handle()
        assert handle is not None
        return self.notebook.pixels(handle)[:, :, :3]

    def carry(self, how: str, pixels: Pixels, name: str) -> None:
        """Drop or paste a file."""
        self.see()
        data = base64.b64encode(png(pixels)).decode()
        self.notebook.page.evaluate(CARRY, [how, data, name])

    def expect_shown(self, pixels: Pixels, name: str) -> None:
        """Check that the network is given these pixels, and that both views show them."""
        expect(self.root.locator(".cnnviz-done strong")).to_have_text(name)
        expect(self.root.locator("[aria-busy]")).to_have_count(0)
        for view in (self.root, self.browser):
            self.notebook.page.wait_for_function(
                "([view, pixel]) => { const canvas = view.querySelector("
                "'[aria-label=\"The picture that goes in\"] canvas');"
                "return `${canvas.getContext('2d').getImageData(0, 0, 1, 1).data}` === pixel; }",
                arg=[view.element_handle(), ",".join(map(str, [*pixels[0, 0], 255]))],
            )
            np.testing.assert_array_equal(self.pixels(view), pixels)
        assert self.notebook.evaluate("given()") == zlib.crc32(pixels.tobytes())


@pytest.fixture
def picker(open_notebook: OpenNotebook) -> Picker:
    return Picker(open_notebook())


def test_files_arrive_bit_for_bit_and_a_linked_view_follows(picker: Picker, tmp_path: Path) -> None:
    path = tmp_path / "noise.png"
    path.write_bytes(png(NOISE))
    with picker.notebook.page.expect_file_chooser() as chooser:
        picker.root.get_by_role("button", name="Choose a picture or drop it here").click()
    chooser.value.set_files(path)
    picker.expect_shown(NOISE, "noise.png")
    picker.carry("drop", NOISE[::-1], "upside down.png")
    picker.expect_shown(NOISE[::-1], "upside down.png")
    picker.carry("paste", NOISE[:, ::-1], "mirrored.png")
    picker.expect_shown(NOISE[:, ::-1], "mirrored.png")


def test_a_large_picture_is_cropped_and_says_so(picker: Picker) -> None:
    wide = np.random.default_rng(2).integers(0, 256, (900, 1800, 3), dtype=np.uint8)
    assert len(png(wide)) > 4 << 20  # several parts
    picker.carry("drop", wide, "wide.png")
    middle = Image.fromarray(wide[:, 450:1350]).resize((64, 64), Image.Resampling.BILINEAR)
    picker.expect_shown(np.asarray(middle), "wide.png")
    expect(picker.root.locator(".cnnviz-done li")).to_have_text(
        [
            "cropped to its middle, 900 \N{MULTIPLICATION SIGN} 900",
            "made smaller to 64 \N{MULTIPLICATION SIGN} 64",
            "normalised with the mean and std of the Inspector",
        ]
    )
    picker.see()
    picker.root.get_by_label("Other proportions are").select_option("pad")
    expect(picker.root.locator(".cnnviz-done li").first).to_have_text(
        "made smaller to 64 wide and 32 high"
    )
    expect(picker.root.locator(".cnnviz-done strong")).to_have_text("wide.png")


def test_a_sample_is_chosen_by_keys(picker: Picker) -> None:
    samples = picker.root.get_by_role("radio")
    expect(samples).to_have_count(16)
    samples.nth(1).check(force=True)
    best = picker.browser.locator(".cnnviz-predictions .cnnviz-class").first
    expect(best).to_have_text("square")
    picker.notebook.page.keyboard.press("ArrowRight")
    expect(best).to_have_text("triangle")
    expect(samples.nth(2)).to_be_checked()
    assert picker.notebook.evaluate("picker._chosen['sample']") == 2


def test_a_broken_file_is_told_and_the_picture_stays(picker: Picker) -> None:
    picker.carry("drop", NOISE, "noise.png")
    picker.expect_shown(NOISE, "noise.png")
    picker.see()
    picker.root.locator('input[type="file"]').set_input_files(
        {"name": "broken.png", "mimeType": "image/png", "buffer": png(NOISE)[:900]}
    )
    alarm = picker.root.get_by_role("alert")
    expect(alarm).to_contain_text("This picture cannot be used")
    expect(alarm).to_contain_text("the picture is broken")
    picker.expect_shown(NOISE, "noise.png")
    picker.see()
    picker.root.locator('input[type="file"]').set_input_files(
        {"name": "text.png", "mimeType": "image/png", "buffer": b"hello"}
    )
    expect(alarm).to_contain_text("not a picture that can be read")
