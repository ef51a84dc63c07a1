"""A node that answers members, with a thousand sessions open: what they cost, and how it reads.

Balances are asked in sessions, on sixteen connections, as fast as they are answered: all in one
session, and each time in another one of them.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path

import msgspec

from bench.node import RATE_PER_S, ROOT_ROLE, Node, running
from bench.reads import BALANCE, CONNECTIONS
from bench.requests import question, write_questions
from bench.sender import Sent
from bench.workload import Workload
from tongbao.sdk.sessions import (
    CHALLENGE_PATH,
    MEDIA_TYPE,
    SESSIONS_PATH,
    Challenge,
    SessionAnswer,
    sign_challenge,
)
from tongbao.sdk.signer import SoftwareKey

SESSIONS = 1_000
READS = 5_000
RUNS = 3
FRONT = "front"
SECONDS = 300
FLAGS = ("--read-policy", "members", "--caller-rate-per-s", str(RATE_PER_S))


class Opener:
    """Opens sessions over one connection."""

    def __init__(self, node: Node) -> None:
        """Connect to a node."""
        self._line = HTTPConnection(node.address.removeprefix("http://"), timeout=60)

    def open(self, account: str, key: SoftwareKey) -> str:
        """The token of a new session of an account."""
        asked = msgspec.json.encode({"account": account})
        challenge = msgspec.json.decode(
            self._post(CHALLENGE_PATH, asked, "application/json"), type=Challenge
        )
        signed = sign_challenge(challenge, key)
        answer = self._post(SESSIONS_PATH, signed, MEDIA_TYPE)
        return msgspec.json.decode(answer, type=SessionAnswer).token

    def _post(self, path: str, body: bytes, media_type: str) -> bytes:
        headers = {"Host": "localhost", "Content-Type": media_type}
        self._line.request("POST", path, body, headers)
        answer = self._line.getresponse()
        content = answer.read()
        assert answer.status == 200, (path, answer.status, content[:1_000])
        return content

    def close(self) -> None:
        """Hang up."""
        self._line.close()


def measure(folder: Path, count: int = SESSIONS, reads: int = READS) -> dict[str, float]:
    """Open so many sessions, of an account each; memory, and rates of reads."""
    workload = Workload(folder, count)
    workload.lay_out()
    questions = [
        BALANCE.format(account=address, asset=workload.usd) for address in workload.addresses
    ]
    with running(folder, *FLAGS) as node:
        opener = Opener(node)
        tokens = [opener.open(workload.addresses[0], workload.keys[0])]
        read(node, [question(questions[0], tokens[0])] * min(reads, READS))  # warms up
        before = front_mb(node)
        for address, key in list(zip(workload.addresses, workload.keys, strict=True))[1:]:
            tokens.append(opener.open(address, key))
        after = front_mb(node)
        opener.close()
        each = [question(*pair) for pair in zip(questions, tokens, strict=True)]
        asked = [each[at % count] for at in range(min(reads, READS))]
        few, many = [], []
        for _ in range(RUNS):
            few.append(read(node, [each[0]] * len(asked)))
            many.append(read(node, asked))
    return {
        "sessions": count,
        "sessions_mb": after - before,
        "one_session_reads_per_s": statistics.median(few),
        "sessions_reads_per_s": statistics.median(many),
    }


def front_mb(node: Node) -> float:
    """Resident MB of the process that has the sockets, and the sessions."""
    found = node.rss_mb()
    return found.get(FRONT, found[ROOT_ROLE])


def read(node: Node, questions: Sequence[bytes]) -> float:
    """Answers a second, on some connections."""
    with tempfile.NamedTemporaryFile("wb", suffix=".requests") as file:
        write_questions(file, questions)
        command = [sys.executable, "-m", "bench.sender", node.address, file.name]
        ended = subprocess.run(
            [*command, str(CONNECTIONS), "0"], stdout=subprocess.PIPE, check=True, timeout=SECONDS
        )
    sent = msgspec.json.decode(ended.stdout, type=Sent)
    return len(questions) / sent.seconds
