"""Methods: what there is to know of each saliency method before it runs.

Plain records for the registry. The formulas stand in gradients.py and the modules beside it.
"""

from __future__ import annotations

from cnnviz_widgets.methods.registry import Method, Parameter

_ONE = "1 forward, 1 backward"
_SEED = Parameter("seed", "Seed", 0, "int", 0, 2**31 - 1, help="The same seed, the same map.")
_SAMPLES = Parameter(
    "samples", "Samples", 25, "int", 1, 10_000,
    help="Pictures with noise on them; each takes one forward and one backward pass.",
)  # fmt: skip
_NOISE = Parameter(
    "noise", "Noise", 0.15, "float", 0.0, 2.0,
    help="Standard deviation, as a fraction of the input's range (largest minus smallest value).",
)  # fmt: skip


def _reduction(default: str) -> Parameter:
    return Parameter(
        "reduction", "Channels", default, "choice", choices=("sum", "abs-max", "l2"),
        help="How the channels of a pixel become one number: signed sum, largest absolute value, "
        "or root of the sum of squares.",
    )  # fmt: skip


def _baseline(default: str) -> Parameter:
    return Parameter(
        "baseline", "Baseline", default, "choice", choices=("black", "zero", "mean", "blur"),
        help="What stands for nothing: black pixels, 0 after normalisation (the mean colour of the "
        "training pictures), the mean of this picture, or this picture blurred.",
    )  # fmt: skip


METHODS: tuple[Method, ...] = (
    Method(
        "gradient", "Gradient", "saliency", "arXiv:1312.6034", True, (_reduction("abs-max"),), _ONE,
        "How much the score changes when a pixel changes a little.",
    ),
    Method(
        "input_x_gradient", "Input x gradient", "saliency", "arXiv:1605.01713", True,
        (_reduction("sum"),), _ONE,
        "The gradient times the pixel: to first order what the pixel adds to the score.",
    ),
    Method(
        "integrated_gradients", "Integrated Gradients", "saliency", "arXiv:1703.01365", True,
        (
            Parameter(
                "steps", "Steps", 50, "int", 1, 1000,
                help="Points between baseline and picture; each takes one forward and one backward "
                "pass.",
            ),
            _baseline("black"),
            Parameter(
                "rule", "Rule", "gauss-legendre", "choice", choices=("gauss-legendre", "midpoint"),
                help="Where the points lie and what each weighs.",
            ),
            _reduction("sum"),
        ),
        "1 forward and 1 backward for each step, and 1 forward",
        "Gradients on the way from a baseline to the picture; they add up to the score's change.",
        progressive=True,
    ),
    Method(
        "smoothgrad", "SmoothGrad", "saliency", "arXiv:1706.03825", True,
        (_SAMPLES, _NOISE, _SEED, _reduction("abs-max")),
        "1 forward and 1 backward for each sample",
        "The mean gradient of pictures with noise on them: less speckled than the gradient.",
        progressive=True,
    ),
    Method(
        "vargrad", "VarGrad", "saliency", "arXiv:1810.03307", False,
        (_SAMPLES, _NOISE, _SEED, _reduction("sum")),
        "1 forward and 1 backward for each sample",
        "How much the gradient varies when noise is put on the picture.",
        progressive=True,
    ),
    Method(
        "guided_backprop", "Guided backpropagation", "saliency", "arXiv:1412.6806", True,
        (_reduction("abs-max"),), _ONE,
        "The gradient, passed through ReLUs only where it and their input are positive.",
    ),
    Method(
        "deconvnet", "Deconvnet", "saliency", "arXiv:1311.2901", True, (_reduction("abs-max"),),
        _ONE,
        "The gradient, passed through ReLUs only where it is positive.",
    ),
    Method(
        "guided_gradcam", "Guided Grad-CAM", "saliency", "arXiv:1610.02391", True,
        (_reduction("abs-max"),), "2 forward, 2 backward",
        "Guided backpropagation, kept where the layer's Grad-CAM is positive.",
    ),
    Method(
        "occlusion", "Occlusion", "saliency", "arXiv:1311.2901", True,
        (
            Parameter(
                "window", "Window", 0, "int", 0, 10_000,
                help="Side of the window in pixels; 0: a seventh of the picture's shorter side.",
            ),
            Parameter(
                "stride", "Stride", 0, "int", 0, 10_000,
                help="Pixels from one place of the window to the next; 0: half the window.",
            ),
            _baseline("zero"),
        ),
        "1 forward for each place of the window: 169 for 224 x 224 pixels",
        "How much the score drops when a window of the picture is covered.",
        progressive=True,
    ),
    Method(
        "rise", "RISE", "saliency", "arXiv:1806.07421", True,
        (
            Parameter(
                "masks", "Masks", 500, "int", 1, 100_000,
                help="Masked pictures; each takes one forward pass. The paper has 4000 to 8000.",
            ),
            Parameter(
                "cells", "Cells", 7, "int", 1, 64,
                help="Cells of a mask along each axis, before it is smoothed.",
            ),
            Parameter(
                "kept", "Kept", 0.5, "float", 0.01, 0.99,
                help="Probability that a cell is let through.",
            ),
            _SEED,
            _baseline("zero"),
        ),
        "1 forward for each mask",
        "How much higher the score is where random masks let the picture through.",
        progressive=True,
    ),
)  # fmt: skip
