"""FilterGrid: the weights of any layer that has them, and what each filter answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, cast

import traitlets

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.inspection.weights import Weights
from cnnviz_widgets.rendering.colormap import Rgb
from cnnviz_widgets.rendering.mosaic import mosaic
from cnnviz_widgets.streaming.messages import Request, read_name, read_whole
from cnnviz_widgets.streaming.wire import Header

from .baking import Wanted
from .base import Answer, Frame, InspectorWidget, Reply, Watched, built, checked_choice
from .filter_frames import answer_frame, bank_frame, drawn_bank, filter_frame, likeness_frame
from .filter_index import FilterEntry, FilterIndex, build_filter_index
from .layer_frames import input_frame
from .prefetch import frames_ahead
from .stills import MOST_CHANNELS, captioned, enlarged

SCALE_MODES = ("layer", "filter")
SORTS = ("index", "norm", "similarity")
MAX_WIDTH_PX = 8192
STORED_WIDTH_PX = 960
"""Width for which matrices are stored, where no reader's screen is known."""


class FilterGrid(InspectorWidget):
    """Look at the weights of a network: all filters of a layer, and one of them value by value.

    Parameters
    ----------
    model : torch.nn.Module or Inspector
        A network, or an `Inspector` that already holds one.
    inputs : optional
        As in `InspectorWidget`. Weights need none: without inputs there is no picture and no
        answer of a filter, all else works, and the network is never run.
    class_names, mean, std, output, layers, layouts : optional
        As in `Inspector`; they go with inputs.
    layer : str, optional
        Layer to open; by default the first that has weights.
    filter : int, optional
        Filter to open, from 0.
    image : int, optional
        Picture of the batch to show, from 0.
    scale_mode : {"layer", "filter"}, optional
        All filters of a layer on one scale (default), or each on its own. Either is symmetric, so
        that a weight of 0 is always the middle colour.
    sort : {"index", "norm", "similarity"}, optional
        Order of the filters; "similarity" puts neighbours that are alike next to each other (see
        `cnnviz_widgets.rendering.filters.likeness`).

    Attributes
    ----------
    inspector : Inspector or None
        What answers; None without inputs.
    weights : Weights
        What is shown.
    layer, filter, image, scale_mode, sort, tile : str, int, int, str, str, int
        What the view shows, and how; set them from Python and the view follows.

    Examples
    --------
    >>> import cnnviz_widgets as cw
    >>> shapes = cw.samples.load("shapes")
    >>> grid = cw.FilterGrid(shapes.model)
    >>> grid.layer = "layer1.0.conv1"

    Notes
    -----
    A filter is what makes one output channel. Filters that read red, green and blue are drawn in
    colour; one with a single input as its kernel; one with many inputs as the L2 norm over them at
    every place of the kernel, with its kernels beside it once it is chosen; a dense layer or 1 x 1
    convolution as a matrix. A filter is marked dead when its norm is at most 2 % of the largest of
    its layer, a twin when its cosine similarity with another that reads the same inputs is 0.99 or
    more. Changes of weights are seen the next time that the view asks for something.
    """

    _esm = built("filter-grid.js")
    _css = built("filter-grid.css")

    inspector: Inspector | None  # type: ignore[assignment]  # weights need no inputs
    layer = traitlets.Unicode(help="Name of the layer shown.").tag(sync=True)
    filter = traitlets.Int(0, min=0, help="Filter opened large.").tag(sync=True)
    scale_mode = traitlets.Unicode("layer", help=f"One of {SCALE_MODES}.").tag(sync=True)
    sort = traitlets.Unicode("index", help=f"One of {SORTS}.").tag(sync=True)
    tile = traitlets.Int(64, min=16, max=512, help="Side of a filter, in CSS pixels.").tag(
        sync=True
    )

    def __init__(self, model: object, inputs: object = None, **options: Any) -> None:
        super().__init__(model, inputs, **options)
        if not self.layer:
            self.layer = self._index["layers"][0]["name"]

    def __repr__(self) -> str:
        alone = getattr(self, "weights", None) is not None and self.inspector is None
        return f"FilterGrid({type(self.weights.model).__name__})" if alone else super().__repr__()

    def _watch(self, model: object, given: Mapping[str, object]) -> Watched:
        """Take an Inspector or make one; without inputs the weights alone are enough."""
        if isinstance(model, Inspector) or "inputs" in given:
            watched = super()._watch(model, given)
            assert self.inspector is not None
            self.weights = Weights(self.inspector.model)
            return watched
        if given:
            name = next(iter(given))
            raise TypeError(
                f"{name}=... was given without inputs; leave {name} out, or give inputs too, so "
                "that there is something to run the network on."
            )
        self.inspector = None
        # Weights checks its argument itself.
        self.weights = Weights(cast("Any", model))
        return self.weights

    def _make_index(self) -> FilterIndex:
        if self.inspector is not None:
            self.weights.check()
        return build_filter_index(self.weights, self.inspector)

    def _refresh_index(self) -> None:
        """Stay on a layer that still exists."""
        super()._refresh_index()
        names = [layer["name"] for layer in self._index["layers"]]
        if self.layer not in names:
            self.layer = names[0]

    @traitlets.validate("layer")
    def _known_layer(self, proposal: dict[str, Any]) -> str:
        name: str = proposal["value"]
        return self.weights.find(name).name if name else name

    @traitlets.validate("scale_mode", "sort")
    def _known_choice(self, proposal: dict[str, Any]) -> str:
        name = proposal["trait"].name
        allowed = {"scale_mode": SCALE_MODES, "sort": SORTS}[name]
        return checked_choice(name, proposal["value"], allowed)

    def _bake_requests(self) -> Iterator[Wanted]:
        """All layers, then their filters one by one, then what these answer to the pictures."""
        images = sorted(range(self._index["batch"]), key=lambda image: image != self.image)
        layers = cast("list[FilterEntry]", self._index["layers"])
        for image in images:
            yield Wanted("input", {"image": image}, "pictures")
        for layer in layers:
            name = layer["name"]
            yield Wanted("layer", {"layer": name, "image": 0, "tile": STORED_WIDTH_PX}, "layers")
            yield Wanted("likeness", {"layer": name}, "orders by likeness")
        for layer in layers:
            for number in range(layer["filters"]):
                yield Wanted("filter", {"layer": layer["name"], "filter": number}, "filters")
        for layer in layers:
            answers = layer["answers"]
            for number in range(layer["filters"] if answers and images else 0):
                asked: Header = {"layer": answers, "image": self.image, "filter": number}
                yield Wanted("answer", asked, f"answers of filters to picture {self.image + 1}")

    def _still(self) -> Rgb:
        """Draw the filters of the layer shown: a row of a matrix, or a tile of a mosaic, each."""
        frame = self._bank_frame(self.layer, STORED_WIDTH_PX)
        drawn = drawn_bank(frame, self.scale_mode)
        if frame.fields["kind_of"] == "matrix":
            picture = enlarged(drawn[None, :, 0], 4 * self.tile)[0]
        else:
            picture = mosaic(enlarged(drawn[:MOST_CHANNELS], self.tile), gap=2)
        return captioned(picture, f"Filters of {self.layer}: {len(drawn)}")

    def _bank_frame(self, name: str, width: int) -> Frame:
        bank = self.weights.bank(name)
        colour = any(
            entry["colour"] for entry in self._index["layers"] if entry["name"] == bank.info.name
        )
        return bank_frame(bank, width=width, colour=colour)

    def _layer(self, request: Request, _reply: Reply) -> Iterator[Frame]:
        params = request.params
        yield self._bank_frame(read_name(params, "layer"), _width(params))

    def _filter(self, request: Request, _reply: Reply) -> Iterator[Frame]:
        bank = self.weights.bank(read_name(request.params, "layer"))
        yield filter_frame(bank, read_whole(request.params, "filter"))

    def _likeness(self, request: Request, _reply: Reply) -> Iterator[Frame]:
        yield likeness_frame(self.weights.bank(read_name(request.params, "layer")))

    def _answer_of(self, request: Request, _reply: Reply) -> Iterator[Frame]:
        params = request.params
        yield answer_frame(
            self._with_inputs(),
            read_name(params, "layer"),
            image=read_whole(params, "image"),
            filter_=read_whole(params, "filter"),
        )

    def _input(self, request: Request, _reply: Reply) -> Iterator[Frame]:
        yield input_frame(self._with_inputs(), image=read_whole(request.params, "image"))

    def _with_inputs(self) -> Inspector:
        if self.inspector is None:
            raise ValueError("This FilterGrid has no inputs, so there is no picture to answer on.")
        return self.inspector

    def _prefetch(self, request: Request, reply: Reply) -> Iterator[Frame]:
        """Send layers while nobody asks for anything else, then say which were sent."""
        width = _width(request.params)

        def make(name: str) -> tuple[Frame, Header]:
            asked: Header = {"layer": name, "image": 0, "tile": width, "side": "output"}
            return self._bank_frame(name, width), asked

        yield from frames_ahead(request, reply, make)

    WORDS: ClassVar = ("filter_grid",)
    ANSWERS: ClassVar[dict[str, Answer]] = {
        "layer": _layer,
        "filter": _filter,
        "likeness": _likeness,
        "answer": _answer_of,
        "input": _input,
        "prefetch": _prefetch,
    }


def _width(params: Header) -> int:
    """Device pixels that a matrix may be wide; the wire calls it the tile, as for layers."""
    return read_whole(params, "tile", low=1, high=MAX_WIDTH_PX)
