"""Words: every word of the interface, in one table per language; the stage below all others.

In: the name of a text and its fields. Out: a `Phrase`, which is the English text and knows the
others, and tables for the browser. `en.json` and `zh.json` are the only places with words.
"""

from __future__ import annotations

from .language import chosen, follow, language, set_language
from .phrase import Phrase, Told, joined, phrase, told
from .tables import LANGUAGES, tables

__all__ = [
    "LANGUAGES",
    "Phrase",
    "Told",
    "chosen",
    "follow",
    "joined",
    "language",
    "phrase",
    "set_language",
    "tables",
    "told",
]
