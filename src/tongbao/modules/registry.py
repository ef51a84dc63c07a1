"""The modules of this distribution, each after those that it uses: the one place to add one."""

from tongbao.kernel import Registry
from tongbao.modules import account, asset, hold

MODULES = (account.module, asset.module, hold.module)


def registry() -> Registry:
    """All modules together, checked."""
    return Registry(MODULES)
