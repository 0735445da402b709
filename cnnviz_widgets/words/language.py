"""Words: which language the interface speaks.

In: what the user sets, and what a browser prefers. Out: a language, told to all that follow it.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Protocol

from .tables import LANGUAGES

_forced: str | None = None


class Follower(Protocol):
    """Something on the screen that says its words in the language that is set."""

    def speak(self, language: str | None) -> None:
        """Take the language; None is that of the browser."""


_followers: weakref.WeakSet[Follower] = weakref.WeakSet()


def set_language(language: str | None) -> None:
    """Choose the language of the interface, of widgets that are on the screen too.

    Unless it is called, each widget and each exported page follows the language of the browser that
    shows it: Simplified Chinese where that prefers any Chinese, else English. Words of your own
    stay as they are: names of layers and classes, titles, the text of errors that your model
    raises. What Python prints or draws is English, and so are most of its errors.

    Parameters
    ----------
    language : {"en", "zh"} or None
        English, Simplified Chinese, or that of the browser.

    Raises
    ------
    ValueError
        It is none of these.

    Examples
    --------
    >>> import cnnviz_widgets as cw
    >>> cw.set_language("zh")
    >>> cw.set_language(None)
    """
    if language is not None and language not in LANGUAGES:
        known = ", ".join(map(repr, LANGUAGES))
        msg = f"language={language!r} is not known; give {known}, or None to follow the browser."
        raise ValueError(msg)
    global _forced
    _forced = language
    for follower in list(_followers):
        follower.speak(language)


def language() -> str | None:
    """Return the language that was set; None follows the browser."""
    return _forced


def follow(follower: Follower) -> None:
    """Tell this one, as long as it lives, when another language is set."""
    _followers.add(follower)


def chosen(preferred: Iterable[str]) -> str:
    """Return the language to speak to a reader: the one set, or the first known of those preferred.

    Parameters
    ----------
    preferred : iterable of str
        Tags in the order of preference, such as "zh-Hans-CN", as a browser gives them.
    """
    tags = [_forced or "", *(tag.lower().partition("-")[0] for tag in preferred)]
    return next((tag for tag in tags if tag in LANGUAGES), LANGUAGES[0])
