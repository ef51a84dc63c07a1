"""How commands in another terminal reach the process that runs a network: a socket in its folder.

A request and its answer are one line of JSON each; between them lines say how far it is. Only the
folder's owner can connect. Requests are carried out one after the other.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Literal

import httpx2
import msgspec
from msgspec import Struct

from tongbao.localnet.errors import LocalnetError
from tongbao.localnet.holding import IN_USE, end_left_behind, is_held
from tongbao.sdk.errors import NodeError, Unreachable, Unsettled
from tongbao.sdk.folder import FolderError

FILE: Final = "control.sock"
LINE_BYTES_LIMIT: Final = 65_536
SECONDS: Final = 600.0
"""How long a command may take: adding a validator waits for votes and blocks."""
ASK_SECONDS: Final = 5.0
NOT_RUNNING: Final = 69
BUG: Final = 70
FILE_FAILED: Final = 74
SEE_STATUS: Final = "see `tongbao localnet status`, and give it again"

Verb = Literal["status", "add", "remove", "kill", "revive", "pause", "stop"]


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked of a running network; `name` is a member's, where one is meant."""

    verb: Verb
    name: str = ""


class Note(Struct, frozen=True, tag=True):
    """How far it is."""

    text: str


class Done(Struct, frozen=True, tag=True):
    """It is done; `text` is the verdict, `facts` what a program may want to know."""

    text: str
    facts: msgspec.Raw = msgspec.Raw(b"{}")


class Failed(Struct, frozen=True, tag=True):
    """It is not."""

    text: str
    advice: str
    exit_code: int


Said = Note | Done | Failed
Tell = Callable[[str], None]
CarryOut = Callable[[Order, Tell], Done]

_order: Final = msgspec.json.Decoder(Order)
_said: msgspec.json.Decoder[Said] = msgspec.json.Decoder(Said)


@contextmanager
def _reachable(folder: Path) -> Iterator[str]:
    """The socket's path in few bytes, however long the folder's is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{FILE}"
    finally:
        os.close(descriptor)


class Desk:
    """Takes orders while a network runs, in a thread of its own."""

    def __init__(self, folder: Path, carry_out: CarryOut, patience_s: float = ASK_SECONDS) -> None:
        """Begin to listen; whoever connects and asks nothing is waited for so long.

        Raises LocalnetError where another process listens.
        """
        self._patience_s = patience_s
        must_not_run(folder)
        self._carry_out = carry_out
        self._path = folder / FILE
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX)
        with _reachable(folder) as path:
            self._socket.bind(path)
        self._path.chmod(0o600)
        self._socket.listen()
        threading.Thread(target=self._serve, name="localnet-desk", daemon=True).start()

    def close(self) -> None:
        """Take no more orders."""
        self._path.unlink(missing_ok=True)
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            # A bug ends the thread of this order, and not the one that takes the next.
            one = threading.Thread(target=self._attend, args=(connection,), daemon=True)
            one.start()
            one.join()

    def _attend(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(self._patience_s)
            self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        def say(what: Said) -> None:
            # Whoever asked may be gone; what was asked is done all the same.
            with suppress(OSError):
                connection.sendall(msgspec.json.encode(what) + b"\n")

        with connection.makefile("rb") as lines:
            line = lines.readline(LINE_BYTES_LIMIT)
        connection.settimeout(SECONDS)
        if not line:
            return
        try:
            done = self._carry_out(_order.decode(line), lambda text: say(Note(text)))
        except msgspec.DecodeError as error:
            say(Failed(f"not an order: {error}", "use `tongbao localnet`", 2))
        except (LocalnetError, FolderError) as error:
            say(Failed(str(error), error.advice, error.exit_code))
        except (NodeError, Unreachable, Unsettled) as error:
            say(Failed(str(error), SEE_STATUS, error.exit_code))
        except httpx2.HTTPError as error:
            say(Failed(f"a node has not answered: {error}", SEE_STATUS, Unreachable.exit_code))
        except OSError as error:
            say(Failed(str(error), "check permissions and room of the folder's disk", FILE_FAILED))
        except Exception as error:
            say(Failed(f"a bug of ours: {type(error).__name__}: {error}", SEE_STATUS, BUG))
            raise
        else:
            say(done)


def is_running(folder: Path) -> bool:
    """Whether a process takes orders for the network of a folder."""
    if not (folder / FILE).exists():
        return False
    with _reachable(folder) as path, socket.socket(socket.AF_UNIX) as found:
        return found.connect_ex(path) == 0


def must_not_run(folder: Path) -> None:
    """Raise LocalnetError where a process runs the network of a folder."""
    if is_running(folder):
        raise LocalnetError(
            f"the network of {folder} runs already",
            f"see `tongbao localnet status --folder {folder}`, or stop it with `stop`",
            IN_USE,
        )


def stop_left_behind(folder: Path) -> Done | None:
    """End the nodes of a network whose own process was killed. Raises LocalnetError."""
    if not folder.is_dir() or is_running(folder) or is_held(folder):
        return None
    ended = end_left_behind(folder)
    return Done(f"had been left running, and are ended: {', '.join(ended)}") if ended else None


def give(folder: Path, order: Order, tell: Tell) -> Done:
    """Let the process that runs a network carry an order out. Raises LocalnetError."""
    if not is_running(folder):
        if is_held(folder):
            raise LocalnetError(
                f"the network of {folder} is being started or stopped",
                "try again in a moment",
                IN_USE,
            )
        raise LocalnetError(
            f"no network of {folder} is running",
            f"start it with `tongbao localnet --folder {folder}`",
            NOT_RUNNING,
        )
    with _reachable(folder) as path, socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        connection.connect(path)
        connection.sendall(msgspec.json.encode(order) + b"\n")
        with connection.makefile("rb") as lines:
            while line := lines.readline(LINE_BYTES_LIMIT):
                said = _said.decode(line)
                if isinstance(said, Note):
                    tell(said.text)
                elif isinstance(said, Failed):
                    raise LocalnetError(said.text, said.advice, said.exit_code)
                else:
                    return said
    raise LocalnetError(
        "the network was stopped before it answered",
        f"start it with `tongbao localnet --folder {folder}`",
        NOT_RUNNING,
    )
