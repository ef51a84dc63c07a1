"""The state of a chain as the beginning of another: the same rows, the same root, other keys.

What is exported is a chain's folder without a block of its own: a genesis file that names the last
block of the old chain, and that block's rows as a base. Its first block follows at the next height.
Through the hash of that last header the new genesis commits to the whole history of the old chain,
whose proofs go on to be proofs under the old trust file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct, ValidationError
from msgspec.structs import replace

from tongbao.engines.headers import COMETBFT, SOLO, header_hash, read_header
from tongbao.engines.solo.engine import wall_clock
from tongbao.kernel import Genesis, GenesisError, Name, PublicKey, Small, Time, jcs
from tongbao.kernel.ed25519 import public_key_is_acceptable
from tongbao.kernel.envelope import decode_base64url
from tongbao.kernel.genesis import FORMAT, ChainName, EngineLine, Origin, chain_id
from tongbao.kernel.kernel_module import ModuleLine, validators
from tongbao.sdk.audit import Progress, silent
from tongbao.sdk.bases import base_of
from tongbao.sdk.folder import Folder, FolderError
from tongbao.sdk.key_file import check_strength
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.network import HOME
from tongbao.sdk.opening import AUTHORITY, open_producer
from tongbao.sdk.pruning import PART
from tongbao.sdk.snapshot_folder import new_folder
from tongbao.sdk.snapshots import SnapshotReport, take, verify
from tongbao.sdk.verification import read_trust
from tongbao.store.base import Base, base_heights, base_name
from tongbao.store.errors import StoreError, WrongChain

OURS: Final = re.compile(r"(genesis|trust)\.(json|part)|keys|base-[0-9]{10}|base\.part(\.new)?")
"""What an export that was killed may have left."""


class ExportReport(Struct, frozen=True, kw_only=True):
    """A new chain, and the block of the old one whose rows it begins with.

    `others` are names in its folder that no export has, such as `log` once the chain has gone on:
    what they hold was not looked at.
    """

    chain: str
    origin: str
    height: int
    state_root: str
    rows: int
    authority: str
    others: tuple[str, ...] = ()


def export(
    folder: Path | str,
    target: Path | str,
    name: str,
    *,
    authority: str | None = None,
    passphrase: str | None = None,
    network: bool = False,
    progress: Progress = silent,
) -> ExportReport:
    """Make the folder of a new chain out of the last block of a chain that nobody has open.

    `authority` is the public key, in base64url, that is to sign the new chain's blocks; without it
    a key is made in the new folder's keystore under `passphrase`. The chain of a `network` has the
    validators that the old chain's operators have decided on, with a vote each. Accounts keep their
    keys. The folder appears whole or not at all. Raises FolderError, StoreError, GenesisError,
    ModuleError, KeystoreError.
    """
    check_names(name, authority)
    if authority is None and not network:
        check_strength(_given(passphrase))  # before rows are written for minutes
    place, target = Folder(folder), Path(target)
    old = place.genesis()
    modules, height, voting = _last_of(place, old)
    if network:
        check_first(voting)
    with new_folder(target, OURS) as new:
        report = take(place.path, new / PART, progress)
        if report.height != height:
            raise StoreError(
                f"{place.path} has made blocks meanwhile: stop its node, which must not go on "
                "besides the new chain, and export again"
            )
        (new / PART).rename(new / base_name(height))
        genesis = Genesis(
            format=Small(FORMAT),
            chain=ChainName(name),
            time=Time(max(wall_clock(), report.time + 1)),
            engine=_engine(new, authority, passphrase, tuple(voting) if network else ()),
            authentication=old.authentication,
            modules=modules,
            origin=_origin_of(Base(new / base_name(height), chain_id(old))),
        )
        Folder(new).lay_out(genesis)
    return _report(genesis, report)


def _engine(
    new: Path, authority: str | None, passphrase: str | None, validators: tuple[PublicKey, ...]
) -> EngineLine:
    """Who orders the new chain's blocks; an authority that nobody has named is made."""
    if validators:
        return EngineLine(name=Name(COMETBFT), keys=validators)
    key = _new_key(new, passphrase) if authority is None else authority
    return EngineLine(name=Name(SOLO), keys=(PublicKey(key),))


def check_first(powers: Mapping[PublicKey, int]) -> None:
    """Whether a network can begin with these validators: some, of one vote. Raises GenesisError.

    Its genesis file names keys alone, so that anybody can tell from it who votes on the first
    block; powers are changed afterwards.
    """
    if not powers:
        raise GenesisError(
            "the old chain's operators have decided on no validators: let each node make its keys "
            "by `tongbao keys node`, and propose `governance.set_validator` and "
            "`governance.admit_peer` for each before the export"
        )
    if set(powers.values()) != {1}:
        raise GenesisError(
            "the first validators have power 1 each: propose `governance.set_validator` with that, "
            "and change it on the network"
        )


def check_names(name: str, authority: str | None) -> None:
    """Whether a chain can have this name, and this key for its authority. Raises GenesisError."""
    try:
        jcs.convert(name, ChainName)
    except ValidationError:
        raise GenesisError(
            f"{name!r} can't name a chain: use 1 to 24 of a-z and 0-9, a letter first"
        ) from None
    if authority is None:
        return
    try:
        public = decode_base64url(jcs.convert(authority, PublicKey).encode())
    except ValidationError:
        public = b""
    if not public_key_is_acceptable(public):
        raise GenesisError(
            f"{authority!r} is no public key of Ed25519: give the 43 characters that "
            "`tongbao keys show` prints"
        )


def check_export(
    folder: Path | str, trust: bytes | None = None, progress: Progress = silent
) -> ExportReport:
    """Verify a folder that was exported: its genesis file, and every row that it begins with.

    `trust` is the old chain's trust file; without it the old chain's own genesis file, which the
    folder has, says who may have signed. Raises FolderError, BadSnapshot, WrongChain, OSError, and
    VerificationError where the trust file is none.
    """
    place = Folder(folder)
    genesis = place.genesis()
    if genesis.origin is None:
        raise FolderError(f"{place.path} is of a chain that began with block 0: nothing to compare")
    if trust is not None and (given := read_trust(trust).chain) != genesis.origin.chain:
        raise WrongChain(
            f"the trust file is of {given}, and the rows were signed on {genesis.origin.chain}: "
            f"give the trust file of {genesis.origin.chain}"
        )
    if genesis.origin.height not in base_heights(place.path):
        raise FolderError(
            f"{place.path} has not the rows of block {genesis.origin.height} any more: compare "
            "what was exported, before the chain has pruned it"
        )
    base = base_of(place.path / base_name(genesis.origin.height), genesis)
    if _origin_of(base) != genesis.origin:
        raise WrongChain(
            f"{base.folder} is not the block that {place.genesis_file} names: get both again from "
            "whoever has exported them"
        )
    if foreign := place.foreign_trust(genesis):
        raise WrongChain(foreign)
    report = _report(genesis, verify(base.folder, trust, progress=progress))
    return replace(report, others=_others(place, base.folder.name))


def _others(place: Folder, base: str) -> tuple[str, ...]:
    """The names in an exported folder that are not of the export."""
    ours = {place.genesis_file.name, place.trust_file.name, place.keys.name, base, HOME}
    return tuple(sorted(path.name for path in place.path.iterdir() if path.name not in ours))


def _last_of(
    place: Folder, genesis: Genesis
) -> tuple[tuple[ModuleLine, ...], int, dict[PublicKey, int]]:
    """The modules for the block after the last, the last's height, and the power of validators.

    Rows are up to that block.
    """
    producer, store = open_producer(place, genesis, None)
    try:
        machine = producer.machine
        rows = machine.audit(validators.module)[validators].items()
        return (
            machine.code.lines(machine.height + 1),
            machine.height,
            {key: row.power for key, row in rows},
        )
    finally:
        store.close()


def _given(passphrase: str | None) -> str:
    if passphrase is None:
        raise FolderError("name the authority's public key, or give a passphrase for a new one")
    return passphrase


def _new_key(new: Path, passphrase: str | None) -> str:
    return Keystore(Folder(new).keys).create(AUTHORITY, _given(passphrase)).key_id


def _origin_of(base: Base) -> Origin:
    """What a genesis says of the block whose rows a base has."""
    header, _ = read_header(base.manifest.header)
    return Origin(
        chain=header.chain,
        height=header.height,
        time=header.time,
        header=header_hash(header),
        state=header.state,
    )


def _report(genesis: Genesis, report: SnapshotReport) -> ExportReport:
    return ExportReport(
        chain=chain_id(genesis),
        origin=report.chain,
        height=report.height,
        state_root=report.state_root,
        rows=report.rows,
        authority=genesis.engine.keys[0],
    )
