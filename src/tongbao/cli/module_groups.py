"""One group of commands per module, derived from the registry: a command per message and query.

A module of somebody else's gets its commands the same way: names, options, help and examples come
from its declarations.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Final

import click

from tongbao.cli.lazy import Lazy, LazyGroup
from tongbao.cli.members import help_of
from tongbao.cli.message_commands import message_command
from tongbao.cli.query_commands import query_command
from tongbao.kernel import Module, Registry

EXTRAS: Final[dict[str, dict[str, Lazy]]] = {
    "account": {
        "create": Lazy(
            "tongbao.cli.account_commands:create", "Make a key and open an account for it."
        ),
        "names": Lazy("tongbao.cli.account_commands:names", "List the remembered accounts."),
        "remember": Lazy("tongbao.cli.account_commands:remember", "Give an account a name."),
        "did": Lazy("tongbao.cli.account_commands:did", "Print the DID document of an account."),
        "statement": Lazy(
            "tongbao.cli.statement_command:statement", "Movements with balances, or as CSV."
        ),
        "bundle": Lazy("tongbao.cli.bundle_command:bundle", "Write a statement with its proofs."),
    },
    "upgrade": {
        "draft": Lazy("tongbao.cli.upgrade_commands:draft", "Write down the code installed here."),
    },
}
"""Commands that stand beside those derived, by module."""


@cache
def installed() -> Registry:
    """The modules of this distribution and all of others that are installed and can be used."""
    from tongbao.sdk.announced import usable

    return usable()[0]


def module_names() -> list[str]:
    """The names of all modules with commands; those of others are not imported."""
    from tongbao.modules.registry import MODULES
    from tongbao.sdk.announced import OWN_NAMES, announced

    return [module.name for module in MODULES] + [
        name for name in announced() if name not in OWN_NAMES
    ]


def find_module(name: str) -> Module | None:
    """The module of a name, None when nobody has it. Raises ModuleError when it can't be used."""
    from tongbao.modules.registry import registry
    from tongbao.sdk.announced import announced, usable

    found = modules_with_commands(registry()).get(name)
    if found is not None or name not in announced():
        return found
    others, wrong = usable()
    if name in wrong:
        raise wrong[name]
    return modules_with_commands(others).get(name)


def modules_with_commands(registry: Registry) -> dict[str, Module]:
    """The modules that can be asked anything, by name."""
    return {module.name: module for module in registry.modules if module.handlers or module.queries}


def module_group(module: Module) -> click.Group:
    """The group of one module: what stands beside, then its messages, then its queries."""
    group = LazyGroup(
        module.name,
        lazy=EXTRAS.get(module.name, {}),
        help=help_of(import_module(module.package)),
        no_args_is_help=True,
    )
    commands = [message_command(module, message) for message in module.handlers]
    commands += [query_command(module, name, query) for name, query in module.queries.items()]
    for command in commands:
        assert command.name is not None
        assert command.name not in {*group.lazy, *group.commands}, f"{module}: {command.name} twice"
        group.add_command(command)
    return group
