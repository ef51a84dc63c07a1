"""`tongbao data-store`: keep ciphertext of whoever has a space. No key is read or asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import json_option, terminal_of
from tongbao.cli.service_options import listen_options, tls_of
from tongbao.cli.terminal import count

if TYPE_CHECKING:
    from tongbao.services.data_store.names import Quota

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_FOLDER = "tongbao-data-store"
PORT = 8640
BYTES = click.IntRange(0, 2**50)
NAMES = click.IntRange(0, 10_000_000)


def store_folder_options(function: F) -> F:
    """`--folder` and `--erasures`: where the store is, and what it has erased."""
    folder = click.option(
        "--folder",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="TONGBAO_DATA_STORE",
        default=DEFAULT_FOLDER,
        show_default=True,
        show_envvar=True,
        help="Folder of the store.",
    )
    erasures = click.option(
        "--erasures",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder that says what was erased; no backup of FOLDER may cover it. "
        "[default: FOLDER.erased]",
    )
    return folder(erasures(function))


def bucket_option(function: F) -> F:
    """`--s3`: the bucket where blobs lie, of a store that was made so."""
    return click.option(
        "--s3",
        "bucket",
        type=click.Path(dir_okay=False, path_type=Path),
        help="TOML file that names the bucket of a store with --storage s3; credentials come from "
        "$AWS_ACCESS_KEY_ID and $AWS_SECRET_ACCESS_KEY.",
    )(function)


def quota_options(function: F) -> F:
    """`--bytes` and `--names`: how much a space may keep."""
    size = click.option("--bytes", "quota_bytes", type=BYTES, help="Bytes of blobs and parcels.")
    names = click.option("--names", "quota_names", type=NAMES, help="Blobs, and keys as many.")
    return size(names(function))


@click.group("data-store", no_args_is_help=True)
def data_store() -> None:
    """Keep ciphertext of whoever has a space, without a key to any of it."""


@data_store.command(epilog="\b\nExample:\n  tongbao data-store init --folder store")
@store_folder_options
@click.option("--open", "is_open", is_flag=True, help="Serve every space, not listed ones alone.")
@click.option(
    "--storage",
    type=click.Choice(("files", "s3")),
    default="files",
    show_default=True,
    help="Where blobs will lie: in FOLDER, or in a bucket that `run --s3` names.",
)
@quota_options
@json_option
@click.pass_context
def init(
    ctx: click.Context,
    folder: Path,
    erasures: Path | None,
    is_open: bool,
    storage: Literal["files", "s3"],
    quota_bytes: int | None,
    quota_names: int | None,
) -> None:
    """Make a new store in FOLDER; --bytes and --names are the quota of spaces without their own."""
    from tongbao.services.data_store.folder import StoreFolder

    found = StoreFolder(folder, erasures)
    quota = _quota(quota_bytes, quota_names)
    served = found.lay_out(is_open=is_open, quota=quota, storage=storage)
    facts = {
        "folder": str(found.path),
        "erasures": str(found.erasures),
        "store": served.id,
        "open": served.open,
        "storage": served.storage,
        "bytes": served.quota.bytes,
        "names": served.quota.names,
    }
    terminal_of(ctx).answer(facts, f"a store is in {found.path}")


@data_store.command(epilog="\b\nExample:\n  tongbao data-store run --folder store --port 8640")
@store_folder_options
@bucket_option
@listen_options(PORT)
@click.option(
    "--new-erasures",
    is_flag=True,
    help="Begin an empty folder of erasures where it was lost: what was erased before may then "
    "come back out of a backup.",
)
@json_option
@click.pass_context
def run(
    ctx: click.Context,
    /,
    folder: Path,
    erasures: Path | None,
    bucket: Path | None,
    new_erasures: bool,
    **listening: Any,
) -> None:
    """Serve the store in FOLDER until Ctrl-C or SIGTERM.

    What was erased is looked through first: a backup that was restored brings nothing back.
    """
    from tongbao.services.data_store.folder import StoreFolder
    from tongbao.services.data_store.running import begin_erasures, blobs_of, run_store
    from tongbao.services.serving.logs import send_log

    found = StoreFolder(folder, erasures)
    send_log(listening["log_level"])
    if new_erasures:
        begin_erasures(found)
    terminal = terminal_of(ctx)
    at: list[str] = []

    def ready(url: str) -> None:
        at.append(url)
        terminal.note(f"the store is served at {url}; Ctrl-C stops")

    run_store(
        found,
        listening["host"],
        listening["port"],
        blobs=blobs_of(found, bucket),
        tls=tls_of(listening),
        ready=ready,
        origin=listening["origin"],
        behind_tls_proxy=listening["behind_tls_proxy"],
    )
    terminal.answer({"address": at[0]}, "stopped")


@data_store.group(no_args_is_help=True)
def space() -> None:
    """Say which spaces are served. A store that runs learns of it within a second or two."""


@space.command(epilog="\b\nExample:\n  tongbao data-store space add SPACE --bytes 5000000000")
@click.argument("space")
@store_folder_options
@quota_options
@json_option
@click.pass_context
def add(
    ctx: click.Context,
    space: str,
    folder: Path,
    erasures: Path | None,
    quota_bytes: int | None,
    quota_names: int | None,
) -> None:
    """Serve SPACE, a public key in 64 hex digits, with a quota; again, with another quota."""
    from tongbao.services.data_store.folder import StoreFolder

    found = StoreFolder(folder, erasures)
    quota = _quota(quota_bytes, quota_names, found.served().quota)
    with found.changing() as spaces:
        spaces[_space(space)] = quota
    facts = {"space": space, "bytes": quota.bytes, "names": quota.names}
    terminal_of(ctx).answer(facts, f"space {space[:16]} is served")


@space.command("list", epilog="\b\nExample:\n  tongbao data-store space list")
@store_folder_options
@json_option
@click.pass_context
def list_spaces(ctx: click.Context, folder: Path, erasures: Path | None) -> None:
    """List the spaces that are served, with what they may keep."""
    from tongbao.services.data_store.folder import StoreFolder

    served = StoreFolder(folder, erasures).served()
    rows = [(one, quota.bytes, quota.names) for one, quota in sorted(served.spaces.items())]
    names = ("space", "bytes", "names")
    facts = {
        "open": served.open,
        "spaces": [dict(zip(names, row, strict=True)) for row in rows],
    }
    others = ", and every other" if served.open else ""
    texts = [tuple(map(str, row)) for row in rows]
    terminal_of(ctx).table(facts, names, texts, f"{count(len(rows), 'space')} served{others}")


@space.command(epilog="\b\nExample:\n  tongbao data-store space remove SPACE")
@click.argument("space")
@store_folder_options
@bucket_option
@click.option(
    "--erase", is_flag=True, help="Destroy all that it keeps, for good; the store must not run."
)
@json_option
@click.pass_context
def remove(
    ctx: click.Context,
    space: str,
    folder: Path,
    erasures: Path | None,
    bucket: Path | None,
    erase: bool,
) -> None:
    """Serve SPACE no more. What it keeps stays, unless --erase is given."""
    from tongbao.services.data_store.folder import StoreFolder
    from tongbao.services.data_store.running import alone, blobs_of, erase_space

    found = StoreFolder(folder, erasures)
    erased = 0
    if erase:
        with alone(found):
            erased = erase_space(found, _space(space), blobs_of(found, bucket))
    with found.changing() as spaces:
        if spaces.pop(_space(space), None) is None and not erase:
            raise CommandError(
                "that space is not listed", "see `tongbao data-store space list`", Exit.NOTHING
            )
    facts = {"space": space, "erased": erased}
    done = f", {count(erased, 'name')} erased" if erase else ""
    terminal_of(ctx).answer(facts, f"space {space[:16]} is not served{done}")


@data_store.command("erasures", epilog="\b\nExample:\n  tongbao data-store erasures --space SPACE")
@store_folder_options
@click.option("--space", help="Of this space alone.")
@json_option
@click.pass_context
def list_erasures(
    ctx: click.Context, folder: Path, erasures: Path | None, space: str | None
) -> None:
    """List what was erased: names of blobs, the spaces, and when (ms UTC)."""
    from tongbao.services.data_store.erasures import Erasures
    from tongbao.services.data_store.folder import StoreFolder

    found = StoreFolder(folder, erasures)
    kept = Erasures(found.erasures, found.served().id)
    spaces = kept.spaces() if space is None else [_space(space)]
    receipts = [one for name in spaces for one in kept.receipts(name)]
    names = ("erased_at", "space", "name")
    rows = [(one.erased_at, one.space, one.name) for one in receipts]
    facts = {"erasures": [dict(zip(names, row, strict=True)) for row in rows]}
    texts = [tuple(map(str, row)) for row in rows]
    terminal_of(ctx).table(facts, names, texts, f"{count(len(rows), 'blob')} erased")


def _quota(size: int | None, names: int | None, usual: Quota | None = None) -> Quota:
    """A quota with what was given, and the usual for what was not."""
    from tongbao.services.data_store.names import Quota

    base = usual or Quota()
    return Quota(
        bytes=base.bytes if size is None else size, names=base.names if names is None else names
    )


def _space(text: str) -> str:
    """A space's address. Raises CommandError."""
    from tongbao.services.data_store.names import NAME

    if not NAME.match(text):
        raise CommandError(f"{text!r} is no space", "a space is 64 hex digits, in lowercase")
    return text
