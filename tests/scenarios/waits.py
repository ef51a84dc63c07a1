"""Orders that wait for a deadline: all are begun at once, so that their waits go side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable

from msgspec import Struct

from tests.scenarios.casts import Cast, Money
from tests.scenarios.stage import Stage
from tongbao.kernel import Time
from tongbao.modules import data

LOOK_S = 0.05
SOON_MS = 2_000


class Ended(Struct, frozen=True, kw_only=True):
    """How a wait has ended: cast, order, and what everybody had of it then, before anything else.

    `faults` are lapses of the buyer and of who sealed.
    """

    cast: Cast
    order: str
    phase: str
    money: Money
    reserved: int
    faults: tuple[int, int]


class Waits:
    """By name: the cast and its order."""

    def __init__(self, stage: Stage) -> None:
        """Begin them all, those with the longest waits first, and wait until they are over."""
        self.stage = stage
        self.town = stage.town
        beginnings: tuple[Callable[[], tuple[Cast, str]], ...] = (
            self.claim_without_votes,
            self.claim_for_a_supervisor,
            self.agent_never_reveals,
            self.agent_leaks_b,
            self.owner_never_reveals,
            self.suspended_before_reveal,
            self.silent_after_reveal,
            self.never_confirmed,
            self.never_sealed,
            self.never_deleted,
        )
        begun = {begin.__name__: begin() for begin in beginnings}
        self.kept = {name: self.ended(*pair) for name, pair in begun.items()}

    def ended(self, cast: Cast, order: str) -> Ended:
        """How a wait ends."""
        if self.town.reach(order, "claimed", "lapsed", "settled") == "claimed":
            while not self.town.row(order).late:
                threading.Event().wait(LOOK_S)
        lapses = self.town.lapses
        return Ended(
            cast=cast,
            order=order,
            phase=str(self.town.row(order).phase),
            money=cast.money(),
            reserved=cast.reserved(),
            faults=(lapses(cast.buys), lapses(cast.seals)),
        )

    def until_over(self, cast: Cast) -> None:
        """Wait until a buyer has no licence any more."""
        address = cast.buyer.wallet.address
        while self.town.chain.query(data.licensed_to, address).rows:
            threading.Event().wait(LOOK_S)

    def claimed(self) -> tuple[Cast, str]:
        """A claim of which no panel has heard."""
        cast = self.stage.cast("cheat")
        order = cast.revealed()
        cast.buyer.claim(order, in_spite=True)
        return cast, order

    def claim_without_votes(self) -> tuple[Cast, str]:
        """Nobody votes, ever."""
        return self.claimed()

    def claim_for_a_supervisor(self) -> tuple[Cast, str]:
        """Nobody votes in time."""
        return self.claimed()

    def agent_never_reveals(self) -> tuple[Cast, str]:
        """Confirmed, and the agent does no more."""
        cast = self.stage.cast("cheat")
        return cast, cast.confirmed()

    def agent_leaks_b(self) -> tuple[Cast, str]:
        """As that one, but the buyer has got `b` beside the ledger."""
        return self.agent_never_reveals()

    def owner_never_reveals(self) -> tuple[Cast, str]:
        """Confirmed, and the owner, who sealed, does no more."""
        cast = self.stage.cast("owner")
        return cast, cast.confirmed()

    def suspended_before_reveal(self) -> tuple[Cast, str]:
        """Carol's program has sealed for a buyer that is suspended before it confirms."""
        cast = self.stage.cast("carol")
        order = cast.sealed()
        cast.fetch(order)
        self.town.send("bank", data.SuspendEnterprise(enterprise=cast.buyer.wallet.address))
        cast.buyer.confirm(order)
        return cast, order

    def silent_after_reveal(self) -> tuple[Cast, str]:
        """The buyer says nothing."""
        cast = self.stage.cast("cheat")
        return cast, cast.revealed()

    def never_confirmed(self) -> tuple[Cast, str]:
        """Carol's program has sealed; the buyer has package and `a`, and stays silent."""
        cast = self.stage.cast("carol")
        order = cast.sealed()
        cast.fetch(order)
        return cast, order

    def never_sealed(self) -> tuple[Cast, str]:
        """Nobody seals."""
        cast = self.stage.cast("cheat")
        return cast, cast.unheard(Time(self.town.chain.now() + SOON_MS))

    def never_deleted(self) -> tuple[Cast, str]:
        """Paid, opened, and to be deleted soon."""
        cast = self.stage.cast("cheat")
        soon = self.town.chain.now() + 2 * SOON_MS
        order = cast.ordered(Time(soon - 1), delete_by=Time(soon))
        self.stage.cheats.seal(order)
        cast.revealed(order)
        cast.buyer.accept(order)
        return cast, order


def leaked(stage: Stage, order: str) -> bytes:
    """`b` as the agent has it."""
    return stage.cheats.sold[order].halves.b
