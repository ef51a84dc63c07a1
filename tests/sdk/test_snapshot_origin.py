"""Snapshots of a chain that began with another's rows: the old headers are in them, and proven."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.fixed_chain import key
from tests.sdk.kept_chain import ALONE, PASSPHRASE, keep
from tongbao.engines.solo.header import Header, header_hash, read_header, sign_header
from tongbao.kernel import ChainId, Hash
from tongbao.sdk.folder import Folder, trust_bytes
from tongbao.sdk.genesis_export import export
from tongbao.sdk.opening import open_chain
from tongbao.sdk.snapshot_import import import_snapshot
from tongbao.sdk.snapshots import SnapshotReport, take, verify
from tongbao.store.headers import write_head, write_line
from tongbao.store.record import HeaderLine
from tongbao.store.snapshot.errors import BadSnapshot
from tongbao.store.snapshot.history import read_headers
from tongbao.store.snapshot.names import HISTORY

STRANGER = key("stranger")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a chain that began with the rows of another, which no test changes."""
    folder = tmp_path_factory.mktemp("begun")
    export(keep(folder / "old").folder, folder / "new", "second", passphrase=PASSPHRASE)
    open_chain(folder / "new", passphrase=PASSPHRASE, options=ALONE).close()
    return folder / "new"


@pytest.fixture
def taken(begun: Path, tmp_path: Path) -> Path:
    """A snapshot of it."""
    take(begun, tmp_path / "taken")
    return tmp_path / "taken"


def lines_of(snapshot: Path, report: SnapshotReport) -> list[HeaderLine]:
    """The headers of a snapshot."""
    return list(read_headers(snapshot / HISTORY / "headers", report.chain, report.height))


def test_a_chain_with_an_origin_is_imported(begun: Path, taken: Path, tmp_path: Path) -> None:
    """
    Given a snapshot of a chain that began with another's rows,
    when it is imported,
    then it has the headers of both chains, and opens at the block of the old folder.
    """
    trust = trust_bytes(Folder(begun).genesis())
    report = import_snapshot(taken, tmp_path / "chain", trust)

    chains = [read_header(line.header)[0].chain for line in lines_of(taken, report)]
    assert (len(set(chains)), chains[-1], len(chains)) == (2, report.chain, report.height + 1)
    copied = shutil.copytree(begun, tmp_path / "copied")
    with open_chain(tmp_path / "chain") as chain, open_chain(copied) as before:
        assert chain.head() == before.head()


def _other_height(header: Header) -> Header:
    return replace(header, height=header.height + 10)


def _other_chain(header: Header) -> Header:
    return replace(header, chain=ChainId("other-01234567"))


def _first_of_a_chain(header: Header) -> Header:
    return replace(header, chain=ChainId("other-01234567"), previous=Hash("01234567" * 8))


def _other_state(header: Header) -> Header:
    return replace(header, state=Hash("ab" * 32))


@pytest.mark.parametrize("at", [0, 2, 5])
@pytest.mark.parametrize("change", [_other_height, _other_chain, _first_of_a_chain, _other_state])
def test_no_header_of_the_old_chain_can_be_another(
    taken: Path, at: int, change: Callable[[Header], Header]
) -> None:
    """
    Given such a snapshot, in which a header of the old chain is one that a stranger has signed, and
    all that follow up to the origin are linked to it by new ones,
    when it is verified, also with that header alone changed,
    then it is refused: genesis commits to the last of them, and that to all.
    """
    report = verify(taken)
    good = lines_of(taken, report)
    headers = [read_header(line.header)[0] for line in good]
    old = [header for header in headers if header.chain != report.chain]
    assert len(old) == 6
    forged = [*old[:at], change(old[at]), *old[at + 1 :]]
    alone = list(forged)
    for index in range(at + 1, len(forged)):
        previous = Hash(header_hash(forged[index - 1]))
        forged[index] = replace(forged[index], previous=previous)
    for changed in (alone, forged):
        lines = [
            line if header == before else replace(line, header=sign_header(header, STRANGER))
            for line, header, before in zip(good, changed, old, strict=False)
        ]
        data = b"".join(map(write_line, [*lines, *good[len(lines) :]]))
        (taken / HISTORY / "headers").write_bytes(write_head(report.chain) + data)
        with pytest.raises(BadSnapshot, match=r"block [0-5]"):
            verify(taken)
