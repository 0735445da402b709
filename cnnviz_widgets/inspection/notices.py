"""Inspection: what a reader should know about how a model is run.

In: its `Shadow`. Out: full sentences.
"""

from __future__ import annotations

import torch

from cnnviz_widgets.inspection.keras_model import KerasModel
from cnnviz_widgets.inspection.shadow import Shadow
from cnnviz_widgets.words import phrase


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
        notices.append(phrase("training"))
    if not shadow.isolated:
        notices.append(phrase("not_copied", reason=str(shadow.reason)))
    if scripted:
        notices.append(phrase("scripted", names=_quoted(scripted)))
    if any(parameter.is_inference() for parameter in model.parameters()):
        notices.append(phrase("inference_weights"))
    if shadow.own:
        notices.append(phrase("writes_parameters", names=_quoted(sorted(shadow.own))))
    if copies:
        notices.append(phrase("copies_outputs"))
    return notices


def _quoted(names: list[str]) -> str:
    return ", ".join(map(repr, names))
