"""Requests as bytes, made beforehand and kept in one file, so that sending them costs little.

The file is a row of frames: its length, its transactions and its payments in four bytes each, then
the request.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

PATH = "/v1/transactions"
HEAD = "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n"
MANY = "application/json"
ONE = "application/jose"
FIELD = 4


class Prepared(NamedTuple):
    """A request, and how many transactions and payments it holds: a question none and one."""

    transactions: int
    payments: int
    data: memoryview


def many(wires: list[bytes]) -> bytes:
    """A request with several transactions."""
    body = b'{"transactions":["' + b'","'.join(wires) + b'"]}'
    return HEAD.format(PATH, MANY, len(body)).encode() + body


def one(wire: bytes) -> bytes:
    """A request with one transaction as its body."""
    return HEAD.format(PATH, ONE, len(wire)).encode() + wire


def question(path: str, token: str = "") -> bytes:
    """A request that only reads; in a session where there is a token."""
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{bearer}\r\n".encode()


def write_questions(file: IO[bytes], questions: Iterable[bytes]) -> None:
    """Write requests that only read; each counts as one, where a rate is kept."""
    for each in questions:
        _frame(file, each, 0, 1)
    file.flush()


def write(file: IO[bytes], wires: Iterable[bytes], batch: int, payments: int = 1) -> None:
    """Write requests of `batch` transactions each, with `payments` in each transaction.

    A `batch` of 0 makes requests of a single transaction without a list around it.
    """
    waiting: list[bytes] = []
    for wire in wires:
        waiting.append(wire)
        if len(waiting) >= batch:
            data = many(waiting) if batch else one(wire)
            _frame(file, data, len(waiting), len(waiting) * payments)
            waiting = []
    if waiting:
        _frame(file, many(waiting), len(waiting), len(waiting) * payments)
    file.flush()


def _frame(file: IO[bytes], request: bytes, transactions: int, payments: int) -> None:
    fields = (len(request), transactions, payments)
    file.writelines(number.to_bytes(FIELD, "big") for number in fields)
    file.write(request)


def read(path: Path) -> Iterator[Prepared]:
    """The requests of a file, which stays mapped as long as one of them is kept."""
    with path.open("rb") as file:
        whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    at = 0
    while at < len(whole):
        fields = [int.from_bytes(whole[at + FIELD * each :][:FIELD], "big") for each in range(3)]
        length, transactions, payments = fields
        at += 3 * FIELD
        yield Prepared(transactions, payments, whole[at : at + length])
        at += length
