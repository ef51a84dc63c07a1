"""What is PostgreSQL's own: one node writes, lost connections, other chains, secrets."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.fixed_chain import FixedChain
from tests.index.test_accidents import Blocks, fed, fixed_records, rows_of
from tests.postgresql_server import Server
from tongbao.index.database import BadAddress, DatabaseFailed, IndexInUse
from tongbao.index.feeder import Feeder
from tongbao.index.history import Index
from tongbao.index.reading import Reading
from tongbao.index.tables import VERSION
from tongbao.store.errors import WrongChain, WrongVersion

CHAIN = FixedChain().producer.machine.chain
PATIENCE_S = 60
SECRET = "open-sesame-4711"


class Ended:
    """Knows when a feeder has come to a height."""

    def __init__(self, last: int) -> None:
        """Of blocks up to `last`."""
        self.last = last
        self.event = threading.Event()

    def heard(self, height: int) -> None:
        """The index has a height."""
        if height == self.last:
            self.event.set()


def break_connections(address: str) -> None:
    """End every other connection to a database, as a server that restarts does."""
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_sqlite_and_postgresql_have_the_same_rows(postgresql: Server, tmp_path: Path) -> None:
    """
    Given the same blocks,
    when they are fed into a file and into a database,
    then both have the same rows.
    """
    records = fixed_records(100)
    path, address = tmp_path / "index.sqlite", postgresql.database()
    for place in (path, address):
        with Index.open(place, CHAIN) as index:
            index.add(records)

    assert rows_of(address) == rows_of(path)


def test_connections_that_break_while_it_is_fed_cost_and_double_nothing(
    postgresql: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given a feeder that writes to a database,
    when all its connections are broken again and again meanwhile,
    then it comes to the end by itself, with the rows of an index that was fed in one go.
    """
    records = fixed_records(400)
    address, other = postgresql.database(), postgresql.database()
    ended = Ended(len(records) - 1)
    breaks = 0

    def heard(height: int) -> None:
        nonlocal breaks
        if breaks < 3 and height < ended.last:
            breaks += 1
            break_connections(address)
        ended.heard(height)

    with caplog.at_level(logging.ERROR, "tongbao.index"):
        with Index.open(address, CHAIN) as index:
            feeder = Feeder(index, Blocks(records), heard)
            feeder.start()
            assert ended.event.wait(PATIENCE_S), "the feeder did not come to the end"
            feeder.stop()
        with Index.open(other, CHAIN) as whole:
            whole.add(records)

    assert breaks == 3
    assert rows_of(address) == rows_of(other)
    assert "not written (PostgreSQL:" in caplog.text


def test_a_server_that_is_away_at_first_is_fed_later(
    postgresql: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given an index in a database that does not exist yet,
    when it is opened, asked and fed, and the database comes,
    then questions fail meanwhile, that is logged, and the feeder comes to the end.
    """
    records = fixed_records(5)
    address = postgresql.address("later")
    ended = Ended(len(records) - 1)
    with caplog.at_level(logging.ERROR, "tongbao.index"), Index.open(address, CHAIN) as index:
        with pytest.raises(DatabaseFailed, match="does not exist"):
            index.movements_of_asset(FixedChain.cny)
        feeder = Feeder(index, Blocks(records), ended.heard)
        feeder.start()
        with psycopg.connect(postgresql.address("postgres"), autocommit=True) as server:
            server.execute("CREATE DATABASE later")
        assert ended.event.wait(PATIENCE_S), "the feeder did not come to the end"
        feeder.stop()

        assert len(index.movements_of_asset(FixedChain.cny).movements) == len(records) - 1
    assert "the node goes on without it, and tries again" in caplog.text


def test_one_node_feeds_a_database_and_others_read_it(postgresql: Server) -> None:
    """
    Given a database that a node feeds,
    when another one opens it to feed it too, and a third to read, before and after it is made anew,
    then the second is refused with what to do, and the third is answered.
    """
    records, address = fixed_records(3), postgresql.database()
    with Index.open(address, CHAIN) as index, Reading.open(address, CHAIN) as reading:
        wanted = fed(index, records)
        with pytest.raises(IndexInUse, match="another node feeds the index in this database"):
            Index.open(address, CHAIN)
        assert reading.movements_of_asset(FixedChain.cny) == wanted
        index.begin_anew()
        assert reading.height == -1
    with Index.open(address, CHAIN) as index:
        assert fed(index, records) == wanted


def test_an_index_of_another_chain_or_a_newer_version_is_refused_and_an_older_one_made_anew(
    postgresql: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given a database with an index,
    when it is opened for another chain, after a newer version has written it, and after an older,
    then the first two are refused with what to do, and the third begins with nothing.
    """
    address = postgresql.database()
    with Index.open(address, CHAIN) as index:
        fed(index, fixed_records(1))
    with pytest.raises(WrongChain, match=f"of the chain {CHAIN}, not of demo-89abcdef"):
        Index.open(address, "demo-89abcdef")
    with Reading.open(address, "demo-89abcdef") as reading, pytest.raises(DatabaseFailed):
        reading.movements_of_asset(FixedChain.cny)
    for version in (VERSION + 1, VERSION - 1):
        with psycopg.connect(address) as server:
            server.execute("UPDATE tongbao.state SET version = %s", (version,))
        if version > VERSION:
            with pytest.raises(WrongVersion, match=f"index of version {version}"):
                Index.open(address, CHAIN)
        else:
            heard = caplog.at_level(logging.WARNING, "tongbao.index")
            with heard, Index.open(address, CHAIN) as index:
                assert index.height == -1
    assert "older version" in caplog.text


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://owner:{SECRET}@localhost/tongbao",
        f"postgresql://localhost/tongbao?password={SECRET}",
        f"postgresql://owner:{SECRET}@local host:what/tongbao",
        f"postgresql://localhost/tongbao?passwort={SECRET}",
    ],
)
def test_an_address_with_a_password_is_refused_and_never_told(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given addresses with a password, well formed or not,
    when an index is opened there,
    then it is refused, and neither error nor log has the password.
    """
    with pytest.raises(BadAddress) as caught:
        Index.open(address, CHAIN)

    assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r} {caplog.text}"


def held_by(address: str) -> int:
    """How many connections have the lock of those who feed."""
    with psycopg.connect(address) as server:
        asked = (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return int((server.execute(asked).fetchone() or (0,))[0])


def test_a_node_that_is_behind_leaves_the_index_as_it_is_until_it_has_caught_up(
    postgresql: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given a database that a node has fed, and no longer does,
    when another one of the same chain that is behind feeds it, and then catches up,
    then it says once how far both are, and changes nothing, also leaves the lock to others; once
    it has the last block it goes on from there.
    """
    records = fixed_records(12)
    address = postgresql.database()
    with Index.open(address, CHAIN) as first:
        fed(first, records[:10])
    before = rows_of(address)
    blocks, ended = Blocks(records[:3]), Ended(len(records) - 1)
    reason = "the index in this database knows block 9, this node is at 2"
    with caplog.at_level(logging.WARNING, "tongbao.index"), Index.open(address, CHAIN) as second:
        feeder = Feeder(second, blocks, ended.heard)
        feeder.start()
        wait_until(lambda: reason in caplog.text and not held_by(address))
        with Index.open(address, CHAIN) as first:
            assert first.height == 9
        assert rows_of(address) == before
        blocks.records = records
        feeder.wake(ended.last)
        assert ended.event.wait(PATIENCE_S), "the feeder did not come to the end"
        feeder.stop()
        assert second.first == 0 and second.height == ended.last
    assert caplog.text.count(reason) == 1
    assert "made anew" not in caplog.text


def test_a_node_that_is_behind_on_another_history_makes_it_anew_when_it_has_that_block(
    postgresql: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given a database that was fed by a chain which has since been restored and gone another way,
    when it is fed by that chain before it has a block of that height, and then after,
    then it is left alone first, and made anew then.
    """
    records, other = fixed_records(6), FixedChain()
    for _ in range(6):
        other.make(other.pay("0.02"))
    address = postgresql.database()
    with Index.open(address, CHAIN) as index:
        index.add([other.store.block(height) for height in range(6)])
    with caplog.at_level(logging.WARNING, "tongbao.index"), Index.open(address, CHAIN) as index:
        with pytest.raises(DatabaseFailed, match="knows block 5, this node is at 3"):
            Feeder(index, Blocks(records[:4])).feed()
        assert index.height == 5
        assert len(fed(index, records).movements) == len(records) - 1
    assert "of another history; it is set aside and made anew" in caplog.text


def test_who_feeds_has_the_lock_again_without_a_new_block(
    postgresql: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given a feeder that has come to the end,
    when its connections are broken, and no block is made, and later while another has the lock,
    then it has the lock again, and later says once that another feeds.
    """
    records, address = fixed_records(3), postgresql.database()
    ended = Ended(len(records) - 1)
    with caplog.at_level(logging.WARNING, "tongbao.index"), Index.open(address, CHAIN) as index:
        feeder = Feeder(index, Blocks(records), ended.heard)
        feeder.start()
        assert ended.event.wait(PATIENCE_S)
        break_connections(address)
        wait_until(lambda: held_by(address) == 0)
        wait_until(lambda: held_by(address) == 1)
        break_connections(address)
        with Index.open(address, CHAIN):
            wait_until(lambda: "another node feeds the index" in caplog.text)
        feeder.stop()
    assert caplog.text.count("another node feeds the index") == 1


def wait_until(is_so: Callable[[], bool]) -> None:
    """Look until something is so."""
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, "it did not come to be so"
