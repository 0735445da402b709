"""ImagePicker: choose, drop or paste a picture, and every widget of the Inspector shows it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import NDArray

from cnnviz_widgets.inspection.decoding import Step
from cnnviz_widgets.inspection.fitting import FITS
from cnnviz_widgets.rendering.colormap import Rgb
from cnnviz_widgets.streaming.messages import MessageError, Request, failure, read_name, read_whole
from cnnviz_widgets.streaming.uploads import MAX_FILE_BYTES, Uploads
from cnnviz_widgets.streaming.wire import Header

from .baking import Wanted
from .base import Answer, Frame, InspectorWidget, Reply, Watched, built, checked_choice
from .intake import Choice, Intake, Preprocess, choice_of, file_choice, picture_size, sample_choices
from .layer_frames import input_frame
from .stills import captioned, enlarged

_STILL_SIDE = 240


class ImagePicker(InspectorWidget):
    """Choose a picture of your own; the network and all widgets over its Inspector see it.

    Parameters
    ----------
    model, inputs, class_names, mean, std, output, layers, layouts
        As in `InspectorWidget`: a network and what it takes, or an `Inspector`. Give ``mean`` and
        ``std`` where the network learned from normalised pictures.
    samples : optional
        Pictures to choose from: a list of paths, PIL images, uint8 arrays or tensors (C, H, W), a
        dict of names and such pictures, a tensor (N, C, H, W), or what `cw.samples.load` gives. By
        default those that the Inspector holds now.
    preprocess : callable, optional
        ``preprocess(image)`` makes of a PIL image (RGB) the tensor (C, H, W) that the network
        takes, such as ``weights.transforms()`` of torchvision. `fit`, ``mean`` and ``std`` are
        then its own business.
    size : tuple of int, optional
        Height and width that pictures are brought to; by default those of the Inspector's own.
    fit : {"crop", "pad", "stretch"}, optional
        How a picture of other proportions is made to fit: cut to its middle (default), black beside
        it, or out of its proportions.

    Attributes
    ----------
    inspector : Inspector
        Whose inputs the chosen picture becomes: one picture, in place of the batch before.
    fit : str
        As given; set it, and the chosen picture is taken anew.
    image : int
        Picture of the batch shown, from 0.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        For an argument that is not what it must be, and for inputs that are no pictures.

    Notes
    -----
    A file is read in the kernel, in the way in which ``Inspector(model, path)`` reads it: turned as
    its camera was held, transparent parts on white, no colour profile applied, 16 bits cut to 8.
    Then it is cropped and scaled (see `cnnviz_widgets.inspection.fitting.fitted`), made grey where
    the network takes one channel, divided by 255, and normalised where the Inspector has ``mean``
    and ``std``. A picture that has the size already arrives pixel by pixel. The widget shows
    the result, and `steps` lists what was done. Tensors are taken as they are.

    Examples
    --------
    >>> import cnnviz_widgets as cw
    >>> shapes = cw.samples.load("shapes")
    >>> inspector = cw.Inspector(shapes.model, shapes.images, mean=shapes.mean, std=shapes.std)
    >>> picker = cw.ImagePicker(inspector)
    >>> picker.choose_sample(3)
    """

    _esm = built("image-picker.js")
    _css = built("image-picker.css")

    NEEDS_KERNEL: ClassVar[tuple[str, ...]] = ("file", "sample", "fit")
    OPTIONS: ClassVar[tuple[str, ...]] = ("samples", "preprocess", "size")

    fit = traitlets.Unicode("crop", help=f"One of {FITS}.").tag(sync=True)
    _chosen = traitlets.Dict(help="Name and steps of the chosen picture.").tag(sync=True)
    _names: traitlets.List[str] = traitlets.List(help="Names of the samples.").tag(sync=True)
    _preprocess = traitlets.Unicode("", help="Name of the user's function.").tag(sync=True)
    _most_bytes = traitlets.Int(MAX_FILE_BYTES, help="Of a file.").tag(sync=True)

    def __init__(
        self,
        model: object,
        inputs: object = None,
        *,
        samples: object = None,
        preprocess: Preprocess | None = None,
        size: Sequence[int] | None = None,
        **options: Any,
    ) -> None:
        self._asked = samples, preprocess, size
        self._uploads = Uploads()
        self._choosing = threading.RLock()
        self._current: Choice | None = None
        self._came: tuple[str, int] | None = None  # view and number of the file chosen last
        self._coming: Header | None = None
        self._seen: NDArray[np.uint8] | None = None
        super().__init__(model, inputs, **options)
        self._preprocess = self._intake.name
        self._names = [choice.name for choice in self._samples]

    def _watch(self, model: object, given: Mapping[str, object]) -> Watched:
        """Check all that is given before there is a widget."""
        watched = super()._watch(model, given)
        samples, preprocess, size = self._asked
        own = picture_size(self.inspector)
        self._intake = Intake(self.inspector, own if size is None else _checked(size), preprocess)
        self._samples = sample_choices(samples, self.inspector)
        return watched

    # -- choosing -------------------------------------------------------------------------------

    def choose(self, picture: object, *, name: str = "") -> None:
        """Let the network see a picture.

        Parameters
        ----------
        picture : path, PIL image, uint8 array or Tensor
            A tensor (C, H, W) is taken as it is; all else as the class says.
        name : str, optional
            To be shown with it; that of the file by default.

        Raises
        ------
        TypeError, ValueError, FileNotFoundError
            It is no picture; the one before stays.
        """
        self._take(choice_of(picture, name), -1, wait=None)

    def choose_sample(self, place: int) -> None:
        """Let the network see one of the samples, from 0.

        Raises
        ------
        ValueError
            There are not so many.
        """
        self._take(self._sample(place), place, wait=None)

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was done to the chosen picture, in order; empty for one that was taken as it is."""
        return tuple(Step(*step) for step in self._chosen.get("steps", []))

    def _sample(self, place: int) -> Choice:
        if not 0 <= place < len(self._samples):
            count = len(self._samples)
            raise ValueError(f"sample {place} is not there: there are {count}, counted from 0.")
        return self._samples[place]

    def _take(self, choice: Choice, sample: int, *, wait: float | None) -> None:
        """Give a choice to the Inspector; if that raises, the one before stays."""
        with self._choosing:
            taken = self._intake.taken(choice, self.fit)
            self._coming = {
                "name": choice.name,
                "sample": sample,
                "steps": [list(step) for step in taken.steps],
            }
            try:
                self.inspector.set_inputs(taken.inputs, wait=wait)
            finally:
                self._coming = None
            self._current = choice

    def _refresh_index(self) -> None:
        """Follow new inputs, and forget what was said of a picture that is no longer shown."""
        seen = self.inspector.picture(0)
        if self._coming is not None:
            self._chosen, self._seen = self._coming, seen
        elif seen is None or self._seen is None or not np.array_equal(seen, self._seen):
            self._chosen, self._seen, self._current = {}, None, None
        super()._refresh_index()

    @traitlets.validate("fit")
    def _known_fit(self, proposal: dict[str, Any]) -> str:
        return checked_choice("fit", proposal["value"], FITS)

    @traitlets.observe("fit")
    def _refit(self, _change: object) -> None:
        current = getattr(self, "_current", None)
        if current is not None:
            self._take(current, int(self._chosen.get("sample", -1)), wait=None)

    # -- what views ask -------------------------------------------------------------------------

    def _receive(self, content: object, buffers: object = None) -> None:
        """Take a part of a file here, and all other messages as every widget does."""
        try:
            if self._uploads.take(content, buffers if isinstance(buffers, list) else ()):
                return
        except MessageError as error:
            cid = content.get("cid") if isinstance(content, dict) else None
            self.send(failure(str(error), hint=None, cid=cid, seq=-1, kind="choose"))
            return
        super()._receive(content, buffers)

    def _choose(self, request: Request, reply: Reply) -> Iterator[Frame]:
        """Take a file that came, a sample, or the same picture in another fit."""
        params = request.params
        wait = self.inspector.busy_timeout_s
        if "fit" in params:
            self.fit = read_name(params, "fit")
        elif "sample" in params:
            place = read_whole(params, "sample")
            self._take(self._sample(place), place, wait=wait)
        else:
            self._take_file(request, wait)
        reply.epoch = self.inspector.epoch
        found = input_frame(self.inspector, image=0)
        yield Frame(found.fields, found.arrays, kind="input", params={"image": 0})

    def _take_file(self, request: Request, wait: float) -> None:
        params = request.params
        number, size = read_whole(params, "upload"), read_whole(params, "size")
        if self._came == (request.cid, number):
            return  # its answer was lost on the way
        name = read_name(params, "name")
        data = self._uploads.file(request.cid, number, size)
        self._take(file_choice(data, name), -1, wait=wait)
        self._came = (request.cid, number)

    def _input(self, request: Request, _reply: Reply) -> Iterator[Frame]:
        yield input_frame(self.inspector, image=read_whole(request.params, "image"))

    def _thumbnails(self, _request: Request, _reply: Reply) -> Iterator[Frame]:
        small = [self._intake.thumbnail(choice) for choice in self._samples]
        yield Frame({}, {"rgb": np.stack(small)} if small else {})

    WORDS: ClassVar = ("image_picker",)
    ANSWERS: ClassVar[dict[str, Answer]] = {
        "choose": _choose,
        "input": _input,
        "samples": _thumbnails,
    }

    # -- without a kernel -----------------------------------------------------------------------

    def _bake_requests(self) -> Iterator[Wanted]:
        for image in range(self.inspector.batch_size):
            yield Wanted("input", {"image": image}, "pictures")
        yield Wanted("samples", {}, "samples")

    def _still(self) -> Rgb | None:
        """Draw the picture that goes in, with the best class under it."""
        picture = self.inspector.picture(self.image)
        if picture is None:
            return None
        best = self.inspector.predictions(1)[self.image]
        said = f"{best[0].name}: {best[0].probability:.3f}" if best else ""
        return captioned(enlarged(np.ascontiguousarray(picture)[None], _STILL_SIDE)[0], said)


def _checked(size: Sequence[int]) -> tuple[int, int]:
    sides = tuple(size) if isinstance(size, Sequence) else ()
    if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
        raise ValueError(f"size={size!r} must be a height and a width in pixels, such as (64, 64).")
    return sides[0], sides[1]
