"""Planted values are looked for where no value may be: disks, wire, logs, metrics, memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx2
import msgspec
import pytest

from tests.modules.data_steps import COUNT
from tests.scenarios.casts import BOND, Cast
from tests.scenarios.stage import Stage
from tests.scenarios.town import CANARY, NOTE
from tongbao.demo.market.canaries import forms_of, names_in
from tongbao.kernel import Id, jcs
from tongbao.modules import data
from tongbao.modules.data import data_hash

FORMS = forms_of(CANARY)
MOST_EGGS = 100


@pytest.fixture(scope="module")
def sold(market: Stage) -> tuple[Cast, Cast]:
    """A cast that was granted the counts, and one that was granted the planted texts."""
    counts, notes = market.cast("carol"), market.cast("carol", (NOTE,))
    for cast in (counts, notes):
        order = cast.revealed()
        assert len(list(cast.buyer.rows(order))) == 5
        cast.buyer.accept(order)
    return counts, notes


def found_in(places: dict[str, bytes]) -> list[str]:
    """Where the planted text stands, and in what form."""
    return [
        f"{place}: {form}" for place, text in places.items() for form in names_in((text,), FORMS)
    ]


def files_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a folder."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


def test_no_disk_holds_a_planted_value(market: Stage, sold: tuple[Cast, Cast]) -> None:
    """
    Given rows with a planted text that were sold, with it hidden and with it granted,
    when every file of node, store, agent and buyers is looked through,
    then it stands in none of them, in no form.
    """
    places = dict(files_of(market.place))
    beginnings = {name.partition("/")[0] for name in places}

    assert {"chain", "store", "agent", sold[0].buys, sold[1].buys} <= beginnings
    assert found_in(places) == []


def test_no_wire_log_or_metric_holds_a_planted_value(
    market: Stage, sold: tuple[Cast, Cast]
) -> None:
    """
    Given the same sales, all over relays that remember each byte,
    when what went over them, what the programs have said, and the node's metrics are looked
    through,
    then the planted text is nowhere; the ids of the orders are, so it was looked into something.
    """
    programs = market.programs
    names = ("to the node", "to the store", "to the agent")
    places = dict(zip(names, (one.recorded() for one in programs.relays), strict=True))
    logs = {
        "log of the node": programs.node.text().encode(),
        "log of the store": programs.store.text().encode(),
        "log of the agent": programs.agent.text().encode(),
    }
    metrics = httpx2.get(f"{programs.node.address}/metrics")
    (order, *_) = sold[0].folder.orders()

    assert metrics.status_code == 200 and len(metrics.content) > 1_000
    assert found_in({**places, **logs, "metrics": metrics.content}) == []
    assert order.encode() in places["to the node"] and order.encode() in places["to the agent"]
    assert len(places["to the store"]) > 65_536


def test_the_store_s_memory_holds_no_planted_value(market: Stage, sold: tuple[Cast, Cast]) -> None:
    """
    Given the same sales,
    when all memory of the store's process is looked through,
    then neither the planted text nor any half of a key of these orders stands in it.
    """
    memory = memory_of(market.programs.store.process.pid)
    halves: dict[str, bytes] = {}
    for cast in sold:
        for order in cast.folder.orders():
            a, row = cast.folder.deal(order).a, market.town.row(order)
            assert row.b is not None
            for name, half in (("a", a), ("b", row.b)):
                halves[f"{name} of {order}"] = bytes.fromhex(half)
                halves[f"{name} of {order} in hex"] = half.encode()

    assert b"tongbao-data-store" in memory
    assert found_in({"memory": memory}) == []
    assert [name for name, half in halves.items() if half in memory] == []


def memory_of(process: int) -> bytes:
    """All memory that a process can write to."""
    found = []
    maps = Path(f"/proc/{process}/maps").read_text(encoding="utf-8").splitlines()
    with Path(f"/proc/{process}/mem").open("rb", buffering=0) as file:
        for line in maps:
            span, mode = line.split()[:2]
            first, last = span.split("-")
            if mode.startswith("rw") and "[v" not in line:
                file.seek(int(first, 16))
                try:
                    found.append(file.read(int(last, 16) - int(first, 16)))
                except OSError:
                    continue  # it was given back meanwhile
    return b"\n".join(found)


def test_counts_from_0_to_100_can_t_be_guessed_by_any_hash_of_the_ledger(
    market: Stage, sold: tuple[Cast, Cast]
) -> None:
    """
    Given all that the ledger says of the batches and orders of these casts,
    when each count from 0 to 100 is hashed in every way that needs no secret,
    then none of these is a hash of the ledger.
    """
    text = ""
    for cast in sold:
        for order in cast.folder.orders():
            row = market.town.row(order)
            batches = [market.town.chain.query(data.batch, name) for name in row.batches]
            text += msgspec.json.encode((row, batches), enc_hook=str).decode()
    hashes = set(re.findall(r"[0-9a-f]{64}", text))
    guesses = set()
    for count in range(MOST_EGGS + 1):
        for value in (b"%d" % count, jcs.encode(count), count.to_bytes(4)):
            guesses.add(sha256(value).hexdigest())
            for tag in ("batch", "cell", "row", "request", "grant"):
                guesses.add(data_hash(tag, value).hex())
                guesses |= {
                    data_hash(tag, COUNT.encode(), salt, value).hex() for salt in (b"", bytes(16))
                }

    assert len(hashes) >= 16
    assert hashes & guesses == set()


def test_a_person_with_one_row_and_one_with_sixty_look_alike(market: Stage) -> None:
    """
    Given a month of one row and one of sixty,
    when both are sold,
    then their records on the ledger and their packages have one size.
    """
    sizes = []
    for counts in ((1,), tuple(number % 3 for number in range(60))):
        cast = market.cast("carol")
        name = cast.batch(counts)
        asked = cast.buyer.request(cast.request(name))
        order = cast.buyer.order(asked, deletion_bond=BOND)
        market.town.reach(order, "sealed")
        cast.fetch(order)
        batch = market.town.chain.query(data.batch, Id(name))
        package = cast.folder.package(order).stat().st_size
        records = (batch, market.town.row(order))
        sizes.append((*(len(msgspec.json.encode(one, enc_hook=str)) for one in records), package))
        cast.buyer.cancel(order)

    assert sizes[0] == sizes[1]
