"""What a caller must be to have an operation's answer: the column `needs` of the table."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.requests import HTTPConnection


class Scope(StrEnum):
    """What may be read. Whoever has one has those above it, too."""

    CHAIN = "chain"
    """What belongs to nobody alone: headers, parameters, assets, keys, a transaction by its id."""
    ACCOUNTS = "accounts"
    """Every account's holdings, statements and history."""
    LEDGER = "ledger"
    """Everything: whole blocks, any row, all events, search."""


ORDER: Final = tuple(Scope)


def with_implied(scopes: tuple[Scope, ...]) -> frozenset[Scope]:
    """Scopes with those that they imply."""
    most = max(map(ORDER.index, scopes), default=-1)
    return frozenset(ORDER[: most + 1])


Own = Callable[[str | None, HTTPConnection, bytes], bool]
"""Whether a request (its body at the end) is about an account's own, or about nobody's."""


Subjects = Callable[[HTTPConnection], list[str]]
"""The accounts that a request names, of which one may be under inspection."""


class Kind(StrEnum):
    """As what a supervisor's read is counted on the ledger."""

    HISTORIES = "histories"
    PAGES = "pages"
    QUERIES = "queries"
    ROWS = "rows"
    STATEMENTS = "statements"


class Need(Struct, frozen=True):
    """A scope that suffices, None where nobody has to be known; else `own` for one's own.

    `reads_body` where `own` must see the body. Where there are `subjects`, a supervisor reads what
    is theirs while it inspects one of them, and that is counted as a `kind`.
    """

    scope: Scope | None
    own: Own | None = None
    reads_body: bool = False
    subjects: Subjects | None = None
    kind: Kind = Kind.QUERIES


OPEN: Final = Need(None)
CHAIN: Final = Need(Scope.CHAIN)
LEDGER: Final = Need(Scope.LEDGER)

OPEN_TABLES: Final = frozenset(
    {
        "account.accounts",
        "asset.controls",
        "asset.definitions",
        "asset.supplies",
        "asset.tallies",
        "data.adjudicators",
        "data.clocks",
        "data.enterprises",
        "data.schemas",
        "data.sources",
        "governance.ballots",
        "governance.councils",
        "governance.proposals",
        "kernel.features",
        "kernel.halts",
        "kernel.parameters",
        "kernel.peers",
        "kernel.upgrades",
        "kernel.validators",
        "member.acting_accounts",
        "member.members",
        "member.permissions",
        "reading.tallies",
    }
)
"""Tables whose rows belong to nobody alone: a caller who may read the chain may read them."""


def _given(request: HTTPConnection, name: str) -> list[str]:
    """What a request gives under a name: in its path, else once in its query."""
    if name in request.path_params:
        return [request.path_params[name]]
    given = request.query_params.getlist(name)
    return given if len(given) == 1 else []


def of_account(
    *names: str,
    scope: Scope = Scope.ACCOUNTS,
    kind: Kind | None = Kind.QUERIES,
    assets: tuple[str, ...] = (),
) -> Need:
    """An operation about the account that a parameter of one of these names is.

    Without a `kind` no inspection serves. What one of `assets` names is its issuer's, too.
    """

    def subjects(request: HTTPConnection) -> list[str]:
        return [account for name in names for account in _given(request, name)]

    def own(account: str | None, request: HTTPConnection, body: bytes) -> bool:
        if account is None:
            return False
        issued = (asset.partition(".")[2] for name in assets for asset in _given(request, name))
        return account in subjects(request) or account in issued

    if kind is None or not names:
        return Need(scope, own)
    return Need(scope, own, subjects=subjects, kind=kind)


def is_own_row(account: str | None, table: str, key: list[Any]) -> bool:
    """Whether a row is an account's own, for its key names the account, or belongs to nobody."""
    return table in OPEN_TABLES or account in key


def _row(account: str | None, request: HTTPConnection, body: bytes) -> bool:
    return is_own_row(account, request.path_params["table"], request.query_params.getlist("key"))


def _row_subjects(request: HTTPConnection) -> list[str]:
    return request.query_params.getlist("key")


class _Row(Struct):
    table: str
    key: list[Any]


class _Rows(Struct):
    rows: list[_Row]


class _Sent(Struct):
    sender: str


def _rows(account: str | None, request: HTTPConnection, body: bytes) -> bool:
    try:
        rows = msgspec.json.decode(body, type=_Rows).rows
    except (msgspec.DecodeError, ValueError):
        return True  # the operation says what is wrong with it
    return all(is_own_row(account, row.table, row.key) for row in rows)


def _sender(account: str | None, request: HTTPConnection, body: bytes) -> bool:
    try:
        return msgspec.json.decode(body, type=_Sent).sender == account
    except (msgspec.DecodeError, ValueError):
        return True  # the operation says what is wrong with it


EVENTS: Final = of_account("account", scope=Scope.LEDGER, kind=None)
"""A stream of events, of one account or of all."""
ROW: Final = Need(Scope.LEDGER, _row, subjects=_row_subjects, kind=Kind.ROWS)
"""A row, or its proof."""
ROWS: Final = Need(Scope.LEDGER, _rows, reads_body=True)
"""Several rows, named in a body."""
SENDER: Final = Need(Scope.LEDGER, _sender, reads_body=True)
"""A payload in a body: of its sender."""
