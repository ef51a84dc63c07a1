"""Every text of the page in both languages, out of `words.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Final, Literal

from markupsafe import Markup, escape

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")
TAGS: Final[dict[Language, str]] = {"en": "en", "zh": "zh-Hans"}


@cache
def table() -> dict[str, dict[Language, str]]:
    """Each key, `section.name`, with its text in each language."""
    text = resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8")
    return {
        f"{section}.{name}": dict(zip(LANGUAGES, texts, strict=True))
        for section, names in tomllib.loads(text).items()
        for name, texts in names.items()
    }


class Words:
    """The texts of one language: `words("site.title")`."""

    def __init__(self, language: Language) -> None:
        """Speak a language."""
        self.language = language
        self.tag = TAGS[language]

    def __call__(self, key: str, /, **values: object) -> Markup:
        """The text of a key with values put in, all of it safe in HTML. Raises KeyError."""
        return escape(table()[key][self.language]).format(**values)

    def has(self, key: str) -> bool:
        """Whether there is a text of this key."""
        return key in table()

    def known(self, key: str, otherwise: str) -> Markup:
        """The text of a key, or what is said where there is none of it."""
        found = table().get(key)
        return escape(otherwise if found is None else found[self.language])


def language_of(chosen: str | None, accepted: str) -> Language:
    """What somebody has chosen, else what the browser likes; English when neither is known."""
    for language in LANGUAGES:
        if chosen == language:
            return language
    first = accepted.strip().lower()[:2]
    return "zh" if first == "zh" else "en"
