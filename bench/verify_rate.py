"""L: how many Ed25519 signatures libsodium checks a second on every core of this machine."""

from __future__ import annotations

import os
import statistics
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from time import perf_counter

from tongbao.kernel import ed25519

MESSAGE_BYTES = 490
SECONDS = 1.5
SEED = bytes(range(32))


def one_core(seconds: float) -> float:
    """Checks a second in this process, of one 490-byte message."""
    message = bytes(MESSAGE_BYTES)
    key, signature = ed25519.public_key_of(SEED), ed25519.sign(SEED, message)
    count, begun = 0, perf_counter()
    while perf_counter() - begun < seconds:
        for _ in range(100):
            assert ed25519.verify(key, message, signature)
        count += 100
    return count / (perf_counter() - begun)


def all_cores(seconds: float = SECONDS) -> float:
    """Checks a second of all cores together, one process each, at the same time."""
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        list(pool.map(one_core, [min(0.1, seconds)] * cores))
        return sum(pool.map(one_core, [seconds] * cores))


class Beside:
    """Rates of something, each compared with L as it was just before and just after it."""

    def __init__(self, seconds: float = SECONDS) -> None:
        """Measure L for the first time."""
        self._seconds = seconds
        self.verify = [all_cores(seconds)]
        self.ratios: list[float] = []

    def note(self, rate: float) -> float:
        """Take a rate, measure L again, and give the rate by the mean of the two."""
        self.verify.append(all_cores(self._seconds))
        self.ratios.append(2 * rate / sum(self.verify[-2:]))
        return self.ratios[-1]

    @property
    def ratio(self) -> float:
        """The median of all."""
        return statistics.median(self.ratios)

    @property
    def verify_per_s(self) -> float:
        """The median L."""
        return statistics.median(self.verify)
