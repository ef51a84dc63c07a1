"""A node says in the folder of its chain where it is asked: `node.json`, as long as it runs.

The file is a hint: a node that was killed leaves it behind, so whoever reads it asks the address
first whether it still serves this chain.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    import httpx2

FILE: Final = "node.json"
FILE_BYTES_LIMIT: Final = 4_096
PROBE_S: Final = 2.0
ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104
"""Addresses to listen on that stand for all of a machine, and how they are reached there."""

GOOD: Final = 200


class Presence(Struct, frozen=True):
    """Which chain a process serves at which address, such as `http://127.0.0.1:8632`.

    Whoever can read the file may read all there, by `token`; `certificate` is the file of the one
    that the node shows, if it speaks TLS. `folder` is where the file was read.
    """

    chain: str
    address: str
    process: int
    token: str = ""
    certificate: str = ""
    folder: str = ""

    def client(self, timeout_s: float) -> httpx2.Client:
        """A client of this node, which on its own machine needs not be named in its certificate.

        It is the one that the folder's owner gave the node, whoever signed it. Raises OSError.
        """
        import httpx2

        from tongbao.sdk.bearer import LocalAuth

        verify: ssl.SSLContext | bool = True
        if self.certificate:
            verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            verify.minimum_version = ssl.TLSVersion.TLSv1_2
            verify.check_hostname = False
            verify.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            verify.load_verify_locations(cafile=self.certificate)
        auth = LocalAuth(lambda: _token_in(Path(self.folder)))
        return httpx2.Client(base_url=self.address, verify=verify, auth=auth, timeout=timeout_s)


def _token_in(folder: Path) -> str:
    """What the node of a folder lets commands of this machine in by; empty where none says so."""
    said = _said_in(folder)
    return "" if said is None else said.token


def _said_in(folder: Path) -> Presence | None:
    with suppress(OSError, msgspec.DecodeError), (folder / FILE).open("rb") as file:
        return msgspec.json.decode(file.read(FILE_BYTES_LIMIT), type=Presence)
    return None


@contextmanager
def present(
    folder: Path, chain: str, address: str, token: str = "", certificate: str = ""
) -> Iterator[None]:
    """Say so until the `with` statement ends, to the folder's owner alone. Raises OSError."""
    path = folder / FILE
    partial = path.with_name(f"{FILE}.part")
    whole = str(Path(certificate).absolute()) if certificate else ""
    said = Presence(chain, reachable(address), os.getpid(), token, whole)
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(said)) + b"\n")
    partial.replace(path)
    try:
        yield
    finally:
        # Whoever has removed the folder meanwhile wanted that.
        path.unlink(missing_ok=True)


def process_of(folder: Path) -> int | None:
    """The process that said last that it serves a folder, which may have ended; None for nobody."""
    said = _said_in(folder)
    return None if said is None else said.process


def parent_of(process: str) -> str:
    """The process that has started another one, as Linux tells; "" where nobody knows."""
    with suppress(OSError):
        for line in Path("/proc", process, "status").read_text(encoding="utf-8").splitlines():
            if line.startswith("PPid:"):
                return line.split()[1]
    return ""


def reachable(address: str) -> str:
    """An address of this machine for one that means all of its addresses."""
    parts = urlsplit(address)
    host = ANYWHERE.get(parts.hostname or "")
    if host is None:
        return address
    return urlunsplit(parts._replace(netloc=f"{host}:{parts.port}"))


def node_of(folder: Path, chain: str) -> Presence | None:
    """Who serves the chain of a folder now; None when no node says so and answers."""
    said = _said_in(folder)
    if said is None or said.chain != chain:
        return None
    found = replace(said, folder=str(folder))
    return found if _serves(found) else None


def _serves(said: Presence) -> bool:
    import httpx2

    try:
        with said.client(PROBE_S) as client:
            found = client.get("/v1")
        return found.status_code == GOOD and bool(found.json().get("chain") == said.chain)
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, OSError):
        return False
