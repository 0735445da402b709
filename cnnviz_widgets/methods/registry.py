"""Methods: the catalogue of attribution methods that functions and widgets list.

In: a family and a name. Out: `Method` records with their papers and parameters, and parameters
checked and filled in. Plain Python: nothing here computes.
"""

from __future__ import annotations

import difflib
import importlib
import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast, get_args

Family = Literal["cam", "saliency"]
Kind = Literal["int", "float", "choice", "bool"]
Value = int | float | str | bool

_CATALOGUES: dict[str, str] = {
    "cam": "cnnviz_widgets.methods.cam_catalogue",
    "saliency": "cnnviz_widgets.methods.saliency_catalogue",
}


@dataclass(frozen=True)
class Parameter:
    """One setting of a method.

    Attributes
    ----------
    name, label : str
        Keyword in Python, and words for the interface.
    default : int, float, str or bool
        What holds when nothing is said.
    kind : str
        "int", "float", "choice" or "bool".
    low, high : float or None
        Smallest and largest value allowed, both included; None where there is no limit.
    choices : tuple of str
        What is allowed where `kind` is "choice".
    help : str
        One sentence, with the unit where there is one.
    """

    name: str
    label: str
    default: Value
    kind: Kind
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True)
class Method:
    """One attribution method.

    Attributes
    ----------
    name, title : str
        What to ask for it by, and its name in papers.
    family : str
        "cam" (a map at a layer) or "saliency" (a map at the input).
    paper : str
        Where it was published.
    signed : bool
        Whether raw values can be negative.
    parameters : tuple of Parameter
        Its settings.
    passes : str
        How often the model runs, in words.
    summary : str
        One sentence for the interface.
    one_pass : bool
        Whether every layer comes from one forward pass, with one backward pass for each class.
    progressive : bool
        Whether it samples or perturbs: partial maps come while it runs, and it can be cancelled.
    """

    name: str
    title: str
    family: Family
    paper: str
    signed: bool
    parameters: tuple[Parameter, ...]
    passes: str
    summary: str
    one_pass: bool = False
    progressive: bool = False


@cache
def methods(family: Family) -> tuple[Method, ...]:
    """Return the methods of a family, the best known first.

    Parameters
    ----------
    family : {"cam", "saliency"}
        Maps at a layer, or at the input.
    """
    if family not in get_args(Family):
        msg = f"family={family!r} is not known; choose 'cam' or 'saliency'."
        raise ValueError(msg)
    catalogue = importlib.import_module(_CATALOGUES[family])
    return cast("tuple[Method, ...]", catalogue.METHODS)


def find_method(name: object, family: Family) -> Method:
    """Return the method of this name.

    Raises
    ------
    TypeError
        `name` is no string.
    ValueError
        The family has no such method; near matches are named.
    """
    if not isinstance(name, str):
        msg = (
            f"method={name!r} is a {type(name).__name__}; give the name of a method, such as "
            f"{methods(family)[0].name!r}."
        )
        raise TypeError(msg)
    by_name = {method.name: method for method in methods(family)}
    if name in by_name:
        return by_name[name]
    msg = f"method={name!r} is no {family} method; {_hint(name, by_name, family)}"
    raise ValueError(msg)


def _hint(name: str, by_name: Mapping[str, Method], family: Family) -> str:
    other: Family = "saliency" if family == "cam" else "cam"
    if any(method.name == name for method in methods(other)):
        return f"it is a {other} method: call cw.{other}(insp, {name!r})."
    plain = {_plain(known): known for known in (*by_name, *(m.title for m in by_name.values()))}
    titles = {method.title: method.name for method in by_name.values()}
    found = difflib.get_close_matches(_plain(name), plain, n=4, cutoff=0.6)
    close = list(dict.fromkeys(titles.get(plain[key], plain[key]) for key in found))
    near = f"did you mean {' or '.join(map(repr, close[:2]))}? There" if close else "there"
    return f"{near} are {', '.join(by_name)}."


def _plain(name: str) -> str:
    """Return a name as people mistype it: small letters, no hyphens or spaces."""
    return "".join(letter for letter in name.lower() if letter.isalnum() or letter == "+")


def checked_parameters(method: Method, given: Mapping[str, object]) -> dict[str, Value]:
    """Return a method's settings, defaults filled in, in the order of its parameters.

    Parameters
    ----------
    method : Method
        Which.
    given : mapping of str to object
        What the user said.

    Raises
    ------
    TypeError
        There is no parameter of this name, or its value has the wrong type.
    ValueError
        A value is outside its limits, or no choice.
    """
    known = {parameter.name: parameter for parameter in method.parameters}
    for name, value in given.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            takes = f"takes {', '.join(known)}" if known else "takes no parameters"
            msg = f"{name}={value!r} is no parameter of {method.name!r}{hint} It {takes}."
            raise TypeError(msg)
    return {
        name: _checked(parameter, given[name], method) if name in given else parameter.default
        for name, parameter in known.items()
    }


def _checked(parameter: Parameter, value: object, method: Method) -> Value:
    what = f"{parameter.name}={value!r}"
    if parameter.kind == "bool":
        if not isinstance(value, bool):
            raise TypeError(f"{what} of {method.name!r} must be True or False.")
        return value
    if parameter.kind == "choice":
        if value not in parameter.choices:
            allowed = ", ".join(map(repr, parameter.choices))
            raise ValueError(f"{what} of {method.name!r} is not known; choose one of {allowed}.")
        return str(value)
    number = _number(parameter, value)
    kind = "a whole number" if parameter.kind == "int" else "a number"
    if number is None:
        raise TypeError(f"{what} of {method.name!r} must be {kind}{_limits(parameter)}.")
    low = -math.inf if parameter.low is None else parameter.low
    high = math.inf if parameter.high is None else parameter.high
    if not (low <= number <= high and math.isfinite(number)):
        raise ValueError(f"{what} of {method.name!r} must be {kind}{_limits(parameter)}.")
    return number


def _number(parameter: Parameter, value: object) -> int | float | None:
    """Return a number of any type, such as NumPy's, as a plain one; None for anything else."""
    if isinstance(value, (bool, str)):
        return None
    try:
        if parameter.kind == "int":
            return operator.index(value)  # type: ignore[arg-type]  # raises where it has no index
        return float(value)  # type: ignore[arg-type]  # raises where it is no number
    except (TypeError, ValueError):
        return None


def _limits(parameter: Parameter) -> str:
    if parameter.low is not None and parameter.high is not None:
        return f" from {parameter.low:g} to {parameter.high:g}"
    if parameter.low is not None:
        return f" of at least {parameter.low:g}"
    return "" if parameter.high is None else f" of at most {parameter.high:g}"
