"""One contender of `bench.network` as its processes: started, ordered, and their CPU read."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench.network_driver import READY, Order, Outcome
from bench.processes import cpu_seconds, difference
from tongbao.store.closable import Closable


class Contestant(Closable):
    """The drivers of all its nodes; the first one takes the orders."""

    def __init__(
        self, kind: str, folders: list[Path], transactions: Callable[[int], list[bytes]]
    ) -> None:
        """Start a driver for each folder; `transactions` makes as many as are asked for."""
        self._transactions = transactions
        self._drivers = [
            subprocess.Popen(
                [sys.executable, "-m", "bench.network_driver", kind, str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for folder in folders
        ]

    def wait_until_ready(self) -> None:
        """Wait until every node takes transactions."""
        for driver in self._drivers:
            assert driver.stdout is not None
            assert driver.stdout.readline().strip() == READY, "a driver has ended: see above"

    def send(self, wires: list[bytes], rate: float = 0.0) -> Outcome:
        """Let the first node take these, so many a second, or at once with 0."""
        first = self._drivers[0]
        assert first.stdin is not None and first.stdout is not None
        with tempfile.NamedTemporaryFile("wb", suffix=".tx") as file:
            file.write(b"\n".join(wires))
            file.flush()
            first.stdin.write(msgspec.json.encode(Order(file.name, rate)).decode() + "\n")
            first.stdin.flush()
            return msgspec.json.decode(first.stdout.readline(), type=Outcome)

    def flood(self, count: int) -> tuple[float, dict[str, float]]:
        """Send so many at once; seconds until all are final, and CPU seconds by role."""
        wires = self._transactions(count)
        before = self._cpu()
        seconds = self.send(wires).seconds
        return seconds, difference(self._cpu(), before)

    def pace(self, count: int, rate: float) -> list[float]:
        """Send so many at a rate; milliseconds that each waited."""
        return self.send(self._transactions(count), rate).waited

    def _cpu(self) -> dict[str, float]:
        found: Counter[str] = Counter()
        for driver in self._drivers:
            found.update(cpu_seconds(driver.pid))
        return dict(found)

    def close(self) -> None:
        """End all drivers, and with them what they have started."""
        for driver in self._drivers:
            assert driver.stdin is not None
            driver.stdin.close()
        for driver in self._drivers:
            driver.wait()
            assert driver.stdout is not None
            driver.stdout.close()
