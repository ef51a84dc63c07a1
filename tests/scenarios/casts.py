"""One cast of the market: who buys, whose rows, who seals; what each has, and who can open what."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, Final

import httpx2
from msgspec import Struct
from msgspec.structs import replace

from tests.modules.data_steps import COUNT, DAY_MS, EGGS, RESEARCH, VIEW
from tests.rights.material import fixed
from tests.scenarios.cheats import Cheats
from tests.scenarios.town import ADDRESSES, CNY, PANEL, Town
from tests.sdk.data.shop import new_folder
from tongbao.kernel import Amount, Hash, Id, Time
from tongbao.modules import data
from tongbao.rights.attestation import Attestation, sign_attestation
from tongbao.rights.batch import commitment_of
from tongbao.rights.chunks import DoesNotOpen, open_chunks
from tongbao.rights.copies import copy_text
from tongbao.rights.halves import package_key
from tongbao.rights.limits import SEALED_CHUNK_BYTES
from tongbao.rights.parcel import seal_parcel
from tongbao.rights.requests import DataRequest, Why
from tongbao.sdk.data.buyer import Buyer
from tongbao.sdk.data.facts import NotFetched, NotThere
from tongbao.sdk.exchange_keys import ledger_exchange_key
from tongbao.sdk.signed_requests import SigningAuth
from tongbao.testing.keys import named_key

BOND: Final = Amount("5.00")
COUNTS: Final = (0, 1, 2, 1, 3)


class Money(Struct, frozen=True, kw_only=True):
    """Cents that everybody of a cast has won or lost; `bond` is the seller's."""

    buyer: int = 0
    owner: int = 0
    seller: int = 0
    bond: int = 0


class Cast:
    """A buyer, an owner, and who seals for it: `carol`'s program, a cheat, or the owner."""

    def __init__(
        self,
        town: Town,
        seals: str,
        places: dict[str, str],
        path: Path,
        fields: tuple[data.Field, ...] = (COUNT,),
    ) -> None:
        """Take the stage: the owner offers fields, and a cheat posts a bond of 100.00."""
        number = next(town.casts)
        self.town = town
        self.buys, self.owns = f"buyer{number}", f"owner{number}"
        self.seals = {"carol": "carol", "cheat": f"agent{number}", "owner": self.owns}[seals]
        self.places = places
        self.cheats: Cheats | None = None
        if seals == "cheat":
            town.send(self.seals, town.bond("100.00"))
        agent = None if seals == "owner" else self.seals
        self.fields = fields
        self.offer = town.offer(self.owns, agent, fields=fields)
        self.folder = new_folder(path / self.buys)
        agents: dict[str, str] = {
            ADDRESSES[self.seals]: places["carol" if seals == "carol" else "cheats"]
        }
        self.buyer = Buyer(town.chain, town.wallets[self.buys], self.folder, agents)
        self.before = self.purse()
        self.paid = self.voters()

    # Money

    def purse(self) -> Money:
        """What everybody has now."""
        town = self.town
        return Money(
            buyer=town.held(self.buys),
            owner=town.earned(self.owns),
            seller=0 if self.seals == self.owns else town.earned(self.seals),
            bond=town.posted(self.seals)[0],
        )

    def money(self) -> Money:
        """What everybody has won or lost since the cast began."""
        then, now = self.before, self.purse()
        return Money(
            **{name: getattr(now, name) - getattr(then, name) for name in Money.__struct_fields__}
        )

    def voters(self) -> int:
        """Cents that all adjudicators have earned."""
        return sum(map(self.town.earned, PANEL))

    def votes_won(self) -> int:
        """Cents that adjudicators have earned since the cast began: of all claims there are."""
        return self.voters() - self.paid

    def reserved(self) -> int:
        """Cents of the seller's bond that are reserved."""
        return self.town.posted(self.seals)[1]

    # An order's way

    def batch(self, counts: tuple[int, ...] = COUNTS) -> Id:
        """A month of the owner's; carol's program has a copy."""
        name = self.town.attest(self.owns, counts)
        if self.seals == "carol":
            self.bring(name)
        return name

    def bring(self, name: Id) -> None:
        """Give carol's program a copy of a batch, as its owner."""
        batch = self.town.batches[name]
        header = batch.header
        attested = Attestation(
            about="person",
            batch=Hash(commitment_of(header).hex()),
            iat=1,
            iss=header.source,
            method="scan",
            period=header.period,
            schema=header.schema,
            sub=header.subject,
            version=1,
        )
        text = copy_text(
            batch,
            self.fields,
            batch_id=name,
            owner=ADDRESSES[self.owns],
            attestation=sign_attestation(attested, named_key("club").seed),
        )
        with self.asking(self.owns) as client:
            told = client.get("/v1/key").content
            chain = self.town.chain
            key = ledger_exchange_key(chain, told, ADDRESSES["carol"], chain.now())
            parcel = seal_parcel("copy", commitment_of(header), key, text)
            answer = client.put(f"/v1/copies/{name}", content=parcel)
        assert answer.status_code == 200, answer.text

    def asking(self, who: str) -> httpx2.Client:
        """Ask the seller's program as somebody."""
        place = self.places["carol" if self.seals == "carol" else "cheats"]
        auth = SigningAuth(named_key(who), ADDRESSES[who])
        return httpx2.Client(base_url=place, auth=auth, timeout=60)

    def request(self, *batches: Id, **changes: Any) -> DataRequest:
        """What the buyer asks for."""
        usual = DataRequest(
            asset=CNY,
            batches=batches,
            buyer=ADDRESSES[self.buys],
            chain=self.town.chain.id,
            delete_by=Time(self.town.chain.now() + 10 * DAY_MS),
            fee=Amount("1.00"),
            fields=self.fields,
            mode=VIEW,
            owner=ADDRESSES[self.owns],
            price=Amount("20.00"),
            purpose=RESEARCH,
            schema=EGGS,
            why=Why("We study how many eggs people eat."),
        )
        return replace(usual, **changes)

    def ordered(self, seal_by: int | None = None, **changes: Any) -> str:
        """An order for a new month."""
        asked = self.buyer.request(self.request(self.batch(), **changes))
        return self.buyer.order(asked, deletion_bond=BOND, seal_by=seal_by)

    def unheard(self, seal_by: int | None = None) -> str:
        """An order that no agent seals, since the month of which it is was brought to nobody."""
        name = self.town.attest(self.owns, COUNTS)
        assert self.seals != "carol"
        asked = self.buyer.request(self.request(name))
        return self.buyer.order(asked, deletion_bond=BOND, seal_by=seal_by)

    def sealed(self, **changes: Any) -> str:
        """One that is sealed: carol's program does it, a cheat is told to."""
        order = self.ordered(**changes)
        if self.seals != "carol":
            self.cheat.seal(order)
        self.town.reach(order, "sealed")
        return order

    @property
    def cheat(self) -> Cheats:
        """The agents that seal and reveal as they are told."""
        assert self.cheats is not None
        return self.cheats

    def confirm(self, order: str) -> None:
        """Fetch and confirm."""
        self.fetch(order)
        self.buyer.confirm(order)

    def fetch(self, order: str) -> None:
        """Fetch, once the agent has learnt of its own seal."""
        self.buyer.fetch(order)

    def confirmed(self) -> str:
        """One that is confirmed; carol's program reveals it at once."""
        order = self.sealed()
        self.confirm(order)
        return order

    def revealed(self, order: str | None = None) -> str:
        """One of which `b` is published."""
        name = order or self.sealed()
        self.confirm(name)
        if self.seals != "carol":
            self.cheat.reveal(name)
        self.town.reach(name, "revealed")
        return name

    # Data

    def who_opens(self, order: str) -> list[str]:
        """Who of buyer and onlooker comes to rows; the onlooker has ledger and ciphertext."""
        found = []
        try:
            if [row.values[COUNT] for row in self.buyer.rows(order)] == list(COUNTS):
                found.append("buyer")
        except (NotThere, NotFetched):
            pass
        if self.onlooker_opens(order):
            found.append("onlooker")
        return found

    def onlooker_opens(self, order: str) -> bool:
        """Whether all that stands on the ledger, two at a time, opens the ciphertext."""
        path = self.folder.package(order)
        if not path.exists():
            return False
        row = self.town.row(order)
        known = [row.b, row.b_lock, row.a_commit, row.grant_hash, row.package_root]
        halves = [bytes.fromhex(each) for each in known if each] + [bytes(32), fixed("guess")]
        return any(self.opens(order, a, b) for a, b in itertools.product(halves, halves))

    def opens(self, order: str, a: bytes, b: bytes) -> bool:
        """Whether two halves open the package that the buyer has."""
        name, content = bytes.fromhex(order), self.folder.package(order).read_bytes()
        size = SEALED_CHUNK_BYTES
        chunks = [content[at : at + size] for at in range(0, len(content), size)]
        try:
            list(open_chunks(package_key(name, a, b), name, chunks))
        except DoesNotOpen:
            return False
        return True
