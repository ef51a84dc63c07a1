"""The audit bundle: a statement of one account in one asset, and the proofs of it, in one archive.

Members, in this order (all JSON in RFC 8785 form):

    blocks/000000000042.json   a block's header and, of each transaction in it that moved value of
                               this account and asset, what was signed, its receipt, and its place
    rows/definition.json       proof file of the asset's definition: its decimals
    rows/holding.json          proof file of what the account holds at the end, or of its absence
    statement.csv              the movements of the period, for spreadsheets
    statement.json             the statement: the period, its balances, its movements, and since
    trust.json                 whose signatures count, as the node says: compared, never believed
    manifest.json              format, chain, and size and SHA-256 of every member before it

`since` are the movements after the period and up to the block of the holding, so that the closing
balance is the proven holding less proven movements. What a bundle proves and what not is told in
docs/reference/bundle.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from msgspec import Meta, Raw, Struct

from tongbao.kernel import Address, AssetId, ChainId, Count, TransactionReference
from tongbao.sdk.periods import LAST_TIME
from tongbao.sdk.proofs import Blocks

FORMAT: Final = 1
KIND: Final = "tongbao-bundle"
MOVEMENTS_LIMIT: Final = 10_000
"""Movements of a bundle, those since its period included."""
DEFINITION: Final = "rows/definition.json"
HOLDING: Final = "rows/holding.json"
CSV: Final = "statement.csv"
STATEMENT: Final = "statement.json"
TRUST: Final = "trust.json"
MANIFEST: Final = "manifest.json"
COLUMNS: Final = "time,way,amount,balance,counterparty,reference,id,height,index,place,unproven"

Text = Annotated[str, Meta(pattern=r"^(?:0|[1-9][0-9]{0,40})(?:[.][0-9]{1,18})?\Z")]
"""An amount: sums may be longer than one amount of the ledger can be."""
Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Moment = Annotated[int, Meta(ge=0, le=LAST_TIME)]


class Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A movement: `way` is `in` or `out`, `balance` what was held after it.

    `unproven` says why the bundle has no proof of it: `due_work` of a network, whose validators
    agree on the receipts of transactions alone, or `pruned`, as the node gave up the block's body.
    """

    time: Moment
    height: Count
    index: Count
    place: Count
    way: Literal["in", "out"]
    amount: Text
    balance: Text
    id: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?\Z")] = ""
    counterparty: Address | None = None
    reference: TransactionReference | None = None
    unproven: Literal["due_work", "pruned"] | None = None


class BundleStatement(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"first_time": "from", "before_time": "to"},
):
    """The statement of a bundle: of blocks with `from` <= time < `to`, in ms UTC.

    `holding` is what the account holds after block `height`; `since` moved after the period.
    """

    format: int
    chain: ChainId
    account: Address
    asset: AssetId
    first_time: Moment
    before_time: Moment
    opening: Text
    total_in: Text
    total_out: Text
    closing: Text
    holding: Text
    height: Count
    movements: Annotated[tuple[Line, ...], Meta(max_length=MOVEMENTS_LIMIT)]
    since: Annotated[tuple[Line, ...], Meta(max_length=MOVEMENTS_LIMIT)]

    @property
    def lines(self) -> tuple[Line, ...]:
        """All movements that the bundle speaks of, the oldest first."""
        return self.movements + self.since


class InBlock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A transaction in its block: what was signed, its receipt, and the paths to both roots."""

    index: Count
    transaction: str
    receipt: Raw
    transaction_path: tuple[Hash, ...]
    receipt_path: tuple[Hash, ...]


class DueInBlock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a block's due work did: the last leaf of its receipts."""

    receipt: Raw
    receipt_path: tuple[Hash, ...]


class BlockMember(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What one block proves, as in proof files; `blocks` lead from the header before it."""

    engine: str
    header: str
    size: Count
    receipts: Count
    transactions: tuple[InBlock, ...]
    due: DueInBlock | None = None
    block: str | None = None
    blocks: Blocks = ()


class ManifestLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A member of the archive."""

    name: str
    bytes: Count
    sha256: Hash


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the archive is, and every member before this one."""

    format: int
    kind: str
    engine: str
    chain: ChainId
    members: tuple[ManifestLine, ...]


def block_name(height: int) -> str:
    """The member that is about a block; names in ascending order are heights in ascending order."""
    return f"blocks/{height:012}.json"


def names_of(lines: Iterable[Line]) -> list[str]:
    """The members of a bundle of these movements, in their order."""
    heights = sorted({line.height for line in lines if line.unproven is None})
    members = (DEFINITION, HOLDING, CSV, STATEMENT, TRUST, MANIFEST)
    return [*map(block_name, heights), *members]


def csv_of(statement: BundleStatement) -> bytes:
    """The movements of the period as CSV (RFC 4180), UTF-8, times as ISO 8601 in UTC.

    No cell needs quotes: they are times, digits, hex and references. A reference that begins with a
    hyphen has an apostrophe before it, or a spreadsheet would take it for a formula.
    """
    lines = [COLUMNS, *map(_cells, statement.movements), ""]
    return "\r\n".join(lines).encode("ascii")


def _cells(line: Line) -> str:
    cells = (
        moment(line.time),
        line.way,
        line.amount,
        line.balance,
        line.counterparty or "",
        _harmless(line.reference or ""),
        line.id,
        line.height,
        line.index,
        line.place,
        line.unproven or "",
    )
    return ",".join(map(str, cells))


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith("-") else text


def moment(ms: int) -> str:
    """A time in ms UTC as ISO 8601, to the millisecond."""
    when = datetime.fromtimestamp(ms // 1_000, UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{ms % 1_000:03}Z"


def units_of(text: str) -> int:
    """An amount's number of smallest units."""
    return int(text.replace(".", ""))


def decimals_of(text: str) -> int:
    """How many decimals an amount is written with."""
    return len(text.partition(".")[2])
