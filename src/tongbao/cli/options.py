"""Options that many commands share, and the passphrase behind them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.terminal import Terminal

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_FOLDER: Final = "tongbao-chain"
NODE_VARIABLE: Final = "TONGBAO_NODE"
API_KEY_VARIABLE: Final = "TONGBAO_API_KEY"
PASSPHRASE_VARIABLE: Final = "TONGBAO_PASSPHRASE"
NEW_PASSPHRASE_VARIABLE: Final = "TONGBAO_NEW_PASSPHRASE"
FILE_BYTES_LIMIT: Final = 16_777_216


def terminal_of(ctx: click.Context) -> Terminal:
    """Where this run of the program writes."""
    terminal = ctx.find_root().obj
    assert isinstance(terminal, Terminal)
    return terminal


def _set_json(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        terminal_of(ctx).json = True


def json_parameter() -> click.Option:
    """`--json`: one JSON object instead of lines."""
    return click.Option(
        ["--json"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_set_json,
        help="Print one JSON object instead of lines.",
    )


def folder_parameter() -> click.Option:
    """`--folder`: where the chain is."""
    return click.Option(
        ["--folder"],
        type=click.Path(file_okay=False, path_type=Path),
        envvar="TONGBAO_FOLDER",
        default=DEFAULT_FOLDER,
        show_default=True,
        show_envvar=True,
        help="Folder of the chain.",
    )


def node_parameter() -> click.Option:
    """`--node`: ask a node over HTTP instead of opening the folder's chain."""
    return click.Option(
        ["--node"],
        metavar="URL",
        envvar=NODE_VARIABLE,
        show_envvar=True,
        callback=_check_node,
        help="Ask this node, such as http://127.0.0.1:8632; names and keys are FOLDER's. A node "
        "that serves FOLDER's chain on this machine is found by itself.",
    )


def _check_node(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value and not value.startswith(("http://", "https://")):
        raise click.BadParameter(f"{value!r} is no address: it begins with http:// or https://")
    return value.rstrip("/") if value else None


def passphrase_parameter() -> click.Option:
    """`--passphrase-file`: never the passphrase itself, which other processes could see."""
    return click.Option(
        ["--passphrase-file"],
        type=click.Path(dir_okay=False, path_type=Path),
        help=f"File whose first line is the passphrase; else ${PASSPHRASE_VARIABLE}, "
        "else you are asked.",
    )


def check_signers(
    ctx: click.Context, parameter: click.Parameter, value: tuple[str, ...] | str | None
) -> tuple[str, ...] | str | None:
    """Whether addresses name signers; nothing is opened yet."""
    from tongbao.sdk.signer_address import BadSigner, read_address

    for address in (value,) if isinstance(value, str) else value or ():
        try:
            read_address(address)
        except BadSigner as error:
            raise click.BadParameter(str(error)) from None
    return value


def signers_parameter() -> click.Option:
    """`--signer`: keys that are not in the keystore. An address holds no secret."""
    return click.Option(
        ["--signer", "signers"],
        multiple=True,
        metavar="ADDRESS",
        callback=check_signers,
        help="A token or key service that signs, `pkcs11:...` or `https://...`; repeat it. With it "
        "the keystore's keys sign only as --key says.",
    )


def _adding(make: Callable[[], click.Option]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        parameters = function.__dict__.setdefault("__click_params__", [])
        parameters.append(make())
        return function

    return decorate


json_option = _adding(json_parameter)
folder_option = _adding(folder_parameter)
node_option = _adding(node_parameter)
passphrase_option = _adding(passphrase_parameter)
signers_option = _adding(signers_parameter)


def authority_option(function: F) -> F:
    """`--signer` of a new chain: what signs its blocks."""
    return click.option(
        "--signer",
        metavar="ADDRESS",
        callback=check_signers,
        help="What signs the blocks of a solo chain, `pkcs11:...` or `https://...`, in the place "
        "of a key `authority`; give it to `tongbao run`, too.",
    )(function)


def trust_option(function: F) -> F:
    """`--trust`: a trust file, without which files are believed by their own genesis file alone."""
    return click.option(
        "--trust",
        type=click.Path(path_type=Path),
        help="Trust file: the keys that may sign headers of the chain, agreed on out of band.",
    )(function)


def out_option(function: F) -> F:
    """`--out`: write a file instead of printing it."""
    return click.option(
        "--out",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write to this file (replaced if it exists) instead of printing.",
    )(function)


def has_person() -> bool:
    """Whether somebody sits at standard input who can be asked."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


class Passphrase:
    """The passphrase of the keys, asked for once: a file, a variable, or the person."""

    def __init__(
        self, file: Path | None, variable: str = PASSPHRASE_VARIABLE, what: str = "Passphrase"
    ) -> None:
        """Say where it comes from; nothing is read or asked yet."""
        self._file = file
        self._variable = variable
        self._what = what
        self._known: str | None = None
        self._open: Path | None = None

    def lies_open_in(self, file: Path) -> None:
        """Take it from this file if the file exists and no other was named."""
        self._open = file

    def get(self) -> str:
        """The passphrase of keys that exist. Raises CommandError."""
        if self._known is None:
            self._known = self._find(confirm=False)
        return self._known

    def new(self) -> str:
        """A passphrase for a new key: a person types it twice. Raises CommandError."""
        if self._known is None:
            self._known = self._find(confirm=True)
        return self._known

    def _find(self, confirm: bool) -> str:
        if self._file is not None:
            found = _first_line(self._file)
        elif self._open is not None and self._open.is_file():
            found = _first_line(self._open)
        elif (given := os.environ.get(self._variable)) is not None:
            found = given
        else:
            found = self._ask(confirm)
        if not found:
            raise CommandError(f"the {self._what.lower()} is empty", code=Exit.NO_KEY)
        return found

    def _ask(self, confirm: bool) -> str:
        """Ask the person at the terminal, without echo."""
        if not has_person():
            option = "--new-passphrase-file" if "new" in self._what.lower() else "--passphrase-file"
            raise CommandError(
                f"no {self._what.lower()} was given, and there is no terminal to ask at",
                f"give {option} FILE, or set {self._variable}",
                Exit.NO_KEY,
            )
        answer: str = click.prompt(
            self._what, hide_input=True, confirmation_prompt=confirm, err=True
        )
        return answer


def _first_line(path: Path) -> str:
    """The first line of a passphrase file, without its end."""
    try:
        return read_file(path).decode().split("\n", 1)[0].rstrip("\r")
    except UnicodeDecodeError:
        raise CommandError(
            f"{path} is not UTF-8 text", "write the passphrase into it as text", Exit.NO_KEY
        ) from None


def read_file(path: Path, limit: int = FILE_BYTES_LIMIT) -> bytes:
    """The bytes of a file that a person named, or as many as a limit; `-` is standard input.

    Raises CommandError.
    """
    if str(path) == "-":
        if sys.stdin is None or sys.stdin.closed:
            raise CommandError(
                "standard input is closed", "name a file, or pipe something in", Exit.NO_INPUT
            )
        return sys.stdin.buffer.read(limit)
    try:
        with path.open("rb") as file:
            return file.read(limit)
    except OSError as error:
        raise CommandError(
            f"{path}: {error.strerror}", "check the path and its permissions", Exit.NO_INPUT
        ) from error


def write_file(path: Path, text: bytes) -> None:
    """Put a file in its place whole, or leave what was there. Raises OSError."""
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
