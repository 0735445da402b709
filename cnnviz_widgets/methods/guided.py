"""Methods: gradients whose way back through ReLUs follows another rule.

In: a `Case`, whose model intercepts every ReLU on the way back. Out: its `Attribution`, from one
forward and one backward pass.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import interpolate

from cnnviz_widgets.methods.case import Attribution, Case, Rule
from cnnviz_widgets.words import phrase

_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


def guided_backprop(case: Case) -> Attribution:
    """Return the gradient passed back through every ReLU only where it and the input are positive.

    Springenberg et al. 2014, arXiv:1412.6806, figure 1: R = G [G > 0] [x > 0]. Same as Captum's
    `GuidedBackprop` where every ReLU is a module; here those that are functions are intercepted
    too, for which Captum and pytorch-grad-cam give the plain gradient without a word. The map shows
    what the first layers see more than what the class depends on (arXiv:1810.03292).

    Raises
    ------
    ValueError
        The model has no ReLU to intercept.
    """
    return _ruled(case, "guided")


def deconvnet(case: Case) -> Attribution:
    """Return the gradient passed back through every ReLU only where it is positive itself.

    Zeiler, Fergus 2013, arXiv:1311.2901, section 2.1: R = G [G > 0], whatever the ReLU's input was.
    Max pooling sends it to where the maximum was (the paper's switches). Same as Captum's
    `Deconvolution` where every ReLU is a module; see `guided_backprop`.

    Raises
    ------
    ValueError
        The model has no ReLU to intercept.
    """
    return _ruled(case, "deconvnet")


def guided_gradcam(case: Case, cam: Tensor) -> Attribution:
    """Return guided backpropagation times the rectified Grad-CAM of a layer, enlarged.

    Selvaraju et al. 2016, arXiv:1610.02391, section 3.2. Enlarged bilinearly, as in the paper,
    with pixels' corners not aligned; Captum's `GuidedGradCam` takes the nearest value unless it is
    told otherwise.

    Parameters
    ----------
    case : Case
        Picture and score.
    cam : Tensor of shape (*cells)
        Grad-CAM of the layer, raw, with as many axes as the picture's grid.
    """
    found = guided_backprop(case)
    values = found.values
    if cam.dim() != len(case.grid) or case.picture.dim() < 3:
        msg = (
            f"layer of shape {tuple(cam.shape)}: its places do not lie on the input's grid "
            f"{case.grid}; choose a layer whose map has as many axes as the input."
        )
        raise ValueError(msg)
    rectified = cam.to(values).clamp(min=0)[None, None]
    enlarged = interpolate(rectified, size=case.grid, mode=_LINEAR[cam.dim()], align_corners=False)
    return Attribution(values * enlarged[0], note=found.note)


def _ruled(case: Case, rule: Rule) -> Attribution:
    case.report(0, 1, None)
    _, gradients = case.gradients(case.picture, rule)
    blank = None if gradients.any() else phrase("none_passed")
    return Attribution(gradients[0], note=blank)
