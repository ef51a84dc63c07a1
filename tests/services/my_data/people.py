"""People with folders of their own in a market of real processes; the test plays the club."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from tests.modules.data_steps import CHINA, COUNT, DAY_MS, EGGS, RESEARCH
from tests.sdk.kept_chain import CHEAP
from tests.services.data_agent.market import ADDRESSES, CNY, SCHEMA, Market, market
from tongbao.kernel import Amount, Hash, Id, Key, PublicKey, Small, WeightedKey
from tongbao.modules import account, data
from tongbao.rights.attestation import Attestation, sign_attestation
from tongbao.rights.batch import Batch, Origin, Period, commitment_of, make_batch
from tongbao.rights.delivered_batch import batch_parcel_text
from tongbao.rights.parcel import seal_parcel
from tongbao.rights.schema import Row, event_hash
from tongbao.sdk.data.consents import SignedConsent, read_consent
from tongbao.sdk.data.store_client import leave_parcel
from tongbao.services.my_data.beginning import begin, connected, open_person, use_account
from tongbao.services.my_data.consenting import consent
from tongbao.services.my_data.offering import Terms
from tongbao.services.my_data.person import Person
from tongbao.testing.keys import named_key

PASSPHRASE: Final = "what alice eats is alice's"
CLUB: Final = ADDRESSES["club"]
CLUB_KEY: Final = named_key("club")
_NUMBERS: Final = count()


class Told:
    """What the club says about a person in a month, before and after it is on the ledger."""

    def __init__(self, given: SignedConsent, period: str, counts: Sequence[int], **how: Any):
        """Make batch and attestation; `how` are changes of the attestation."""
        self.given = given
        self.version = int(how.get("version", 1))
        rows = [
            Row(
                event_hash(CLUB_KEY.public_key, f"{how.get('event', period)}/{place}".encode()),
                (f"{period}-{place % 28 + 1:02}", eggs),
            )
            for place, eggs in enumerate(counts)
        ]
        origin = Origin(period=Period(period), source=CLUB, subject=given.subject)
        self.batch = make_batch(
            SCHEMA, origin, rows, secrets.token_bytes(32), secrets.token_bytes(16)
        )
        self.commitment = commitment_of(self.batch.header)
        usual = Attestation(
            about="person",
            batch=Hash(self.commitment.hex()),
            iat=1,
            iss=CLUB,
            method="scan",
            period=Period(period),
            schema=self.batch.header.schema,
            sub=given.subject,
            supersedes=how.get("supersedes"),
            version=self.version,
        )
        self.attestation = sign_attestation(
            replace(usual, **how.get("attested", {})), how.get("seed", CLUB_KEY.seed)
        )

    def committing(self, before: Id | None = None) -> data.Commit:
        """The message that commits to it."""
        header = self.batch.header
        return data.Commit(
            owner=self.given.consent.account,
            subject=header.subject,
            schema=EGGS,
            period=data.Period(header.period),
            version=data.Version(self.version),
            commitment=Hash(self.commitment.hex()),
            method=data.Method("scan"),
            supersedes=before,
        )

    def parcel(self, batch: Batch | None = None) -> bytes:
        """It, sealed for the person."""
        text = batch_parcel_text(self.attestation, batch or self.batch)
        key = bytes.fromhex(self.given.consent.key)
        return seal_parcel("batch", self.commitment, key, text)

    def leave(self, parcel: bytes | None = None) -> str:
        """Leave a parcel at the person's store."""
        where = self.given.consent
        token = bytes.fromhex(where.drop)
        return leave_parcel(where.store, where.inbox, token, parcel or self.parcel())

    def leave_to(self, other: SignedConsent) -> str:
        """Leave it with somebody whom it isn't about."""
        where = other.consent
        text = batch_parcel_text(self.attestation, self.batch)
        parcel = seal_parcel("batch", self.commitment, bytes.fromhex(where.key), text)
        return leave_parcel(where.store, where.inbox, bytes.fromhex(where.drop), parcel)


class People:
    """A market, and folders of people."""

    def __init__(self, place: Path, found: Market) -> None:
        """Let people come into a market."""
        self.place = place
        self.market = found
        self._open: list[Person] = []

    def folder(self) -> Path:
        """A place for a new folder."""
        return self.place / f"person-{next(_NUMBERS)}"

    def new(self, trust: bytes | None = None) -> Person:
        """A person with an account and nothing else, who believes the node by a trust file."""
        where = (self.market.node, self.market.store)
        home = begin(self.folder(), PASSPHRASE, *where, trust=trust, cost=CHEAP)
        signer = home.keys.signer
        key = WeightedKey(
            key=Key(algorithm=Small(1), public=PublicKey(signer.key_id)), weight=Small(1)
        )
        one = Small(1)
        opening = account.Open(keys=(key,), ordinary=one, sensitive=one, lanes=one)
        applied = self.market.wallets["bank"].send(opening, also=(signer,))
        use_account(home, self.market.chain, applied.made)
        return self.opened(connected(home))

    def opened(self, person: Person) -> Person:
        """A person whose folder `close` closes."""
        self._open.append(person)
        return person

    def again(self, person: Person) -> Person:
        """The same person after the program ended."""
        self.lost(person)
        return self.opened(open_person(person.home.folder, PASSPHRASE))

    def lost(self, person: Person) -> None:
        """Let a person's program end."""
        self._open.remove(person)
        person.close()

    def close(self) -> None:
        """Close the folders that are open."""
        while self._open:
            self._open.pop().close()

    def consented(self, person: Person) -> SignedConsent:
        """What a person has consented to with the club, for a year."""
        ends = person.now() + 365 * DAY_MS + next(_NUMBERS)
        return read_consent(consent(person, CLUB, EGGS, ends).jws.encode())

    def read(self, jws: str) -> SignedConsent:
        """A consent that was given before."""
        return read_consent(jws.encode())

    def told(self, given: SignedConsent, period: str, counts: Sequence[int] = (1, 2, 3)) -> Told:
        """A month that the club has committed to and left at the store."""
        made = Told(given, period, counts)
        self.commit(made)
        made.leave()
        return made

    def commit(self, made: Told, before: Id | None = None) -> Id:
        """Let the club commit; the batch's id."""
        return Id(self.market.send("club", made.committing(before))[0])

    def admit_again(self) -> None:
        """Let the club be a source again, with another bond."""
        bond = Amount("50.00")
        self.market.send("club", data.PostBond(asset=CNY, amount=bond))
        self.market.send(
            "bank",
            data.AdmitSource(
                source=CLUB,
                schema=EGGS,
                method=data.Method("scan"),
                volume=data.Volume(1_000),
                asset=CNY,
                bond=bond,
            ),
        )

    def terms(self, **changes: Any) -> Terms:
        """The count of eggs for research, at 20.00."""
        usual = Terms(
            schema=EGGS,
            fields=(COUNT,),
            purposes=(RESEARCH,),
            mode="view",
            regions=(CHINA,),
            retention_ms=30 * DAY_MS,
            asset=CNY,
            price="20.00",
            floor="10.00",
            daily_cap=10,
            expires_at=self.market.chain.now() + 60 * DAY_MS,
        )
        return replace(usual, **changes)


@contextmanager
def people(place: Path) -> Iterator[People]:
    """A market with a node, a store and an agent that runs."""
    with ExitStack() as ending:
        found = ending.enter_context(market(place))
        found.start()
        yield People(place, found)
