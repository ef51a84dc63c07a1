"""What people type becomes what the ledger reads, by type."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
from msgspec import Meta

from tongbao.cli.book import AccountBook
from tongbao.cli.failures import CommandError
from tongbao.cli.values import ANY_ISSUER, Resolver, form_of, read, sample
from tongbao.kernel import (
    Address,
    Amount,
    AssetId,
    Key,
    Small,
    Time,
    WeightedKey,
    WeightedKeys,
    jcs,
)
from tongbao.sdk.genesis_builder import genesis_address

OPERATOR = genesis_address(0)
PUBLIC = "BRYPfyGKvIsZXn-4jCxkWVYsU4OQSWcYUw8IFpWu3yw"
KEY = {"algorithm": 1, "public": PUBLIC}


@pytest.fixture
def resolver(tmp_path: Path) -> Resolver:
    """Names of a folder without a chain; every key is the same one."""
    return Resolver(AccountBook(tmp_path), lambda _: PUBLIC)


@pytest.mark.parametrize(
    ("hint", "text", "value"),
    [
        (Address, "operator", OPERATOR),
        (Address | None, "2f" * 20, "2f" * 20),
        (AssetId, "CNY.operator", f"CNY.{OPERATOR}"),
        (AssetId, f"CNY.{'2f' * 20}", f"CNY.{'2f' * 20}"),
        (AssetId, "CNY", f"CNY.{ANY_ISSUER}"),
        (Amount, "12.50", "12.50"),
        (Small, "7", 7),
        (Time, "1790000000000", 1790000000000),
        (Time, "2026-09-21T14:13:20Z", 1790000000000),
        (Time, "2026-09-21T22:13:20+08:00", 1790000000000),
        (Key, "alice", KEY),
        (Key, jcs.encode(KEY).decode(), KEY),
        (WeightedKeys, '[{"key":"alice","weight":2}]', [{"key": KEY, "weight": 2}]),
        (Annotated[str, Meta(pattern="^x")], "xyz", "xyz"),
    ],
)
def test_short_forms_become_values(hint: Any, text: str, value: Any, resolver: Resolver) -> None:
    """
    Given a type and what somebody types for it,
    when it is read,
    then names, codes, times and keys have become what the ledger knows.
    """
    assert read(resolver, hint, text) == value


@pytest.mark.parametrize(
    ("hint", "text", "error"),
    [
        (Address, "carol", "no account is remembered as 'carol'"),
        (Address, "2F" * 20, "no account is remembered as"),
        (AssetId, "CNY.carol", "no account is remembered as 'carol'"),
        (AssetId, "cny", "'cny' is no asset"),
        (Small, "1.5", "'1.5' is no integer"),
        (Small, "", "'' is no integer"),
        (Small, "1_0", "'1_0' is no integer"),
        (Time, "tomorrow", "'tomorrow' is no time"),
        (Time, "2026-09-21T14:13:20", "names no time zone"),
        (WeightedKeys, "[", "not JSON"),
    ],
)
def test_what_is_no_value_is_said(hint: Any, text: str, error: str, resolver: Resolver) -> None:
    """
    Given a type and something that is none of its values,
    when it is read,
    then an error says so, with advice.
    """
    with pytest.raises(CommandError, match=error) as caught:
        read(resolver, hint, text)
    assert caught.value.advice


def test_a_code_alone_needs_exactly_one_issuer(tmp_path: Path) -> None:
    """
    Given codes that nobody, one and two remembered accounts have defined,
    when each is read without its issuer,
    then only the second is an asset.
    """
    two = [Address("1f" * 20), Address("2f" * 20)]
    issuers = {"NONE": [], "ONE": two[:1], "TWO": two}
    resolver = Resolver(AccountBook(tmp_path), None, lambda code: issuers[code])

    assert read(resolver, AssetId, "ONE") == f"ONE.{two[0]}"
    for code in ("NONE", "TWO"):
        with pytest.raises(CommandError, match=f"defined {code}") as caught:
            read(resolver, AssetId, code)
        assert caught.value.advice == f"write {code}.NAME or {code}.ADDRESS"


def test_a_time_from_now_counts_in_its_unit(resolver: Resolver) -> None:
    """
    Given two offsets from now,
    when both are read, the shorter one first,
    then they are at least their difference apart.
    """
    soon, later = (read(resolver, Time, text) for text in ("+90s", "+1d"))

    assert later - soon >= 86_400_000 - 90_000


def test_types_of_others_are_explained_by_their_bounds() -> None:
    """
    Given types that the command line does not know,
    when they are explained,
    then bounds, pattern and nesting are told.
    """
    assert form_of(Annotated[int, Meta(ge=1, le=9)]).help == "an integer of 1 to 9"
    assert form_of(Annotated[str, Meta(pattern="^x$")]).help == "text of the form ^x$"
    assert form_of(bool).help == "yes when it is given"
    assert form_of(tuple[Small, ...]).help == "JSON such as [1]"
    assert sample(WeightedKey) == {"key": "alice", "weight": 1}
