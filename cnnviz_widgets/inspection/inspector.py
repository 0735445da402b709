"""Inspection: the `Inspector`, the one door to a model's inside.

In: a model and its inputs. Out: layers, activations, gradients, predictions, pictures and maps of
them, all from one forward pass on a copy that shares the user's weights.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NoReturn

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnviz_widgets.inspection.arguments import (
    check_model,
    checked_bytes,
    checked_count,
    checked_image,
    checked_layers,
    checked_layouts,
    reject_unknown,
)
from cnnviz_widgets.inspection.cache import CacheInfo, TensorCache
from cnnviz_widgets.inspection.calls import Source
from cnnviz_widgets.inspection.inputs import Inputs, Normalisation
from cnnviz_widgets.inspection.keras_model import as_torch_module
from cnnviz_widgets.inspection.layers import LayerInfo, check_layout, find_layer, is_inside
from cnnviz_widgets.inspection.locks import held, lock_of
from cnnviz_widgets.inspection.maps import LayerMaps, Side, check_side, layer_maps
from cnnviz_widgets.inspection.operations import Operation
from cnnviz_widgets.inspection.outputs import Selector
from cnnviz_widgets.inspection.passes import Passes
from cnnviz_widgets.inspection.pictures import picture_of
from cnnviz_widgets.inspection.predictions import (
    Prediction,
    checked_class_names,
    labels_of,
    top_predictions,
)
from cnnviz_widgets.inspection.readings import ModelInput
from cnnviz_widgets.inspection.session import Session
from cnnviz_widgets.inspection.shadow import unwrap
from cnnviz_widgets.inspection.targets import Target, resolved
from cnnviz_widgets.inspection.values import Nest, replace_tensors

_OPTIONS = ("class_names", "mean", "std", "output", "layers", "layouts", "cache_bytes")


class Inspector:
    """Look inside a model without touching it.

    Parameters
    ----------
    model : torch.nn.Module
        Any model, of Keras on torch, too; DataParallel, DistributedDataParallel and torch.compile
        wrappers are unwrapped. It is run in eval mode, on a copy that shares its weights.
    inputs : object
        A tensor (N, C, H, W), one image (C, H, W), a PIL image, a uint8 array (H, W, 3), a path, a
        list of images, or a tuple or dict of tensors (positional or keyword arguments).
    class_names : sequence of str, optional
        One name per class; two for a single output.
    mean, std : sequence of float, optional
        One number per input channel, for pixel values in [0, 1]. Pictures are normalised with
        them, and tensors shown with them undone.
    output : str, int or callable, optional
        Picks the class scores (N, K) out of a tuple, dict or dataclass that the model returns.
    layers : sequence of str, optional
        Only these layers, and what is inside them, are listed.
    layouts : mapping of str to str, optional
        What the axes of a layer mean, where that is not known: ``{"mixer.0": "NLC"}``.
    cache_bytes : int, optional
        Bytes that activations and gradients may take, 1 GiB by default. What does not fit is
        computed again when it is asked for.

    Attributes
    ----------
    busy_timeout_s : float
        Seconds that a thread other than the main one waits for the model, 2.0; then it gets a
        `ModelBusyError`. Cells run in the main thread, message handlers and workers in others.
    class_names : tuple of str or None
        As given.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        An argument is not what it must be; the text names it, its value and what to do.
    """

    busy_timeout_s: float = 2.0

    def __init__(
        self,
        model: nn.Module,
        inputs: Inputs,
        *,
        class_names: Sequence[str] | None = None,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        output: Selector | None = None,
        layers: Sequence[str] | None = None,
        layouts: Mapping[str, str] | None = None,
        cache_bytes: int = 1 << 30,
        **unknown: NoReturn,
    ) -> None:
        reject_unknown(unknown, _OPTIONS)
        check_model(model)
        self.model = model
        self._model = as_torch_module(unwrap(model))
        self.lock = lock_of(self._model)
        model_input = ModelInput.of(self._model)
        normalisation = Normalisation.of(mean, std, model_input.channels)
        self._normalisation = normalisation
        budget, answers = checked_bytes(cache_bytes), checked_layouts(layouts)
        self._gradients = TensorCache(budget)
        self._epoch = 0
        self._announced = 0
        self._listeners: list[Callable[[], Callable[[], object] | None]] = []
        self._shown = checked_layers(layers)
        with self._entered(None):
            self._session = Session(
                self._model,
                output=output,
                normalisation=normalisation,
                layouts=answers,
                cache_bytes=budget,
            )
            self._session.set_inputs(inputs)
            self.class_names = checked_class_names(class_names, self._session.scores)
            self._check_layers(answers)

    def __repr__(self) -> str:
        return f"Inspector({type(self.model).__name__}, inputs {self._session.prepared})"

    def on_change(self, listener: Callable[[], object]) -> None:
        """Call a function whenever `epoch` has gone up, in the thread in which it did.

        Parameters
        ----------
        listener : callable
            Takes nothing. A bound method does not keep its object alive.
        """
        is_method = hasattr(listener, "__self__")
        self._listeners.append(weakref.WeakMethod(listener) if is_method else lambda: listener)

    # -- what there is --------------------------------------------------------------------------

    @property
    def layers(self) -> tuple[LayerInfo, ...]:
        """Leaf calls in execution order."""
        return tuple(info for info in self.modules if info.is_leaf)

    @property
    def modules(self) -> tuple[LayerInfo, ...]:
        """Every module call that can be asked for, containers too, in the order they began."""
        with self._entered(None):
            infos = self._session.modules
        if self._shown is None:
            return infos
        return tuple(info for info in infos if is_inside(info, self._shown))

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Torch functions between module calls, and leaf calls, in the order they ended."""
        with self._entered(None):
            return self._session.structure.operations

    @property
    def notices(self) -> tuple[str, ...]:
        """What a reader should know about this model and these inputs, in full sentences."""
        with self._entered(None):
            return self._session.notices

    @property
    def batch_size(self) -> int:
        """Images in the batch."""
        return self._session.prepared.batch_size

    @property
    def inputs(self) -> Nest:
        """Copies of what is looked at: the tensors as they were given, with their batch axis."""
        return replace_tensors(self._session.prepared.given, torch.clone)

    @property
    def has_scores(self) -> bool:
        """Whether the model gives class scores, so that there are predictions."""
        with self._entered(None):
            return self._session.scores is not None

    @property
    def score_kind(self) -> str:
        """What the model's scores are: "logit", "probability" or "log-probability"."""
        with self._entered(None):
            return self._session.structure.score_kind

    @property
    def class_count(self) -> int | None:
        """Number of classes that the model scores, or None where it gives no class scores."""
        with self._entered(None):
            scores = self._session.scores
            return None if scores is None else int(scores.shape[1])

    @property
    def normalisation(self) -> Normalisation | None:
        """Mean and standard deviation of the pictures, as given."""
        return self._normalisation

    @property
    def passes(self) -> Passes:
        """The passes that attribution methods are made of."""
        return Passes(self._opened, self.class_names)

    @property
    def epoch(self) -> int:
        """Goes up whenever what was shown became stale: new inputs, weights, layouts, a refresh."""
        return self._epoch

    def find(self, layer: str) -> LayerInfo:
        """Return the layer of this name; a plain path means the only call.

        Raises
        ------
        ValueError
            There is no such layer (near matches are named), or it has several calls.
        """
        with self._entered(None):
            return find_layer(self._session.modules, layer)

    # -- values ---------------------------------------------------------------------------------

    def activation(self, layer: str, *, wait: float | None = None) -> Tensor:
        """Return a layer's output for the whole batch, a detached copy.

        Parameters
        ----------
        layer : str
            Name as in `modules`; a container can be asked for too.
        wait : float, optional
            Seconds to wait for the model; None: as `busy_timeout_s` says.

        Returns
        -------
        Tensor
            The value as the layer returned it, before any in-place operation that followed: that
            of the model's out-of-place twin. For a tuple, dict or dataclass its first tensor.
        """
        with self._opened(wait) as session:
            info = find_layer(session.modules, layer)
            return session.activation(_source(info)).detach().clone()

    def gradient(self, layer: str, target: Target = None, *, wait: float | None = None) -> Tensor:
        """Return d score / d activation for the whole batch, a detached copy.

        Parameters
        ----------
        layer : str
            Name as in `modules`.
        target : int, str, callable or None
            Class index, class name, ``output -> scalar per image``, or None for each image's top
            prediction.
        wait : float, optional
            Seconds to wait for the model; None: as `busy_timeout_s` says.

        Returns
        -------
        Tensor
            Same shape, type and device as the activation; row n is the gradient of image n's score.
        """
        with self._opened(wait):
            info = find_layer(self._session.modules, layer)
            target = resolved(target, self._session.scores, self.class_names)
            key = (info.path, info.call, target)
            found = self._gradients.get(key)
            if found is None:
                found = self._session.gradient(_source(info), target, self.class_names)
                self._gradients.put(key, found, reserved=self._session.nbytes)
            return found.clone()

    def maps(
        self, layer: str, image: int = 0, *, side: Side = "output", wait: float | None = None
    ) -> LayerMaps:
        """Return a layer's activation for one image as NumPy maps, ready to draw.

        Parameters
        ----------
        layer : str
            Name as in `modules`.
        image : int
            Place in the batch, from 0.
        side : str
            "output", or "input" for the layer's first input tensor.
        wait : float, optional
            Seconds to wait for the model; None: as `busy_timeout_s` says.
        """
        check_side(side)
        with self._opened(wait):
            place = checked_image(image, self.batch_size)
            info = find_layer(self._session.modules, layer)
            source = _source(info, side)
            value = self._session.layout_of(source, info.name)
            tensor = self._session.activation(source)
            return layer_maps(
                tensor,
                place,
                batch_size=self.batch_size,
                layout=value.layout,
                grid=value.grid,
                labels=labels_of(tensor, self.class_names) if value.is_scores else None,
            )

    def picture(self, image: int = 0, *, wait: float | None = None) -> NDArray[np.uint8] | None:
        """Return one input image as people see it, uint8 (H, W, 3), or None."""
        with self._entered(wait):
            place = checked_image(image, self.batch_size)
            return picture_of(self._session.prepared.first, place, self._normalisation)[0]

    def predictions(self, k: int = 5, *, wait: float | None = None) -> list[list[Prediction]]:
        """Return the k best classes of every image, best first; empty lists without class scores.

        Parameters
        ----------
        k : int
            At least 1; more than there are classes gives all of them.
        wait : float, optional
            Seconds to wait for the model; None: as `busy_timeout_s` says.

        Returns
        -------
        list of list of Prediction
            One list for each image; a prediction has `index`, `name`, `score` and `probability`.
        """
        count = checked_count(k)
        with self._opened(wait) as session:
            scores = session.scores
            if scores is None:
                return [[] for _ in range(self.batch_size)]
            return top_predictions(scores, session.structure.score_kind, self.class_names, count)

    # -- changes --------------------------------------------------------------------------------

    def set_inputs(self, inputs: Inputs, *, wait: float | None = None) -> None:
        """Look at other inputs; everything cached for the old ones is forgotten.

        Parameters
        ----------
        inputs : object
            In any form that `Inspector` takes. If this raises, the old ones stay in force.
        wait : float, optional
            Seconds to wait for the model; None: as `busy_timeout_s` says.
        """
        with self._entered(wait):
            self._session.set_inputs(inputs)
            self._forget()

    def check(self, *, wait: float | None = None) -> int:
        """Run the model again if its weights were written to since; return the epoch."""
        with self._opened(wait):
            return self._epoch

    def refresh(self, *, wait: float | None = None) -> None:
        """Copy and run the model again, for changes that cannot be seen from outside.

        Such are writes through ``parameter.data``, other settings of a module, and new hooks.
        """
        with self._entered(wait):
            self._session.rebuild()
            self._forget()

    def set_layout(self, layer: str, layout: str, *, wait: float | None = None) -> None:
        """Say what the axes of a layer's output mean.

        Parameters
        ----------
        layer : str
            Name as in `modules`.
        layout : str
            One of "NCHW", "NHWC", "NCL", "NLC", "NCDHW", "NC", with as many letters as axes.
        wait : float, optional
            Seconds to wait for the model; None: as `busy_timeout_s` says.
        """
        with self._entered(wait):
            info = find_layer(self._session.modules, layer)
            check_layout(info, layout)
            self._session.set_layout(info.name, layout)
            self._epoch += 1

    def cache_info(self) -> CacheInfo:
        """Return what is held, in bytes and counts."""
        with self._entered(None):
            recorder = self._session.trace.recorder
            return CacheInfo(
                trace_bytes=self._session.nbytes,
                gradient_bytes=self._gradients.nbytes,
                gradients=len(self._gradients),
                budget_bytes=self._gradients.budget,
                layers_kept=len(recorder.kept),
                layers_recomputed=len(recorder.skipped),
                has_graph=self._session.has_graph,
            )

    # -- inside ---------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _entered(self, wait: float | None) -> Iterator[None]:
        """Hold the model's lock, with grad mode set for this thread and put back after."""
        if wait is None and threading.current_thread() is not threading.main_thread():
            wait = self.busy_timeout_s
        with held(self.lock, wait):
            with torch.inference_mode(mode=False), torch.no_grad():
                yield
            news = self._epoch != self._announced
            self._announced = self._epoch
        if news:
            self._announce()

    @contextlib.contextmanager
    def _opened(self, wait: float | None) -> Iterator[Session]:
        """Hold the lock, and give the session as it is with the weights of now."""
        with self._entered(wait):
            if self._session.update():
                self._forget()
            yield self._session

    def _announce(self) -> None:
        self._listeners = [kept for kept in self._listeners if kept() is not None]
        for kept in tuple(self._listeners):
            if (listener := kept()) is not None:
                listener()

    def _forget(self) -> None:
        self._gradients.clear()
        self._epoch += 1

    def _check_layers(self, layouts: Mapping[str, str]) -> None:
        for name in self._shown or ():
            find_layer(self._session.modules, name)
        for name, layout in layouts.items():
            check_layout(find_layer(self._session.modules, name), layout)


def _source(info: LayerInfo, side: Side = "output") -> Source:
    return Source(info.path, info.call, side)
