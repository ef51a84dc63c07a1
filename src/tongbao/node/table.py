"""The one place where operations are registered: every route, and everything OpenAPI says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tongbao.kernel import Registry
from tongbao.node import health, querying, reading, recalling, streaming, submitting
from tongbao.node.operations import AtHeight, Filters, Nothing, Operation
from tongbao.sdk.answers import (
    BlockAnswer,
    BlocksAnswer,
    ChainAnswer,
    DryRunAnswer,
    ManyAnswers,
    MovementsAnswer,
    ProofsAnswer,
    ReasonAnswer,
    RowAnswer,
    SubmitAnswer,
    TransactionAnswer,
    TransactionsAnswer,
)
from tongbao.sdk.proofs import RowProof, TransactionProof, TrustFile

COMPACT: Final = {"type": "string", "description": "one transaction as compact JWS"}
GENERAL: Final = {
    "type": "object",
    "description": "one transaction in the general JSON serialization, members in any order",
    "required": ["payload", "signatures"],
}
MANY: Final = {
    "type": "object",
    "required": ["transactions"],
    "additionalProperties": False,
    "properties": {
        "transactions": {
            "type": "array",
            "minItems": 1,
            "items": {"oneOf": [{"type": "string"}, GENERAL]},
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
PAYLOAD: Final = {"type": "object", "description": "the payload, in RFC 8785 form"}
TEXT: Final = "text/plain"


def _get(path: str, name: str, run: Any, asks: Any, answers: Any, *errors: int) -> Operation:
    return Operation(
        method="GET",
        path=path,
        name=name,
        summary=_summary(run),
        asks=asks,
        answers=(answers,),
        run=run,
        errors=errors,
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
    )
    places = {(one.method, one.path) for one in found}
    assert len(places) == len(found), "a module's query has the path of another operation"
    return found


def _sending() -> Iterator[Operation]:
    yield Operation(
        method="POST",
        path="/v1/transactions",
        name="submit",
        summary=_summary(submitting.submit),
        asks=submitting.Waits,
        answers=(SubmitAnswer, ManyAnswers),
        run=submitting.submit,
        takes={
            submitting.COMPACT: COMPACT,
            submitting.GENERAL: GENERAL,
            submitting.MANY: MANY,
        },
        errors=(400, 408, 409, 413, 415, 429, 503, 507),
    )
    yield Operation(
        method="POST",
        path="/v1/dry-runs",
        name="dry_run",
        summary=_summary(submitting.dry_run),
        asks=Nothing,
        answers=(DryRunAnswer,),
        run=submitting.dry_run,
        takes={"application/json": PAYLOAD},
        errors=(400, 408, 413, 415),
    )


def _chain() -> Iterator[Operation]:
    of_transaction, of_row = reading.OfTransaction, reading.OfRow
    yield _get("/v1", "chain", reading.chain, AtHeight, ChainAnswer, 400, 503)
    yield _get("/v1/genesis", "genesis", reading.genesis_file, Nothing, dict[str, Any])
    yield _get("/v1/blocks", "blocks", reading.blocks, reading.OfBlocks, BlocksAnswer, 400)
    yield _get(
        "/v1/blocks/{height}", "block", reading.block, reading.OfBlock, BlockAnswer, 400, 404
    )
    yield _get(
        "/v1/transactions/{id}",
        "transaction",
        reading.transaction,
        of_transaction,
        TransactionAnswer,
        *(400, 503),
    )
    yield _get("/v1/rows/{table}", "row", reading.row, of_row, RowAnswer, 400, 404, 503)
    yield _get(
        "/v1/reasons/{number}", "reason", reading.reason, reading.OfReason, ReasonAnswer, 404
    )


def _proving() -> Iterator[Operation]:
    yield _get("/v1/trust", "trust", reading.trust, Nothing, TrustFile)
    yield _get(
        "/v1/transactions/{id}/proof",
        "transaction_proof",
        reading.transaction_proof,
        reading.OfTransaction,
        TransactionProof,
        *(400, 404, 503),
    )
    yield _get(
        "/v1/rows/{table}/proof",
        "row_proof",
        reading.row_proof,
        reading.OfRow,
        RowProof,
        *(400, 404, 503),
    )
    yield Operation(
        method="POST",
        path="/v1/proofs",
        name="row_proofs",
        summary=_summary(reading.row_proofs),
        asks=AtHeight,
        answers=(ProofsAnswer,),
        run=reading.row_proofs,
        takes={"application/json": ROWS},
        errors=(400, 404, 408, 413, 415, 503),
    )
    yield _get(
        "/v1/accounts/{address}/did",
        "did",
        reading.did,
        reading.OfDid,
        dict[str, Any],
        *(400, 404, 503),
    )


def _recalling() -> Iterator[Operation]:
    for path, name, run, asks, answers in (
        (
            "/v1/accounts/{address}/movements",
            "account_movements",
            recalling.account_movements,
            recalling.OfAccountMovements,
            MovementsAnswer,
        ),
        (
            "/v1/accounts/{address}/transactions",
            "account_transactions",
            recalling.account_transactions,
            recalling.OfAccount,
            TransactionsAnswer,
        ),
        (
            "/v1/assets/{asset}/movements",
            "asset_movements",
            recalling.asset_movements,
            recalling.OfAsset,
            MovementsAnswer,
        ),
        (
            "/v1/references/{reference}",
            "reference",
            recalling.by_reference,
            recalling.OfReference,
            TransactionsAnswer,
        ),
    ):
        yield _get(path, name, run, asks, answers, 400, 503)


def _watching() -> Iterator[Operation]:
    yield Operation(
        method="GET",
        path="/v1/events",
        name="events",
        summary=_summary(streaming.events),
        asks=Filters,
        answers=(str,),
        run=streaming.events,
        errors=(400, 503),
        media_type="text/event-stream",
    )
    yield _text("/livez", "live", health.live)
    yield _get("/readyz", "ready", health.ready, Nothing, dict[str, Any], 503)
    yield _text("/metrics", "metrics", health.count)


def _text(path: str, name: str, run: Any) -> Operation:
    return Operation(
        method="GET",
        path=path,
        name=name,
        summary=_summary(run),
        asks=Nothing,
        answers=(str,),
        run=run,
        media_type=TEXT,
    )
