"""A club's program and a person's, with a node and a store between them, each a process."""

from __future__ import annotations

from pathlib import Path

from tests.node.process import running
from tests.sdk.kept_chain import CHEAP
from tests.services.data_source.shop import (
    CLUB,
    DAY_MS,
    MARCH,
    address_of,
    admit,
    key_of,
    lay,
    opened,
)
from tests.services.data_source.test_processes import Program, club_folder
from tests.services.data_store.store_process import data_store
from tests.services.data_store.store_process import running as store_running
from tongbao.kernel import Key, PublicKey, Small, WeightedKey
from tongbao.modules import account
from tongbao.sdk.http import HttpChain
from tongbao.services.my_data.beginning import begin, connected, use_account
from tongbao.services.my_data.collecting import Collected, collect, receive
from tongbao.services.my_data.consenting import consent, withdraw_consent
from tongbao.services.my_data.person import Person

PASSPHRASE = "what alice eats is alice's"
ONE = Small(1)


def person_in(folder: Path, chain: HttpChain, node: str, store: str) -> Person:
    """A person with a new account."""
    home = begin(folder, PASSPHRASE, node, store, cost=CHEAP)
    signer = home.keys.signer
    key = Key(algorithm=ONE, public=PublicKey(signer.key_id))
    opening = account.Open(
        keys=(WeightedKey(key=key, weight=ONE),), ordinary=ONE, sensitive=ONE, lanes=ONE
    )
    bank = chain.wallet(address_of("bank"), key_of("bank"))
    use_account(home, chain, bank.send(opening, also=(signer,)).made)
    return connected(home)


def months(found: Collected) -> list[tuple[str, int]]:
    """What was taken; nothing was refused."""
    assert (found.refused, found.waiting) == ([], [])
    return [(one.period, one.version) for one in found.taken]


def test_a_person_takes_what_a_source_left_until_it_withdraws(tmp_path: Path) -> None:
    """
    Given a person who has consented once, by the person's own program,
    when the club tells two months, one of no rows, corrects the first, and exports the third,
    then the person takes each; after the withdrawal the club is told, and tells no more.
    """
    chain_folder, folder = tmp_path / "chain", tmp_path / "club"
    lay(chain_folder, 0)
    club_folder(chain_folder, folder)
    with opened(chain_folder) as chain_here:
        admit(chain_here)
    data_store("init", "--folder", str(tmp_path / "store"), "--open")
    with (
        store_running(tmp_path / "store") as store,
        running(chain_folder) as node,
        HttpChain(node.address) as chain,
        person_in(tmp_path / "alice", chain, node.address, store.url) as alice,
    ):
        club = Program(folder, node.address)
        club.do(
            *("init", "--account", "club", "--schema", str(folder / "eggs.json")),
            *("--store", store.url),
        )
        given = consent(alice, CLUB, "eggs.1", alice.now() + 60 * DAY_MS)
        (folder / "alice.jws").write_text(given.jws)
        club.do("consents", "add", str(folder / "alice.jws"), "--customer", "4711")
        table = folder / "march.csv"
        head = "customer,event,day,eggs,note,fresh\n"
        table.write_text(f"{head}4711,1/1,2026-03-02,10,brown,true\n4711,1/2,2026-03-09,6,,false\n")
        added = ("events", "add", str(table), "--schema", "eggs.1", "--period", MARCH)
        assert club.do(*added)["new"] == 2
        for month in (MARCH, "2026-04"):
            assert club.do("month", month)["committed"] == 1
        assert club.do("push")["delivered"] == 2
        assert months(collect(alice)) == [(MARCH, 1), ("2026-04", 1)]

        assert club.do("events", "remove", "1/2") == {"removed": True}
        assert club.do("correct", MARCH)["committed"] == 1
        assert club.do("push")["delivered"] == 1
        assert months(collect(alice)) == [(MARCH, 2)]

        club.do("month", "2026-05")
        assert club.do("export", str(tmp_path / "out"), "--all")["delivered"] == 1
        [file] = (tmp_path / "out").glob("*/*.parcel")
        assert months(receive(alice, file)) == [("2026-05", 1)]

        club.do("month", "2026-06")
        withdraw_consent(alice, CLUB, "eggs.1")
        pushed = club.do("push")
        assert (pushed["delivered"], pushed["withdrawn"]) == (0, 1)
        assert club.do("month", "2026-07")["drawn"] == 0
        assert months(collect(alice)) == []
