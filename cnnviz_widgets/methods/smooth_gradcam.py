"""Methods: Smooth Grad-CAM++, gradients averaged over noisy copies of the input.

In: a `CamCase`. Out: maps, from bounded batches: what is held does not grow with the samples.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cnnviz_widgets.inspection.layers import LayerInfo
from cnnviz_widgets.methods.cam_case import CamCase, LayerMaps, Progress, Settings
from cnnviz_widgets.methods.case import exact_product, seeded

Powers = tuple[Tensor, Tensor, Tensor]
"""Sums over the samples of G, G^2 and G^3, each (C, P)."""


def smooth_grad_cams(
    case: CamCase, _names: Sequence[str], settings: Settings
) -> dict[str, LayerMaps]:
    """Return Smooth Grad-CAM++ (Omeiza et al., arXiv:1908.01224, eq. 5 and 6).

    Grad-CAM++ with the means D1, D2, D3 of G, G^2 and G^3 over noisy inputs in place of the
    derivatives: ``w_k = sum_ij a_kij ReLU(D1_kij)``, ``a = D2 / (2 D2 + S_k D3)`` (0 where the
    denominator is). The map is ``sum_k w_k A_k`` with A and S_k of the input without noise, as the
    paper has it; torchcam 0.5 takes those of the last noisy sample. Noise is normal, its standard
    deviation a part of the input's range (torchcam: 0.3 whatever the range).
    """
    given = settings["smoothgradcam++"]
    samples, seed = int(given["samples"]), int(given["seed"])
    maps = case.empty(["smoothgradcam++"])
    activations = case.insp.passes.activations(case.names, image=case.image)
    case.forward += 1
    total = samples * len(case.targets)
    for place in range(len(case.targets)):
        last = case.names[-1]
        progress = Progress(case, "smoothgradcam++", last, place, place * samples, total)
        run = _Samples(progress, activations)
        run.take(samples, noise=float(given["noise"]), seed=seed)
        for name in case.names:
            maps["smoothgradcam++"][name][place] = run.map(name)
    return maps


class _Samples:
    """Noisy passes for one target.

    Parameters
    ----------
    progress : Progress
        For which target; told after each batch.
    activations : dict of str to Tensor
        Of the input without noise, by layer.
    """

    def __init__(self, progress: Progress, activations: dict[str, Tensor]) -> None:
        self._progress = progress
        self._case = case = progress.case
        self._activations = {
            name: case.grid(name).matrix(value)[0] for name, value in activations.items()
        }
        self._powers: dict[str, Powers] = {
            name: (torch.zeros_like(value), torch.zeros_like(value), torch.zeros_like(value))
            for name, value in self._activations.items()
        }
        self._count = 0

    def take(self, samples: int, *, noise: float, seed: int) -> None:
        """Run the model on noisy inputs, and report after each batch."""
        case = self._case
        picture = case.insp.passes.input(image=case.image)
        deviation = noise * float(picture.float().max() - picture.float().min())
        draw = seeded(seed)
        self._progress(0, None)
        at_once = max(1, case.at_once(picture) // 2)
        while self._count < samples:
            count = min(at_once, samples - self._count)
            size = (count, *picture.shape[1:])
            normal = torch.randn(size, generator=draw, dtype=torch.float32, device="cpu")
            batch = picture + deviation * normal.to(picture)
            case.insp.passes.sweep(
                case.names,
                [self._progress.target],
                self._add,
                image=case.image,
                batch=batch,
                check=self._progress.again,
            )
            self._count += count
            case.forward += count
            case.backward += count
            self._progress(self._count, lambda: self.map(self._progress.layer))

    def _add(self, info: LayerInfo, _value: Tensor, gradient: Tensor | None, _place: int) -> None:
        if gradient is None:
            return
        first, second, third = self._powers[info.name]
        for sample in self._case.layers[info].matrix(gradient):
            square = sample * sample
            first += sample
            second += square
            third += square * sample

    def map(self, name: str) -> Tensor:
        """Return a layer's map (P,) from the samples so far."""
        activation = self._activations[name]
        means = [power / max(self._count, 1) for power in self._powers[name]]
        return exact_product(smooth_weights(activation.sum(1), *means), activation)


def smooth_weights(sums: Tensor, first: Tensor, second: Tensor, third: Tensor) -> Tensor:
    """Return the weight of each channel, (C,).

    Parameters
    ----------
    sums : Tensor of shape (C,)
        Each channel's activation, added up over the places.
    first, second, third : Tensor of shape (C, P)
        Means of the first three powers of the gradient.
    """
    below = 2 * second + sums[:, None] * third
    share = second / below.masked_fill(below == 0, torch.inf)
    return (share * first.clamp(min=0)).sum(1)
