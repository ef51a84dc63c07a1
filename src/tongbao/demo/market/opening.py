"""Open the market on a chain of its own: genesis, accounts, members, roles, schemas and bonds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from msgspec import Struct

from tongbao.demo.badminton_rows import BADMINTON as BADMINTON_ROWS
from tongbao.demo.egg_rows import EGGS as EGG_ROWS
from tongbao.demo.failures import DemoError
from tongbao.demo.market.parties import (
    BADMINTON,
    CODE,
    EGGS,
    PRODUCTS,
    RISK,
    SCALE,
    USA,
    Household,
    Party,
    member_keys,
    shared_account,
)
from tongbao.kernel import Address, Amount, AssetId, Message, Reference, Small, Time
from tongbao.kernel.genesis import section
from tongbao.modules import asset, data, governance, member
from tongbao.rights.schema import Schema
from tongbao.sdk.announced import registry_with
from tongbao.sdk.client import Client
from tongbao.sdk.folder import Folder
from tongbao.sdk.genesis_builder import build_genesis, genesis_address, single_key
from tongbao.sdk.key_file import Cost
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import AUTHORITY, OPERATOR
from tongbao.sdk.signer import SoftwareKey
from tongbao.sdk.wallet import Wallet

T = TypeVar("T")

CHEAP: Final = Cost(memory_kib=8, iterations=1)
"""The passphrase of these keys lies beside them."""
SIGNERS_AT_ONCE: Final = 15
"""Keys of accounts opened by one transaction: it carries at most 16 signatures."""
AT_ONCE: Final = 100
"""Transactions that are under way at once."""
CLOSES_MS: Final = 3_600_000
FUNDS: Final = Amount("1000000.00")
AGENT_BOND: Final = Amount("100000.00")
SOURCE_BOND: Final = Amount("1000.00")
STOPPED: Final = 70

INSURERS: Final = ("insurer/1", "insurer/2")
FOOD: Final = ("food/1", "food/2")
"""Desks of two enterprises: accounts that buy at the same time."""
BROKER: Final = "broker"
CUT_OFF: Final = "cut-off"
"""Who misbehaves, and who is suspended."""
SHOP, CLUB = "shop", "club"
AGENT, CROOK = "agent", "crook"
PANEL: Final = ("panel/1", "panel/2", "panel/3")
BUYERS: Final = (*INSURERS, *FOOD, BROKER, CUT_OFF)
INSTITUTIONS: Final = (SHOP, CLUB, AGENT, CROOK, *PANEL, *BUYERS)
FUNDED: Final = (SHOP, CLUB, AGENT, CROOK, *BUYERS)

Decide = Callable[[Sequence[governance.Action]], None]
"""Has operators decide."""
Tell = Callable[[str, int, int], None]
"""Told a stage's name, how much of it is done, and how much it is."""


class Timing(Struct, frozen=True, kw_only=True):
    """How long the phases of an order last here: seconds, in the place of hours and days."""

    confirm_ms: int = 45_000
    reveal_ms: int = 25_000
    accept_ms: int = 25_000
    verdict_ms: int = 120_000
    margin_ms: int = 2_000

    def parameters(self) -> dict[str, int]:
        """What genesis says."""
        return {
            data.CONFIRM_MS.name: self.confirm_ms,
            data.REVEAL_MS.name: self.reveal_ms,
            data.ACCEPT_MS.name: self.accept_ms,
            data.VERDICT_MS.name: self.verdict_ms,
            data.MARGIN_MS.name: self.margin_ms,
            data.DELETION_MS.name: 1,
            data.TRANSFER_MS.name: 1,
        }


class Market(Struct, frozen=True, kw_only=True):
    """An open market: the chain, where its node is, and everybody who takes part."""

    chain: Client
    address: str
    seed: bytes
    usd: AssetId
    bank: Wallet
    parties: Mapping[str, Party]
    households: tuple[Household, ...]
    timing: Timing

    def wallet(self, label: str) -> Wallet:
        """An institution's wallet."""
        party = self.parties[label]
        return self.chain.wallet(party.address, party.key)

    def household_wallet(self, household: Household) -> Wallet:
        """A household's wallet, with two members' keys where it has two: what is sensitive needs
        both.
        """
        return self.chain.wallet(household.address, *household.keys[:2])


def begin_chain(folder: Path, secret: str, timing: Timing) -> SoftwareKey:
    """A chain in an empty folder, governed by its one operator, the bank; the bank's key.

    Raises OSError, FolderError, KeystoreError.
    """
    place = Folder(folder)
    keystore = Keystore(place.keys, CHEAP)
    authority, bank = (keystore.create(name, secret) for name in (AUTHORITY, OPERATOR))
    start = governance.Start(
        operators=(genesis_address(0),), threshold=Small(1), delay_ms=governance.Delay(0)
    )
    genesis = build_genesis(
        registry_with(()),
        "data",
        time.time_ns() // 1_000_000,
        authority.key_id,
        (single_key(bank.key_id),),
        timing.parameters(),
        (section(governance.module.name, start),),
    )
    place.lay_out(genesis)
    return bank


def decide_alone(bank: Wallet) -> Decide:
    """Where the bank is the only operator, it decides by proposing."""

    def decide(actions: Sequence[governance.Action]) -> None:
        closes_at = Time(bank.chain.now() + CLOSES_MS)
        bank.send(governance.Propose(actions=tuple(actions), closes_at=closes_at))

    return decide


class Opening:
    """Everything that is sent before the first batch."""

    def __init__(self, chain: Client, bank: Wallet, seed: bytes, tell: Tell) -> None:
        """The bank opens the market with accounts whose keys a seed gives."""
        self.chain = chain
        self.bank = bank
        self.seed = seed
        self.tell = tell
        self.usd = bank.asset_id(CODE)

    def open(
        self, numbers: Sequence[int], sizes: Mapping[int, int], decide: Decide, timing: Timing,
        address: str,
    ) -> Market:  # fmt: skip
        """Open accounts, give money, admit members, and define what is traded."""
        self.bank.send(asset.Define(code=CODE, scale=Small(SCALE)))
        market = Market(
            chain=self.chain,
            address=address,
            seed=self.seed,
            usd=self.usd,
            bank=self.bank,
            parties=self._institutions(),
            households=self._households(numbers, sizes),
            timing=timing,
        )
        decide(self._admissions(market))
        self.bank.forget_nonce()  # the bank may have proposed and voted by another wallet
        self._register(market)
        return market

    def _institutions(self) -> dict[str, Party]:
        keys = {label: SoftwareKey.derive(self.seed, label) for label in INSTITUTIONS}
        made = self._opened([(key,) for key in keys.values()], "members")
        parties = {
            label: Party(label, key, address)
            for (label, key), address in zip(keys.items(), made, strict=True)
        }
        self.bank.send(*(self._issue(parties[label]) for label in FUNDED))
        return parties

    def _issue(self, party: Party) -> asset.Issue:
        reference = Reference(f"fund-{party.label.replace('/', '-')}")
        return asset.Issue(asset=self.usd, amount=FUNDS, payee=party.address, reference=reference)

    def _households(
        self, numbers: Sequence[int], sizes: Mapping[int, int]
    ) -> tuple[Household, ...]:
        keys = [member_keys(self.seed, number, sizes.get(number, 1)) for number in numbers]
        made = self._opened(keys, "households")
        return tuple(
            Household(number, own, address, self.seed)
            for number, own, address in zip(numbers, keys, made, strict=True)
        )

    def _opened(self, accounts: Sequence[tuple[SoftwareKey, ...]], stage: str) -> list[Address]:
        """Open an account for each of these keys, as many at once as signatures allow."""
        self.tell(stage, 0, len(accounts))
        made: list[Address] = []
        for group in groups(signed_together(accounts), AT_ONCE):
            transactions = [
                self.bank.build(
                    *(shared_account(own) for own in together),
                    also=tuple(key for own in together for key in own),
                )
                for together in group
            ]
            made += [Address(one) for one in sent(self.chain, transactions)]
            self.tell(stage, len(made), len(accounts))
        return made

    def _admissions(self, market: Market) -> tuple[governance.Action, ...]:
        roles: dict[str, tuple[str, ...]] = {
            SHOP: (member.DATA_SOURCE,),
            CLUB: (member.DATA_SOURCE,),
            **dict.fromkeys(PANEL, (member.ADJUDICATOR,)),
        }
        houses: dict[str, tuple[tuple[Address, ...], tuple[str, ...]]] = {
            "bank": ((self.bank.address,), (data.REGISTRAR, member.SUPERVISOR))
        }
        for label in (SHOP, CLUB, *PANEL, INSURERS, FOOD, BROKER, CUT_OFF):
            labels = (label,) if isinstance(label, str) else label
            accounts = tuple(market.parties[one].address for one in labels)
            houses[labels[0].removesuffix("/1")] = accounts, roles.get(labels[0], ())
        return tuple(
            admission(place, name, accounts, given)
            for place, (name, (accounts, given)) in enumerate(houses.items())
        )

    def _register(self, market: Market) -> None:
        self.bank.send(
            data.DefineSchema(schema=EGGS, fields=fields_of(EGG_ROWS)),
            data.DefineSchema(schema=BADMINTON, fields=fields_of(BADMINTON_ROWS)),
            *(self._enterprise(market, label) for label in BUYERS),
        )
        for label, bond in ((SHOP, SOURCE_BOND), (CLUB, SOURCE_BOND), (AGENT, AGENT_BOND)):
            market.wallet(label).send(data.PostBond(asset=self.usd, amount=bond))
        market.wallet(CROOK).send(data.PostBond(asset=self.usd, amount=SOURCE_BOND))
        self.bank.send(
            self._source(market, SHOP, EGGS, "scan"),
            self._source(market, CLUB, BADMINTON, "check-in"),
        )
        for label in PANEL:
            market.wallet(label).send(data.Serve(serves=True))

    def _enterprise(self, market: Market, label: str) -> data.RegisterEnterprise:
        """Insurers may ask for all of the eggs and of badminton, others not for what was paid."""
        asks: tuple[data.Ask, ...] = (data.Ask(schema=EGGS, fields=fields_of(EGG_ROWS)[:3]),)
        if label in INSURERS:
            asks = tuple(
                data.Ask(schema=schema, fields=fields_of(rows))
                for schema, rows in ((EGGS, EGG_ROWS), (BADMINTON, BADMINTON_ROWS))
            )
        return data.RegisterEnterprise(
            enterprise=market.parties[label].address,
            region=USA,
            purposes=(RISK,) if label in INSURERS else (PRODUCTS,),
            asks=asks,
        )

    def _source(
        self, market: Market, label: str, schema: data.Schema, method: str
    ) -> data.AdmitSource:
        return data.AdmitSource(
            source=market.parties[label].address,
            schema=schema,
            method=data.Method(method),
            volume=data.Volume(100_000),
            asset=self.usd,
            bond=SOURCE_BOND,
        )


def fields_of(rows: Schema) -> tuple[data.Field, ...]:
    """The names of a schema's fields, as the ledger has them."""
    return tuple(data.Field(field.name) for field in rows.fields)


def admission(
    place: int, name: str, accounts: tuple[Address, ...], roles: tuple[str, ...]
) -> governance.AdmitMember:
    """Admit an institution of the story under a made-up identifier."""
    base = f"DATADEMO{place:010d}"
    return governance.AdmitMember(
        member=member.Lei(base + member.check_digits_of(base)),
        name=member.MemberName(f"The {name.replace('/', ' ')} of the story"),
        accounts=accounts,
        roles=tuple(map(member.Role, roles)),
    )


def signed_together(
    accounts: Iterable[tuple[SoftwareKey, ...]],
) -> Iterator[list[tuple[SoftwareKey, ...]]]:
    """Accounts that one transaction can open."""
    together: list[tuple[SoftwareKey, ...]] = []
    for own in accounts:
        if sum(map(len, together)) + len(own) > SIGNERS_AT_ONCE:
            yield together
            together = []
        together.append(own)
    if together:
        yield together


def sent(chain: Client, transactions: Sequence[bytes]) -> Iterator[str]:
    """The ids that transactions made, in order, all of which must be applied. Raises DemoError."""
    for answer in chain.submit_many(transactions):
        if isinstance(answer, Exception):
            raise DemoError(f"the market can't be opened: {answer}", "start again", STOPPED)
        yield from answer.receipt.ids


def send_all(wallet: Wallet, messages: Sequence[Message], at_once: int = AT_ONCE) -> Iterator[str]:
    """The ids that messages made, so many in a transaction. Raises DemoError."""
    for group in groups(iter(groups(iter(messages), at_once)), AT_ONCE):
        yield from sent(wallet.chain, [wallet.build(*part) for part in group])


def groups(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Consecutive items, so many at a time."""
    each = iter(items)
    while group := list(islice(each, size)):
        yield group
