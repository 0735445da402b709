"""Methods: what there is to know of each class-activation map before it is computed.

Plain records for the registry. The formulas stand in cam.py and the modules beside it.
"""

from __future__ import annotations

from cnnviz_widgets.methods.registry import Method, Parameter
from cnnviz_widgets.words import phrase

_ONE_SWEEP = phrase("passes_sweep")
_SEED = Parameter("seed", phrase("seed"), 0, "int", 0, 2**31 - 1, help=phrase("seed_help"))
_CENTRED = Parameter(
    "centred", phrase("centred_parameter"), default=True, kind="bool",
    help=phrase("centred_help"),
)  # fmt: skip

METHODS: tuple[Method, ...] = (
    Method(
        "gradcam", "Grad-CAM", "cam", "arXiv:1610.02391", True, (), _ONE_SWEEP,
        phrase("summary_gradcam"),
        one_pass=True,
    ),
    Method(
        "gradcam++", "Grad-CAM++", "cam", "arXiv:1710.11063", True, (), _ONE_SWEEP,
        phrase("summary_gradcam++"),
        one_pass=True,
    ),
    Method(
        "hirescam", "HiResCAM", "cam", "arXiv:2011.08891", True, (), _ONE_SWEEP,
        phrase("summary_hirescam"),
        one_pass=True,
    ),
    Method(
        "layercam", "LayerCAM", "cam", "10.1109/TIP.2021.3089943", True, (), _ONE_SWEEP,
        phrase("summary_layercam"),
        one_pass=True,
    ),
    Method(
        "xgradcam", "XGrad-CAM", "cam", "arXiv:2008.02312", True, (), _ONE_SWEEP,
        phrase("summary_xgradcam"),
        one_pass=True,
    ),
    Method(
        "gradcam_elementwise", phrase("title_gradcam_elementwise"), "cam", "arXiv:1610.02391",
        False, (), _ONE_SWEEP,
        phrase("summary_gradcam_elementwise"),
        one_pass=True,
    ),
    Method(
        "finercam", "Finer-CAM", "cam", "arXiv:2501.11309", True,
        (
            Parameter("gamma", phrase("gamma"), 0.6, "float", 0, 10,
                      help=phrase("gamma_help")),
            Parameter("classes", phrase("classes"), 3, "int", 1, 100,
                      help=phrase("classes_help")),
        ),
        _ONE_SWEEP,
        phrase("summary_finercam"),
        one_pass=True,
    ),
    Method(
        "cam", "CAM", "cam", "arXiv:1512.04150", True, (),
        phrase("passes_forward"),
        phrase("summary_cam"),
        one_pass=True,
    ),
    Method(
        "eigencam", "Eigen-CAM", "cam", "arXiv:2008.00299", True, (_CENTRED,),
        phrase("passes_forward"),
        phrase("summary_eigencam"),
        one_pass=True,
    ),
    Method(
        "eigengradcam", "EigenGrad-CAM", "cam", "arXiv:2008.00299", True, (_CENTRED,), _ONE_SWEEP,
        phrase("summary_eigengradcam"),
        one_pass=True,
    ),
    Method(
        "fullgrad", "FullGrad", "cam", "arXiv:1905.00780", False, (),
        phrase("passes_two"),
        phrase("summary_fullgrad"),
        one_pass=True,
    ),
    Method(
        "smoothgradcam++", "Smooth Grad-CAM++", "cam", "arXiv:1908.01224", True,
        (
            Parameter("samples", phrase("samples"), 10, "int", 1, 1000,
                      help=phrase("samples_cam_help")),
            Parameter("noise", phrase("noise"), 0.1, "float", 0, 10,
                      help=phrase("noise_cam_help")),
            _SEED,
        ),
        phrase("passes_samples_and_one"),
        phrase("summary_smoothgradcam++"),
        progressive=True,
    ),
    Method(
        "scorecam", "Score-CAM", "cam", "arXiv:1910.01279", True, (),
        phrase("passes_channels"),
        phrase("summary_scorecam"),
        progressive=True,
    ),
    Method(
        "ablationcam", "Ablation-CAM", "cam", "10.1109/WACV45572.2020.9093360", True, (),
        phrase("passes_tails"),
        phrase("summary_ablationcam"),
        progressive=True,
    ),
)  # fmt: skip
