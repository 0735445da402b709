"""Words: the tables, one JSON file per language, in sections.

In: names of sections. Out: texts by name. A text is a template: ``{name}`` is a field, and
``{count|one|several}`` is "one" where the field is 1 and "several" elsewhere, as English needs it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import cast

LANGUAGES = ("en", "zh")
"""English, which Python itself speaks, and Simplified Chinese."""

Table = Mapping[str, str]
"""Texts by name; a name stands in one section alone."""


@cache
def sections(language: str) -> Mapping[str, Table]:
    """Return the sections of a language."""
    path = Path(__file__).with_name(f"{language}.json")
    return cast("Mapping[str, Table]", json.loads(path.read_text(encoding="utf-8")))


@cache
def whole(language: str) -> Table:
    """Return all texts of a language."""
    return {name: text for table in sections(language).values() for name, text in table.items()}


@cache
def tables(*names: str) -> dict[str, dict[str, str]]:
    """Return the texts of some sections in all languages, for the browser.

    Parameters
    ----------
    *names : str
        Sections, such as "shared".

    Returns
    -------
    dict of str to dict
        By language, then by the text's name. It is shared: do not change it.
    """
    return {
        language: {
            name: text for section in names for name, text in sections(language)[section].items()
        }
        for language in LANGUAGES
    }
