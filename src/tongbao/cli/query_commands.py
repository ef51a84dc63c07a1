"""A command per query, derived from the query's function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final, get_type_hints

import click

from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.members import (
    Member,
    convert_each,
    example,
    given_values,
    help_of,
    kebab,
    members_of,
)
from tongbao.cli.options import folder_parameter, json_parameter, node_parameter, terminal_of
from tongbao.cli.session import Session, ask
from tongbao.cli.terminal import Terminal, count
from tongbao.cli.values import plain
from tongbao.kernel import Cursor, Module, Page, jcs

VERSION: Final = "@version"
"""The member of a record that only its decoder needs; `--json` shows it."""


def query_command(module: Module, function_name: str, query: Callable[..., Any]) -> click.Command:
    """The command that asks one query."""
    name = kebab(function_name)
    parameters = list(inspect.signature(query).parameters.values())[1:]
    required = {each.name: each.default is inspect.Parameter.empty for each in parameters}
    shared: list[click.Parameter] = [folder_parameter(), node_parameter(), json_parameter()]
    members = members_of(get_type_hints(query, include_extras=True), required, shared)

    def run(**options: Any) -> int:
        session = Session(options["folder"], node=options["node"])
        # Once before the chain is opened, so that a wrong name is told at once.
        given_values(session.resolver(), members, options)
        with session.open(write=False) as chain:
            given = given_values(session.resolver(), members, options)
            arguments = convert_each(members, given)
            try:
                height, found = ask(chain, query, arguments)
            except ValueError as error:
                raise _cursor_error(members, given, error) from error
        return show_found(terminal_of(click.get_current_context()), found, height)

    return click.Command(
        name,
        callback=run,
        params=[*(member.parameter() for member in members), *shared],
        help=help_of(query),
        epilog=example(f"{module.name} {name}", members),
    )


def _cursor_error(
    members: list[Member], given: dict[str, Any], error: ValueError
) -> CommandError | ValueError:
    """A cursor is the one value that only the query can judge; other errors are our bugs."""
    for member in members:
        if plain(member.hint) is Cursor and member.name in given:
            return CommandError(
                f"{member.option}: this is no cursor of this query",
                f"begin without {member.option}",
            )
    return error


def show_found(terminal: Terminal, found: Any, height: int) -> int:
    """Print what a query found; the exit code is NOTHING when it found nothing."""
    if isinstance(found, Page):
        return _show_page(terminal, found, height)
    value = jcs.to_builtins(found)
    if terminal.json:
        terminal.answer({"height": height, "value": value}, "")
    elif found is None:
        terminal.answer({}, f"nothing at height {height}")
    else:
        lines = value if isinstance(value, dict) else {"value": value}
        lines.pop(VERSION, None)
        terminal.answer(lines, f"found at height {height}")
    return Exit.NOTHING if found is None else Exit.DONE


def _show_page(terminal: Terminal, page: Page[Any, Any], height: int) -> int:
    rows = [(key, jcs.to_builtins(row)) for key, row in page.rows]
    facts = {
        "height": height,
        "rows": [{"key": key, "value": value} for key, value in rows],
        "after": page.after,
    }
    names = list(dict.fromkeys(name for _, value in rows for name in value if name != VERSION))
    keys = [key if isinstance(key, tuple) else (key,) for key, _ in rows]
    columns = ["key", *[""] * (max(map(len, keys), default=1) - 1), *names]
    cells = [
        [*key, *(value.get(name) for name in names)]
        for key, (_, value) in zip(keys, rows, strict=True)
    ]
    if page.after is not None:
        terminal.note(f"there are more: --after {page.after}")
    terminal.table(facts, columns, cells, f"{count(len(rows), 'row')} at height {height}")
    return Exit.DONE
