"""Which patterns a declared text may have: those of short, printable ASCII."""

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from tongbao.kernel.row_keys import KeyCodec
from tongbao.kernel.schema import check_type

PATTERNS = (
    r"^[A-F]\Z",
    r"^[ -~]{0,99}\Z",
    r"^(0|[1-9a-f][0-9a-f]{0,63})\Z",
    r"^(?:[0-9a-f]{2}){1,20}\Z",
    r"^[A-Z][A-Z0-9]{0,11}[.][0-9a-f]{40}\Z",
    r"^(credit|debit|\$|\.)?\Z",
)
"""Forms that a text may have."""

REFUSED = {
    "text of any characters": r"^.{1,9}\Z",
    "text of all but some": r"^[^x]{1,9}\Z",
    "text of all but one": r"^a[^x]\Z",
    "text of Unicode's words": r"^\w{1,9}\Z",
    "text of Unicode's digits": r"^[\d-]{1,9}\Z",
    "text of Unicode's spaces": r"^a\sb\Z",
    "text of no digits": r"^\D\Z",
    "text with an alternative at its end": r"^a|.{3}b\Z",
    "text with an alternative that has its own end": r"^a\Z|^b\Z",
    "text with an alternative of any characters": r"^(a|b.|c)\Z",
    "text beyond ASCII": "^é\\Z",
    "text up to beyond ASCII": r"^[a-\xff]{1,9}\Z",
    "text of control characters": r"^[\x00-z]{1,9}\Z",
    "text with a line end": r"^a\n\Z",
    "text with a delete": r"^[a-\x7f]\Z",
    "text with a flag": r"(?i)^a\Z",
    "text with a flag inside": r"^(?i:k)\Z",
    "text that looks ahead": r"^(?=a)a\Z",
    "text that looks behind": r"^a(?<!b)\Z",
    "text that repeats a group": r"^(a|b)\1\Z",
    "text whose end is a letter": r"^a\\Z",
    "text that may end in a line": "^a$",
    "text with an end in its middle": r"^(a\Z){0,1}\Z",
    "text that goes on": r"^(ab{2,}){1,9}\Z",
}
"""Forms that a text must not have, by what each would let through."""


@pytest.mark.parametrize("pattern", PATTERNS)
@given(data=st.data())
def test_a_text_that_a_pattern_lets_through_is_short_and_printable(
    pattern: str, data: st.DataObject
) -> None:
    """
    Given a pattern that may be declared,
    when a text of that form is a row's key,
    then it is printable ASCII, is written within the codec's longest, and reads back.
    """
    codec = KeyCodec(Annotated[str, Meta(pattern=pattern)])
    said = data.draw(st.from_regex(pattern))
    written = codec.encode(said)
    assert (said.isascii(), said.isprintable(), codec.decode(written)) == (True, True, said)
    assert len(written) <= codec.longest


@pytest.mark.parametrize("rule", REFUSED)
def test_a_pattern_that_lets_more_through_is_refused(rule: str) -> None:
    """
    Given a pattern that some long, unprintable or foreign text matches, or that can't be read so,
    when a member of that form is declared,
    then it is refused with the member's name and what a pattern may be.
    """
    refused = Annotated[str, Meta(pattern=REFUSED[rule])]
    with pytest.raises(
        AssertionError, match=r"Write\.title has a type without bounds.*begins with"
    ):
        check_type(refused, "Write.title")


def test_a_length_ends_an_open_pattern() -> None:
    """
    Given a pattern that repeats for ever, beside a length,
    when it is a row's key,
    then it passes, and the longest key has that length and its end mark.
    """
    codec = KeyCodec(Annotated[str, Meta(pattern=r"^[a-z]+\Z", max_length=9)])
    assert codec.longest == 10
