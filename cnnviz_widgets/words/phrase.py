"""Words: a text with its fields filled in, in every language at once.

In: the name of a text and its fields. Out: a `Phrase`; `told` makes of it what the browser shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from .tables import LANGUAGES, whole

_FIELD = re.compile(r"\{(\w+)(?:\|([^{}|]*)\|([^{}|]*))?\}")
_KEPT = 1024

Told = str | dict[str, str] | None
"""A text on its way to the browser; js/src/words.ts reads it."""


class Phrase(str):
    """A text in English that knows how it is said in the other languages.

    What strings do gives plain English strings; `joined` puts phrases together as phrases.

    Parameters
    ----------
    texts : mapping of str to str
        The text by language, English among them.

    Attributes
    ----------
    texts : mapping of str to str
        As given.
    """

    __slots__ = ("texts",)
    texts: Mapping[str, str]

    def __new__(cls, texts: Mapping[str, str]) -> Phrase:  # noqa: PYI034  # Python 3.10 has no Self
        """Make the English string, and keep the others with it."""
        made = super().__new__(cls, texts["en"])
        made.texts = texts
        return made

    def __getnewargs__(self) -> tuple[Mapping[str, str]]:  # type: ignore[override]  # not str's own
        """Let copies and pickles be made of all languages."""
        return (self.texts,)


@lru_cache(maxsize=_KEPT, typed=True)
def phrase(name: str, /, **fields: str | float) -> Phrase:
    """Return a text of the tables.

    Parameters
    ----------
    name : str
        Of the text.
    **fields : str, int or float
        What its fields are filled with; a phrase is said in each language.

    Returns
    -------
    Phrase

    Raises
    ------
    KeyError
        There is no such text, or a field of it is not given.
    """
    return Phrase({language: _said(name, fields, language) for language in LANGUAGES})


def _said(name: str, fields: Mapping[str, object], language: str) -> str:
    spoken = {
        field: value.texts[language] if isinstance(value, Phrase) else str(value)
        for field, value in fields.items()
    }
    return filled(whole(language)[name], spoken)


def filled(template: str, fields: Mapping[str, str]) -> str:
    """Fill in the fields of a template (see `tables`); js/src/words.ts does the same."""

    def value(found: re.Match[str]) -> str:
        field, one, several = found.groups()
        if one is None:
            return fields[field]
        return str(one) if fields[field] == "1" else str(several)

    return _FIELD.sub(value, template)


def fields_of(template: str) -> set[str]:
    """Return the names of a template's fields."""
    return {found[1] for found in _FIELD.finditer(template)}


def joined(texts: Iterable[str | None], between: str = "between_sentences") -> str | None:
    """Put sentences together, as each language does; None where there is none.

    Parameters
    ----------
    texts : iterable of str or None
        Phrases, strings that are the same in all languages, or None and "", which are left out.
    between : str
        Name of the text that stands between them.
    """
    parts = [text for text in texts if text]
    if len(parts) < 2:
        return parts[0] if parts else None
    return Phrase(
        {
            language: whole(language)[between].join(_in(part, language) for part in parts)
            for language in LANGUAGES
        }
    )


def _in(text: str, language: str) -> str:
    return text.texts[language] if isinstance(text, Phrase) else text


def told(text: str | None) -> Told:
    """Return a text as the browser takes it: by language, or as it is where it has no others."""
    return dict(text.texts) if isinstance(text, Phrase) else text
