"""kill -9 at each step: the same batch goes on, and nothing is signed twice for one month."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.data_source.killed import MONTH_PLACES, PUSH_PLACES
from tests.services.data_source.shop import (
    MARCH,
    Shop,
    customer,
    exchange_secret,
    key_of,
    reopened,
    shop,
    silent,
    source_in,
    space_of,
)
from tongbao.rights.attestation import Attestation, read_attestation
from tongbao.rights.delivered_batch import read_batch_parcel
from tongbao.rights.parcel import open_parcel
from tongbao.sdk.data.consents import Consent
from tongbao.services.data_source.delivering import push
from tongbao.services.data_source.monthly import OTHERWISE
from tongbao.services.data_source.settings import BUSY, SourceError

ALICE, BOB = customer(0), customer(1)


def killed_at(folder: Path, where: str, left: Path) -> None:
    """Let the program die in a process of its own."""
    program = (sys.executable, "-m", "tests.services.data_source.killed", str(folder), where)
    done = subprocess.run((*program, str(left)), capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done


def signed_so_far(club: Shop) -> dict[str, bytes]:
    """Every content that was fixed or signed, by its subject."""
    rows = club.source.journal.database.execute(
        "SELECT hex(subject) || schema || period || version, commitment FROM statements"
    )
    return dict(rows.fetchall())


@pytest.mark.parametrize("where", [*MONTH_PLACES, *PUSH_PLACES])
def test_a_source_that_is_killed_goes_on_with_the_same_batch(tmp_path: Path, where: str) -> None:
    """
    Given a month on its way for two customers,
    when the program is killed at a step, and run again,
    then what was fixed before it died is what is on the ledger and in the parcels, once each.
    """
    folder, left = tmp_path / "chain", tmp_path / "left"
    left.mkdir()
    with shop(folder) as club:
        for name in (ALICE, BOB):
            club.consent(name)
            club.events(name, 3)
    killed_at(folder, where, left)
    with reopened(folder) as club:
        before = signed_so_far(club)
        assert len(before) == (0 if where == "drawing" else 2)
        month = club.month()
        assert (month.undone, dict(month.refused)) == (0, {})
        parcels: list[bytes] = [path.read_bytes() for path in left.glob("?" * 64)]

        def leave(consent: Consent, parcel: bytes) -> None:
            (left / consent.inbox).write_bytes(parcel)
            parcels.append(parcel)

        push(club.source, club.chain.now(), leave, silent)
        after = signed_so_far(club)
        assert before.items() <= after.items()
        assert club.steps() == [(MARCH, 1, 5)] * 2
        told = {attested(name, left) for name in (ALICE, BOB)}
        assert {one.batch for one in told} == {value.hex() for value in after.values()}
        assert {batch.commitment for name in (ALICE, BOB) for batch in club.batches(name)} == {
            one.batch for one in told
        }
        assert [len(club.batches(name)) for name in (ALICE, BOB)] == [1, 1]
        assert len(set(parcels)) == 2


def attested(name: str, left: Path) -> Attestation:
    """What the club has attested to a customer, as it was left."""
    parcel = (left / space_of(name).public_key.hex()).read_bytes()
    opened = open_parcel("batch", exchange_secret(name).private_bytes_raw(), parcel)
    return read_attestation(read_batch_parcel(opened.text)[0], key_of("club").public_key)


def test_a_folder_that_is_older_than_what_was_said_signs_nothing_else(tmp_path: Path) -> None:
    """
    Given a month that was told, and a folder that was restored from before it,
    when the month is made again,
    then the ledger's other content is told, and no second one was signed.
    """
    kept = tmp_path / "kept"
    with shop(tmp_path / "chain") as club:
        club.consent(ALICE)
    shutil.copytree(tmp_path / "chain" / "data-source", kept)
    with reopened(tmp_path / "chain") as club:
        assert club.month().committed == 1
    shutil.rmtree(tmp_path / "chain" / "data-source")
    shutil.copytree(kept, tmp_path / "chain" / "data-source")
    with reopened(tmp_path / "chain") as club:
        for _ in range(2):
            month = club.month()
            assert (month.committed, dict(month.refused)) == (0, {OTHERWISE: 1})
        signed = club.source.journal.database.execute("SELECT attestation FROM statements")
        assert signed.fetchall() == [(None,)]
        assert len(club.batches(ALICE)) == 1


def test_a_second_program_waits_its_turn(tmp_path: Path) -> None:
    """Given an open source, when it is opened again, then it is busy, and says so."""
    with shop(tmp_path):
        with pytest.raises(SourceError) as refused, source_in(tmp_path):
            pass
        assert refused.value.exit_code == BUSY
