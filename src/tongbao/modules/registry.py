"""The modules of this distribution, each after those that it uses: the one place to add one."""

from functools import cache

from tongbao.kernel import Registry
from tongbao.modules import (
    account,
    asset,
    data,
    governance,
    hold,
    mandate,
    member,
    reading,
    sponsor,
    upgrade,
)

MODULES = (
    account.module,
    member.module,
    asset.module,
    hold.module,
    mandate.module,
    reading.module,
    data.module,
    upgrade.module,
    governance.module,
    sponsor.module,
)


@cache
def registry() -> Registry:
    """All modules together, checked once: a registry never changes."""
    return Registry(MODULES)
