"""Methods: what there is to know of each saliency method before it runs.

Plain records for the registry. The formulas stand in gradients.py and the modules beside it.
"""

from __future__ import annotations

from cnnviz_widgets.methods.registry import Method, Parameter
from cnnviz_widgets.words import phrase

_ONE = phrase("passes_one")
_SEED = Parameter("seed", phrase("seed"), 0, "int", 0, 2**31 - 1, help=phrase("seed_help"))
_SAMPLES = Parameter(
    "samples", phrase("samples"), 25, "int", 1, 10_000,
    help=phrase("samples_help"),
)  # fmt: skip
_NOISE = Parameter(
    "noise", phrase("noise"), 0.15, "float", 0.0, 2.0,
    help=phrase("noise_help"),
)  # fmt: skip


def _reduction(default: str) -> Parameter:
    return Parameter(
        "reduction", phrase("reduction"), default, "choice",
        choices=("sum", "abs-max", "l2"),
        help=phrase("reduction_help"),
    )  # fmt: skip


def _baseline(default: str) -> Parameter:
    return Parameter(
        "baseline", phrase("baseline"), default, "choice",
        choices=("black", "zero", "mean", "blur"),
        help=phrase("baseline_help"),
    )  # fmt: skip


METHODS: tuple[Method, ...] = (
    Method(
        "gradient", phrase("title_gradient"), "saliency", "arXiv:1312.6034", True,
        (_reduction("abs-max"),), _ONE,
        phrase("summary_gradient"),
    ),
    Method(
        "input_x_gradient", phrase("title_input_x_gradient"), "saliency", "arXiv:1605.01713", True,
        (_reduction("sum"),), _ONE,
        phrase("summary_input_x_gradient"),
    ),
    Method(
        "integrated_gradients", phrase("title_integrated_gradients"), "saliency",
        "arXiv:1703.01365", True,
        (
            Parameter(
                "steps", phrase("steps"), 50, "int", 1, 1000,
                help=phrase("steps_help"),
            ),
            _baseline("black"),
            Parameter(
                "rule", phrase("rule"), "gauss-legendre", "choice",
                choices=("gauss-legendre", "midpoint"),
                help=phrase("rule_help"),
            ),
            _reduction("sum"),
        ),
        phrase("passes_steps"),
        phrase("summary_integrated_gradients"),
        progressive=True,
    ),
    Method(
        "smoothgrad", "SmoothGrad", "saliency", "arXiv:1706.03825", True,
        (_SAMPLES, _NOISE, _SEED, _reduction("abs-max")),
        phrase("passes_samples"),
        phrase("summary_smoothgrad"),
        progressive=True,
    ),
    Method(
        "vargrad", "VarGrad", "saliency", "arXiv:1810.03307", False,
        (_SAMPLES, _NOISE, _SEED, _reduction("sum")),
        phrase("passes_samples"),
        phrase("summary_vargrad"),
        progressive=True,
    ),
    Method(
        "guided_backprop", phrase("title_guided_backprop"), "saliency", "arXiv:1412.6806", True,
        (_reduction("abs-max"),), _ONE,
        phrase("summary_guided_backprop"),
    ),
    Method(
        "deconvnet", phrase("title_deconvnet"), "saliency", "arXiv:1311.2901", True,
        (_reduction("abs-max"),), _ONE,
        phrase("summary_deconvnet"),
    ),
    Method(
        "guided_gradcam", phrase("title_guided_gradcam"), "saliency", "arXiv:1610.02391", True,
        (_reduction("abs-max"),), phrase("passes_two"),
        phrase("summary_guided_gradcam"),
    ),
    Method(
        "occlusion", phrase("title_occlusion"), "saliency", "arXiv:1311.2901", True,
        (
            Parameter(
                "window", phrase("window"), 0, "int", 0, 10_000,
                help=phrase("window_help"),
            ),
            Parameter(
                "stride", phrase("stride"), 0, "int", 0, 10_000,
                help=phrase("stride_help"),
            ),
            _baseline("zero"),
        ),
        phrase("passes_window"),
        phrase("summary_occlusion"),
        progressive=True,
    ),
    Method(
        "rise", "RISE", "saliency", "arXiv:1806.07421", True,
        (
            Parameter(
                "masks", phrase("masks"), 500, "int", 1, 100_000,
                help=phrase("masks_help"),
            ),
            Parameter(
                "cells", phrase("cells"), 7, "int", 1, 64,
                help=phrase("cells_help"),
            ),
            Parameter(
                "kept", phrase("kept"), 0.5, "float", 0.01, 0.99,
                help=phrase("kept_help"),
            ),
            _SEED,
            _baseline("zero"),
        ),
        phrase("passes_masks"),
        phrase("summary_rise"),
        progressive=True,
    ),
)  # fmt: skip
