"""Methods: the classes of Captum, and what they can be given.

In: what a user named as a method, and keyword arguments. Out: a class, and arguments sorted by
where they go. Captum is an optional extra, imported only where a method is named after it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_PREFIX = "captum."
_GIVEN_BY_US = {"layer", "device_ids", "target", "additional_forward_args"}
_BY_POSITION = {"model", "forward_func", "inputs"}


def captum_class(method: object) -> type | None:
    """Return the attribution class that is meant, None where a method of ours is.

    Parameters
    ----------
    method : object
        A class of Captum's or one derived from them, or its name behind "captum.", such as
        ``"captum.DeepLift"``.

    Raises
    ------
    TypeError
        It is another class, or an object of an attribution class.
    ValueError
        Captum has no such class.
    ModuleNotFoundError
        Captum is not installed.
    """
    if isinstance(method, str):
        return _byname_of(method) if method.startswith(_PREFIX) else None
    found = method if isinstance(method, type) else type(method)
    captum = sys.modules.get("captum.attr")  # nobody can hold one of its classes without it
    if captum is not None and _is_attribution(found, captum):
        if found is method:
            return found
        msg = (
            f"method={found.__name__}(...) was made for one model; give the class itself, "
            f"{name_of(found)}: it is given a copy of the Inspector's model."
        )
        raise TypeError(msg)
    if found is method:
        msg = (
            f"method={found.__module__}.{found.__name__} is no class of Captum that explains an "
            f"input; give one, such as captum.attr.DeepLift, or a name, such as 'gradient'."
        )
        raise TypeError(msg)
    return None


def _byname_of(name: str) -> type:
    try:
        import captum.attr as captum
    except ModuleNotFoundError as error:
        msg = f"method={name!r} needs Captum: pip install captum."
        raise ModuleNotFoundError(msg) from error
    short = name.removeprefix(_PREFIX).removeprefix("attr.")
    found = getattr(captum, short, None)
    if not isinstance(found, type) or not _is_attribution(found, captum):
        known = [n for n in dir(captum) if _is_attribution(getattr(captum, n), captum)]
        msg = f"method={name!r}: Captum has no such attribution class; it has {', '.join(known)}."
        raise ValueError(msg)
    return found


def _is_attribution(found: object, captum: Any) -> bool:  # Any: the module, without types
    """Tell whether a class can explain one input: abstract ones and those of texts cannot."""
    if not isinstance(found, type) or not issubclass(found, captum.Attribution):
        return False
    attribute = getattr(found, "attribute", None)
    return callable(attribute) and "inputs" in inspect.signature(attribute).parameters


def takes_target(method: type) -> bool:
    """Tell whether a class explains a score of the model, and not a neuron or a layer's values."""
    call = Signature.of_attribute(method)
    return "target" in call.names or call.takes_more


def takes_layer(method: type) -> bool:
    """Tell whether a class works at a layer, or at a neuron of it."""
    return "layer" in Signature.of_constructor(method).names


def gives_layer(method: type) -> bool:
    """Tell whether the values lie at the layer, and not, as those for a neuron, at the input."""
    base: type = sys.modules["captum.attr"].LayerAttribution
    return issubclass(method, base)


def split_arguments(
    method: type, given: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, object]]:
    """Tell arguments of the constructor and of ``attribute`` apart.

    Raises
    ------
    TypeError
        An argument is not known, or a needed one is missing.
    """
    make, call = Signature.of_constructor(method), Signature.of_attribute(method)
    known = [name for name in (*make.names, *call.names) if name not in _GIVEN_BY_US]
    for name in given:
        if name in _GIVEN_BY_US or (name not in known and not call.takes_more):
            msg = f"{name}={given[name]!r} is no argument of {name_of(method)}; it takes "
            msg += f"{', '.join(known) or 'none'}."
            raise TypeError(msg)
    needed = [name for name in (*make.needed, *call.needed) if name not in _GIVEN_BY_US]
    missing = [name for name in needed if name not in given]
    if missing:
        msg = f"{missing[0]}= is missing: {name_of(method)} needs {', '.join(needed)}."
        raise TypeError(msg)
    making = {name: value for name, value in given.items() if name in make.names}
    calling = {name: value for name, value in given.items() if name not in make.names}
    return making, calling


def name_of(method: type) -> str:
    """Return the name by which people know a class."""
    return f"captum.attr.{method.__name__}"


@dataclass(frozen=True)
class Signature:
    """What a function can be given by name.

    Attributes
    ----------
    names, needed : tuple of str
        All, and those without a default.
    takes_more : bool
        Whether it passes others on.
    """

    names: tuple[str, ...]
    needed: tuple[str, ...]
    takes_more: bool

    @classmethod
    def of_constructor(cls, method: type) -> Signature:
        """Read what a class is made with."""
        return cls._of(method.__init__)  # type: ignore[misc]  # read, not called

    @classmethod
    def of_attribute(cls, method: type) -> Signature:
        """Read what its ``attribute`` is called with."""
        return cls._of(method.attribute)  # type: ignore[attr-defined]  # see captum_class

    @classmethod
    def _of(cls, function: Callable[..., object]) -> Signature:
        every = list(inspect.signature(function).parameters.values())[1:]
        every = [p for p in every if p.name not in _BY_POSITION]
        named = [p for p in every if p.kind not in {p.VAR_KEYWORD, p.VAR_POSITIONAL}]
        return cls(
            tuple(p.name for p in named),
            tuple(p.name for p in named if p.default is p.empty),
            any(p.kind is p.VAR_KEYWORD for p in every),
        )
