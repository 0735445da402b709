"""Methods: the gradient of a score at the input, and one number per pixel from its channels.

In: a `Case`. Out: its `Attribution` from one forward and one backward pass.
"""

from __future__ import annotations

from torch import Tensor

from cnnviz_widgets.methods.case import Attribution, Case

REDUCTIONS = ("sum", "abs-max", "l2")
"""How the channels of a place become one number; see `reduce_channels`."""


def gradient(case: Case) -> Attribution:
    """Return dS/dx, the change of the score with each input value.

    Simonyan, Vedaldi, Zisserman 2013, arXiv:1312.6034, section 3.1, where the map is the largest
    absolute value of the channels: the reduction "abs-max". Captum's `Saliency` gives the absolute
    value of every channel; here the sign is kept until channels are reduced.
    """
    case.report(0, 1, None)
    _, gradients = case.gradients(case.picture)
    return Attribution(gradients[0])


def input_x_gradient(case: Case) -> Attribution:
    """Return x dS/dx, input times gradient.

    Shrikumar et al. 2016, arXiv:1605.01713. To first order what each value adds to the score,
    compared with an input of zeros in the normalised space, where x is zero too: for a network of
    convolutions and ReLUs without biases the values add up to the score. Same as Captum's.
    """
    case.report(0, 1, None)
    _, gradients = case.gradients(case.picture)
    return Attribution(case.picture[0].float() * gradients[0])


def reduce_channels(values: Tensor, reduction: str) -> Tensor:
    """Return one number per place.

    Parameters
    ----------
    values : Tensor of shape (C, *grid)
        Signed, by channel.
    reduction : str
        "sum": signed sum of the channels, which keeps what attributions add up to. "abs-max":
        largest absolute value, as in arXiv:1312.6034. "l2": root of the sum of squares.

    Returns
    -------
    Tensor of shape (*grid)

    Raises
    ------
    ValueError
        There is no such reduction.
    """
    if reduction == "sum":
        return values.sum(0)
    if reduction == "abs-max":
        return values.abs().amax(0)
    if reduction == "l2":
        return values.square().sum(0).sqrt()
    msg = f"reduction={reduction!r} is not known; choose one of {', '.join(map(repr, REDUCTIONS))}."
    raise ValueError(msg)
