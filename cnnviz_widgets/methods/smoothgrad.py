"""Methods: the mean and the variance of the gradient under noise.

In: a `Case`. Out: its `Attribution`, from one forward and backward pass for each sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from cnnviz_widgets.methods.case import Attribution, Case, seeded


def smoothgrad(case: Case, *, samples: int = 25, noise: float = 0.15, seed: int = 0) -> Attribution:
    """Return the mean of dS/dx over pictures with noise on them.

    Smilkov et al. 2017, arXiv:1706.03825, section 3. The noise's standard deviation is a fraction
    of this input's range, as in the paper (0.1 to 0.2 are said to be best); Captum's `NoiseTunnel`
    takes an absolute number, 1.0 by default, which is another method on a normalised picture.

    Parameters
    ----------
    case : Case
        Picture and score.
    samples : int
        Noisy pictures.
    noise : float
        Standard deviation as a fraction of the input's range, its largest minus smallest value.
    seed : int
        Of the noise; the global random state is neither read nor changed.
    """
    moments = _Moments(case.picture[0])
    for gradients in _under_noise(case, samples, noise, seed, lambda: moments.mean):
        moments.add(gradients)
    return Attribution(moments.mean)


def vargrad(case: Case, *, samples: int = 25, noise: float = 0.15, seed: int = 0) -> Attribution:
    """Return the variance of dS/dx over pictures with noise on them, never negative.

    Adebayo et al. 2018, arXiv:1810.03307; compared in arXiv:1810.03292. The population's variance,
    as in Captum's `NoiseTunnel` (nt_type="vargrad"), but summed around the mean, so that it is
    exact where the gradient hardly varies. For noise see `smoothgrad`.

    Parameters
    ----------
    case : Case
        Picture and score.
    samples : int
        Noisy pictures.
    noise : float
        Standard deviation as a fraction of the input's range.
    seed : int
        Of the noise.
    """
    moments = _Moments(case.picture[0])
    for gradients in _under_noise(case, samples, noise, seed, moments.variance):
        moments.add(gradients)
    return Attribution(moments.variance())


class _Moments:
    """Mean and variance of gradients, batch by batch (Chan, Golub, LeVeque 1979)."""

    def __init__(self, like: Tensor) -> None:
        self.mean = torch.zeros_like(like, dtype=torch.float32)
        self._squares = torch.zeros_like(self.mean)  # of the distances from the mean
        self._seen = 0

    def add(self, gradients: Tensor) -> None:
        """Take in a batch (B, ...)."""
        count, center = len(gradients), gradients.mean(0)
        step, total = center - self.mean, self._seen + count
        self._squares += (gradients - center).square().sum(0)
        self._squares += step.square() * (self._seen * count / total)
        self.mean += step * (count / total)
        self._seen = total

    def variance(self) -> Tensor:
        """Return the population's variance."""
        return self._squares / self._seen


def _under_noise(
    case: Case, samples: int, noise: float, seed: int, partial: Callable[[], Tensor]
) -> Iterator[Tensor]:
    """Give the gradients (B, ...) of noisy pictures in batches.

    Noise is drawn for one picture after the other, so it is the same whatever the batches are.
    """
    values = case.picture[0].float()
    sigma = noise * (values.max() - values.min())
    generator = seeded(seed)
    for places in case.batches(samples, partial):
        drawn = [
            torch.randn(values.shape, generator=generator, dtype=torch.float32, device="cpu")
            for _ in places
        ]
        batch = values + sigma * torch.stack(drawn).to(values.device)
        yield case.gradients(batch.to(case.picture.dtype))[1]
