"""Methods: attribution maps from activations and gradients, and the registry that lists them.

In: an Inspector's passes. Out: float32 torch maps. Formulas are functions of tensors alone; the
modules that run the model take `insp.passes`.
"""

from __future__ import annotations

from cnnviz_widgets.methods.registry import (
    Method,
    Parameter,
    checked_parameters,
    find_method,
    methods,
)

__all__ = ["Method", "Parameter", "checked_parameters", "find_method", "methods"]
