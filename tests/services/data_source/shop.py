"""A chain on which a club may attest eggs, and customers who consent."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from tests.modules.member_steps import admitting, lei
from tests.rights.material import fixed
from tests.sdk.kept_chain import ALONE, CHEAP, PASSPHRASE
from tongbao.kernel import Address, Amount, AssetCode, AssetId, Hash, Message, Small, Time
from tongbao.kernel import Reference as Ref
from tongbao.kernel.genesis import section
from tongbao.modules import asset, data, governance, member
from tongbao.rights.batch import Period
from tongbao.rights.cells import Salt
from tongbao.rights.schema import Field, FieldName, Schema, SchemaName
from tongbao.sdk.data.consents import Consent, SignedConsent, read_consent, sign_consent
from tongbao.sdk.folder import Folder
from tongbao.sdk.genesis_builder import build_genesis, genesis_address, single_key
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import AUTHORITY, open_chain
from tongbao.sdk.signer import SoftwareKey
from tongbao.services.data_source.consents import add_consent
from tongbao.services.data_source.event_files import Event
from tongbao.services.data_source.events import Added, add_events
from tongbao.services.data_source.monthly import Month, make_month
from tongbao.services.data_source.settings import Settings, Told
from tongbao.services.data_source.source import Source, begin_source, open_source
from tongbao.testing.genesis import registry_with

STAFF: Final = ("bank", "club", "rival")
EGGS: Final = data.Schema("eggs.1")
SCHEMA: Final = Schema(
    SchemaName("eggs.1"),
    (
        Field(FieldName("day"), "date"),
        Field(FieldName("eggs"), "integer"),
        Field(FieldName("note"), "text"),
        Field(FieldName("fresh"), "boolean"),
    ),
)
MARCH: Final = Period("2026-03")
APRIL: Final = Period("2026-04")
STORE: Final = "https://store.example"
CNY: Final = AssetId(f"CNY.{genesis_address(0)}")
DAY_MS: Final = 86_400_000
CLUB: Final = genesis_address(1)


def key_of(name: str) -> SoftwareKey:
    """The key of somebody's account."""
    return SoftwareKey(fixed(f"key of {name}"))


def customer(number: int) -> str:
    """The name of a customer, by which the club knows it, too."""
    return f"customer-{number}"


def address_of(name: str) -> Address:
    """Somebody's account."""
    place = STAFF.index(name) if name in STAFF else len(STAFF) + int(name.rpartition("-")[2])
    return genesis_address(place)


def space_of(name: str) -> SoftwareKey:
    """The key of a customer's space at a store."""
    return SoftwareKey(fixed(f"space {name}"))


def exchange_secret(name: str) -> X25519PrivateKey:
    """The key by which a customer opens parcels."""
    return X25519PrivateKey.from_private_bytes(fixed(f"exchange {name}"))


def lay(folder: Path, customers: int) -> None:
    """The folder of a chain with accounts for all, and the club's key in its keystore."""
    keystore = Keystore(folder / "keys", CHEAP)
    authority = keystore.create(AUTHORITY, PASSPHRASE)
    keystore.store("club", key_of("club").seed, PASSPHRASE)
    people = [*STAFF, *(customer(number) for number in range(customers))]
    start = governance.Start(
        operators=(address_of("bank"),), threshold=Small(1), delay_ms=governance.Delay(0)
    )
    genesis = build_genesis(
        registry_with(),
        "shop",
        time.time_ns() // 1_000_000 - DAY_MS,
        authority.key_id,
        tuple(single_key(key_of(name).key_id) for name in people),
        sections=(section("governance", start),),
    )
    Folder(folder).lay_out(genesis)
    names = {name: address_of(name) for name in STAFF}
    (folder / "accounts.json").write_bytes(msgspec.json.encode(names))


def opened(folder: Path) -> Chain:
    """The chain, to write."""
    return open_chain(folder, passphrase=PASSPHRASE, options=ALONE)


def send(chain: Chain, name: str, *messages: Message) -> None:
    """Send as somebody."""
    chain.wallet(address_of(name), key_of(name)).send(*messages)


def admission(name: str, volume: int) -> data.AdmitSource:
    """Somebody is admitted as a source of eggs."""
    return data.AdmitSource(
        source=address_of(name),
        schema=EGGS,
        method=data.Method("scan"),
        volume=data.Volume(volume),
        asset=CNY,
        bond=Amount("20.00"),
    )


def admit(chain: Chain, volume: int = 10_000) -> None:
    """Define the schema, and admit club and rival."""
    send(chain, "bank", asset.Define(code=AssetCode("CNY"), scale=Small(2)))
    roles = {"bank": (data.REGISTRAR,), "club": (member.DATA_SOURCE,)}
    roles["rival"] = (member.DATA_SOURCE,)
    actions = tuple(
        admitting(lei(place), (address_of(name),), given)
        for place, (name, given) in enumerate(roles.items())
    )
    closes = Time(chain.now() + DAY_MS)
    send(chain, "bank", governance.Propose(actions=actions, closes_at=closes))
    fields = tuple(data.Field(field.name) for field in SCHEMA.fields)
    send(chain, "bank", data.DefineSchema(schema=EGGS, fields=fields))
    for name in ("club", "rival"):
        money = asset.Issue(
            asset=CNY, amount=Amount("50.00"), payee=address_of(name), reference=Ref(name)
        )
        send(chain, "bank", money)
        send(chain, name, data.PostBond(asset=CNY, amount=Amount("50.00")))
        send(chain, "bank", admission(name, volume))


def consent_of(chain: Chain, name: str, /, **changes: Any) -> SignedConsent:
    """A customer's consent to the club, for 60 days."""
    usual = Consent(
        account=address_of(name),
        chain=chain.id,
        drop=Hash(fixed(f"drop {name}").hex()),
        ends=chain.now() + 60 * DAY_MS,
        inbox=Hash(space_of(name).public_key.hex()),
        key=Hash(exchange_secret(name).public_key().public_bytes_raw().hex()),
        method="scan",
        schema=SchemaName("eggs.1"),
        source=CLUB,
        store=STORE,
        subject_salt=Salt(fixed(f"salt {name}").hex()[:32]),
    )
    return read_consent(sign_consent(key_of(name), replace(usual, **changes)))


def settings_on(chain: Chain, stores: Sequence[str] = (STORE,)) -> Settings:
    """What the club is set up with."""
    told = Told(about="household", schema=SCHEMA)
    return Settings(account=CLUB, chain=chain.id, key="club", schemas=(told,), stores=tuple(stores))


class Shop:
    """The club's source beside its chain, both open in this process."""

    def __init__(self, chain: Chain, source: Source) -> None:
        """Work with these."""
        self.chain = chain
        self.source = source

    def consent(self, name: str, **changes: Any) -> SignedConsent:
        """A customer consents, and the club keeps it."""
        signed = consent_of(self.chain, name, **changes)
        add_consent(self.source, name, signed)
        return signed

    def events(self, name: str, count: int, period: Period = MARCH, **options: Any) -> Added:
        """The club learns of so many events of a customer's."""
        lines = [(number, egg(name, number, period)) for number in range(count)]
        return add_events(self.source, SCHEMA, period, lines, **options)

    def month(self, period: str = MARCH) -> Month:
        """The club attests a month."""
        return make_month(self.source, self.chain, period, silent)

    def batches(self, name: str) -> list[data.Batch]:
        """What the ledger has of a customer's."""
        page = self.chain.query(data.batches_of, address_of(name))
        return sorted((row for _, row in page.rows), key=lambda row: (row.period, row.version))

    def steps(self) -> list[tuple[str, int, int]]:
        """Period, version and step of every statement."""
        rows = self.source.journal.database.execute(
            "SELECT period, version, step FROM statements ORDER BY period, version"
        )
        return [tuple(row) for row in rows]


def egg(name: str, number: int, period: str = MARCH, eggs: int | None = None) -> Event:
    """An event of a customer's."""
    day = f"{period}-{number % 28 + 1:02}"
    count = number % 5 if eggs is None else eggs
    return Event(name, f"{name}/{period}/{number}", (day, count, "=1+1", number % 2 == 0))


def silent(stage: str, done: int, total: int) -> None:
    """Nobody watches."""


@contextmanager
def shop(folder: Path, customers: int = 3, volume: int = 10_000) -> Iterator[Shop]:
    """A new chain, and the club's source on it."""
    lay(folder, customers)
    with opened(folder) as chain:
        admit(chain, volume)
        begin_source(folder, settings_on(chain), PASSPHRASE, CHEAP)
        with source_in(folder) as source:
            yield Shop(chain, source)


@contextmanager
def reopened(folder: Path) -> Iterator[Shop]:
    """The same again."""
    with opened(folder) as chain, source_in(folder) as source:
        yield Shop(chain, source)


@contextmanager
def source_in(folder: Path) -> Iterator[Source]:
    """The club's source."""
    with open_source(folder, PASSPHRASE, key_of("club")) as source:
        yield source
