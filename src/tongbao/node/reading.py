"""Reads of the chain itself: head, blocks, transactions, rows, proofs, trust, DID documents."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from tongbao import __version__
from tongbao.engines.headers import read_header
from tongbao.kernel import Address, ChainId
from tongbao.kernel.envelope import decode_envelope
from tongbao.kernel.genesis import write_genesis
from tongbao.kernel.transaction import id_of
from tongbao.modules import account
from tongbao.modules.account.did import did_document
from tongbao.node.access.policy import policy_of
from tongbao.node.api import Api
from tongbao.node.operations import AtHeight, Height, Nothing, TransactionId, shown
from tongbao.node.problems import bad_request, gone, not_found
from tongbao.sdk.answers import (
    BlockAnswer,
    BlockLine,
    BlocksAnswer,
    BlockTransaction,
    ChainAnswer,
    HeaderAnswer,
    LightBlockAnswer,
    ProofsAnswer,
    ReasonAnswer,
    RowAnswer,
    TransactionAnswer,
)
from tongbao.sdk.proofs import RowProof, TransactionProof, TrustFile
from tongbao.store.errors import Pruned
from tongbao.store.record import has_happened

PAGE_BLOCKS: Final = 50
PROOFS_LIMIT: Final = 256
JSON: Final = ("application/json",)

TableName = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,64}[.][a-z0-9_]{1,64}\Z")]
KeyTexts = Annotated[tuple[str, ...], Meta(max_length=8)]


class OfTransaction(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which transaction; `expires` as it was signed tells whether it can still happen."""

    id: TransactionId
    expires: Annotated[int, Meta(ge=0, le=2**53 - 1)] | None = None
    min_height: Annotated[int, Meta(ge=0, le=2**53 - 1)] | None = None


class OfBlock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which block."""

    height: Height


class OfBlocks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Blocks below a height, the newest first."""

    before: Height | None = None
    limit: Annotated[int, Meta(ge=1, le=PAGE_BLOCKS)] = 20


class OfRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row by its table and the parts of its key, in order."""

    table: TableName
    key: KeyTexts
    min_height: Annotated[int, Meta(ge=0, le=2**53 - 1)] | None = None


class WantedRow(Struct, frozen=True, forbid_unknown_fields=True):
    """A row that shall be proven, as in `OfRow`."""

    table: TableName
    key: KeyTexts


class WantedRows(Struct, frozen=True, forbid_unknown_fields=True):
    """Several of them, in the order of the answer."""

    rows: Annotated[tuple[WantedRow, ...], Meta(min_length=1, max_length=PROOFS_LIMIT)]


_rows: Final = msgspec.json.Decoder(WantedRows)


class OfReason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which reason."""

    number: Annotated[int, Meta(ge=1, le=2**31)]


class OfDid(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose DID document."""

    address: Address
    min_height: Annotated[int, Meta(ge=0, le=2**53 - 1)] | None = None


async def chain(api: Api, request: Request, asked: AtHeight) -> ChainAnswer:
    """The chain and its last block."""
    head = await api.read(asked.min_height, api.chain.head)
    modules = await api.read(None, lambda: api.chain.modules)
    return ChainAnswer(
        chain=head.chain,
        version=__version__,
        engine=api.chain.genesis.engine.name,
        read_policy=await api.read(None, policy_of, api),
        height=head.height,
        time=head.time,
        now=api.chain.now(),
        state_root=head.state_root,
        rows=head.rows,
        modules=modules,
        first_block=api.chain.first_block,
    )


async def transaction(api: Api, request: Request, asked: OfTransaction) -> TransactionAnswer:
    """What became of a transaction, and what was signed."""
    try:
        return await api.read(asked.min_height, _transaction, api, asked)
    except Pruned as error:
        raise gone(str(error)) from error


def _transaction(api: Api, asked: OfTransaction) -> TransactionAnswer:
    status = api.chain.status(asked.id, asked.expires)
    if status.height is None or status.index is None:
        return TransactionAnswer(status.state, status.time, status.never)
    found = TransactionAnswer(
        status.state,
        status.time,
        False,
        status.height,
        status.index,
        status.number,
        api.chain.why(status.number) if status.number else "",
    )
    try:
        record = api.chain.block(status.height)
    except Pruned:
        return found
    wire = record.transactions[status.index]
    return replace(
        found,
        transaction=wire.decode(),
        payload=Raw(decode_envelope(wire).payload),
        receipt=Raw(record.receipts[status.index]),
    )


async def transaction_proof(api: Api, request: Request, asked: OfTransaction) -> TransactionProof:
    """A proof file for a transaction."""
    try:
        return await api.read(asked.min_height, api.chain.prove_transaction, asked.id)
    except Pruned as error:
        raise gone(str(error)) from error
    except LookupError as error:
        raise not_found(f"no block holds transaction {asked.id}") from error


async def blocks(api: Api, request: Request, asked: OfBlocks) -> BlocksAnswer:
    """Some blocks, the newest first."""
    return await api.read(None, _blocks, api, asked)


def _blocks(api: Api, asked: OfBlocks) -> BlocksAnswer:
    last = api.chain.head().height
    first = last if asked.before is None else min(last, asked.before - 1)
    begins = api.chain.begins
    low = max(first - asked.limit + 1, begins)
    lines = [BlockLine(height, *_of_block(api, height)) for height in range(first, low - 1, -1)]
    return BlocksAnswer(tuple(lines), low if low > begins else None)


def _of_block(api: Api, height: int) -> tuple[int, int | None]:
    """When a block was made, and how many transactions it has, if its body is there."""
    if height < api.chain.first_block:
        return api.chain.headers(height, height)[0].time, None
    record = api.chain.block(height)
    return record.time, len(record.transactions)


async def block(api: Api, request: Request, asked: OfBlock) -> BlockAnswer:
    """One block."""
    return await api.read(None, _block, api, asked.height)


def _block(api: Api, height: int) -> BlockAnswer:
    try:
        record = api.chain.block(height)
    except Pruned as error:
        raise gone(str(error)) from error
    except LookupError as error:
        raise not_found(f"there is no block {height} yet") from error
    found = []
    for wire, (_, number) in zip(record.transactions, record.outbox, strict=False):
        if not has_happened(number):
            found.append(BlockTransaction("", number, "", ()))  # nobody need be able to read it
            continue
        payload = decode_envelope(wire).payload
        members = msgspec.json.decode(payload)
        names = tuple(message["@type"] for message in members["messages"])
        found.append(BlockTransaction(id_of(payload).hex(), number, members["sender"], names))
    header, _ = read_header(record.header)
    return BlockAnswer(height, record.time, record.header.decode(), header.state, tuple(found))


async def header(api: Api, request: Request, asked: OfBlock) -> HeaderAnswer:
    """One block's signed header, of a pruned block too."""
    lines = await api.read(None, api.chain.headers, asked.height, asked.height)
    if not lines and asked.height < api.chain.begins:
        raise gone(f"this node joined its network at block {api.chain.begins}")
    if not lines:
        raise not_found(f"there is no block {asked.height} yet")
    return HeaderAnswer(lines[0].height, lines[0].time, lines[0].header.decode())


async def row(api: Api, request: Request, asked: OfRow) -> RowAnswer:
    """A row of any table, or null."""
    table, key = _row_key(api, asked)

    def read() -> RowAnswer:
        with api.chain.reading() as height:
            value = api.chain.row(table, key)
        return RowAnswer(height, table, None if value is None else Raw(value))

    return await api.read(asked.min_height, read)


async def row_proof(api: Api, request: Request, asked: OfRow) -> RowProof:
    """A proof file for a row, or for its absence."""
    table, key = _row_key(api, asked)
    return await api.read(asked.min_height, api.chain.prove_row, table, key)


async def row_proofs(api: Api, request: Request, asked: AtHeight) -> ProofsAnswer:
    """Proof files for several rows or their absence, all at one height."""
    try:
        wanted = _rows.decode(await api.body(request, JSON)).rows
    except (msgspec.DecodeError, ValueError) as error:
        raise bad_request(f'send {{"rows": [{{"table": ..., "key": [...]}}]}}: {error}') from error
    rows = [_row_key(api, row) for row in wanted]

    def read() -> ProofsAnswer:
        height, proofs = api.chain.prove_rows(rows)
        return ProofsAnswer(height, tuple(proofs))

    return await api.read(asked.min_height, read)


def _row_key(api: Api, asked: OfRow | WantedRow) -> tuple[str, Any]:
    """The key that the parts spell. Raises ProblemError."""
    try:
        table = api.chain.registry.table(asked.table)
    except KeyError:
        raise not_found(f"there is no table {shown(asked.table)}") from None
    kinds = ", ".join(table.codec.parts)
    if len(asked.key) != len(table.codec.parts):
        raise bad_request(f"a key of {asked.table} has the parts {kinds}, each as `key`")
    try:
        parts = [
            msgspec.convert(text, kind, strict=False)
            for text, kind in zip(asked.key, table.codec.kinds, strict=True)
        ]
    except (msgspec.ValidationError, ValueError) as error:
        raise bad_request(f"give the parts of the key, {kinds}, as `key`: {error}") from error
    return asked.table, tuple(parts) if table.codec.is_tuple else parts[0]


async def light_block(api: Api, request: Request, asked: OfBlock) -> LightBlockAnswer:
    """A network's header with the votes on it; a chain of one authority has signed headers."""
    try:
        return await api.read(None, api.chain.light_block, asked.height)
    except LookupError as error:
        raise not_found(str(error)) from error


async def newest_light_block(api: Api, request: Request, asked: AtHeight) -> LightBlockAnswer:
    """The newest header with votes: it says what the state of the block before it is."""
    try:
        return await api.read(asked.min_height, api.chain.light_block)
    except LookupError as error:
        raise not_found(str(error)) from error


async def trust(api: Api, request: Request, asked: Nothing) -> TrustFile:
    """The trust file of this chain: compare it with one that you got from somebody you trust."""
    return await api.read(None, api.chain.trust)


async def openapi(api: Api, request: Request, asked: Nothing) -> Response:
    """This document."""
    return Response(api.document, media_type="application/openapi+json")


async def genesis_file(api: Api, request: Request, asked: Nothing) -> Response:
    """The genesis file."""
    return Response(write_genesis(api.chain.genesis), media_type="application/json")


async def reason(api: Api, request: Request, asked: OfReason) -> ReasonAnswer:
    """What a number of a refusal or an invalid transaction means."""
    found = api.chain.registry.reasons.get(asked.number)
    if found is None:
        raise not_found(f"no reason has number {asked.number}")
    return ReasonAnswer(found.number, f"{type(found).module_name}.{found.name}", found.rule)


async def did(api: Api, request: Request, asked: OfDid) -> Response:
    """An account as a W3C DID document."""
    found = await api.read(asked.min_height, api.chain.query, account.show, asked.address)
    if found is None:
        raise not_found("there is no such account")
    document = did_document(ChainId(api.chain.id), asked.address, found)
    return Response(msgspec.json.encode(document), media_type="application/did+json")
