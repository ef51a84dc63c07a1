"""Check an audit bundle against a trust file, with nothing else: no node, no store, no network.

Everything that can be computed is computed again: the archive's bytes, the manifest, which members
there must be, each movement out of a receipt under a believed header, every balance and sum, the
holding at the end, the CSV. Whatever differs raises `VerificationError` with a number.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from typing import Final, NoReturn, TypeVar

import msgspec
from msgspec import Struct

from tongbao.kernel import Count, jcs, merkle
from tongbao.kernel.amount import text_of
from tongbao.sdk import bundle as form
from tongbao.sdk.believed import Believed
from tongbao.sdk.bundle import BlockMember, BundleStatement, InBlock, Line, Manifest, ManifestLine
from tongbao.sdk.bundle_movements import Proven, proven_in
from tongbao.sdk.bundle_trust import Believe, believing, check_trust
from tongbao.sdk.findings import Finding, VerificationError
from tongbao.sdk.proofs import COMETBFT, FORMAT, SOLO, RowProof, TransactionProof
from tongbao.sdk.verification import Verified, read_trust, verify_under, wall_clock
from tongbao.sdk.zip_form import Members, ZipError, read_zip

T = TypeVar("T")
ARCHIVE: Final = b"PK"
"""How every archive begins, and no proof file."""

_manifest: Final = jcs.decoder(Manifest)
_statement: Final = jcs.decoder(BundleStatement)
_block: Final = jcs.decoder(BlockMember)
_proof: Final = jcs.decoder(RowProof)


class VerifiedBundle(Struct, frozen=True, kw_only=True):
    """What a bundle proves: all that `statement` says, but for its `unproven` movements.

    `height` and `time` (ms UTC) are those of the block after which the holding is proven.
    """

    statement: BundleStatement
    engine: str
    height: int
    time: int
    proven: int
    unproven: int


class Places(Struct, frozen=True):
    """Where a proven movement stands, and all that the statement must say of it."""

    time: int
    height: int
    index: int
    id: str
    moved: Proven


def verify_bundle(
    content: bytes, trust: bytes, at: int | None = None, partly: bool = False
) -> VerifiedBundle:
    """What a bundle proves to somebody who holds the trust file. Raises VerificationError.

    Movements without a proof are refused unless `partly`. The period of a network's trust file is
    judged by this computer's clock, or as of the time `at` in ms UTC.
    """
    members = _members(content)
    statement = _statement_of(members)
    _check_names(members, statement)
    trusted = read_trust(trust)
    believe = believing(trusted, wall_clock() if at is None else at)
    found = [line for name in members for line in _moved(name, members, statement, believe)]
    holding = _row_of(members, form.HOLDING)
    header = believe(holding)
    check_trust(members[form.TRUST], trusted, holding)
    _check_manifest(members, trusted.engine, statement)
    decimals = _check_rows(members, statement, header, holding)
    _check_lines(statement, found, header)
    _check_sums(statement, decimals)
    if form.csv_of(statement) != members[form.CSV]:
        _wrong(f"{form.CSV} is not of {form.STATEMENT}")
    unproven = _unproven(statement, trusted.engine)
    if unproven and not partly:
        raise VerificationError(Finding.MOVEMENT_IS_NOT_PROVEN, f"{unproven} of them")
    return VerifiedBundle(
        statement=statement,
        engine=trusted.engine,
        height=header.height,
        time=header.time,
        proven=len(found),
        unproven=unproven,
    )


def check_joined(earlier: VerifiedBundle, later: VerifiedBundle) -> None:
    """Whether a bundle agrees with the holding that an earlier one has proven.

    Then whatever it leaves out after the block of that holding adds up to nothing. Raises
    VerificationError where it says another balance of that time, or speaks of something else, or
    begins so late that what it says of its beginning may differ honestly.
    """
    said, before = later.statement, earlier.statement
    mine = (said.chain, said.account, said.asset)
    if mine != (before.chain, before.account, before.asset) or later.height < earlier.height:
        raise VerificationError(Finding.BUNDLES_DO_NOT_JOIN, "it is of another account, or earlier")
    known = [line.balance for line in said.lines if line.time <= earlier.time]
    balance = known[-1] if known else said.opening
    if balance != before.holding:
        if said.first_time > (joins := earlier.time + 1):
            detail = f"it begins at {said.first_time}: ask for one from {joins} on"
            raise VerificationError(Finding.BUNDLES_ARE_APART, detail)
        detail = f"{balance} at height {earlier.height}, where {before.holding} is proven"
        raise VerificationError(Finding.BUNDLES_DO_NOT_JOIN, detail)


def statement_in(content: bytes) -> BundleStatement:
    """What an archive that is whole says, of which no proof is checked. Raises VerificationError.

    For who has just been given it: what a bundle proves is for `verify_bundle` to say.
    """
    return _statement_of(_members(content))


def _statement_of(members: Members) -> BundleStatement:
    statement: BundleStatement = _read(_statement, members, form.STATEMENT)
    if statement.format != FORMAT:
        _unreadable(f"format {statement.format}")
    return statement


def _unreadable(detail: str) -> NoReturn:
    raise VerificationError(Finding.BUNDLE_IS_UNREADABLE, detail)


def _wrong(detail: str) -> NoReturn:
    raise VerificationError(Finding.STATEMENT_IS_WRONG, detail)


# The archive


def _members(content: bytes) -> Members:
    """The members, each what the manifest says."""
    try:
        members = read_zip(content)
    except ZipError as error:
        _unreadable(str(error))
    manifest = _read(_manifest, members, form.MANIFEST)
    listed = tuple(line_of(name, part) for name, part in members.items() if name != form.MANIFEST)
    if manifest.members != listed:
        raise VerificationError(Finding.BUNDLE_IS_ALTERED)
    return members


def line_of(name: str, content: bytes) -> ManifestLine:
    """What the manifest says of a member."""
    return ManifestLine(name=name, bytes=Count(len(content)), sha256=_hash(content))


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()


def _read(reader: msgspec.json.Decoder[T], members: Members, name: str) -> T:
    """A member in its one form; what is embedded in it as it is has that form too."""
    if name not in members:
        _unreadable(f"{name} is missing")
    try:
        if jcs.encode(msgspec.json.decode(members[name])) != members[name]:
            _unreadable(f"{name} is not in RFC 8785 form")
        return jcs.decode_canonical(reader, members[name])
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        _unreadable(f"{name}: {error}")


def _row_of(members: Members, name: str) -> RowProof:
    """A row's proof file."""
    found: RowProof = _read(_proof, members, name)
    if found.format != FORMAT:
        _unreadable(f"{name}: format {found.format}")
    return found


def _check_names(members: Members, statement: BundleStatement) -> None:
    """The members are those that the statement's movements need, and no others, in order."""
    if list(members) != form.names_of(statement.lines):
        _unreadable("its members are not those that its movements need")


def _check_manifest(members: Members, engine: str, statement: BundleStatement) -> None:
    manifest = _read(_manifest, members, form.MANIFEST)
    said = (manifest.format, manifest.kind, manifest.engine, manifest.chain)
    if said != (FORMAT, form.KIND, engine, statement.chain):
        raise VerificationError(Finding.BUNDLE_IS_ALTERED)


# Blocks


def _moved(
    name: str, members: Members, statement: BundleStatement, believe: Believe
) -> Iterator[Places]:
    """The movements that a block's member proves, in their order."""
    if not name.startswith("blocks/"):
        return
    block = _read(_block, members, name)
    header = believe(block)
    if form.block_name(header.height) != name or header.chain != statement.chain:
        _wrong(f"{name} is about block {header.height} of {header.chain}")
    last = -1
    for part in block.transactions:
        if part.index <= last:
            _unreadable(f"{name}: transactions ascend by index")
        last = part.index
        yield from _of_transaction(_transaction(block, part, header), part, statement, name)
    if block.due is not None:
        yield from _of_due(block, header, statement, name)


def _transaction(block: BlockMember, part: InBlock, header: Believed) -> Verified:
    proof = TransactionProof(
        format=FORMAT,
        engine=block.engine,
        header=block.header,
        transaction=part.transaction,
        receipt=part.receipt,
        index=part.index,
        size=block.size,
        receipts=block.receipts,
        transaction_path=part.transaction_path,
        receipt_path=part.receipt_path,
        block=block.block,
    )
    return verify_under(proof, header)


def _of_transaction(
    found: Verified, part: InBlock, statement: BundleStatement, name: str
) -> Iterator[Places]:
    """A receipt's movements: all of them, and at least one, or its transaction needs no proof."""
    moved = list(proven_in(found.receipt, found.value, statement.account, statement.asset))
    if not moved:
        _unreadable(f"{name}: transaction {part.index} moved nothing here")
    for one in moved:
        yield Places(found.time, found.height, part.index, found.transaction_id or "", one)


def _of_due(
    block: BlockMember, header: Believed, statement: BundleStatement, name: str
) -> Iterator[Places]:
    """The movements of a block's due work: its receipt is the leaf after the transactions'."""
    assert block.due is not None
    if header.more_receipts != 1 or block.receipts != block.size + 1:
        _unreadable(f"{name}: due work has no receipt there")
    path = [bytes.fromhex(step) for step in block.due.receipt_path]
    leaf, root = bytes(block.due.receipt), bytes.fromhex(header.receipts)
    receipt = msgspec.json.decode(leaf)
    is_due = isinstance(receipt, dict) and "outcome" not in receipt
    if not is_due or not merkle.verify_inclusion(root, leaf, block.size, block.receipts, path):
        raise VerificationError(Finding.TRANSACTION_IS_NOT_PROVEN, f"{name}: due work")
    moved = list(proven_in(receipt, None, statement.account, statement.asset))
    if not moved:
        _unreadable(f"{name}: due work moved nothing here")
    for one in moved:
        yield Places(header.time, header.height, block.size, "", one)


# The statement


def _check_rows(
    members: Members, statement: BundleStatement, header: Believed, holding: RowProof
) -> int:
    """The holding at the end is the proven one; gives the asset's proven decimals."""
    definition = _row_of(members, form.DEFINITION)
    if (definition.engine, definition.header) != (holding.engine, holding.header):
        _wrong(f"{form.DEFINITION} is of another block than {form.HOLDING}")
    if (definition.state, definition.block, definition.blocks) != (
        holding.state,
        holding.block,
        (),
    ):
        _wrong(f"{form.DEFINITION} is of another block than {form.HOLDING}")
    held, defined = verify_under(holding, header), verify_under(definition, header)
    key = (statement.account, statement.asset)
    if (held.name, held.key) != ("asset.holdings", key):
        _wrong(f"{form.HOLDING} is of another row")
    if (defined.name, defined.key) != ("asset.definitions", key[1:]) or defined.value is None:
        _wrong(f"{form.DEFINITION} is of another row")
    if (header.chain, header.height) != (statement.chain, statement.height):
        _wrong(f"the rows are of block {header.height} of {header.chain}")
    decimals = int(defined.value["scale"])
    amount = text_of(0, decimals) if held.value is None else held.value["amount"]
    if statement.holding != amount:
        _wrong(f"the holding is {amount}")
    return decimals


def _place(proof: RowProof) -> tuple[str, str, str | None, str | None]:
    """What a proof says of the block that it is about."""
    return proof.engine, proof.header, proof.state, proof.block


def _check_lines(statement: BundleStatement, found: list[Places], header: Believed) -> None:
    """Each movement with a proof is in a receipt, and each of these receipts' in the statement."""
    said = [line for line in statement.lines if line.unproven is None]
    if [_places(line) for line in said] != found:
        _wrong("its movements are not those of the receipts")
    order = [(line.height, line.index, line.place) for line in statement.lines]
    if any(left >= right for left, right in pairwise(order)):
        _wrong("movements ascend by block, transaction and place")
    times = [line.time for line in statement.movements]
    later = [line.time for line in statement.since]
    if not statement.first_time <= statement.before_time <= header.time + 1:
        _wrong("the period ends after the block of the holding, or before it begins")
    if any(not statement.first_time <= time < statement.before_time for time in times):
        _wrong("a movement is not of the period")
    if any(not statement.before_time <= time <= header.time for time in later):
        _wrong("a movement since is not of after the period")


def _places(line: Line) -> Places:
    moved = Proven(line.place, line.way, line.amount, line.counterparty, line.reference)
    return Places(line.time, line.height, line.index, line.id, moved)


def _check_sums(statement: BundleStatement, decimals: int) -> None:
    """Balances and totals follow from the opening and the movements, up to the holding."""
    said = statement
    amounts = (said.opening, said.total_in, said.total_out, said.closing, said.holding)
    moved = (text for line in said.lines for text in (line.amount, line.balance))
    if any(form.decimals_of(text) != decimals for text in (*amounts, *moved)):
        _wrong(f"amounts of the asset have {decimals} decimals")
    totals = {"in": 0, "out": 0}
    for line in said.movements:
        totals[line.way] += form.units_of(line.amount)
    opening, closing, holding = map(form.units_of, (said.opening, said.closing, said.holding))
    if (totals["in"], totals["out"]) != tuple(map(form.units_of, (said.total_in, said.total_out))):
        _wrong("the totals are not the sums of the movements")
    _check_balances(said.movements, opening, closing)
    _check_balances(said.since, closing, holding)


def _check_balances(lines: tuple[Line, ...], before: int, after: int) -> None:
    for line in lines:
        units = form.units_of(line.amount)
        before += units if line.way == "in" else -units
        if before != form.units_of(line.balance):
            _wrong(f"the balance after {line.height}.{line.index}.{line.place}")
    if before != after:
        _wrong("the closing balance does not follow from the movements")


def _unproven(statement: BundleStatement, engine: str) -> int:
    """How many movements have no proof; why must be possible under the engine.

    A node has no bodies of old blocks only: pruned is what lies before all that is proven. A
    transaction that is shown has no movement but those of its receipt.
    """
    lines = [line for line in statement.lines if line.unproven is not None]
    shown = {(line.height, line.index) for line in statement.lines if line.unproven is None}
    first = min(shown)[0] if shown else None
    for line in lines:
        if line.unproven == "pruned" and first is not None and line.height >= first:
            _wrong(f"an unproven movement of block {line.height}: {first} is not pruned")
        if (line.height, line.index) in shown:
            _wrong(f"an unproven movement of {line.height}.{line.index}, whose receipt is shown")
        if line.unproven == "due_work" and (engine != COMETBFT or line.id):
            _wrong(f"due work of block {line.height} can be proven")
    assert engine in (SOLO, COMETBFT)
    return len(lines)
