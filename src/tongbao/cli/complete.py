"""What completes values in a shell: names that are cheap to have, and no error ever."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from tongbao.cli.options import DEFAULT_FOLDER

Items = list[CompletionItem]


def _folder(ctx: click.Context) -> Path:
    given = ctx.params.get("folder") or os.environ.get("TONGBAO_FOLDER") or DEFAULT_FOLDER
    return Path(given)


def _items(names: list[str], incomplete: str) -> Items:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def accounts(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """The accounts that the folder remembers."""
    from tongbao.cli.book import AccountBook
    from tongbao.cli.failures import CommandError

    try:
        return _items(list(AccountBook(_folder(ctx)).names), incomplete)
    except (CommandError, OSError):
        return []


def keys(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """The keys of the folder."""
    folder = _folder(ctx) / "keys"
    try:
        names = sorted(path.stem for path in folder.glob("*.json"))
    except OSError:
        return []
    return _items([name for name in names if not name.startswith(".")], incomplete)


def modules(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """The modules of others that are announced here."""
    from tongbao.sdk.announced import OWN_NAMES, ModuleError, announced

    try:
        return _items([name for name in announced() if name not in OWN_NAMES], incomplete)
    except ModuleError:
        return []


def tables(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """The tables of Tongbao's modules."""
    from tongbao.modules.registry import registry

    known = registry().tables.values()
    return _items(sorted(f"{table.module.name}.{table.name}" for table in known), incomplete)
