"""The copy of who pays for whom that an engine has beside its machine, and whoever is told too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from tongbao.engines.payer_rows import PayerRows, settings_of
from tongbao.engines.payers import SPENT, Payers
from tongbao.kernel import Address, Decided, Invalid, InvalidTransaction, Machine, Time
from tongbao.kernel.transaction import Payload

Watcher = Callable[[Decided, Sequence[Address]], None]
"""Told of a block that was kept, and of the senders whom it answered here."""

REASONS: Final = {reason.number: reason for reason in Invalid}
NOTHING: Final[dict[bytes, bytes | None]] = {}


class PayersHere(Payers):
    """Payers whose rows come out of a machine of this process."""

    def __init__(self, machine: Machine) -> None:
        """Begin where the chain is."""
        super().__init__()
        self._source = PayerRows()
        self._watchers: list[Watcher] = []
        self.set(settings_of(machine))

    def watch(self, function: Watcher) -> None:
        """Call a quick function behind each block, in the engine's thread, where quotas are on."""
        self._watchers.append(function)

    def news(
        self, machine: Machine, decided: Decided, senders: Sequence[Address]
    ) -> dict[bytes, bytes | None]:
        """Between a block and the next: tell those who watch, and what `learn` is to be given."""
        if not settings_of(machine)[0]:
            return NOTHING
        for watcher in self._watchers:
            watcher(decided, senders)
        return self._source.after(machine, decided, senders)


def invalid_of(machine: Machine, number: int, payload: Payload[Any]) -> InvalidTransaction:
    """The error of a transaction that a block has left out, by its number.

    One that nobody could pay for learns when somebody can, by the rows behind that block.
    """
    reason = REASONS[number]
    if reason not in SPENT:
        return InvalidTransaction(reason)
    time = Time(machine.time + 1)
    quotas = machine.quotas_for_admission()
    quotas.begin(time, machine.parameters)
    try:
        if quotas.is_on:
            quotas.ask(payload)
    except InvalidTransaction as error:
        return error
    return InvalidTransaction(reason, "others have taken what there was", time)
