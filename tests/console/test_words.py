"""Every text is there in both languages, is used, and has the same values to put in."""

from __future__ import annotations

import re
import string
from importlib import resources
from pathlib import Path

import pytest

from tongbao.console.words import LANGUAGES, Words, table

PACKAGE = Path(str(resources.files("tongbao.console")))
CALLED = re.compile(r'\bt\("([a-z_.]+)"(?: ~)?')
NAMED = re.compile(r'"([a-z]+[.][a-z_0-9]+)"')
BEGUN = re.compile(r'f"([a-z]+[.][a-z_]*)\{')


def keys_in_templates() -> set[str]:
    """The keys that templates ask for; one that ends with a point begins several."""
    texts = [file.read_text() for file in PACKAGE.glob("templates/*.html")]
    return {key for text in texts for key in CALLED.findall(text)}


def keys_in_code() -> set[str]:
    """The keys in Python files, and the beginnings of those that are put together there."""
    texts = [file.read_text() for file in PACKAGE.glob("*.py")]
    known = {key for text in texts for key in NAMED.findall(text) if key in table()}
    return known | {key for text in texts for key in BEGUN.findall(text)}


def is_meant(key: str, used: str) -> bool:
    """Whether a key is the one that is used, or one of those that begin so."""
    return key == used or (used[-1] in "._" and key.startswith(used))


def values_in(text: str) -> list[str]:
    """The names of the values that a text has put in, sorted."""
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_every_text_is_there_in_every_language() -> None:
    """
    Given the table of texts,
    when each key is looked at,
    then it has a text in each language, with the same values to put in.
    """
    for key, texts in table().items():
        assert tuple(texts) == LANGUAGES, key
        assert all(text.strip() == text != "" for text in texts.values()), key
        first, *others = [values_in(text) for text in texts.values()]
        assert all(other == first for other in others), key


def test_templates_ask_for_known_keys_and_no_key_is_idle() -> None:
    """
    Given the keys that templates and code name,
    when they are compared with the table,
    then every one is known, and every text of the table is asked for.
    """
    asked = keys_in_templates() | keys_in_code()
    meant = {used: {key for key in table() if is_meant(key, used)} for used in asked}

    assert {used for used, keys in meant.items() if not keys} == set()
    assert set(table()) - set().union(*meant.values()) == set()


def test_an_unknown_key_is_an_error_and_values_are_escaped() -> None:
    """
    Given the words of a language,
    when a key is asked for that is not there, and one with markup as its value,
    then the first is an error, and the second has the markup as text.
    """
    words = Words("zh")
    with pytest.raises(KeyError):
        words("site.nonsense")
    assert words("account.missing", id="<b>") == "没有账户的地址是 &lt;b&gt;。"
