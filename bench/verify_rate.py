"""L: how many Ed25519 signatures libsodium checks a second on every core of this machine."""

from __future__ import annotations

import os
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


def all_cores() -> float:
    """Checks a second of all cores together, one process each, at the same time."""
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        list(pool.map(one_core, [0.1] * cores))
        return sum(pool.map(one_core, [SECONDS] * cores))
