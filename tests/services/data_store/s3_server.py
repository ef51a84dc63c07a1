"""A real server of S3 over files, in a process of its own: the Versity S3 Gateway."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from msgspec import Struct

from tongbao.localnet.ports import free_ports
from tools.cometbft import TOOLS
from tools.versitygw import is_there

ACCESS: Final = "storekeeper"
SECRET: Final = "a secret of the tests alone"
BUCKET: Final = "blobs"
REGION: Final = "us-east-1"


class S3Server(Struct, frozen=True):
    """Where it listens, the folder under its bucket, and the file that names it to a store."""

    endpoint: str
    folder: Path
    file: Path


def environment(secret: str = SECRET) -> dict[str, str]:
    """The credentials, as a store is given them."""
    return {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": secret}


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            continue
        return
    raise AssertionError("the server of S3 has ended")


@contextmanager
def s3_server(place: Path, *flags: str) -> Iterator[S3Server]:
    """A server with one bucket. Where it is not installed the test is skipped; in CI it fails."""
    program = TOOLS / "bin" / "versitygw"
    if not is_there(program):
        reason = f"NOT TESTED: {program.name} is not here: make setup-s3"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    root, [port] = place / "s3", free_ports(1)
    (root / BUCKET).mkdir(parents=True)
    command = [str(program), "--access", ACCESS, "--secret", SECRET, "--region", REGION]
    command += ["--port", f"127.0.0.1:{port}", "posix", *flags, str(root)]
    with (place / "s3.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env={"PATH": os.environ["PATH"]}
        )
    try:
        _await(port, process)
        endpoint = f"http://127.0.0.1:{port}"
        file = place / "bucket.toml"
        file.write_text(
            f'endpoint = "{endpoint}"\nregion = "{REGION}"\nbucket = "{BUCKET}"\n'
            'prefix = "store-1/"\n'
        )
        yield S3Server(endpoint, root / BUCKET, file)
    finally:
        process.terminate()
        process.wait(30)
