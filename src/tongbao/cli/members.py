"""The members of messages and the parameters of queries, as options."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, Final

import click
import msgspec

from tongbao.cli import complete
from tongbao.cli.failures import CommandError
from tongbao.cli.values import Form, Resolver, form_of, plain, read, sample
from tongbao.kernel import Address, Key, PublicKey, jcs

COMPLETERS: Final[dict[Any, Any]] = {
    Address: complete.accounts,
    PublicKey: complete.keys,
    Key: complete.keys,
}
"""What completes the values of a type in a shell."""


class Member(msgspec.Struct, frozen=True):
    """One field of a message or one parameter of a query, and its option."""

    name: str
    hint: Any
    required: bool
    option: str

    @property
    def form(self) -> Form:
        """How it is typed."""
        return form_of(self.hint)

    @property
    def variable(self) -> str:
        """The name of its value among a command's parameters; no shared option has it."""
        return f"member_{self.name}"

    @property
    def is_flag(self) -> bool:
        """Whether it is said without a value."""
        return plain(self.hint) is bool

    def parameter(self) -> click.Option:
        """Its option."""
        form = self.form
        if self.is_flag:
            return click.Option([self.variable, self.option], is_flag=True, help=f"{form.help}.")
        return click.Option(
            [self.variable, self.option],
            required=self.required,
            metavar=form.metavar,
            shell_complete=COMPLETERS.get(plain(self.hint)),
            help=f"{form.help}.",
        )


def kebab(name: str) -> str:
    """`set_lanes` as a command or option: `set-lanes`."""
    return name.replace("_", "-")


def members_of(
    hints: dict[str, Any], required: dict[str, bool], shared: Iterable[click.Parameter]
) -> list[Member]:
    """An option per member; one whose name a shared option has is called `--message-NAME`."""
    taken = {option for parameter in shared for option in parameter.opts} | {"--help"}
    return [
        Member(name, hints[name], must, _option(kebab(name), taken))
        for name, must in required.items()
    ]


def _option(name: str, taken: set[str]) -> str:
    return f"--message-{name}" if f"--{name}" in taken else f"--{name}"


def given_values(
    resolver: Resolver, members: Iterable[Member], options: dict[str, Any]
) -> dict[str, Any]:
    """The members that were given, as JSON builtins by name. Raises CommandError."""
    given: dict[str, Any] = {}
    for member in members:
        typed = options[member.variable]
        if typed is None or typed is False:
            continue
        try:
            value = True if typed is True else read(resolver, member.hint, typed)
        except CommandError as error:
            raise CommandError(f"{member.option}: {error}", error.advice, error.exit_code) from None
        given[member.name] = value
    return given


def convert_all(kind: type, members: Iterable[Member], given: dict[str, Any]) -> Any:
    """A struct out of JSON builtins. Raises CommandError that names the option."""
    try:
        return jcs.convert(given, kind)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$.")
        raise _error_at(members, text, path.rstrip("`")) from error


def _error_at(members: Iterable[Member], text: str, path: str) -> CommandError:
    """The error with the option in front of it, and how its values are written."""
    for member in members:
        if path.replace("[", ".").split(".")[0] == member.name:
            inside = path.removeprefix(member.name).lstrip(".")
            where = f" (at {inside})" if inside else ""
            return CommandError(f"{member.option}: {text}{where}", f"write {member.form.help}")
    return CommandError(text)


def convert_each(members: Iterable[Member], given: dict[str, Any]) -> dict[str, Any]:
    """Arguments, each checked by its type. Raises CommandError that names the option."""
    arguments = {}
    for member in members:
        if member.name in given:
            try:
                arguments[member.name] = jcs.convert(given[member.name], member.hint)
            except msgspec.ValidationError as error:
                text, _, path = str(error).partition(" - at `$")
                raise _error_at([member], text, member.name + path.rstrip("`")) from error
    return arguments


def help_of(declared: Any) -> str:
    """A docstring as help."""
    return inspect.getdoc(declared) or ""


def example(command: str, members: Iterable[Member], end: str = "") -> str:
    """A line to type, with every option that must be given."""
    needed = [member for member in members if member.required and not member.is_flag]
    words = [f"tongbao {command}", *(f"{each.option} {_shown(each)}" for each in needed)]
    return "\b\nExample:\n  " + " ".join(words) + end


def _shown(member: Member) -> str:
    found = sample(member.hint)
    if isinstance(found, dict | list):
        return f"'{jcs.encode(found).decode()}'"
    return str(found)
