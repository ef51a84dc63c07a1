"""What commands of `tongbao mydata` share: the folder, its passphrase, and how facts are shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tongbao.cli.options import Passphrase

if TYPE_CHECKING:
    from tongbao.services.my_data.home import Home
    from tongbao.services.my_data.person import Person

DEFAULT_FOLDER = "tongbao-mydata"

folder_option = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="TONGBAO_MYDATA",
    default=DEFAULT_FOLDER,
    show_default=True,
    show_envvar=True,
    help="Folder of the person's program.",
)


@contextmanager
def home_of(folder: Path, passphrase_file: Path | None) -> Iterator[Home]:
    """The folder, open, without node and store."""
    from tongbao.services.my_data.home import Home

    with Home.open(folder, Passphrase(passphrase_file).get()) as home:
        yield home


@contextmanager
def person_of(folder: Path, passphrase_file: Path | None) -> Iterator[Person]:
    """The folder, open, with its node and store."""
    from tongbao.services.my_data.beginning import open_person

    with open_person(folder, Passphrase(passphrase_file).get()) as person:
        yield person


def facts_of(value: Any) -> Any:
    """Something as JSON can have it."""
    return msgspec.to_builtins(value, str_keys=True)


def day(ms: int | None) -> str:
    """A time to the minute, or a dash."""
    if ms is None:
        return "-"
    return datetime.fromtimestamp(ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
