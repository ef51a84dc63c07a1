"""Check a compliance pack against a trust file, with nothing else: no node, no store, no network.

Everything that can be computed is computed again: the archive's bytes, the manifest, which members
there must be, each receipt out of its own facts, and each proof under a believed header. Whatever
differs raises `VerificationError` with a number.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from tongbao.kernel import jcs
from tongbao.sdk.data import pack as form
from tongbao.sdk.data.pack import Grant, Manifest, Pack, named
from tongbao.sdk.data.pack_grants import Evidence, VerifiedGrant, check_grant, unreadable, wrong
from tongbao.sdk.findings import Finding, VerificationError
from tongbao.sdk.proofs import FORMAT, ProofFile, RowProof, TransactionProof, TrustFile
from tongbao.sdk.verification import Verified, read_trust, verify_file, wall_clock
from tongbao.sdk.zip_form import Members, ZipError, read_zip

T = TypeVar("T")
BEGINS: Final = b"PK\x03\x04"
NAME_AT: Final = 30
"""Where the name of an archive's first member stands."""

_pack: Final = jcs.decoder(Pack)
_manifest: Final = jcs.decoder(Manifest)
_row: Final = jcs.decoder(RowProof)
_transaction: Final = jcs.decoder(TransactionProof)


class VerifiedPack(Struct, frozen=True, kw_only=True):
    """What a pack proves. `height` and `time` (ms UTC) are those of the newest proof."""

    pack: Pack
    engine: str
    grants: tuple[VerifiedGrant, ...]
    height: int
    time: int

    @property
    def late(self) -> tuple[VerifiedGrant, ...]:
        """Grants of which nobody attested deletion in time."""
        return tuple(one for one in self.grants if not one.in_time)


def is_pack(content: bytes) -> bool:
    """Whether an archive begins as a pack does, and not as a bundle."""
    name = content[NAME_AT : NAME_AT + len(form.PACK)]
    return content.startswith(BEGINS) and name == form.PACK.encode()


def verify_pack(
    content: bytes, trust: bytes, at: int | None = None, partly: bool = False
) -> VerifiedPack:
    """What a pack proves to somebody who holds the trust file. Raises VerificationError.

    A licence that ended without an attestation in time is refused unless `partly`. The period of a
    network's trust file is judged by this computer's clock, or as of the time `at` in ms UTC.
    """
    members = _members(content)
    pack = _read(_pack, members, form.PACK)
    if pack.format != FORMAT:
        unreadable(f"format {pack.format}")
    _check_names(members, pack)
    trusted = read_trust(trust)
    if _read(_manifest, members, form.MANIFEST) != form.manifest_of(pack, trusted.engine, members):
        raise VerificationError(Finding.PACK_IS_ALTERED)
    if pack.chain != trusted.chain:
        raise VerificationError(Finding.CHAIN_IS_ANOTHER, f"{pack.chain}, not {trusted.chain}")
    orders = [grant.order for grant in pack.grants]
    if any(left >= right for left, right in pairwise(orders)):
        unreadable("grants ascend by their orders")
    proofs = Proofs(members, trusted, wall_clock() if at is None else at)
    grants = tuple(check_grant(pack, proofs.of(grant)) for grant in pack.grants)
    found = VerifiedPack(
        pack=pack,
        engine=trusted.engine,
        grants=grants,
        height=max((one.height for one in proofs.every), default=0),
        time=max((one.time for one in proofs.every), default=0),
    )
    if found.late and not partly:
        late = ", ".join(one.receipt.order for one in found.late[:5])
        raise VerificationError(
            Finding.DELETION_IS_NOT_ATTESTED, f"{len(found.late)} of them: {late}"
        )
    return found


def pack_in(content: bytes) -> Pack:
    """What a pack says, for who has made it: no proof is checked. Raises VerificationError."""
    found: Pack = _read(_pack, _members(content), form.PACK)
    return found


class Proofs:
    """The proof files of a pack, each verified once."""

    def __init__(self, members: Members, trust: TrustFile, at: int) -> None:
        """Verify by a trust file, as of a time in ms UTC."""
        self._members = members
        self._trust = trust
        self._at = at
        self._known: dict[str, Verified] = {}

    @property
    def every(self) -> Iterable[Verified]:
        """All that were verified."""
        return self._known.values()

    def of(self, grant: Grant) -> Evidence:
        """All that the pack has of a grant. Raises VerificationError."""
        order = grant.order
        licence = None
        if grant.licence is not None:
            licence = self._verified(named("licences", order), _row)
        deletion = self._members[named("deletions", order)] if grant.deleted else None
        return Evidence(
            grant=grant,
            receipt=self._members[named("receipts", order)],
            request=self._members[named("requests", order)],
            row=self._verified(named("rows", order), _row),
            licence=licence,
            deletion=deletion,
            transactions=tuple(map(self._transaction, grant.transactions)),
        )

    def _transaction(self, name: str) -> Verified:
        found = self._verified(named("transactions", name), _transaction)
        if found.transaction_id != name:
            wrong(f"transactions/{name}.json proves transaction {found.transaction_id}")
        return found

    def _verified(self, name: str, reader: msgspec.json.Decoder[ProofFile]) -> Verified:
        if name not in self._known:
            proof = _read(reader, self._members, name)
            if proof.format != FORMAT:
                unreadable(f"{name}: format {proof.format}")
            try:
                self._known[name] = verify_file(proof, self._trust, self._at)
            except VerificationError as error:
                raise VerificationError(error.finding, f"{name}: {error.detail}") from error
        return self._known[name]


def _members(content: bytes) -> Members:
    try:
        return read_zip(content)
    except ZipError as error:
        unreadable(str(error))


def _read(reader: msgspec.json.Decoder[T], members: Members, name: str) -> T:
    """A member in its one form; what is embedded in it as it is has that form too."""
    if name not in members:
        unreadable(f"{name} is missing")
    try:
        if jcs.encode(msgspec.json.decode(members[name])) != members[name]:
            unreadable(f"{name} is not in RFC 8785 form")
        return jcs.decode_canonical(reader, members[name])
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        unreadable(f"{name}: {error}")


def _check_names(members: Members, pack: Pack) -> None:
    """The members are those that the pack's grants need, and no others, in order."""
    wanted, found = form.names_of(pack), list(members)
    missing = [name for name in wanted if name not in members]
    foreign = [name for name in found if name not in set(wanted)]
    if missing or foreign:
        said = [f"{name} is missing" for name in missing] + [
            f"{name} is foreign" for name in foreign
        ]
        unreadable("; ".join(said[:5]))
    if wanted != found:
        unreadable("its members stand in another order")
    if len(members.get(form.ASSESSMENT, b"")) > form.ASSESSMENT_BYTES_LIMIT:
        unreadable(f"{form.ASSESSMENT} has more than {form.ASSESSMENT_BYTES_LIMIT} bytes")
