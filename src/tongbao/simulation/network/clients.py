"""Clients of a network: they pay, write and read through every node at once, and write down all.

A client believes a node only where it says what an operation came to. Where it does not answer,
the client sends the same bytes to another node, asks that one by the id, or goes on without ever
knowing: all of it is in the history.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from random import Random
from typing import Any, Final

import httpx2

from tongbao.localnet.plan import Member
from tongbao.simulation.network.cluster import Wrong
from tongbao.simulation.network.history import Account, Book, Operation, Read

TIMEOUT_S: Final = 6.0
PAUSE_S: Final = 0.05
KNOWN_S: Final = 10.0
READ_OF: Final = 3
ATTEMPTS: Final = 3
SCATTERED: Final = 5
WRITERS: Final = 2
"""Clients that write into one register, each in a lane of its own."""
MOST_UNITS: Final = 400_00
"""More than a payer often has: some payments are refused."""
JOSE: Final = {"content-type": "application/jose"}
DECIDED: Final = ("applied", "refused")


class Door:
    """One way of asking nodes over HTTP; used by one thread, or by few."""

    def __init__(self, book: Book, members: Callable[[], Sequence[Member]], random: Random) -> None:
        """Ask any of the members; the choice comes from the random."""
        self._book = book
        self._members = members
        self._random = random
        self._client = httpx2.Client(timeout=TIMEOUT_S)
        self.seen = 0

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def any(self) -> Member:
        """A member by chance."""
        return self._random.choice(list(self._members()))

    def send(self, operation: Operation, member: Member, *, wait: bool = True) -> bool:
        """Send it to a member; whether that says what it came to."""
        self._book.sent(operation, member.name)
        path = f"{member.address}/v1/transactions{'' if wait else '?wait=none'}"
        try:
            found = self._client.post(path, content=operation.wire, headers=JOSE)
            said = found.json()
        except (httpx2.HTTPError, ValueError):
            return False
        if found.status_code in (HTTPStatus.OK, HTTPStatus.CONFLICT):
            return self._told(operation, member, said)
        return False

    def look(self, operation: Operation, member: Member) -> bool:
        """Ask a member by the id; whether it says what it came to."""
        try:
            found = self._client.get(f"{member.address}/v1/transactions/{operation.id}")
            said = found.json()
        except (httpx2.HTTPError, ValueError):
            return False
        return said.get("state") in DECIDED and self._told(operation, member, said)

    def _told(self, operation: Operation, member: Member, said: dict[str, Any]) -> bool:
        height, index = said.get("height"), said.get("index")
        if height is None or index is None:
            return False
        self._book.told(operation, member.name, int(said.get("number", 0)), height, index)
        self.seen = max(self.seen, int(height))
        return True

    def read(self, account: Account, member: Member, *, is_register: bool) -> None:
        """Read what an account owns or holds, not older than what this client knows of."""
        asset = {} if is_register else {"asset": self._book.ground.asset}
        path = "/v1/account/show" if is_register else "/v1/asset/balance"
        name = "address" if is_register else "account"
        asked: dict[str, str | int] = {name: account.address, "min_height": self.seen, **asset}
        try:
            found = self._client.get(f"{member.address}{path}", params=asked)
            said = found.json()
        except (httpx2.HTTPError, ValueError):
            return
        if found.status_code != HTTPStatus.OK:
            return
        value = said["value"]
        units = pair = None
        if is_register:
            pair = (int(value["ordinary"]), int(value["sensitive"]))
        else:
            units = 0 if value is None else int(str(value["amount"]).replace(".", ""))
        self._book.read(
            Read(member.name, account.address, int(said["height"]), self.seen, units, pair)
        )


class Clients:
    """Threads that pay and write until they are stopped."""

    def __init__(self, book: Book, members: Callable[[], Sequence[Member]], seed: int) -> None:
        """One client for each payer, and for each lane of each register; they begin at once."""
        self._book = book
        self._members = members
        self._stopping = threading.Event()
        self.failure: BaseException | None = None
        ground = book.ground
        makers: list[Callable[[Random], Operation]] = [
            *(partial(self._payment, payer) for payer in ground.payers),
            *(
                partial(self._writing, register, lane)
                for register in ground.registers
                for lane in range(WRITERS)
            ),
        ]
        self._threads = [
            threading.Thread(
                target=self._run, args=(maker, Random(f"client/{seed}/{place}")), daemon=True
            )
            for place, maker in enumerate(makers)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each bring what it does to its end. Raises Wrong for an answer that can't be."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        if self.failure is not None:
            raise Wrong(f"a client was answered what can't be: {self.failure!r}")

    def _payment(self, payer: Account, random: Random) -> Operation:
        others = [each for each in self._book.ground.payers if each is not payer]
        return self._book.pay(payer, random.choice(others), random.randint(1, MOST_UNITS))

    def _writing(self, register: Account, lane: int, _: Random) -> Operation:
        return self._book.write(register, lane)

    def _run(self, make: Callable[[Random], Operation], random: Random) -> None:
        door = Door(self._book, self._members, random)
        ways = (self._patiently, self._patiently, self._to_two, self._scattered)
        try:
            while not self._stopping.is_set():
                random.choice(ways)(door, make, random)
                if random.randrange(READ_OF) == 0:
                    self._read(door, random)
                self._stopping.wait(PAUSE_S)
        except (KeyError, TypeError, AssertionError) as error:
            self.failure = error
        finally:
            door.close()

    def _patiently(self, door: Door, make: Callable[[Random], Operation], random: Random) -> None:
        """One after the other, to another node when one does not answer; may never know."""
        operation = make(random)
        for _ in range(random.randint(1, ATTEMPTS)):
            if door.send(operation, door.any()) or self._stopping.is_set():
                return

    def _to_two(self, door: Door, make: Callable[[Random], Operation], random: Random) -> None:
        """The same bytes to two nodes at the same moment."""
        operation = make(random)
        first, second = door.any(), door.any()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda member: door.send(operation, member), (first, second)))

    def _scattered(self, door: Door, make: Callable[[Random], Operation], random: Random) -> None:
        """Several in another order than their nonces', to any nodes; then asked by the id."""
        operations = [make(random) for _ in range(SCATTERED)]
        random.shuffle(operations)
        for operation in operations:
            door.send(operation, door.any(), wait=False)
        until = time.monotonic() + KNOWN_S
        left = operations
        while left and time.monotonic() < until and not self._stopping.is_set():
            left = [each for each in left if not door.look(each, door.any())]
            self._stopping.wait(PAUSE_S)

    def _read(self, door: Door, random: Random) -> None:
        ground = self._book.ground
        is_register = bool(random.randrange(2))
        accounts = ground.registers if is_register else ground.payers
        door.read(random.choice(accounts), door.any(), is_register=is_register)
