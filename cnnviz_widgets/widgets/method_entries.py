"""Methods as the browser lists them: titles, papers and parameters in plain values.

In: the registry. Out: dicts for a synced trait.
"""

from __future__ import annotations

from typing import TypedDict

from cnnviz_widgets.methods import captum_classes
from cnnviz_widgets.methods.registry import Family, Method, Parameter, Value, find_method, methods
from cnnviz_widgets.words import Told, phrase, told


class ParameterEntry(TypedDict):
    """One setting of a method, from which the browser makes a control."""

    name: str
    label: Told
    kind: str
    default: Value
    low: float | None
    high: float | None
    choices: list[list[Told]]
    help: Told


class MethodEntry(TypedDict):
    """One method, as it stands in a list to choose from."""

    name: str
    title: Told
    family: str
    usual: str
    paper: str
    passes: Told
    summary: Told
    progressive: bool
    at_layer: bool
    parameters: list[ParameterEntry]


def _parameter_entry(parameter: Parameter) -> ParameterEntry:
    return {
        "name": parameter.name,
        "label": told(parameter.label),
        "kind": parameter.kind,
        "default": parameter.default,
        "low": parameter.low,
        "high": parameter.high,
        "choices": [[name, told(phrase(f"choice_{name}"))] for name in parameter.choices],
        "help": told(parameter.help),
    }


def takes_layer(method: Method) -> bool:
    """Tell whether a method can be asked at a layer of the reader's choice."""
    theirs = captum_classes.captum_class(method.name)
    if theirs is not None:
        return captum_classes.takes_layer(theirs)
    return method.family == "cam" or method.name == "guided_gradcam"


def usual_form(method: Method) -> str:
    """Name what is usually drawn of a method's maps: the positive part, or all by its size.

    What lowers the score when it is covered speaks for the class, what raises it against it; by
    their size both would look alike.
    """
    is_for_a_class = method.family == "cam" or method.name in {"occlusion", "rise"}
    return "positive" if is_for_a_class else "absolute"


def method_entry(method: Method) -> MethodEntry:
    """Describe one method in plain values."""
    return {
        "name": method.name,
        "title": told(method.title),
        "family": method.family,
        "usual": usual_form(method),
        "paper": method.paper,
        "passes": told(method.passes),
        "summary": told(method.summary),
        "progressive": method.progressive,
        "at_layer": takes_layer(method),
        "parameters": [_parameter_entry(parameter) for parameter in method.parameters],
    }


def method_entries(*families: Family) -> list[MethodEntry]:
    """Describe all methods of these families, in the registry's order."""
    return [method_entry(method) for family in families for method in methods(family)]


def method_of(name: str, *families: Family) -> Method:
    """Return the method of this name in any of these families, of which the first errs.

    Parameters
    ----------
    name : str
        As in the registry, or "captum.DeepLift" and so on.
    *families : {"cam", "saliency"}
        Where to look.

    Raises
    ------
    ValueError
        There is none; the text names near matches.
    ModuleNotFoundError
        It is one of Captum's, which is not installed.
    """
    theirs = captum_classes.captum_class(name)
    if theirs is not None:
        return _captum_method(theirs)
    for family in families[1:]:
        if any(method.name == name for method in methods(family)):
            return find_method(name, family)
    return find_method(name, families[0])


def captum_name(method: object) -> str | None:
    """Return the name of a class of Captum, given as such or by name; None for any other method."""
    theirs = captum_classes.captum_class(method)
    return None if theirs is None else f"captum.{theirs.__name__}"


def _captum_method(theirs: type) -> Method:
    """Describe a class of Captum as the registry describes our methods."""
    name = theirs.__name__
    return Method(
        name=f"captum.{name}",
        title=f"{name} (Captum)",
        family="saliency",
        paper="captum.ai",
        signed=True,
        parameters=(),
        passes=phrase("passes_captum"),
        summary=phrase("summary_captum", name=captum_classes.name_of(theirs)),
        progressive=True,
    )


def parameter_controls(*families: Family) -> tuple[str, ...]:
    """Name the controls of all parameters of all methods of these families."""
    names = {
        parameter.name
        for family in families
        for method in methods(family)
        for parameter in method.parameters
    }
    return tuple(f"parameter-{name}" for name in sorted(names))
