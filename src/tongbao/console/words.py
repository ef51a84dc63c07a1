"""Every text of the pages in both languages, out of the tables in `FILES`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

from markupsafe import Markup, escape

Language = Literal["en", "zh"]

LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")
FILES: Final = (
    "words.toml",
    "control_words.toml",
    "guardian_words.toml",
    "member_words.toml",
    "proposal_words.toml",
    "desk_words.toml",
    "market_words.toml",
)
TAGS: Final[dict[Language, str]] = {"en": "en", "zh": "zh-Hans"}
"""As `lang` attributes have them (RFC 5646)."""


@cache
def table() -> dict[str, dict[Language, str]]:
    """Each key, `section.name`, with its text in each language."""
    folder = resources.files("tongbao.console")
    sections: dict[str, Any] = {}
    for file in FILES:
        sections |= tomllib.loads(folder.joinpath(file).read_text(encoding="utf-8"))
    return {
        f"{section}.{name}": dict(zip(LANGUAGES, texts, strict=True))
        for section, names in sections.items()
        for name, texts in names.items()
    }


def is_known(key: str) -> bool:
    """Whether there is a text of this key."""
    return key in table()


class Words:
    """The texts of one language: `words("block.title", height=3)`."""

    def __init__(self, language: Language) -> None:
        """Speak a language."""
        self.language = language
        self.tag = TAGS[language]

    def __call__(self, key: str, /, **values: object) -> Markup:
        """The text of a key with values put in, all of it safe in HTML. Raises KeyError."""
        return escape(table()[key][self.language]).format(**values)
