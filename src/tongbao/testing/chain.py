"""A chain for tests of modules: named people with money, a clock moved by hand, checked blocks.

Every message goes into a block of its own. After each block all invariants are asked, and indexes
and derived structures are compared with the rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypedDict, Unpack

from msgspec import Struct

from tongbao.kernel import (
    Address,
    Amount,
    AssetCode,
    Decided,
    Id,
    Invalid,
    Message,
    Module,
    Outcome,
    Reason,
    Receipt,
    Reference,
    Result,
    Small,
    Time,
    TransactionReference,
    View,
    WeightedKey,
)
from tongbao.kernel.genesis import Section
from tongbao.kernel.kernel_module import buckets, nonces, shares
from tongbao.kernel.state import PREFIX_BYTES
from tongbao.modules import account, asset
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.signer import Signer
from tongbao.testing.checks import difference
from tongbao.testing.genesis import ADDRESSES, CNY, genesis_of, registry_with
from tongbao.testing.keys import ledger_key, named_key
from tongbao.testing.ledger import Ledger

DAY_MS: Final = 86_400_000
USUAL_EXPIRY_MS: Final = 3_600_000
FIRST_MONEY: Final = Amount("1000.00")


class NotApplied(AssertionError):
    """A transaction that the test wanted applied was refused or invalid."""


class How(TypedDict, total=False):
    """How a transaction differs from the usual: lane 0, next nonce, good for an hour, one key.

    `signed_by` are keys in the place of the sender's own, `also_sign` keys beside them; both are
    names, or signers themselves. `expires` is in ms UTC.
    """

    lane: int
    nonce: int
    expires: int
    sponsor: str
    reference: str
    signed_by: Sequence[str | Signer]
    also_sign: Sequence[str | Signer]


class _Expected(Struct):
    """What transactions inside a `with` block must come to, and how many did."""

    outcome: Outcome
    why: Reason
    met: int = 0


class Chain:
    """A chain in memory with the accounts bank, alice, bob, carol and mallory.

    The bank issues CNY (scale 2); each of the others begins with 1000.00 of it. Each account has
    one key, one lane, and a key of its own name.
    """

    def __init__(
        self,
        *modules: Module,
        parameters: Mapping[str, int] | None = None,
        sections: tuple[Section, ...] = (),
        funded: bool = True,
        features: Mapping[str, int] | None = None,
        without: tuple[Module, ...] = (),
    ) -> None:
        """Begin a chain with the built-in modules and `modules` above them.

        `features` begin at the heights given; `without` are modules that an older chain lacks.
        """
        registry = registry_with(*modules, without=without)
        genesis = genesis_of(registry, parameters=parameters, sections=sections, features=features)
        self.ledger = Ledger(registry, genesis)
        self.machine = self.ledger.machine
        self.decided: Decided
        self._addresses = dict(ADDRESSES)
        self._signers: dict[str, tuple[str, ...]] = {name: (name,) for name in ADDRESSES}
        self._nonces: Counter[tuple[Address, int]] = Counter()
        self._clock = int(genesis.time)
        self._expected: _Expected | None = None
        if funded:
            self._fund()

    def _fund(self) -> None:
        """Let the bank issue everybody's first money."""
        self.apply("bank", asset.Define(code=AssetCode("CNY"), scale=Small(2)))
        for name in list(self._addresses)[1:]:
            self.apply("bank", self.issue(name))

    def issue(self, payee: str) -> asset.Issue:
        """The message that issues a person's first money; each person's is a single one."""
        return asset.Issue(
            asset=CNY,
            amount=FIRST_MONEY,
            payee=self.address(payee),
            reference=Reference(f"first-money-of-{payee}"),
        )

    # Time

    @property
    def time(self) -> Time:
        """The time that the next block carries, in ms UTC."""
        return Time(max(self._clock, self.machine.time + 1))

    def advance(self, ms: int) -> None:
        """Move the clock on."""
        assert ms >= 0
        self._clock = self.time + ms

    def advance_to(self, time: int) -> None:
        """Move the clock on to a time, which the next block carries."""
        assert time >= self.time
        self._clock = time

    def in_days(self, days: int) -> Time:
        """The time so many days after the next block's."""
        return Time(self.time + days * DAY_MS)

    # People

    def address(self, name: str) -> Address:
        """The address of a person, or an address as it is."""
        return self._addresses.get(name, Address(name))

    def name(self, name: str, address: Address | Id, *keys: str) -> Address:
        """Call an account by a name from now on; its transactions are signed with these keys."""
        self._addresses[name] = Address(address)
        self._signers[name] = keys or (name,)
        return Address(address)

    def open_account(self, name: str, *keys: str, threshold: int = 1) -> Address:
        """Let the bank open an account of keys that weigh 1 each; one key of its name unless told.

        `threshold` is the sensitive one; the ordinary one is 1, and so is what signs by itself.
        """
        names = keys or (name,)
        opened = self.apply(
            "bank",
            account.Open(
                keys=tuple(
                    WeightedKey(key=ledger_key(named_key(key)), weight=Small(1)) for key in names
                ),
                ordinary=Small(1),
                sensitive=Small(threshold),
                lanes=Small(1),
            ),
            also_sign=names,
        )
        assert opened is not None
        return self.name(name, opened, names[0])

    # Transactions

    def sign(self, sender: str, *messages: Message, **how: Unpack[How]) -> bytes:
        """A signed transaction of a person, by the person's key unless told otherwise."""
        address = self.address(sender)
        lane = how.get("lane", 0)
        sponsor, reference = how.get("sponsor"), how.get("reference")
        payload = payload_bytes(
            self.machine.chain,
            address,
            how.get("nonce", self._nonces[address, lane] + 1),
            Time(how.get("expires", self.time + USUAL_EXPIRY_MS)),
            messages,
            lane=lane,
            sponsor=None if sponsor is None else self.address(sponsor),
            reference=None if reference is None else TransactionReference(reference),
        )
        keys = (*how.get("signed_by", self._signers.get(sender, ())), *how.get("also_sign", ()))
        return sign(payload, [named_key(key) if isinstance(key, str) else key for key in keys])

    def apply(self, sender: str, *messages: Message, **how: Unpack[How]) -> Id | None:
        """Make a block of one transaction, which must be applied; its first derived id, or None.

        Inside `refuses` or `is_invalid` it must come to that instead, and gives None.
        """
        return self.submit(self.sign(sender, *messages, **how))

    def submit(self, wire: bytes) -> Id | None:
        """Make a block of one transaction as it came over the wire; as `apply` in all else."""
        due = self._due_rows() if self._expected is not None else {}
        result = self.block(wire).results[0]
        if self._expected is not None:
            self._check_expected(self._expected, wire, result, due)
            return None
        if result.outcome is not Outcome.APPLIED:
            reason = self.machine.registry.reasons[result.number]
            raise NotApplied(f"{result.outcome.value}: {reason}")
        ids = self.receipt.ids
        return ids[0] if ids else None

    def block(self, *transactions: bytes) -> Decided:
        """Make one block, of these transactions or of none, and check the state after it."""
        decided = self.machine.apply(self.ledger.block(self.time, transactions))
        self.ledger.commit(decided)
        self.decided = decided
        for wire, result in zip(transactions, decided.results, strict=True):
            if result.outcome is not Outcome.INVALID:
                payload = self.machine.parse(wire).payload
                used = payload.sender, payload.lane
                self._nonces[used] = max(self._nonces[used], payload.nonce)
        self.ledger.check()
        return decided

    @property
    def receipt(self) -> Receipt[Any]:
        """The receipt of the last block's first transaction, with typed events."""
        return self.machine.registry.receipt_decoder.decode(self.decided.results[0].receipt)

    # What must not happen

    @contextmanager
    def refuses(self, why: Reason) -> Iterator[None]:
        """Inside, every transaction is refused with exactly `why`; it writes nonce and bucket."""
        with self._expect(_Expected(Outcome.REFUSED, why)):
            yield

    @contextmanager
    def is_invalid(self, why: Invalid) -> Iterator[None]:
        """Inside, every transaction is invalid with exactly `why` and writes nothing."""
        with self._expect(_Expected(Outcome.INVALID, why)):
            yield

    @contextmanager
    def _expect(self, expected: _Expected) -> Iterator[None]:
        assert self._expected is None, "one expectation at a time"
        self._expected = expected
        try:
            yield
        finally:
            self._expected = None
        assert expected.met, f"nothing was sent that could be {expected.outcome.value}"

    def _due_rows(self) -> dict[bytes, bytes | None]:
        """What the next block writes without any transaction: due work alone."""
        root = self.machine.state_root
        decided = self.machine.apply(self.ledger.block(self.time, ()))
        self.machine.discard()
        assert self.machine.state_root == root
        return dict(decided.rows)

    def _check_expected(
        self, expected: _Expected, wire: bytes, result: Result, due: dict[bytes, bytes | None]
    ) -> None:
        expected.met += 1
        found = self.machine.registry.reasons.get(result.number)
        assert (result.outcome, found) == (expected.outcome, expected.why), (
            f"wanted {expected.outcome.value} {expected.why}; it is {result.outcome.value} {found}"
        )
        written = dict(self.decided.rows)
        if expected.outcome is Outcome.REFUSED:
            payload = self.machine.parse(wire).payload
            nonce = nonces.full_key((payload.sender, Small(payload.lane)))
            assert written.pop(nonce, None) is not None, "a refused transaction uses its nonce"
            paid = (buckets.prefix, shares.prefix)
            written = {key: row for key, row in written.items() if key[:PREFIX_BYTES] not in paid}
        assert written == due, f"it wrote rows: {difference(_present(due), _present(written))}"

    # Reading

    def view(self, module: Module) -> View:
        """Reads of a module: `asset.balance(chain.view(asset.module), alice, CNY)`."""
        return self.machine.view(module)


def _present(rows: dict[bytes, bytes | None]) -> dict[bytes, bytes]:
    """Rows with removals spelled out, to be shown."""
    return {key: b"(removed)" if value is None else value for key, value in rows.items()}
