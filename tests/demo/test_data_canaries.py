"""Looking for planted values: each form is found where it stands, also across two pieces."""

from __future__ import annotations

import base64
import zlib
from hashlib import sha256

import pytest

from tongbao.demo.market.canaries import forms_of, guessed_hashes, names_in
from tongbao.modules.data import data_hash

TEXT = "planted 0123456789abcdef"


@pytest.mark.parametrize(
    "hidden",
    [
        TEXT.encode(),
        TEXT.encode().hex().encode(),
        TEXT.encode().hex().upper().encode(),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-be"),
        zlib.compress(TEXT.encode()),
        base64.b64encode(TEXT.encode()),
        base64.b64encode(b"?" + TEXT.encode() + b"?"),
        base64.b64encode(b"??" + TEXT.encode() + b"??"),
        base64.urlsafe_b64encode(b"???" + TEXT.encode()),
    ],
)
def test_a_planted_text_is_found_in_any_form(hidden: bytes) -> None:
    """
    Given a text that stands in bytes in some form, somewhere between others,
    when it is looked for in two pieces that cut it anywhere,
    then it is found.
    """
    around = b"x" * 100 + hidden + b"x" * 100
    cuts = range(90, 110 + len(hidden))
    assert all(names_in((around[:cut], around[cut:]), forms_of(TEXT)) for cut in cuts)


def test_other_texts_are_not_found() -> None:
    """
    Given bytes with another text,
    when a planted one is looked for,
    then it is not found.
    """
    assert names_in((b"planted 0123456789abcdee" * 10,), forms_of(TEXT)) == []


def test_a_plain_or_unsalted_hash_of_a_count_of_eggs_is_guessed() -> None:
    """
    Given hashes of 12 eggs without a salt,
    when counts are guessed,
    then each is found.
    """
    guesses = guessed_hashes()
    plain, cell = sha256(b"12").hexdigest(), data_hash("cell", b"eggs", bytes(16), b"12").hex()
    assert {plain, cell} <= guesses.keys()
