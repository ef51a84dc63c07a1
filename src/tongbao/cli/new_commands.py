"""`tongbao new module NAME`: a package of one's own, outside of Tongbao, that works at once."""

from __future__ import annotations

import keyword
import re
import sys
from hashlib import sha256
from importlib import resources
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click

from tongbao import __version__
from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import json_option, terminal_of, write_file
from tongbao.kernel.module import MODULES_LIMIT
from tongbao.sdk.announced import FIRST_NUMBER, OWN_NAMES, RESERVED_NAMES

SUFFIX: Final = ".template"
NAME: Final = re.compile("[a-z][a-z0-9_]{0,31}")
LICENSE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+ ()-]{0,99}")
FIELD: Final = re.compile(r"\{\{([a-z]+)\}\}")
CHECKOUT: Final = "src/tongbao/kernel"


@click.group(no_args_is_help=True)
def new() -> None:
    """Write the beginning of something of your own."""


@new.command(
    epilog="\b\nExample:\n  tongbao new module loyalty\n  cd loyalty\n  tongbao dev --module ."
)
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write, new or empty. Default: NAME.",
)
@click.option(
    "--number",
    type=click.IntRange(FIRST_NUMBER, MODULES_LIMIT),
    help="The module's number, which no other module of a chain may have. Default: one that "
    "follows from NAME.",
)
@click.option(
    "--license",
    "license_name",
    default="Apache-2.0",
    show_default=True,
    help="Your package's licence, an SPDX expression.",
)
@json_option
@click.pass_context
def module(
    ctx: click.Context, name: str, into: Path | None, number: int | None, license_name: str
) -> None:
    """Write a package with the module NAME: messages, rules, tests, and how it is announced.

    It is a register of badges that works; make your own of it.
    """
    _check(name, license_name)
    folder = into or Path(name)
    _must_be_free(folder)
    values = {
        "name": name,
        "distribution": name.replace("_", "-"),
        "title": name.replace("_", " ").capitalize(),
        "number": str(number or usual_number(name)),
        "license": license_name,
        "tongbao": __version__,
    }
    written = write(folder, values)
    terminal = terminal_of(ctx)
    terminal.note(f"next: cd {folder}; python -m pytest; tongbao dev --module .")
    facts = {
        "module": name,
        "number": int(values["number"]),
        "folder": str(folder),
        "files": written,
    }
    terminal.answer(facts, f"module {name} is written to {folder}")


def usual_number(name: str) -> int:
    """The number that follows from a name: two strangers' modules seldom have the same."""
    spread = int.from_bytes(sha256(name.encode()).digest()[:8], "big")
    return FIRST_NUMBER + spread % (MODULES_LIMIT + 1 - FIRST_NUMBER)


def write(folder: Path, values: dict[str, str]) -> list[str]:
    """Write every file of the template, filled in; their paths. Raises OSError."""
    template = resources.files("tongbao.cli") / "templates" / "module"
    written = []
    for path, text in _files(template, ""):
        place = "src/" + path.replace("src/", values["name"] + "/") if path[:4] == "src/" else path
        filled = FIELD.sub(lambda found: values[found[1]], text)
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        write_file(target, filled.encode())
        written.append(place)
    return sorted(written)


def _files(folder: Traversable, inside: str) -> list[tuple[str, str]]:
    """The templates below a folder: where each goes, and its text."""
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _files(entry, f"{inside}{entry.name}/")
        elif entry.name.endswith(SUFFIX):
            path = inside + entry.name.removesuffix(SUFFIX)
            found.append((path, entry.read_text(encoding="utf-8")))
    return found


def _check(name: str, license_name: str) -> None:
    """Whether a module and its package may have this name. Raises CommandError."""
    from tongbao.cli.main import AFTER, BEFORE

    if NAME.fullmatch(name) is None or keyword.iskeyword(name):
        raise CommandError(
            f"{name!r} can't name a module", "use 1 to 32 of a-z, 0-9 and _, a letter first"
        )
    if name in {*BEFORE, *AFTER, *OWN_NAMES, *RESERVED_NAMES, "tests"}:
        raise CommandError(f"Tongbao itself has something named {name}", "choose another name")
    if name in sys.stdlib_module_names or find_spec(name) is not None:
        raise CommandError(f"Python finds another package named {name} here", "choose another name")
    if LICENSE.fullmatch(license_name) is None:
        raise CommandError(
            f"{license_name!r} is no SPDX expression", "write one such as MIT or Apache-2.0"
        )


def _must_be_free(folder: Path) -> None:
    """Whether a package may be written there. Raises CommandError, OSError."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CommandError(
            f"{folder} is there already and is not empty",
            "name a new folder with --into",
            Exit.NO_INPUT,
        )
    for above in folder.resolve().parents:
        if (above / CHECKOUT).is_dir():
            raise CommandError(
                f"{folder} lies in Tongbao's own repository ({above})",
                "a module of yours is a package of its own: go elsewhere, or use --into",
                Exit.NO_INPUT,
            )
