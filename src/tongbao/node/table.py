"""The one place where operations are registered: every route, and everything OpenAPI says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tongbao.kernel import Registry
from tongbao.node import (
    bundling,
    examples,
    health,
    querying,
    reading,
    recalling,
    searching,
    stating,
    stream_submitting,
    streaming,
    submitting,
)
from tongbao.node.access import session_operations
from tongbao.node.access.needs import CHAIN, EVENTS, OPEN, ROW, SENDER, Kind, Scope, of_account
from tongbao.node.access.needs import ROWS as OF_ROWS
from tongbao.node.openapi import STREAM
from tongbao.node.operations import AtHeight, Filters, Nothing, Operation, Process
from tongbao.node.schemas import reference
from tongbao.sdk.answers import (
    BlockAnswer,
    BlocksAnswer,
    ChainAnswer,
    DryRunAnswer,
    HeaderAnswer,
    LightBlockAnswer,
    ManyAnswers,
    MovementsAnswer,
    ProofsAnswer,
    ReadyAnswer,
    ReasonAnswer,
    RowAnswer,
    SearchAnswer,
    StatementAnswer,
    SubmitAnswer,
    TransactionAnswer,
    TransactionsAnswer,
)
from tongbao.sdk.proofs import RowProof, TransactionProof, TrustFile
from tongbao.sdk.sessions import (
    CHALLENGE_PATH,
    END_PATH,
    MEDIA_TYPE,
    SESSIONS_PATH,
    TYPE,
    Challenge,
    SessionAnswer,
    SessionsEnded,
)

COMPACT: Final = {"type": "string", "description": "one transaction as compact JWS"}
GENERAL: Final = {
    "type": "object",
    "description": "one transaction in the general JSON serialization, members in any order",
    "required": ["payload", "signatures"],
    "properties": {
        "payload": {"type": "string", "description": "base64url of the RFC 8785 payload"},
        "signatures": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["protected", "signature"],
                "additionalProperties": False,
                "properties": {"protected": {"type": "string"}, "signature": {"type": "string"}},
            },
        },
    },
    "additionalProperties": False,
}
MANY: Final = {
    "type": "object",
    "required": ["transactions"],
    "additionalProperties": False,
    "properties": {
        "transactions": {
            "type": "array",
            "minItems": 1,
            "items": {
                "anyOf": [COMPACT, {"type": "object"}],
                "description": "compact or general; each has its own answer",
            },
        }
    },
}
ROWS: Final = {
    "type": "object",
    "required": ["rows"],
    "additionalProperties": False,
    "properties": {
        "rows": {
            "type": "array",
            "minItems": 1,
            "maxItems": reading.PROOFS_LIMIT,
            "items": {
                "type": "object",
                "required": ["table", "key"],
                "additionalProperties": False,
                "properties": {
                    "table": {"type": "string"},
                    "key": {"type": "array", "items": {"type": "string"}, "maxItems": 8},
                },
            },
        }
    },
}
ASKED: Final = {
    "type": "object",
    "required": ["account"],
    "additionalProperties": False,
    "properties": {"account": {"type": "string", "description": "the account's address"}},
}
TEXT: Final = "text/plain"


def _get(
    tag: str, path: str, name: str, run: Any, asks: Any, answers: Any, **more: Any
) -> Operation:
    return Operation(
        method="GET",
        path=path,
        name=name,
        summary=_summary(run),
        asks=asks,
        answers=(answers,),
        run=run,
        tag=tag,
        **more,
    )


def _summary(run: Any) -> str:
    return " ".join(run.__doc__.split())


def operations(registry: Registry) -> tuple[Operation, ...]:
    """All operations of a node whose chain has these modules."""
    found = (
        *_sending(),
        *_chain(),
        *_proving(),
        *querying.operations_of(registry),
        *_recalling(),
        *_watching(),
        *_knowing(),
    )
    places = {(one.method, one.path) for one in found}
    assert len(places) == len(found), "a module's query has the path of another operation"
    return found


def _sending() -> Iterator[Operation]:
    head, body, signature = examples.WIRE.split(".")
    here: Any = {"process": Process.FRONT, "needs": OPEN}
    general = {"payload": body, "signatures": [{"protected": head, "signature": signature}]}
    yield Operation(
        method="POST",
        path="/v1/transactions",
        name="submit",
        summary=_summary(submitting.submit),
        asks=submitting.Waits,
        answers=(SubmitAnswer, ManyAnswers),
        run=submitting.submit,
        takes={
            submitting.COMPACT: {"schema": COMPACT, "example": examples.WIRE},
            submitting.GENERAL: {"schema": GENERAL, "example": general},
            submitting.MANY: {"schema": MANY, "example": {"transactions": [examples.WIRE]}},
        },
        errors=(409, 507),
        tag="transactions",
        description=(
            "One transaction is answered by its status code: 409 when it was refused, 400 when it "
            "is invalid. Many are answered 200, each with its own state. The same bytes sent again "
            "can't happen twice. What is undecided after the setting `decide_ms` is `pending`, one "
            "transaction with 202: it may still happen."
        ),
        also={202: "Taken in; it still waits for its block: ask by its id."},
        **here,
    )
    yield Operation(
        method="POST",
        path="/v1/dry-runs",
        name="dry_run",
        summary=_summary(submitting.dry_run),
        asks=Nothing,
        answers=(DryRunAnswer,),
        run=submitting.dry_run,
        takes={"application/json": {"schema": reference("Payload")}},
        tag="transactions",
        description="The body is a payload without any signature, its members in any order.",
        process=Process.CORE,
        needs=SENDER,
    )
    yield Operation(
        method="GET",
        path=stream_submitting.SOCKET_PATH,
        name="transactions_socket",
        summary=_summary(stream_submitting.no_upgrade),
        asks=submitting.Waits,
        answers=(),
        run=stream_submitting.no_upgrade,
        errors=(426,),
        tag="transactions",
        description=(
            "Each message is one transaction, compact or general; each answer is as of a batch, in "
            "the order of the messages. At most 1,000 of a connection wait for their answers: "
            "then nothing more is read from it."
        ),
        also={101: "From here on the connection is a WebSocket."},
        **here,
    )
    yield _get(
        "transactions",
        "/v1/transactions/{id}",
        "transaction",
        reading.transaction,
        reading.OfTransaction,
        TransactionAnswer,
        errors=(410,),
        needs=CHAIN,
    )


def _chain() -> Iterator[Operation]:
    whatever = dict[str, Any]
    for line in (
        ("/v1", "chain", reading.chain, AtHeight, ChainAnswer),
        ("/v1/blocks", "blocks", reading.blocks, reading.OfBlocks, BlocksAnswer),
    ):
        yield _get("chain", *line, needs=CHAIN)
    row = ("/v1/rows/{table}", "row", reading.row, reading.OfRow, RowAnswer)
    yield _get("chain", *row, errors=(404,), needs=ROW)
    reason = ("/v1/reasons/{number}", "reason", reading.reason, reading.OfReason, ReasonAnswer)
    yield _get("chain", *reason, errors=(404,), needs=OPEN)
    block = ("/v1/blocks/{height}", "block", reading.block, reading.OfBlock, BlockAnswer)
    yield _get("chain", *block, errors=(404, 410), is_lasting=True)
    header = ("/v1/headers/{height}", "header", reading.header, reading.OfBlock, HeaderAnswer)
    yield _get("chain", *header, errors=(404, 410), is_lasting=True, needs=CHAIN)
    genesis = ("/v1/genesis", "genesis", reading.genesis_file, Nothing, whatever)
    yield _get("chain", *genesis, is_lasting=True, needs=CHAIN)
    document = ("/openapi.json", "openapi", reading.openapi, Nothing, whatever)
    media: Any = {"media_type": "application/openapi+json"}
    yield _get("chain", *document, is_lasting=True, needs=OPEN, **media)


def _proving() -> Iterator[Operation]:
    by: Any = {"process": Process.CORE}
    known: Any = {"needs": CHAIN, **by}
    yield _get("proofs", "/v1/trust", "trust", reading.trust, Nothing, TrustFile, **known)
    newest = ("newest_light_block", reading.newest_light_block, AtHeight, LightBlockAnswer)
    yield _get("proofs", "/v1/light-blocks", *newest, errors=(404,), **known)
    at_height = ("light_block", reading.light_block, reading.OfBlock, LightBlockAnswer)
    yield _get("proofs", "/v1/light-blocks/{height}", *at_height, errors=(404,), **known)
    yield _get(
        "proofs",
        "/v1/transactions/{id}/proof",
        "transaction_proof",
        reading.transaction_proof,
        reading.OfTransaction,
        TransactionProof,
        errors=(404, 410),
        is_lasting=True,
        **known,
    )
    row_proof = ("row_proof", reading.row_proof, reading.OfRow, RowProof)
    yield _get("proofs", "/v1/rows/{table}/proof", *row_proof, errors=(404,), needs=ROW, **by)
    example = {"rows": [{"table": "asset.holdings", "key": examples.BY_NAME["key"]}]}
    yield Operation(
        method="POST",
        path="/v1/proofs",
        name="row_proofs",
        summary=_summary(reading.row_proofs),
        asks=AtHeight,
        answers=(ProofsAnswer,),
        run=reading.row_proofs,
        takes={"application/json": {"schema": ROWS, "example": example}},
        errors=(404,),
        tag="proofs",
        description="Each is a proof file as of the path of its row; all are of one height.",
        needs=OF_ROWS,
        **by,
    )
    did = ("/v1/accounts/{address}/did", "did", reading.did, reading.OfDid, dict[str, Any])
    of_did: Any = {"media_type": "application/did+json", "needs": CHAIN}
    yield _get("accounts", *did, errors=(404,), **of_did)


def _recalling() -> Iterator[Operation]:
    moved, done = MovementsAnswer, TransactionsAnswer
    account, asset = "/v1/accounts/{address}", "/v1/assets/{asset}"
    past: Any = {"needs": of_account("address", kind=Kind.HISTORIES)}
    own: Any = {"needs": of_account("address", kind=Kind.STATEMENTS)}
    moves = (recalling.account_movements, recalling.OfAccountMovements, moved)
    yield _get("accounts", f"{account}/movements", "account_movements", *moves, **past)
    by_account = (recalling.account_transactions, recalling.OfAccount, done)
    yield _get("accounts", f"{account}/transactions", "account_transactions", *by_account, **past)
    stated = ("statement", stating.statement, stating.OfStatement, StatementAnswer)
    yield _get("accounts", f"{account}/statement", *stated, errors=(404,), **own)
    export = ("export", stating.export, stating.OfExport, str)
    as_text: Any = {"media_type": stating.CSV, **own}
    yield _get("accounts", f"{account}/export", *export, errors=(404,), **as_text)
    search = ("search", searching.search, searching.OfSearch, SearchAnswer)
    yield _get("chain", "/v1/search", *search)
    bundle = ("bundle", bundling.bundle, bundling.OfBundle, str)
    zipped: Any = {"media_type": bundling.ZIP, **own}
    yield _get("accounts", f"{account}/bundle", *bundle, errors=(404,), **zipped)
    of_asset = (recalling.asset_movements, recalling.OfAsset, moved)
    issued: Any = {"needs": of_account(scope=Scope.LEDGER, kind=None, assets=("asset",))}
    yield _get("assets", f"{asset}/movements", "asset_movements", *of_asset, **issued)
    bearing = (recalling.by_reference, recalling.OfReference, done)
    yield _get("transactions", "/v1/references/{reference}", "reference", *bearing)


def _watching() -> Iterator[Operation]:
    events = ("/v1/events", "events", streaming.events, Filters, str)
    here: Any = {"process": Process.FRONT}
    told: Any = {"needs": EVENTS, **here}
    stream: Any = {"media_type": streaming.MEDIA_TYPE, "description": STREAM, **told}
    yield _get("events", *events, errors=(410,), **stream)
    yield Operation(
        method="GET",
        path=streaming.SOCKET_PATH,
        name="events_socket",
        summary=_summary(streaming.no_upgrade),
        asks=Filters,
        answers=(),
        run=streaming.no_upgrade,
        errors=(410, 426),
        tag="events",
        description="Each message is a `Happening` in JSON. The node pings; it reads nothing.",
        also={101: "From here on the connection is a WebSocket."},
        **told,
    )
    yield _text("/livez", "live", health.live)
    ready = ("/readyz", "ready", health.ready, Nothing, ReadyAnswer)
    yield _get("health", *ready, also={503: "Not ready, with reasons."}, needs=OPEN, **here)
    yield _text("/metrics", "metrics", health.count)


def _text(path: str, name: str, run: Any) -> Operation:
    here: Any = {"process": Process.FRONT, "needs": OPEN}
    return _get("health", path, name, run, Nothing, str, media_type=TEXT, **here)


def _knowing() -> Iterator[Operation]:
    here: Any = {"method": "POST", "tag": "sessions", "process": Process.FRONT, "needs": OPEN}
    example = {"account": examples.ADDRESS}
    yield Operation(
        path=CHALLENGE_PATH,
        name="challenge",
        summary=_summary(session_operations.challenge),
        asks=Nothing,
        answers=(Challenge,),
        run=session_operations.challenge,
        takes={"application/json": {"schema": ASKED, "example": example}},
        description="What is signed is its RFC 8785 bytes, as a compact JWS of the type "
        f"`{TYPE}`; a client looks first whether `origin` is the node that it has asked.",
        **here,
    )
    yield Operation(
        path=SESSIONS_PATH,
        name="open_session",
        summary=_summary(session_operations.open_session),
        asks=Nothing,
        answers=(SessionAnswer,),
        run=session_operations.open_session,
        takes={MEDIA_TYPE: {"schema": {"type": "string", "description": "a signed challenge"}}},
        description="Any key of the account will do, whatever its weight: a session only reads.",
        **here,
    )
    yield Operation(
        path=END_PATH,
        name="end_session",
        summary=_summary(session_operations.end_session),
        asks=session_operations.OfEnd,
        answers=(SessionsEnded,),
        run=session_operations.end_session,
        **here,
    )
