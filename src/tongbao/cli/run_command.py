"""`tongbao run`: serve a chain over HTTP until told to stop."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.init_command import ENGINES, NETWORK
from tongbao.cli.options import (
    Passphrase,
    folder_parameter,
    json_parameter,
    passphrase_parameter,
    terminal_of,
)
from tongbao.node.settings import PREFIX, SettingLine, Settings, is_in_the_clear, lines, load

if TYPE_CHECKING:
    import socket

    from tongbao.cli.terminal import Terminal
    from tongbao.node.processes.orders import Ready


def setting_parameter(line: SettingLine) -> click.Option:
    """The flag of one setting: `rate_per_s` is `--rate-per-s`."""
    default = ", ".join(line.default) if isinstance(line.default, tuple | list) else line.default
    shown = f" [default: {default}]" if default != "" else ""
    return click.Option(
        [f"--{line.name.replace('_', '-')}", line.name],
        metavar="VALUE",
        help=f"{line.meaning[0].upper()}{line.meaning[1:]}.{shown}",
    )


def run_node(**options: Any) -> int:
    """Open the chain, listen, serve, and close it again."""
    from tongbao.node.access.recorder import unlocked
    from tongbao.node.access.tls import make_context
    from tongbao.node.logs import configure_log
    from tongbao.node.processes.layout import cores_of
    from tongbao.node.processes.remains import await_remains
    from tongbao.node.server import address_of, listen_at
    from tongbao.sdk.folder import Folder
    from tongbao.sdk.presence import reachable

    terminal = terminal_of(click.get_current_context())
    flags = {line.name: options[line.name] for line in lines() if options[line.name] is not None}
    settings = load(options["config"], os.environ, flags)
    folder = options["folder"]
    engine = Folder(folder).genesis().engine.name  # said before anybody types a passphrase
    if options["engine"] not in (None, engine):
        raise CommandError(
            f"{folder} has a chain of the engine {engine}, not {options['engine']}",
            "leave --engine out: the genesis file says it",
            Exit.CONFIGURATION,
        )
    if not os.access(folder, os.W_OK):
        raise CommandError(
            f"{folder} can't be written to", "check the folder's owner and mode", Exit.FILE
        )
    if engine == NETWORK and settings.signer:
        raise CommandError(
            "the setting signer is for a chain of the engine solo: validators vote here",
            "leave it out; a signer of votes is the setting remote_signer",
            Exit.CONFIGURATION,
        )
    has_signer = engine == NETWORK or settings.signer
    if settings.tls_certificate:
        make_context(settings)  # said before anybody types a passphrase, too
    if settings.reads_account:
        unlocked(folder, settings)
    passphrase = None if has_signer else Passphrase(options["passphrase_file"]).get()
    configure_log(settings)  # before the store tells what it has mended
    await_remains(folder)
    ending = serve_alone if cores_of(settings) == 1 else serve_split
    with listen_at(settings) as listening:
        address = address_of(listening, settings)
        warn(terminal, settings)
        head = ending(terminal, folder, settings, passphrase, listening)
    shown: dict[str, object] = {"address": reachable(address)}
    if not head.chain:
        terminal.answer(shown, "stopped before the chain was open")
    else:
        shown["height"] = head.height
        terminal.answer(shown, f"stopped: {head.chain} at {head.height}")
    return Exit.DONE


def serve_alone(
    terminal: Terminal,
    folder: Path,
    settings: Settings,
    passphrase: str | None,
    listening: socket.socket,
) -> Ready:
    """Serve by this process alone, until told to stop; the last block."""
    from tongbao.node.access.api_keys import FILE
    from tongbao.node.access.callers import Callers
    from tongbao.node.access.recorder import open_recorder
    from tongbao.node.access.tokens import KEY, new_token
    from tongbao.node.opening import opened
    from tongbao.node.processes.orders import Ready
    from tongbao.node.recall import open_index
    from tongbao.node.server import address_of, serve, server_of
    from tongbao.sdk.presence import present

    with (
        opened(folder, settings, passphrase) as chain,
        open_index(folder, chain.id, settings) as index,
    ):
        address = address_of(listening, settings)
        token, certificate = new_token(KEY), settings.tls_certificate
        recorder = open_recorder(folder, settings)
        callers = Callers(settings, chain.id, folder / FILE, token, recorder=recorder)
        server = server_of(chain, settings, index, callers)
        # From before anybody is told: whoever is told may stop it at once.
        with server.capture_signals(), present(folder, chain.id, address, token, certificate):
            tell(terminal, chain.id, chain.head().height, address)
            serve(server, listening)
        head = chain.head()
        return Ready(head.chain, head.height)


def serve_split(
    terminal: Terminal,
    folder: Path,
    settings: Settings,
    passphrase: str | None,
    listening: socket.socket,
) -> Ready:
    """Serve by several processes that this one supervises, until told to stop; the last block."""
    from tongbao.node.processes.running import run_processes
    from tongbao.node.server import address_of

    def served(core: Ready, layout: str) -> None:
        address = address_of(listening, settings)
        tell(terminal, core.chain, core.height, address, f" {layout}")

    return run_processes(folder, settings, passphrase, listening, served)


def warn(terminal: Terminal, settings: Settings) -> None:
    """Say it where others can read and change what is said to this node."""
    if is_in_the_clear(settings):
        terminal.note(
            f"warning: {settings.host} is reached by other machines, and nothing is encrypted: "
            "give --tls-certificate and --tls-key, or --behind-tls-proxy true behind a proxy"
        )


def tell(terminal: Terminal, chain: str, height: int, address: str, by: str = "") -> None:
    """Say to a person that the node serves, and where."""
    from tongbao.sdk.presence import reachable

    address = reachable(address)
    terminal.note(f"chain {chain} at height {height} is served at {address}")
    terminal.note(f"look at {address}/, or: curl {address}/v1; Ctrl-C stops{by}")


def run_command() -> click.Command:
    """The command, with a flag for every setting."""
    config = click.Option(
        ["--config"],
        type=click.Path(dir_okay=False, path_type=Path),
        help="TOML file with settings, named as the flags with _ for -.",
    )
    engine = click.Option(
        ["--engine"],
        type=click.Choice(ENGINES),
        help="The engine that the chain must have; its genesis file says which it has.",
    )
    return click.Command(
        "run",
        callback=run_node,
        params=[
            folder_parameter(),
            passphrase_parameter(),
            config,
            engine,
            *map(setting_parameter, lines()),
            json_parameter(),
        ],
        help=(
            "Serve the chain over HTTP until Ctrl-C or SIGTERM.\n\n"
            "A chain of a network (`tongbao init --engine cometbft`) is served with a CometBFT "
            "of its own, which is started, watched and stopped.\n\n"
            f"A setting comes from its flag, else from the environment ({PREFIX} and its name in "
            "capitals), else from the file, else it is the default."
        ),
        epilog="\b\nExample:\n  tongbao run --port 8632\n  curl http://127.0.0.1:8632/v1",
    )


run = run_command()
