"""LayerBrowser: slide through the layers of a network and see every channel of each at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import traitlets

from cnnviz_widgets.inspection.maps import Side
from cnnviz_widgets.rendering.colormap import Rgb, colormap_names
from cnnviz_widgets.streaming.messages import Request, read_name, read_whole
from cnnviz_widgets.streaming.wire import Header

from .baking import Wanted
from .base import Answer, Frame, InspectorWidget, Reply, built, checked_choice
from .layer_frames import channel_frame, input_frame, layer_frame
from .prefetch import frames_ahead
from .stills import layer_still

SCALE_MODES = ("channel", "layer", "fixed")
SORTS = ("index", "mean", "maximum", "variance", "zeros")
SIDES = ("output", "input")
MAX_TILE_PX = 4096


class LayerBrowser(InspectorWidget):
    """Browse the layers of a network: all channels of one layer, one channel large, the picture.

    Parameters
    ----------
    model, inputs, class_names, mean, std, output, layers, layouts
        As in `InspectorWidget`: a network and what it takes, or an `Inspector`.
    layer : str, optional
        Layer to open; by default the first.
    channel : int, optional
        Channel to open, from 0.
    image : int, optional
        Picture of the batch to show, from 0.
    scale_mode : {"channel", "layer", "fixed"}, optional
        Each channel over its own range (default), all over the layer's, or over `scale_low` to
        `scale_high`.
    colormap : str, optional
        "viridis" (default), "magma", "cividis", "gray" or the diverging "coolwarm".
    sort : {"index", "mean", "maximum", "variance", "zeros"}, optional
        Order of the channels.

    Attributes
    ----------
    inspector : Inspector
        What is browsed; `inspector.set_inputs` shows other pictures in every widget over it.
    layer, channel, image : str, int, int
        What the view shows; set them from Python and the view follows.
    scale_mode, scale_low, scale_high, colormap, diverging : str, float, float, str, bool
        How values become colours.
    sort, tile, show_input : str, int, bool
        Order of the channels, side of a map in CSS px, whether the layer's input stands beside.

    Examples
    --------
    >>> import cnnviz_widgets as cw
    >>> shapes = cw.samples.load("shapes")
    >>> browser = cw.LayerBrowser(shapes.model, shapes.images, class_names=shapes.class_names)
    >>> browser.layer = "layer1.0.conv1"

    Notes
    -----
    One forward pass when it is made and one for every new inputs or changed weights; sliding costs
    none. A layer goes over the wire once, 1 byte a value, and stays in the page, in a cache of 64
    MB.
    """

    _esm = built("layer-browser.js")
    _css = built("layer-browser.css")

    NEEDS_KERNEL: ClassVar[tuple[str, ...]] = ("layout",)

    layer = traitlets.Unicode(help="Name of the layer shown.").tag(sync=True)
    channel = traitlets.Int(0, min=0, help="Channel opened large.").tag(sync=True)
    scale_mode = traitlets.Unicode("channel", help=f"One of {SCALE_MODES}.").tag(sync=True)
    scale_low = traitlets.Float(0.0, help="Low end of the fixed scale.").tag(sync=True)
    scale_high = traitlets.Float(1.0, help="High end of the fixed scale.").tag(sync=True)
    colormap = traitlets.Unicode("viridis", help="Name of the colormap.").tag(sync=True)
    diverging = traitlets.Bool(False, help="Centre the scale on zero.").tag(sync=True)
    sort = traitlets.Unicode("index", help=f"One of {SORTS}.").tag(sync=True)
    tile = traitlets.Int(64, min=16, max=512, help="Side of a map, in CSS pixels.").tag(sync=True)
    show_input = traitlets.Bool(False, help="Show the layer's input too.").tag(sync=True)

    def __init__(self, model: object, inputs: object = None, **options: Any) -> None:
        super().__init__(model, inputs, **options)
        if not self.layer:
            self.layer = self.inspector.layers[0].name

    def _refresh_index(self) -> None:
        """Stay on a layer that still exists."""
        names = {layer.name for layer in self.inspector.modules}
        if self.layer not in names:
            self.layer = self.inspector.layers[0].name
        super()._refresh_index()

    @traitlets.validate("layer")
    def _known_layer(self, proposal: dict[str, Any]) -> str:
        name: str = proposal["value"]
        return self.inspector.find(name).name if name else name

    @traitlets.validate("scale_mode", "sort", "colormap")
    def _known_choice(self, proposal: dict[str, Any]) -> str:
        name = proposal["trait"].name
        allowed = {"scale_mode": SCALE_MODES, "sort": SORTS, "colormap": colormap_names()}[name]
        return checked_choice(name, proposal["value"], allowed)

    def _bake_requests(self) -> Iterator[Wanted]:
        """Every layer of every picture, the picture shown first; what layers are given, last."""
        batch = range(self.inspector.batch_size)
        images = sorted(batch, key=lambda image: image != self.image)
        modules = sorted(self.inspector.modules, key=lambda layer: not layer.is_leaf)
        for image in images:
            yield Wanted("input", {"image": image}, "pictures")
        for side in SIDES:
            for image in images:
                what = f"{side}s of layers for picture {image + 1}"
                for layer in modules:
                    asked: Header = {"layer": layer.name, "image": image, "tile": self.tile}
                    if side == "input":
                        asked["side"] = side
                    yield Wanted("layer", asked, what)

    def _still(self) -> Rgb | None:
        """Draw the channels of the layer shown."""
        return layer_still(
            self.inspector, self.layer, image=self.image, colormap=self.colormap, tile=self.tile
        )

    def _layer(self, request: Request, _reply: Reply) -> Iterator[Frame]:
        params = request.params
        yield layer_frame(
            self.inspector,
            read_name(params, "layer"),
            image=read_whole(params, "image"),
            tile=read_whole(params, "tile", low=1, high=MAX_TILE_PX),
            side=_side(params),
        )

    def _channel(self, request: Request, _reply: Reply) -> Iterator[Frame]:
        params = request.params
        yield channel_frame(
            self.inspector,
            read_name(params, "layer"),
            image=read_whole(params, "image"),
            channel=read_whole(params, "channel"),
        )

    def _input(self, request: Request, _reply: Reply) -> Iterator[Frame]:
        yield input_frame(self.inspector, image=read_whole(request.params, "image"))

    def _layout(self, request: Request, _reply: Reply) -> Iterator[Frame]:
        """Take the reader's word for what the axes of a layer mean."""
        params = request.params
        self.inspector.set_layout(read_name(params, "layer"), read_name(params, "layout"))
        yield Frame()

    def _prefetch(self, request: Request, reply: Reply) -> Iterator[Frame]:
        """Send layers while nobody asks for anything else, then say which were sent."""
        image = read_whole(request.params, "image")
        tile = read_whole(request.params, "tile", low=1, high=MAX_TILE_PX)

        def make(name: str) -> tuple[Frame, Header]:
            frame = layer_frame(self.inspector, name, image=image, tile=tile, side="output")
            return frame, {"layer": name, "image": image, "tile": tile, "side": "output"}

        yield from frames_ahead(request, reply, make)

    WORDS: ClassVar = ("layer_browser",)
    ANSWERS: ClassVar[dict[str, Answer]] = {
        "layer": _layer,
        "channel": _channel,
        "input": _input,
        "layout": _layout,
        "prefetch": _prefetch,
    }


def _side(params: Header) -> Side:
    side = params.get("side", "output")
    return "input" if checked_choice("side", str(side), SIDES) == "input" else "output"
