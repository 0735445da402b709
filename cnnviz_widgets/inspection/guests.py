"""Inspection: an Inspector of another picture, for one look.

In: an `Inspector` and inputs like its own. Out: another `Inspector`, which shares the copy of the
model and what is known of it, and runs only what is asked for.
"""

from __future__ import annotations

import copy

from cnnviz_widgets.inspection.cache import TensorCache
from cnnviz_widgets.inspection.inputs import Inputs
from cnnviz_widgets.inspection.inspector import Inspector


def guest_of(insp: Inspector, inputs: Inputs | None) -> Inspector:
    """Return an Inspector of other inputs; `insp` itself without any.

    Parameters
    ----------
    insp : Inspector
        Stays as it is: its inputs, values and epoch, and what is shown of it.
    inputs : object, optional
        As for `Inspector`, of the same shapes and types as those of `insp`.

    Raises
    ------
    ValueError
        They have other shapes or types.
    """
    if inputs is None:
        return insp
    guest = copy.copy(insp)
    guest._listeners = []
    guest._gradients = TensorCache(insp._gradients.budget)
    with insp._entered(None):
        if not insp._session.waits:
            _ = insp._session.modules  # found once, for all guests
        guest._session = insp._session.guest(inputs)
    return guest
