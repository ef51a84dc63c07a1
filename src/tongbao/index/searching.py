"""Searching names: whole ones and beginnings, of accounts, assets and references."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from tongbao.index.answers import Found, FoundNames
from tongbao.index.chunks import DIGITS, MIDDLE, number_of
from tongbao.index.database import Session
from tongbao.index.entries import Entry
from tongbao.index.finding import begin_in, entries_in
from tongbao.index.tables import NEXT_ACCOUNT, NEXT_TEXT
from tongbao.kernel.identifiers import VAULT_ZEROS

_begins_address: Final = re.compile(r"[0-9a-f]{1,40}\Z").match
_begins_text: Final = re.compile(r"[A-Za-z0-9.-]{1,64}\Z").match

AFTER_TEXTS: Final = b"\xff"
"""After every byte of a name, which is ASCII."""


def search(session: Session, text: str, limit: int) -> FoundNames:
    """Names that are a text or begin with it, at most `limit`: accounts, then the others."""
    height, first = begin_in(session)
    found = list(islice(_named(session, text), limit + 1))
    return FoundNames(height, tuple(found[:limit]), len(found) > limit, first)


def _named(session: Session, text: str) -> Iterator[Found]:
    if _begins_address(text):
        yield from _accounts(session, text)
    if _begins_text(text):
        yield from _texts(session, text)


def _texts(session: Session, text: str) -> Iterator[Found]:
    """Assets and references; only an asset's name has a point."""
    name, end = text.encode(), text.encode() + AFTER_TEXTS
    while rows := session.rows(NEXT_TEXT, name, end):
        yield _found(bytes(rows[0][0]))
        name = bytes(rows[0][0]) + b"\0"


def _found(name: bytes) -> Found:
    return Found("asset" if b"." in name else "reference", name.decode())


def _accounts(session: Session, text: str) -> Iterator[Found]:
    low, high = _numbers(text)
    while rows := session.rows(NEXT_ACCOUNT, low, high):
        number = rows[0][0]
        names = {name for entry in entries_in(rows[0][1]) for name in _accounts_in(entry)}
        for name in sorted(names):
            if name.startswith(text) and number_of(name) == number:
                yield Found("account", name)
        low = number + 1


def _numbers(text: str) -> tuple[int, int]:
    """The least and the greatest number of an address that begins with a text."""
    head = text[:DIGITS]
    low, high = int(head.ljust(DIGITS, "0"), 16), int(head.ljust(DIGITS, "f"), 16)
    if text.startswith(VAULT_ZEROS):
        tail = text[len(VAULT_ZEROS) :]
        low, high = int(tail.ljust(4, "0"), 16), int(tail.ljust(4, "f"), 16)
    elif VAULT_ZEROS.startswith(text):
        low = 0
    return low - MIDDLE, high - MIDDLE


def _accounts_in(entry: Entry) -> Iterator[str]:
    yield entry.sender
    for moving in entry.moved:
        if moving.payer is not None:
            yield moving.payer
        if moving.payee is not None:
            yield moving.payee
