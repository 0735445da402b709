"""Inspection: what a reader should know about how a model is run.

In: its `Shadow`. Out: full sentences.
"""

from __future__ import annotations

import torch

from cnnviz_widgets.inspection.keras_model import KerasModel
from cnnviz_widgets.inspection.shadow import Shadow


def model_notices(shadow: Shadow, *, copies: bool) -> list[str]:
    """Return sentences on how a model is run.

    Parameters
    ----------
    shadow : Shadow
        What runs.
    copies : bool
        Whether every layer's output has to be copied.
    """
    model = shadow.original
    modules = list(model.named_modules())
    scripted = [name for name, m in modules if isinstance(m, torch.jit.ScriptModule)]
    notices: list[str] = []
    if any(module.training for _, module in modules) and not isinstance(model, KerasModel):
        notices.append("The model is in training mode; it is looked at in eval mode.")
    if not shadow.isolated:
        notices.append(
            f"The model cannot be copied ({shadow.reason}), so it is run itself and put back as "
            f"it was after each run."
        )
    if scripted:
        notices.append(f"Scripted modules cannot be looked into: {_quoted(scripted)}.")
    if any(parameter.is_inference() for parameter in model.parameters()):
        notices.append(
            "The weights were made in inference mode, where torch does not count writes; call "
            "refresh() after changing them."
        )
    if shadow.own:
        notices.append(
            f"forward() writes to the parameters {_quoted(sorted(shadow.own))}; it is given "
            f"copies of them."
        )
    if copies:
        notices.append(
            "The model changes values in ways that cannot be followed, so every layer's output "
            "is copied as it comes, which takes longer."
        )
    return notices


def _quoted(names: list[str]) -> str:
    return ", ".join(map(repr, names))
