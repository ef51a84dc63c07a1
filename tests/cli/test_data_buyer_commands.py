"""A purchase and a claim from the command line: node, panels and commands are processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.cli.calling import Place, Told
from tests.cli.desk import Desk
from tests.sdk.data.lying_agent import LyingAgent, agent
from tests.sdk.data.market import ADDRESSES, PANEL, PEOPLE, Market, market
from tests.sdk.kept_chain import CHEAP, PASSPHRASE
from tongbao.cli.book import AccountBook
from tongbao.cli.exits import Exit
from tongbao.modules import data
from tongbao.sdk.keystore import Keystore
from tongbao.testing.keys import named_key

TERMS = (
    *("--owner", "alice", "--schema", "eggs.1", "--field", "count"),
    *("--purpose", "dpv:AcademicResearch", "--asset", "CNY.bank"),
    *("--price", "20.00", "--fee", "1.00", "--why", "how many eggs people eat"),
)


class Office:
    """Bob's desk, in a folder that has everybody's keys, and carol's agent."""

    def __init__(self, desk: Desk, market: Market, agent: LyingAgent, url: str) -> None:
        """Work at a desk."""
        self.desk = desk
        self.place = Place(desk.folder / "tongbao-chain", PASSPHRASE)
        self.market = market
        self.agent = agent
        self.url = url

    def do(self, *words: str) -> Any:
        """A command of bob's that succeeds."""
        told = self.call(*words, "--json")
        assert told.code == 0, told
        return msgspec.json.decode(told.last)  # before it stands what carol's agent has logged

    def call(self, *words: str) -> Told:
        """A command of bob's, however it ends."""
        return self.place.call("data-buyer", *words, "--orders", str(self.bought))

    @property
    def bought(self) -> Path:
        """Bob's folder."""
        return self.desk.folder / "bought"

    def ordered(self, period: str) -> str:
        """An order for a month."""
        batch = self.market.attest(period)
        terms = (*TERMS, "--batch", batch, "--delete-by", "+10d")
        asked = self.do("request", *terms)["request"]
        return str(self.do("order", asked, "--deletion-bond", "5.00")["order"])


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The desk, with the buyer's folder laid out."""
    root = tmp_path_factory.mktemp("office")
    folder = root / "tongbao-chain"
    with market(folder) as found, agent(found) as (lying, places):
        keys, book = Keystore(folder / "keys", CHEAP), AccountBook(folder)
        for name in PEOPLE:
            keys.store(name, named_key(name).seed, PASSPHRASE)
            book.remember(name, ADDRESSES[name])
        [url] = places.values()
        office = Office(Desk(root, TONGBAO_PASSPHRASE=PASSPHRASE), found, lying, url)
        office.do("init", "--as", "bob", "--place", f"carol={url}")
        yield office


def test_a_purchase_from_the_command_line(office: Office) -> None:
    """
    Given a month of alice's,
    when bob requests, orders, pulls, confirms, opens, accepts, looks for changes, and deletes,
    then he has had its rows, alice is paid, and the folder says that it is deleted.
    """
    order = office.ordered("2026-01")
    office.agent.seal(order)
    pulled = office.do("pull", "--confirm")
    office.agent.reveal(order)
    opened = office.do("open", order, "--out", str(office.desk.folder / "eggs.csv"))
    rows = (office.desk.folder / "eggs.csv").read_text(encoding="utf-8").splitlines()
    accepted = office.do("accept", order)
    changed = office.do("changes")
    deleted = office.do("delete", order)
    [listed] = [one for one in office.do("list")["orders"] if one["order"] == order]

    assert pulled == {"deliveries": [{"order": order, "found": "here"}]}
    assert opened == {"order": order, "verdict": "OK", "rows": 19}
    assert (len(rows), accepted["phase"], changed) == (20, "settled", {"changes": []})
    assert deleted["attestation"].startswith('{"account":"' + ADDRESSES["bob"])
    assert (listed["phase"], listed["here"]) == ("settled", "deleted")
    assert not (office.desk.folder / "eggs.csv").exists()


def test_a_purchase_is_shown_by_a_pack(office: Office) -> None:
    """
    Given a month that bob bought and deleted,
    when a pack is made of his folder, and verified by the chain's trust file,
    then it proves the grant, with what was asked and when deletion was attested.
    """
    order = office.ordered("2026-11")
    office.agent.seal(order)
    office.do("pull", "--confirm")
    office.agent.reveal(order)
    office.do("accept", order)
    office.do("delete", order)
    pack, trust = office.desk.folder / "pack.zip", office.desk.folder / "tongbao-chain/trust.json"
    making = ("data-pack", "make", "bob", "--orders", str(office.bought), "--out", str(pack))
    told = office.place.call(*making)
    verified = office.place.do("verify", str(pack), "--trust", str(trust), "--partly")

    assert (told.code, "verified" in told.last) == (0, True), told
    [grant] = [one for one in verified["grants"] if one["order"] == order]
    assert (grant["phase"], grant["price"], grant["held"]) == ("settled", "20.00", False)
    assert grant["sealed_at"] < grant["deleted_at"] < grant["delete_by"]


def test_a_claim_from_the_command_line_is_decided_by_programs(office: Office) -> None:
    """
    Given a package without its last row, and the programs of three adjudicators,
    when bob opens, claims, and names where they are,
    then `open` says what is wrong, two have voted, and the claim is upheld.
    """
    order = office.ordered("2026-02")
    batch = office.market.batches[office.market.row(order).batches[0]]
    office.agent.seal(order, [replace(batch, rows=batch.rows[:-1])])
    office.do("fetch", order)
    office.do("confirm", order)
    office.agent.reveal(order)
    opened = office.call("open", order)
    with ExitStack() as stack:
        places = []
        for name in PANEL:
            own = ("--panel", f"panel-{name}")
            office.desk.do("data-panel", "init", "--as", name, *own)
            words = ("data-panel", "run", "--vote", "--port", "0", *own)
            running = stack.enter_context(office.desk.running(*words))
            line = running.note("the panel is served at")
            places += ["--place", f"{name}={line.split()[5].rstrip(';')}"]
        office.call("claim", order, *places)
        phase = office.market.await_phase(order, "upheld", "rejected")
        cases = office.desk.do("data-panel", "cases", "--panel", "panel-ann")["cases"]

    assert (opened.code, opened.last) == (
        Exit.WRONG,
        "ROWS_ARE_MISSING: a batch, or some of its rows, is not there; claim it",
    )
    assert phase == "upheld"
    assert [case["order"] for case in cases] == [order]


def test_an_adjudicator_without_an_address_takes_evidence_as_a_file(office: Office) -> None:
    """
    Given a claim in spite of a right package,
    when an adjudicator judges by hand, hands its key out as a file, takes the parcel that bob made
    for it, and votes,
    then it is told to wait first, and votes to reject then; and bob was told that there is nothing
    to claim.
    """
    order = office.ordered("2026-03")
    office.agent.seal(order)
    office.do("fetch", order)
    office.do("confirm", order)
    office.agent.reveal(order)
    refused = office.call("claim", order)
    office.call("claim", order, "--in-spite")
    panel = ("--panel", str(office.desk.folder / "panel-by-hand"))
    office.place.do("data-panel", "init", "--as", "ben", *panel)
    early = office.place.call("data-panel", "judge", order, *panel)
    stated = str(office.desk.folder / "ben.jws")
    office.place.do("data-panel", "key", "--out", stated, *panel)
    office.call("claim", order, "--parcel", f"ben={stated}")
    parcel = office.bought / "evidence" / f"{order}-{ADDRESSES['ben']}"
    office.place.do("data-panel", "receive", order, str(parcel), *panel)
    judged = office.place.call("data-panel", "judge", order, *panel)
    voted = office.place.call("data-panel", "vote", order, *panel)
    row = office.market.row(order)

    assert (refused.code, early.code) == (Exit.REFUSED, Exit.BUSY)
    assert early.last == "no vote yet: evidence may still come"
    assert judged.last == "the vote would be rejected: OK"
    assert (voted.code, row.votes.count(data.Verdict("rejected"))) == (Exit.DONE, 1)


def test_a_stream_from_the_command_line(office: Office) -> None:
    """
    Given a stream of alice's eggs that has caught up,
    when a month comes, and the stream is run twice, and ended,
    then it is ordered once.
    """
    kept = ("--deletion-bond", "5.00", "--keep", "20d")
    office.do("stream", "begin", "eggs", *TERMS, *kept)
    office.do("stream", "run")
    month = office.market.attest("2026-04")
    first, second = office.do("stream", "run"), office.do("stream", "run")
    listed = office.do("stream", "list")
    office.do("stream", "end", "eggs")

    assert [one["batch"] for one in first["orders"]] == [month]
    assert second == {"orders": []}
    assert [one["stream"] for one in listed["streams"]] == ["eggs"]


def test_the_folder_is_one_program_s_at_a_time_and_needs_to_be_laid_out(office: Office) -> None:
    """
    Given no folder,
    when bob lists its orders, or lays his own out twice,
    then he is told what to do.
    """
    missing = office.desk.run("data-buyer", "list", "--orders", "nowhere")
    again = office.call("init", "--as", "bob")

    assert missing.returncode == Exit.NO_INPUT
    assert "do `init` first" in missing.stderr
    assert again.code == Exit.USAGE
