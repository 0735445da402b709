"""Methods: a saliency method by name, over one image of an Inspector.

In: an Inspector, a resolved score, the method and its settings. Out: `Saliency`, one number per
place of the input, with its channels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.explained import ExplainedTarget
from cnnviz_widgets.methods.case import Attribution, Case, Rule, exact_product, inputs_at_once
from cnnviz_widgets.methods.default_layer import default_layer
from cnnviz_widgets.methods.gradients import gradient, input_x_gradient, reduce_channels
from cnnviz_widgets.methods.guided import deconvnet, guided_backprop, guided_gradcam
from cnnviz_widgets.methods.integrated_gradients import integrated_gradients
from cnnviz_widgets.methods.layer_grid import layer_and_grid
from cnnviz_widgets.methods.occlusion import occlusion
from cnnviz_widgets.methods.registry import Method
from cnnviz_widgets.methods.rise import rise
from cnnviz_widgets.methods.smoothgrad import smoothgrad, vargrad
from cnnviz_widgets.words import joined

FUNCTIONS: dict[str, Callable[..., Attribution]] = {
    "gradient": gradient,
    "input_x_gradient": input_x_gradient,
    "integrated_gradients": integrated_gradients,
    "smoothgrad": smoothgrad,
    "vargrad": vargrad,
    "guided_backprop": guided_backprop,
    "deconvnet": deconvnet,
    "guided_gradcam": guided_gradcam,
    "occlusion": occlusion,
    "rise": rise,
}
"""What computes each method of the catalogue."""

_RULED = {"guided_backprop", "deconvnet", "guided_gradcam"}


@dataclass(frozen=True)
class Saliency:
    """What a method found at the input.

    Attributes
    ----------
    values : Tensor of float32, shape (*grid)
        Signed and raw; for an input without axes of places one row, its features.
    channels : Tensor of float32, shape (C, *grid), or None
        Before the channels were reduced; None where the method does not tell them apart.
    gap : float or None
        See `Attribution`.
    note : str or None
        What a reader should know, in sentences.
    parameters : dict of str to object
        Every setting, those included that the method chose.
    passes : (int, int)
        Forward and backward passes so far, each of one input.
    """

    values: Tensor
    channels: Tensor | None
    gap: float | None
    note: str | None
    parameters: dict[str, object]
    passes: tuple[int, int]


Watch = Callable[[int, int, "Callable[[], Saliency] | None"], None]
"""Like `Report`, with what there is so far as a `Saliency`."""


def explain(
    insp: Inspector,
    method: Method,
    target: ExplainedTarget,
    *,
    image: int,
    layer: str | None,
    parameters: Mapping[str, object],
    watch: Watch,
) -> Saliency:
    """Run a method; see the modules of the methods for what each does.

    Parameters
    ----------
    insp : Inspector
        Whose model and input.
    method : Method
        Of the family "saliency".
    target : ExplainedTarget
        The score, resolved on the unchanged image: it is the same for every changed one.
    image : int
        Place in the batch.
    layer : str or None
        Of Grad-CAM, for "guided_gradcam".
    parameters : mapping of str to object
        All settings of the method.
    watch : callable
        Told after every batch; what it raises ends the method.
    """
    run = _Run(insp, method, target, image, dict(parameters), watch)
    settings = {name: value for name, value in parameters.items() if name != "reduction"}
    if method.name == "guided_gradcam":
        settings["cam"] = _gradcam(run, layer or default_layer(insp, target, image), target, image)
    return run.saliency(FUNCTIONS[method.name](run.case, **settings), final=True)


class _Run:
    """A case whose passes are those of an Inspector, and what is made of its attributions."""

    def __init__(
        self,
        insp: Inspector,
        method: Method,
        target: ExplainedTarget,
        image: int,
        parameters: dict[str, object],
        watch: Watch,
    ) -> None:
        self.insp = insp
        self._method = method
        self._target = target
        self._image = image
        self._epoch = insp.check()
        self.parameters = parameters
        self._watch = watch
        self._progress = (0, 1)
        picture = insp.passes.input(image=image)
        if picture.dim() < 2:
            msg = (
                f"inputs of shape {tuple(picture.shape)} has no axis besides the batch to explain."
            )
            raise ValueError(msg)
        self.case = Case(
            picture,
            target.score,
            self._scores,
            self._gradients,
            self._report,
            _black(insp, picture),
            _at_once(insp, picture),
        )

    def _scores(self, batch: Tensor) -> Tensor:
        return self.insp.passes.scores(batch, self._target, image=self._image, check=self.check)

    def _gradients(self, batch: Tensor, rule: Rule | None) -> tuple[Tensor, Tensor]:
        try:
            return self.insp.passes.input_gradient(
                batch, self._target, rule=rule, image=self._image, check=self.check
            )
        except ValueError as error:  # the user chose a method, and knows of no rule
            said, chosen = f"rule={rule!r} changes", f"method={self._method.name!r} changes"
            if not str(error).startswith(said):
                raise
            raise ValueError(str(error).replace(said, chosen, 1)) from None

    def check(self) -> None:
        """Raise where the method is to stop, inside a pass too."""
        self._check_epoch()
        self._watch(*self._progress, None)

    def _report(self, done: int, total: int, partial: Callable[[], Tensor] | None) -> None:
        self._check_epoch()
        self._progress = (done, total)
        if partial is None or done == total:  # the whole map follows at once
            self._watch(done, total, None)
        else:
            self._watch(done, total, lambda: self.saliency(Attribution(partial()), final=False))

    def _check_epoch(self) -> None:
        if self.insp.epoch != self._epoch:
            msg = (
                f"method={self._method.name!r}: the model or its inputs changed while it ran; "
                f"ask again."
            )
            raise RuntimeError(msg)

    def saliency(self, found: Attribution, *, final: bool) -> Saliency:
        """Reduce the channels, on the CPU."""
        values = found.values.detach().float().cpu()
        if values.dim() == 1:
            values = values[None]  # features, without axes of places
        channels = values if "reduction" in self.parameters else None
        if channels is not None and self.case.picture.dim() > 2:
            values = reduce_channels(values, str(self.parameters["reduction"]))
        elif channels is None:
            values = values[0]
        return Saliency(
            values,
            channels if self.case.picture.dim() > 2 else None,
            found.gap,
            self._note(found.note) if final else None,
            {**self.parameters, **(found.resolved or {})},
            (self.case.forward, self.case.backward),
        )

    def _note(self, note: str | None) -> str | None:
        ruled = self._method.name in _RULED
        notes = [note, self.insp.passes.rule_notice() if ruled else None]
        return joined(notes)


def _black(insp: Inspector, picture: Tensor) -> Tensor | None:
    """Return what a black pixel is after normalisation, shape (C,)."""
    normalisation = insp.normalisation
    if normalisation is None or len(normalisation.mean) not in {1, picture.shape[1]}:
        return None
    mean, std = (
        torch.tensor(numbers, dtype=torch.float32, device="cpu")
        for numbers in (normalisation.mean, normalisation.std)
    )
    return (-mean / std).expand(picture.shape[1])


def _at_once(insp: Inspector, picture: Tensor) -> int:
    """Return how many inputs run in one batch, all layers counted, also those not shown."""
    layers = [info for info in insp._session.modules if info.is_leaf]
    multiply_adds = sum(info.multiply_adds or 0 for info in layers) or None
    return inputs_at_once(picture, multiply_adds, sum(prod(info.shape[1:]) for info in layers))


def _gradcam(run: _Run, layer: str, target: ExplainedTarget, image: int) -> Tensor:
    """Return Grad-CAM of a layer, raw, on its grid."""
    info, grid = layer_and_grid(run.insp, layer)
    found: list[Tensor] = []

    def visit(_info: object, activation: Tensor, gradient: Tensor | None, _place: int) -> None:
        if gradient is not None:
            values, gradients = grid.matrix(activation)[0], grid.matrix(gradient)[0]
            found.append(exact_product(gradients.mean(1), values))

    run.insp.passes.sweep([info.name], [target], visit, image=image, check=run.check)
    run.case.forward += 1
    run.case.backward += 1
    run.parameters["layer"] = info.name
    if not found:
        msg = f"layer={layer!r}: the score {target.name!r} does not depend on it; choose another."
        raise ValueError(msg)
    return found[0].reshape(grid.shape)
