"""A person's program from the command line, from an empty folder to an erased month."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.cli.calling import Place
from tests.modules.data_steps import COUNT, EGGS, RESEARCH
from tests.services.data_agent.market import CNY, SCHEMA
from tests.services.my_data.people import CLUB, People, Told
from tests.services.my_data.people import people as open_people
from tongbao.cli.exits import Exit
from tongbao.kernel import Key, PublicKey, Small, Time, WeightedKey
from tongbao.modules import account
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.data.consents import read_consent
from tongbao.testing.keys import named_key

PASSPHRASE = "what alice eats is alice's"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """A market of real processes."""
    with open_people(tmp_path_factory.mktemp("mydata")) as found:
        yield found


class Desk:
    """A folder in which alice types."""

    def __init__(self, folder: Path, people: People) -> None:
        """Nothing was typed yet."""
        self.folder, self.people = folder, people
        self.place = Place(folder, PASSPHRASE)

    def do(self, *words: str) -> Any:
        """A command that succeeds: its facts."""
        return self.place.do("mydata", *words, "--folder", str(self.folder / "alice"))

    def told(self, *words: str) -> Any:
        """What a command says, whatever its end."""
        return self.place.call("mydata", *words, "--folder", str(self.folder / "alice"))

    def begin(self) -> str:
        """Begin, and let the bank open an account by files; its address."""
        market = self.people.market
        key = self.do("init", "--node", market.node, "--store", market.store)["key"]
        weighted = WeightedKey(key=Key(algorithm=Small(1), public=PublicKey(key)), weight=Small(1))
        one = Small(1)
        opening = account.Open(keys=(weighted,), ordinary=one, sensitive=one, lanes=one)
        bank = market.wallets["bank"]
        expires = Time(market.chain.now() + 600_000)
        nonce = market.chain.next_nonce(bank.address)
        payload = payload_bytes(market.chain.id, bank.address, nonce, expires, (opening,))
        draft, signed = self.folder / "opening.jws", self.folder / "signed.jws"
        draft.write_bytes(sign(payload, [named_key("bank")]))
        self.do("account", "sign", str(draft), "--out", str(signed))
        address = market.chain.submit(signed.read_bytes().strip()).made
        bank.forget_nonce()
        self.do("account", "use", address)
        return address


@pytest.fixture
def desk(tmp_path: Path, people: People) -> Desk:
    """An empty desk."""
    return Desk(tmp_path, people)


def test_a_person_s_year_from_the_command_line(desk: Desk) -> None:
    """
    Given an empty folder,
    when a person begins, consents, collects, tells rows itself, offers, looks, exports and erases,
    then each command says what it did, and the folder can be made again from its file and code.
    """
    people, folder = desk.people, desk.folder
    assert people.market.agent is not None
    address = desk.begin()
    code = desk.do("recovery", str(folder / "recovery.json"))["code"]
    consent = folder / "consent.jws"
    desk.do("consent", CLUB, EGGS, "--until", "+365d", "--out", str(consent))
    given = read_consent(consent.read_bytes())
    assert consent.stat().st_mode & 0o077 == 0
    assert given.consent.account == address
    people.told(given, "2026-01", (1, 2))
    Told(given, "2026-02", (3,)).leave()
    collected = desk.told("collect")
    assert collected.code == Exit.DONE
    assert collected.last == "1 batch taken, 0 refused, 1 waiting"
    (folder / "eggs.json").write_bytes(msgspec.json.encode(SCHEMA))
    (folder / "march.csv").write_text("day,count\n2026-03-01,2\n")
    march = ("--schema", str(folder / "eggs.json"), "--month", "2026-03")
    own = desk.do("import-rows", str(folder / "march.csv"), *march)
    assert (own["method"], own["count"]) == ("self", 1)
    offered = desk.do(
        *("offer", "--schema", EGGS, "--field", COUNT, "--purpose", RESEARCH, "--region", "CN"),
        *("--asset", CNY, "--price", "20.00", "--agent", people.market.agent.address),
    )
    assert len(offered["given"]) == 2
    assert set(desk.do("offers")["offers"]) == {offered["offer"]}
    assert {one["method"] for one in desk.do("batches")["batches"]} == {"scan", "self"}
    assert desk.do("requests")["asked"] == []
    assert desk.do("statement")["lines"] == []
    assert desk.do("pull")["pulled"] == {}
    archive = str(folder / "all.zip")
    desk.do("export", archive)
    assert desk.do("import", archive)["taken"] == 2
    erased = desk.do("erase", own["batch"], "--yes")["erasures"]
    assert [one["left"] for one in erased] == [[]]
    assert desk.do("withdraw", offered["offer"])["withdrawn"] is True
    assert len(desk.do("consents")["consents"]) == 1
    desk.do("end-consent", CLUB, EGGS)
    (folder / "code.txt").write_text(code)
    again = desk.place.do(
        *("mydata", "recover", str(folder / "recovery.json")),
        *("--code-file", str(folder / "code.txt"), "--account", address),
        *("--folder", str(folder / "again")),
    )
    assert (again["account"], again["batches"]) == (address, 1)


def test_the_folder_s_key_signs_no_other_opening(desk: Desk) -> None:
    """Given a transaction that pays, when it is to be signed as an opening, then it is refused."""
    market = desk.people.market
    desk.do("init", "--node", market.node, "--store", market.store)
    opening = account.Open(
        keys=(
            WeightedKey(
                key=Key(algorithm=Small(1), public=PublicKey(named_key("bob").key_id)),
                weight=Small(1),
            ),
        ),
        ordinary=Small(1),
        sensitive=Small(1),
        lanes=Small(1),
    )
    bank = market.wallets["bank"]
    expires = Time(market.chain.now() + 600_000)
    payload = payload_bytes(market.chain.id, bank.address, 1, expires, (opening,))
    (desk.folder / "x.json").write_bytes(payload)
    told = desk.told(
        "account", "sign", str(desk.folder / "x.json"), "--out", str(desk.folder / "y.jws")
    )
    assert told.code == Exit.WRONG and not (desk.folder / "y.jws").exists()


def test_a_wrong_passphrase_and_a_missing_account_are_told(desk: Desk) -> None:
    """Given a new folder, when opened wrongly, or before it has an account, then it is said."""
    market = desk.people.market
    desk.do("init", "--node", market.node, "--store", market.store)
    assert "no account yet" in desk.told("batches").err
    (desk.folder / "wrong.txt").write_text("not what alice said")
    told = desk.told("account", "show", "--passphrase-file", str(desk.folder / "wrong.txt"))
    assert told.code == Exit.NO_KEY
    again = desk.told("init", "--node", market.node, "--store", market.store)
    assert again.code == Exit.NO_INPUT
