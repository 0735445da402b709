"""What lets a widget say its words in the reader's language; the base of all that have a view.

In: sections of the tables, and the language that is set. Out: the traits `_words`, `_language`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import anywidget
import ipywidgets
import traitlets

from cnnviz_widgets.words import Phrase, chosen, follow, language, tables


class SpokenWidget(anywidget.AnyWidget):
    """A widget whose words stand in the tables; its views follow the language."""

    _words = traitlets.Dict(help="Texts by language and name.").tag(sync=True)
    _language = traitlets.Unicode(help='Set by Python; "" follows the browser.').tag(sync=True)

    WORDS: ClassVar[tuple[str, ...]] = ()
    """Sections of the tables that its views need besides "shared"."""

    def __init__(self, **traits: Any) -> None:
        super().__init__(_words=self.words(), _language=language() or "", **traits)
        follow(self)

    @classmethod
    def words(cls) -> dict[str, dict[str, str]]:
        """Return the texts that its views need, by language and name."""
        return tables("shared", *cls.WORDS)

    def speak(self, language: str | None) -> None:
        """Take the language of the interface; None is that of the browser."""
        self._language = language or ""


class Reader(anywidget.AnyWidget):
    """Tells the kernel which language to speak where ipywidgets show words that Python sets.

    It has a view, which shows nothing, and belongs into the box that has the words.

    Parameters
    ----------
    say : callable
        Called with a function that says a text in the reader's language: at once, and whenever
        that changes.
    """

    _esm = """
export default {
  render({ model }) {
    model.set("_preferred", [...navigator.languages]);
    model.save_changes();
  },
};
"""
    _preferred = traitlets.List(traitlets.Unicode(), help="The browser's.").tag(sync=True)

    def __init__(self, say: Callable[[Callable[[str], str]], object]) -> None:
        self._say = say
        super().__init__(layout=ipywidgets.Layout(display="none"))
        self._tell()
        follow(self)

    def spoken(self, text: str) -> str:
        """Return a text in the reader's language, where it has several."""
        return text.texts[chosen(self._preferred)] if isinstance(text, Phrase) else text

    def speak(self, _language: str | None) -> None:
        """Say the words anew: another language is set."""
        self._tell()

    @traitlets.observe("_preferred")
    def _tell(self, _change: object = None) -> None:
        self._say(self.spoken)
