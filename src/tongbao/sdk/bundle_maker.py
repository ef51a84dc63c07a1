"""Make an audit bundle: out of a statement of the index, and the blocks and rows of a chain.

The holding is proven first, at the chain's last height; then the index is asked for what moved up
to that height, so that both speak of the same. Blocks are read and proven while the archive is
written: one that fails in between ends it, and what was written is no bundle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import groupby
from typing import Any, Final, Protocol

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from tongbao.engines.cometbft.light.hashes import result_leaf, transaction_leaf
from tongbao.engines.solo.header import decode_header
from tongbao.index.answers import Statement, StatementMovement
from tongbao.index.statement import Held
from tongbao.kernel import Address, Amount, AssetId, ChainId, Count, jcs, merkle
from tongbao.kernel.amount import text_of
from tongbao.sdk import bundle as form
from tongbao.sdk.answers import LightBlockAnswer
from tongbao.sdk.bundle import (
    BlockMember,
    BundleStatement,
    DueInBlock,
    InBlock,
    Line,
    Manifest,
    ManifestLine,
)
from tongbao.sdk.bundle_trust import trust_in
from tongbao.sdk.bundle_way import Way
from tongbao.sdk.network_verification import read_block, said_by
from tongbao.sdk.periods import known_from
from tongbao.sdk.proofs import COMETBFT, FORMAT, RowProof, TrustFile, to_json
from tongbao.sdk.zip_form import zip_pieces
from tongbao.store.record import HeaderLine

ROWS: Final = ("asset.holdings", "asset.definitions")


class BundleError(ValueError):
    """There is no bundle of what was asked; the text says what to ask instead."""

    exit_code = 2


class Source(Protocol):
    """What a bundle needs of a chain: rows with proofs, blocks, votes, and who signs."""

    @property
    def id(self) -> ChainId:
        """The chain's id."""

    @property
    def first_block(self) -> int:
        """The first block whose body is here."""

    def prove_rows(self, rows: Sequence[tuple[str, Any]], /) -> tuple[int, list[RowProof]]:
        """The height of one state, and proofs of rows of it. Raises NotProven."""

    def headers(self, first: int, last: int, /) -> list[HeaderLine]:
        """The headers of some heights."""

    def block(self, height: int, /) -> Any:
        """The record of a block. Raises LookupError, Pruned."""

    def light_block(self, height: int | None, /) -> LightBlockAnswer:
        """A network's header with the votes on it. Raises LookupError, NotProven."""

    def trust(self) -> TrustFile:
        """Whose signatures count."""


Ask = Callable[[int, int, Held, str | None], Statement]
"""A page of a statement: from and before which time, what is held now, and after which cursor."""


class Rows(Struct, frozen=True):
    """The proven end: the holding and the definition after one block, whose time is in ms UTC."""

    account: Address
    asset: AssetId
    height: int
    time: int
    holding: RowProof
    definition: RowProof

    @property
    def decimals(self) -> int:
        """The asset's. Raises BundleError where it was never defined."""
        if not bytes(self.definition.value):
            raise BundleError(f"no asset is called {self.asset}")
        return int(msgspec.json.decode(self.definition.value)["scale"])

    @property
    def amount(self) -> str:
        """What is held, with the asset's decimals."""
        if not bytes(self.holding.value):
            return text_of(0, self.decimals)
        return str(msgspec.json.decode(self.holding.value)["amount"])

    @property
    def held(self) -> Held:
        """The same as an index is told it."""
        return Held(self.height, Amount(self.amount))


def prove_end(chain: Source, account: Address, asset: AssetId) -> Rows:
    """Prove what an account holds of an asset now. Raises NotProven."""
    keys = ((account, asset), asset)
    height, (holding, definition) = chain.prove_rows(list(zip(ROWS, keys, strict=True)))
    return Rows(account, asset, height, _time_under(holding), holding, definition)


def _time_under(proof: RowProof) -> int:
    """The time of the block that a proof of our own speaks of, in ms UTC."""
    if proof.engine == COMETBFT:
        return said_by(proof, read_block(proof.header)).time
    return int(decode_header(proof.header.encode())[0].time)


def statement_of(
    chain: Source, rows: Rows, ask: Ask, first: int, before: int | None
) -> BundleStatement:
    """The statement of a bundle: of a period that ends with the proven block at the latest.

    `ask` must know at least the proven height; where it does not know the beginning, the period
    begins with what it knows. Raises BundleError where it is too long, or knows nothing of it.
    """
    end = rows.time + 1
    until = end if before is None else min(before, end)
    if first > until:
        raise BundleError(f"the period begins after the last block, whose time is {rows.time}")
    begins, movements = _lines(chain, ask, rows, (first, until), 0)
    first = max(first, known_from(chain, begins.from_block))
    if first > until:
        raise BundleError(
            f"this node's index begins at {first}: ask one that knows what was before"
        )
    since: list[Line] = []
    if until < end:
        _, since = _lines(chain, ask, rows, (until, end), len(movements))
    totals = {"in": 0, "out": 0}
    for line in movements:
        totals[line.way] += form.units_of(line.amount)
    return BundleStatement(
        format=FORMAT,
        chain=chain.id,
        account=rows.account,
        asset=rows.asset,
        first_time=first,
        before_time=until,
        opening=begins.opening,
        total_in=text_of(totals["in"], rows.decimals),
        total_out=text_of(totals["out"], rows.decimals),
        closing=begins.closing,
        holding=rows.amount,
        height=Count(rows.height),
        movements=tuple(movements),
        since=tuple(since),
    )


def _lines(
    chain: Source, ask: Ask, rows: Rows, period: tuple[int, int], already: int
) -> tuple[Statement, list[Line]]:
    """The last page of a statement, and the movements of all. Raises BundleError."""
    is_network = rows.holding.engine == COMETBFT
    after: str | None = None
    lines: list[Line] = []
    while True:
        page = ask(*period, rows.held, after)
        lines += [_line(one, chain.first_block, is_network) for one in page.movements]
        if already + len(lines) > form.MOVEMENTS_LIMIT:
            raise BundleError(
                f"a bundle has at most {form.MOVEMENTS_LIMIT:,} movements, those since its period "
                "included, so that only a later `from` makes it shorter; for what was before, take "
                "a bundle that was made then, a statement, or proofs of single transactions"
            )
        after = page.after
        if after is None:
            return page, lines


def _line(one: StatementMovement, first_block: int, is_network: bool) -> Line:
    unproven = None
    if one.height < first_block:
        unproven = "pruned"
    elif is_network and not one.id:
        unproven = "due_work"
    members = {
        name: getattr(one, name)
        for name in StatementMovement.__struct_fields__
        if getattr(one, name) is not None
    }
    return msgspec.convert(members | ({"unproven": unproven} if unproven else {}), Line)


def bundle_pieces(chain: Source, rows: Rows, statement: BundleStatement) -> Iterator[bytes]:
    """The bytes of the bundle, piece by piece. Raises NotProven, Pruned in between."""
    return zip_pieces(_members(chain, rows, statement))


def _members(chain: Source, rows: Rows, statement: BundleStatement) -> Iterator[tuple[str, bytes]]:
    listed = []
    for name, content in _contents(chain, rows, statement):
        listed.append(line_of(name, content))
        yield name, content
    manifest = Manifest(
        format=FORMAT,
        kind=form.KIND,
        engine=rows.holding.engine,
        chain=chain.id,
        members=tuple(listed),
    )
    yield form.MANIFEST, jcs.encode(manifest)


def line_of(name: str, content: bytes) -> ManifestLine:
    """What the manifest says of a member."""
    return ManifestLine(name=name, bytes=Count(len(content)), sha256=sha256(content).hexdigest())


def _contents(chain: Source, rows: Rows, statement: BundleStatement) -> Iterator[tuple[str, bytes]]:
    proven = [line for line in statement.lines if line.unproven is None]
    is_network = rows.holding.engine == COMETBFT
    way = Way(chain)
    for height, lines in groupby(proven, key=lambda line: line.height):
        places = sorted({line.index for line in lines})
        member = block_member(chain, rows.holding.engine, height, places)
        if is_network:
            member = replace(member, blocks=way.to(member.header))
        yield form.block_name(height), jcs.encode(member)
    yield form.DEFINITION, to_json(rows.definition)
    path = way.to(rows.holding.header) if is_network else ()
    yield form.HOLDING, to_json(replace(rows.holding, blocks=path))
    yield form.CSV, form.csv_of(statement)
    yield form.STATEMENT, jcs.encode(statement)
    yield form.TRUST, to_json(trust_in(rows.holding) if is_network else chain.trust())


def block_member(chain: Source, engine: str, height: int, places: Sequence[int]) -> BlockMember:
    """What proves the transactions at some places of a block, the one after the last its due work.

    Raises NotProven, LookupError, Pruned.
    """
    record = chain.block(height)
    size = len(record.transactions)
    own = [place for place in places if place < size]
    wires, receipts = list(record.transactions), list(record.receipts)
    header, block = record.header.decode(), None
    if engine == COMETBFT:
        told = chain.light_block(height + 1)
        header, block = told.light_block, told.block
        wires = list(map(transaction_leaf, wires))
        results = zip(record.outbox, receipts[:size], strict=True)
        receipts = [result_leaf(line[1], data) for line, data in results]
    due = places[-1] == size
    paths = _paths(receipts, places)
    parts = zip(own, _paths(wires, own), paths, strict=False)
    return BlockMember(
        engine=engine,
        header=header,
        block=block,
        size=Count(size),
        receipts=Count(len(receipts)),
        transactions=tuple(
            InBlock(
                index=Count(at),
                transaction=record.transactions[at].decode(),
                receipt=Raw(record.receipts[at]),
                transaction_path=path,
                receipt_path=receipt_path,
            )
            for at, path, receipt_path in parts
        ),
        due=DueInBlock(receipt=Raw(receipts[-1]), receipt_path=paths[-1]) if due else None,
    )


def _paths(leaves: list[bytes], places: Iterable[int]) -> list[tuple[str, ...]]:
    found = merkle.inclusion_proofs(leaves, list(places))
    return [tuple(step.hex() for step in path) for path in found]
