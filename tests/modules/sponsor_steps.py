"""A chain with quotas whose bank stands for alice, and the steps that are taken there."""

from __future__ import annotations

from collections.abc import Mapping

from tongbao.kernel import Amount, Count, Time
from tongbao.kernel.genesis import Section, section
from tongbao.kernel.kernel_module import (
    COMMON_CAPACITY,
    COMMON_PER_MINUTE,
    QUOTAS,
    RowCount,
    Share,
    SponsoredCount,
    Tokens,
)
from tongbao.modules import asset, sponsor
from tongbao.modules.sponsor import FirstAllowance, Grant, Payment
from tongbao.testing import Chain
from tongbao.testing.genesis import ADDRESSES, CNY

MINUTE_MS = 60_000
COMMON = {COMMON_CAPACITY.name: 16, COMMON_PER_MINUTE.name: 1}
SPENT_BY_BANK = 5
"""Messages by which the bank gives everybody money, before a test begins."""


def first(
    name: str = "bank",
    capacity: int = 15,
    per_minute: int = 6,
    accounts: int = 3,
    rows: int | None = None,
    stands_for: tuple[str, ...] = (),
) -> FirstAllowance:
    """A sponsor of the first block."""
    return FirstAllowance(
        sponsor=ADDRESSES[name],
        capacity=Tokens(capacity),
        per_minute=Tokens(per_minute),
        accounts=SponsoredCount(accounts),
        rows=None if rows is None else RowCount(rows),
        stands_for=tuple(ADDRESSES[each] for each in stands_for),
    )


def sponsoring(*sponsors: FirstAllowance) -> Section:
    """The section of a genesis file that names sponsors."""
    return section("sponsor", sponsor.Start(sponsors=sponsors))


def paid(
    *sponsors: FirstAllowance,
    parameters: Mapping[str, int] | None = None,
    sections: tuple[Section, ...] = (),
) -> Chain:
    """A chain with quotas and these sponsors; its bank alone, with 10 tokens left, unless told."""
    return Chain(
        parameters={QUOTAS.name: 1, **COMMON, **(parameters or {})},
        sections=(*sections, sponsoring(*(sponsors or (first(),)))),
    )


def share(capacity: int = 2, per_minute: int = 1) -> Share:
    """A share of a sponsor's tokens."""
    return Share(capacity=Tokens(capacity), per_minute=Tokens(per_minute))


def pay(units: str = "0.01", payee: str = "carol") -> asset.Transfer:
    """A payment of next to nothing."""
    return asset.Transfer(asset=CNY, amount=Amount(units), payee=ADDRESSES[payee])


def grant(
    chain: Chain, name: str, expires_at: Time | None = None, share: Share | None = None
) -> Grant:
    """The message by which somebody stands for an account."""
    return Grant(account=chain.address(name), expires_at=expires_at, share=share)


def paying(chain: Chain, name: str) -> Payment:
    """Who pays for an account now, and how much is left."""
    return sponsor.paying(chain.view(sponsor.module), chain.address(name))


def tokens(chain: Chain, name: str) -> Count:
    """What a sponsor has left, or an account may spend."""
    return paying(chain, name).tokens
