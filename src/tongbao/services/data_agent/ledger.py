"""What an agent asks of the ledger. Nothing is kept here but parameters, for a minute."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from tongbao.kernel import Address, Id, Parameter
from tongbao.modules import data
from tongbao.sdk.client import Client
from tongbao.sdk.data.facts import all_of, deadline_of

UNDER_WAY: Final = ("open", "sealed", "confirmed", "revealed", "claimed")
ENDED: Final = ("settled", "cancelled", "withdrawn", "lapsed", "upheld", "rejected")
FRESH_S: Final = 60.0
NS_PER_MS: Final = 1_000_000


class _Setting(msgspec.Struct):
    value: int


class Ledger:
    """Questions to a chain. Any thread may ask. Raises what the chain's client raises."""

    def __init__(self, chain: Client) -> None:
        """Ask this chain."""
        self.chain = chain
        self._known: dict[str, tuple[float, int]] = {}

    def now(self) -> int:
        """The later of the chain's clock and this machine's, ms UTC."""
        return max(self.chain.head().time, time.time_ns() // NS_PER_MS)

    def parameter(self, parameter: Parameter) -> int:
        """What governance has set a parameter to, as of a minute ago at most."""
        known = self._known.get(parameter.name)
        if known is None or time.monotonic() - known[0] > FRESH_S:
            proof = self.chain.prove_row("kernel.parameters", parameter.name)
            found = parameter.default
            if bytes(proof.value):
                found = msgspec.json.decode(proof.value, type=_Setting).value
            known = self._known[parameter.name] = (time.monotonic(), found)
        return known[1]

    def order(self, name: str) -> data.Order | None:
        """One order."""
        return self.chain.query(data.order, Id(name))

    def deadline(self, order: data.Order) -> int:
        """When the phase of an order ends, as far as the ledger has written down."""
        return deadline_of(self.chain, order)

    def batches(self, names: Iterable[str]) -> dict[Id, data.Batch]:
        """The batches of these names that there are."""
        found = ((Id(name), self.chain.query(data.batch, Id(name))) for name in names)
        return {name: batch for name, batch in found if batch is not None}

    def batches_of(self, owner: str) -> Iterator[tuple[Id, data.Batch]]:
        """Every commitment to an owner's rows."""
        return all_of(self.chain, data.batches_of, owner=Address(owner))

    def offers(self, owner: str) -> list[tuple[Id, data.Offer]]:
        """An owner's offers."""
        return list(all_of(self.chain, data.offers_of, owner=Address(owner)))

    def orders_of(self, owner: str) -> Iterator[tuple[Id, data.Order]]:
        """Every order for an owner's rows."""
        return all_of(self.chain, data.statement, owner=Address(owner))

    def free_bond(self, account: str, asset: str) -> int:
        """Units of an account's bond that are not reserved."""
        for (_, name), bond in all_of(self.chain, data.bonded, account=Address(account)):
            if name == asset:
                return bond.amount.units - bond.reserved.units
        return 0

    def asked_bond(self, order: data.Order) -> int:
        """Units that an agent secures for an order: its price, and `data.least_bond` at least."""
        least = self.parameter(data.LEAST_BOND) * 10**order.price.decimals
        return max(order.price.units, int(min(least, 2**63 - 1)))
