"""What an operation of the interface is: one line of a table that routes and OpenAPI come from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import fields
from starlette.requests import Request

from tongbao.kernel import Address, AssetId, Id
from tongbao.node.access.needs import LEDGER, Need
from tongbao.node.problems import bad_request
from tongbao.sdk.place import FILTERS, needles_of

HEALTH: Final = frozenset({"/livez", "/readyz", "/metrics"})
"""What is always answered, however much somebody asks."""
ALWAYS: Final = frozenset({400, 421, 431, 500})
WRITES: Final = frozenset({403, 408, 413, 415})
BUSY: Final = frozenset({429, 503})
UNKNOWN: Final = frozenset({401})
FORBIDDEN: Final = frozenset({403})
LIST_NAMES: Final = frozenset({"key"})
"""Query parameters that may be given more than once."""

TransactionId = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z", description="a transaction's id")]
Height = Annotated[int, Meta(ge=0, le=2**53 - 1, description="a block's height")]
MinHeight = Annotated[
    int | None,
    Meta(description="answer only from this height on; 503 when it is not reached in time"),
]
WireName = Annotated[
    str, Meta(pattern=r"^[a-z0-9_]{1,64}[.][a-z0-9_]{1,64}\Z", description="such as `asset.moved`")
]


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


class AtHeight(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters of every read of the state."""

    min_height: Annotated[int, Meta(ge=0, le=2**53 - 1)] | None = None


class Filters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which happenings a stream tells: those that mention all that is given."""

    after: Annotated[str, Meta(pattern=r"^[0-9]{1,16}[.][0-9]{1,9}\Z")] | None = None
    account: Address | None = None
    asset: AssetId | None = None
    thing: Id | None = None
    type: WireName | None = None

    def needles(self) -> tuple[bytes, ...]:
        """The JSON texts that must occur."""
        given = {name: getattr(self, name) for name in FILTERS}
        return needles_of({name: text for name, text in given.items() if text is not None})


class Process(Enum):
    """Which process of a node does an operation, where the node has several.

    A front needs no state, a core decides and has the trie, and a reader has the rows of the last
    flush: any read that needs no more is a reader's, so that it takes no time of the others.
    """

    FRONT = "front"
    CORE = "core"
    READER = "reader"


class Operation(Struct, frozen=True, kw_only=True):
    """One method of one path.

    `asks` are the parameters of path and query, `answers` the types of a good answer, `takes` the
    media types of a body, and `run` does it. `also` are other answers of the same types, by status.
    What `is_lasting` never changes while the chain goes on: its answer has an ETag. `process` says
    who does it, and `needs` who may have its answer where reading is for members.
    """

    method: str
    path: str
    name: str
    summary: str
    asks: type[Struct]
    answers: tuple[Any, ...]
    run: Callable[..., Awaitable[Any]]
    takes: dict[str, Any] = {}
    errors: tuple[int, ...] = ()
    media_type: str = "application/json"
    tag: str = "queries"
    description: str = ""
    also: dict[int, str] = {}
    is_lasting: bool = False
    process: Process = Process.READER
    needs: Need = LEDGER


def errors_of(one: Operation) -> tuple[int, ...]:
    """Every status of an error that an operation can answer, whatever is asked of it."""
    found = {*one.errors, *ALWAYS}
    if one.method != "GET":
        found |= WRITES
    if one.path not in HEALTH:
        found |= BUSY | UNKNOWN
    if one.needs.scope is not None:
        found |= FORBIDDEN
    return tuple(sorted(found))


def parameters(request: Request, asks: type[Struct]) -> Any:
    """The parameters of a request, typed. Raises ProblemError for unknown, doubled, wrong ones."""
    given: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name in LIST_NAMES:
            given.setdefault(name, []).append(value)
        elif name in given:
            raise bad_request(f"the parameter {shown(name)} is given twice")
        else:
            given[name] = value
    for name, value in request.path_params.items():
        if name in given:
            raise bad_request(f"{name} stands in the path already")
        given[name] = value
    known = {one.encode_name: one.name for one in fields(asks)}
    for name in given:
        if name not in known:
            raise bad_request(
                f"there is no parameter {shown(name)}; there are: {', '.join(known) or 'none'}"
            )
    try:
        typed = msgspec.convert(given, asks, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise bad_request(str(error)) from error
    for name, value in given.items():
        found = getattr(typed, known[name])
        if found is None:
            raise bad_request(f"{name} is left out rather than null")
        if isinstance(found, int) and str(found) != value:
            raise bad_request(f"{name} is written in plain digits")
    return typed


def shown(text: str) -> str:
    """Text of a stranger, short and without control characters, for a message."""
    return ascii(text[:40])
