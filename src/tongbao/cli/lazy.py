"""Groups whose commands are imported when they are used, so that `verify` brings in no store."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem


class Lazy(NamedTuple):
    """Where a command lives, `module:attribute`, and the line that help shows of it."""

    target: str
    help: str


def load(target: str) -> click.Command:
    """Import a command."""
    home, _, attribute = target.partition(":")
    command = getattr(import_module(home), attribute)
    assert isinstance(command, click.Command), target
    return command


class LazyGroup(click.Group):
    """A group with some commands known by name only until somebody asks for them."""

    def __init__(self, *args: Any, lazy: Mapping[str, Lazy], **options: Any) -> None:
        """Take the table of commands; `commands` may hold others that are loaded."""
        super().__init__(*args, **options)
        self.lazy = dict(lazy)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, as help lists them."""
        return [*self.lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now."""
        found = self.lazy.get(cmd_name)
        return load(found.target) if found else super().get_command(ctx, cmd_name)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """What may stand here: commands by their names alone, then what every group has."""
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        found = [CompletionItem(name, help=self._help_at_hand(name)) for name in names]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def _help_at_hand(self, name: str) -> str | None:
        """One line about a command, if nothing needs to be imported for it."""
        if name in self.lazy:
            return self.lazy[name].help
        return self.commands[name].get_short_help_str() if name in self.commands else None

    def help_of(self, ctx: click.Context, name: str) -> str:
        """One line about a command, without importing it."""
        found = self.lazy.get(name)
        if found is not None:
            return found.help
        command = self.get_command(ctx, name)
        assert command is not None, name
        return command.get_short_help_str(limit=100)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        lines = [(name, self.help_of(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(lines)
