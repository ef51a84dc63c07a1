"""The TypeScript client, built once, and programs in Node.js that use it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest

from tests.node.conftest import Served
from tongbao.kernel.envelope import encode_base64url
from tongbao.sdk import to_json
from tools.client import build

HERE: Final = Path(__file__).parent
TIMEOUT_S: Final = 60


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder of the compiled client."""
    return build()


def told(served: Served) -> dict[str, Any]:
    """What a program is told of a chain: where it is, whom to trust, and alice's key."""
    fixed = served.fixed
    return {
        "address": served.address,
        "trust": to_json(served.chain.trust()).decode(),
        "seed": encode_base64url(sha256(b"alice").digest()),
        "alice": fixed.alice,
        "bank": fixed.bank,
        "shop": fixed.shop,
        "asset": fixed.cny,
    }


@contextmanager
def running(name: str, given: Any) -> Iterator[subprocess.Popen[str]]:
    """A program of this folder, in Node.js, that is told something as JSON."""
    command = ["node", "--no-warnings", str(HERE / name), json.dumps(given)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        try:
            yield program
        finally:
            program.kill()


def result(program: subprocess.Popen[str]) -> Any:
    """The JSON that a program prints last."""
    printed, errors = program.communicate(timeout=TIMEOUT_S)
    assert program.returncode == 0, errors
    return json.loads(printed.splitlines()[-1])
