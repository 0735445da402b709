"""Methods: what there is to know of each class-activation map before it is computed.

Plain records for the registry. The formulas stand in cam.py and the modules beside it.
"""

from __future__ import annotations

from cnnviz_widgets.methods.registry import Method, Parameter

_ONE_SWEEP = "1 forward for all layers, 1 backward for each class"
_SEED = Parameter("seed", "Seed", 0, "int", 0, 2**31 - 1, help="The same seed, the same map.")
_CENTRED = Parameter(
    "centred", "Centred", default=True, kind="bool",
    help="Whether each channel's mean is taken off first; the paper's formula leaves it.",
)  # fmt: skip

METHODS: tuple[Method, ...] = (
    Method(
        "gradcam", "Grad-CAM", "cam", "arXiv:1610.02391", True, (), _ONE_SWEEP,
        "Channels weighted by the mean of their gradient: where the layer speaks for the class.",
        one_pass=True,
    ),
    Method(
        "gradcam++", "Grad-CAM++", "cam", "arXiv:1710.11063", True, (), _ONE_SWEEP,
        "Like Grad-CAM, with places weighted too, so that several objects of a class all show.",
        one_pass=True,
    ),
    Method(
        "hirescam", "HiResCAM", "cam", "arXiv:2011.08891", True, (), _ONE_SWEEP,
        "Activation times gradient at each place: what the layer really used, to first order.",
        one_pass=True,
    ),
    Method(
        "layercam", "LayerCAM", "cam", "10.1109/TIP.2021.3089943", True, (), _ONE_SWEEP,
        "Activations weighted by the positive gradient at each place; sharp at early layers.",
        one_pass=True,
    ),
    Method(
        "xgradcam", "XGrad-CAM", "cam", "arXiv:2008.02312", True, (), _ONE_SWEEP,
        "Channels weighted by their gradient, averaged in proportion to their activation.",
        one_pass=True,
    ),
    Method(
        "gradcam_elementwise", "Grad-CAM elementwise", "cam", "arXiv:1610.02391", False, (),
        _ONE_SWEEP,
        "Only the places where a channel speaks for the class, added up over the channels.",
        one_pass=True,
    ),
    Method(
        "finercam", "Finer-CAM", "cam", "arXiv:2501.11309", True,
        (
            Parameter("gamma", "Strength", 0.6, "float", 0, 10,
                      help="How much of the similar classes is taken off; 0 is Grad-CAM."),
            Parameter("classes", "Similar classes", 3, "int", 1, 100,
                      help="How many classes with the nearest scores it is compared with."),
        ),
        _ONE_SWEEP,
        "Grad-CAM of the class against its most similar classes: what tells them apart.",
        one_pass=True,
    ),
    Method(
        "cam", "CAM", "cam", "arXiv:1512.04150", True, (),
        "1 forward",
        "Channels weighted by the last dense layer; only before global pooling and one such layer.",
        one_pass=True,
    ),
    Method(
        "eigencam", "Eigen-CAM", "cam", "arXiv:2008.00299", True, (_CENTRED,),
        "1 forward",
        "The strongest pattern of the layer's channels, whatever the class.",
        one_pass=True,
    ),
    Method(
        "eigengradcam", "EigenGrad-CAM", "cam", "arXiv:2008.00299", True, (_CENTRED,), _ONE_SWEEP,
        "The strongest pattern of activation times gradient.",
        one_pass=True,
    ),
    Method(
        "fullgrad", "FullGrad", "cam", "arXiv:1905.00780", False, (),
        "2 forward, 2 backward",
        "What the input and every bias contribute to the score, in absolute values.",
        one_pass=True,
    ),
    Method(
        "smoothgradcam++", "Smooth Grad-CAM++", "cam", "arXiv:1908.01224", True,
        (
            Parameter("samples", "Samples", 10, "int", 1, 1000, help="Noisy copies of the input."),
            Parameter("noise", "Noise", 0.1, "float", 0, 10,
                      help="Standard deviation, as a part of the input's range."),
            _SEED,
        ),
        "1 forward and 1 backward for each sample, and 1 forward",
        "Grad-CAM++ with gradients averaged over noisy copies of the input.",
        progressive=True,
    ),
    Method(
        "scorecam", "Score-CAM", "cam", "arXiv:1910.01279", True, (),
        "1 forward for each channel, and 1",
        "Channels weighted by the score of the picture seen through them; no gradients.",
        progressive=True,
    ),
    Method(
        "ablationcam", "Ablation-CAM", "cam", "10.1109/WACV45572.2020.9093360", True, (),
        "1 forward, and what follows the layer once for each channel",
        "Channels weighted by how far the score falls without them; no gradients.",
        progressive=True,
    ),
)  # fmt: skip
