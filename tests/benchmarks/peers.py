"""What the layer slider is compared with, as notebook cells and the page's side of each.

A cell shows one control; its `JAVASCRIPT` entry tells timing.js how to move it and what it shows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

MAPS = (64, 56, 56)
"""Channels, height and width of the compared layers."""

PAGE_ONLY = '''
import anywidget, numpy, traitlets

class PageOnly(anywidget.AnyWidget):
    """A slider over pictures that are all in the page: the floor."""

    _esm = """
    export default { render({ model, el }) {
      const { columns, scale, left, top, pitchX, pitchY, width, height, count, maps } =
        model.get("geometry");
      const [channels, rows, cols] = maps;
      const view = model.get("codes");
      const codes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
      const input = Object.assign(document.createElement("input"),
        { type: "range", min: 0, max: count - 1, value: 0, className: "page-only" });
      const canvas = Object.assign(document.createElement("canvas"), { width, height });
      canvas.style.cssText = `display: block; width: ${width / devicePixelRatio}px`;
      el.append(input, canvas);
      const context = canvas.getContext("2d", { alpha: false });
      const image = context.createImageData(width, height);
      const pixels = new Uint32Array(image.data.buffer).fill(0xffffffff);
      const table = Uint32Array.from({ length: 256 }, (_, i) => 0xff000000 | (i << 16) | (255 - i));
      function draw(which) {
        for (let channel = 0; channel < channels; channel++) {
          const x0 = left + (channel % columns) * pitchX;
          const y0 = top + Math.floor(channel / columns) * pitchY;
          let at = (which * channels + channel) * rows * cols;
          for (let y = 0; y < rows; y++) {
            const line = y0 + y * scale;
            if (line + scale > height) break;
            const start = line * width + x0;
            let to = start;
            for (let x = 0; x < cols; x++) {
              const colour = table[codes[at++]];
              for (let s = 0; s < scale; s++) pixels[to++] = colour;
            }
            for (let s = 1; s < scale; s++) {
              pixels.copyWithin(start + s * width, start, start + cols * scale);
            }
          }
        }
        context.putImageData(image, 0, 0);
        input.dataset.shown = which;
      }
      input.addEventListener("input", () => draw(Number(input.value)));
      draw(0);
    } };
    """
    codes = traitlets.Bytes().tag(sync=True)
    geometry = traitlets.Dict().tag(sync=True)

_codes = numpy.random.default_rng(0).integers(
    0, 253, GEOMETRY["count"] * numpy.prod(GEOMETRY["maps"]), dtype=numpy.uint8)
PageOnly(codes=_codes.tobytes(), geometry=GEOMETRY)
'''

ROUND_TRIP = '''
import anywidget

class RoundTrip(anywidget.AnyWidget):
    """Answers each message with 200,704 bytes: the floor of anything that asks the kernel."""

    _esm = """
    export default { render({ model, el }) {
      el.textContent = "round trip";
      let waiting = null;
      model.on("msg:custom", (content, buffers) => {
        if (buffers[0].byteLength === 200704) waiting?.(performance.now());
      });
      window.cnnvizRoundTrip = async (count) => {
        const took = [];
        for (let i = 0; i < count; i++) {
          await new Promise((resolve) => setTimeout(resolve, 50 + 20 * Math.random()));
          const started = performance.now();
          const ended = new Promise((resolve) => { waiting = resolve; });
          model.send({ n: i });
          took.push((await ended) - started);
        }
        return took;
      };
    } };
    """

_payload = bytes(range(256)) * 784
_echo = RoundTrip()
_echo.on_msg(lambda widget, content, buffers: widget.send({"n": content["n"]}, [_payload]))
_echo
'''

# The figure's face colour says which value is shown: the picture's first pixel is (v, v, v).
INTERACT = """
%matplotlib inline
import matplotlib.pyplot as plt
from ipywidgets import IntSlider, interact

_maps = layers()

def show(value):
    figure, axes = plt.subplots(8, 8, figsize=(8, 8), facecolor=(value / 255,) * 3)
    for axis, picture in zip(axes.flat, _maps[value]):
        axis.imshow(picture, cmap="viridis")
        if BARE:
            axis.axis("off")
    plt.show()

interact(show, value=IntSlider(min=0, max=len(_maps) - 1));
"""

JAVASCRIPT = {
    "page-only": """() => {
      const input = document.querySelector("input.page-only");
      window.cnnvizTiming.specs["page-only"] = {
        set: (value) => window.cnnvizTest.set(input, value),
        shown: () => Number(input.dataset.shown),
      };
    }""",
    "interact": """() => {
      const slider = document.querySelector(".widget-interact .noUi-target").noUiSlider;
      const probe = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
      let seen = null;
      let value = null;
      window.cnnvizTiming.specs.interact = {
        set: (next) => slider.set(next),
        shown: () => {
          const image = document.querySelector(".widget-interact img");
          if (!image?.complete || image.naturalWidth === 0) return null;
          if (image.src !== seen) {
            seen = image.src;
            probe.drawImage(image, 0, 0, 1, 1, 0, 0, 1, 1);
            value = probe.getImageData(0, 0, 1, 1).data[0];
          }
          return value;
        },
      };
    }""",
}


LAYERS = """
import torch

def layers():
    \"\"\"Return ResNet-18's layers of 64 maps of 56 x 56, by plain hooks: a list of arrays.\"\"\"
    torch.manual_seed(0)
    from tests.benchmarks.networks import resnet18
    model, found = resnet18().eval(), []
    for module in model.modules():
        if not list(module.children()):
            module.register_forward_hook(lambda module, args, output: found.append(output.clone()))
    with torch.inference_mode():
        model(torch.randn(1, 3, 224, 224))
    return [output[0].numpy() for output in found if output.shape[1:] == (64, 56, 56)]
"""


@dataclass(frozen=True)
class Canvas:
    """Where the maps stand on a canvas; everything in backing-store pixels.

    Parameters
    ----------
    columns, pitch_x, pitch_y : int
        Maps in a row, and the distance from one map's corner to the next one's.
    left, top : int
        The first map's corner.
    scale : int
        Pixels per value, along one axis.
    width, height : int
        Of the canvas; rows of maps below it are not drawn.
    """

    columns: int
    pitch_x: int
    pitch_y: int
    left: int
    top: int
    scale: int
    width: int
    height: int


def page_only(canvas: Canvas, *, count: int) -> str:
    """Return a cell with the page-only slider over `count` pictures of `MAPS` values each."""
    geometry = {
        "columns": canvas.columns,
        "pitchX": canvas.pitch_x,
        "pitchY": canvas.pitch_y,
        "left": canvas.left,
        "top": canvas.top,
        "scale": canvas.scale,
        "width": canvas.width,
        "height": canvas.height,
        "count": count,
        "maps": MAPS,
    }
    return f"GEOMETRY = {json.dumps(geometry)}\n{PAGE_ONLY}"


def interact_grid(*, bare: bool) -> str:
    """Return a cell with ipywidgets.interact over a matplotlib grid of the same layers.

    `bare` takes the axes away, which makes matplotlib two to three times as fast.
    """
    return f"BARE = {bare}\n{LAYERS}{INTERACT}"
