"""A module that reads as many rows as it is told: for the limits of work."""

from msgspec.structs import replace

from tests.fixed_chain import BEGIN, NO_HASH, key
from tests.kernel.toil.messages import Dig, Dug
from tests.kernel.toil.rules import count_rows, module
from tongbao.kernel import Genesis, Registry
from tongbao.modules import account
from tongbao.sdk.genesis_builder import build_genesis, single_key

TOIL_MODULES = (account.module, module)


def toil_genesis(parameters: dict[str, int]) -> Genesis:
    """A genesis with the bank's account, this module and some parameters."""
    registry = Registry(TOIL_MODULES)
    accounts = (single_key(key("bank").key_id),)
    authority = key("authority").key_id
    genesis = build_genesis(registry, "toil", BEGIN, authority, accounts, parameters)
    lines = tuple(replace(line, hash=NO_HASH) for line in genesis.modules)
    return replace(genesis, modules=lines)


__all__ = ["TOIL_MODULES", "Dig", "Dug", "count_rows", "module", "toil_genesis"]
