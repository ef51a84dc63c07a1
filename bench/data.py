"""`make bench-data`: packages built and judged in MB/s, beside plain AES-GCM of the same bytes.

A buyer's whole way is measured: `judge` reads the chunks twice, opens them, reads the text and
recomputes every cell and root. Memory is that of another process that seals and judges a large
package in a file. Writes `build/bench-data.json`.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time
from typing import Any, overload

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench.conditions import conditions
from tongbao.kernel.identifiers import Address, Hash
from tongbao.rights.batch import Batch, Origin, Period, commitment_of, make_batch
from tongbao.rights.chunk_file import ChunkFile
from tongbao.rights.halves import Halves, draw_halves
from tongbao.rights.judge import Commitments, Order, Verdict, judge
from tongbao.rights.limits import CHUNK_BYTES
from tongbao.rights.schema import Field, FieldName, Row, Schema, SchemaName, event_hash
from tongbao.rights.seal import Sealed, seal_package

RESULTS = Path("build") / "bench-data.json"
SCHEMA = Schema(
    SchemaName("eggs.1"),
    (
        Field(FieldName("day"), "date"),
        Field(FieldName("eggs"), "integer"),
        Field(FieldName("paid_cents"), "integer"),
        Field(FieldName("shop"), "text"),
    ),
)
GRANTED = ("day", "eggs")
ORDER = bytes(20)
SOURCE = Address("11" * 20)
MEGABYTE = 1e6
RUNS = 3
PLAIN_TIMES = 50


def made(rows: int, seed: int) -> Batch:
    """A month of purchases out of a seed."""
    draw = random.Random(seed)
    lines = [
        Row(
            event_hash(bytes(32), b"%d/%d" % (seed, number)),
            (f"2026-10-{draw.randint(1, 31):02}", draw.randint(0, 24), 499, f"shop {seed % 50}"),
        )
        for number in range(rows)
    ]
    origin = Origin(period=Period("2026-10"), source=SOURCE, subject=Hash("22" * 32))
    return make_batch(SCHEMA, origin, lines, draw.randbytes(32), draw.randbytes(16))


class Repeated(Sequence[Batch]):
    """One batch so many times: a large package out of little memory."""

    def __init__(self, batch: Batch, times: int) -> None:
        self._batch, self._times = batch, times

    def __len__(self) -> int:
        return self._times

    @overload
    def __getitem__(self, index: int) -> Batch: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Batch]: ...
    def __getitem__(self, index: int | slice) -> Batch | Sequence[Batch]:
        if isinstance(index, slice):
            return Repeated(self._batch, len(range(*index.indices(self._times))))
        if not 0 <= index < self._times:
            raise IndexError(index)
        return self._batch


def order_of(batches: Sequence[Batch]) -> Order:
    """An order of these."""
    return Order(
        id=ORDER,
        schema=SCHEMA.name,
        schema_fields=SCHEMA.cells[1:],
        fields=GRANTED,
        batches=tuple(commitment_of(batch.header) for batch in batches),
    )


def seconds(work: Callable[[], object]) -> float:
    """CPU time of the middle of some runs."""
    taken = []
    for _ in range(RUNS):
        begun = process_time()
        work()
        taken.append(process_time() - begun)
    return statistics.median(taken)


def rates(rows: int) -> dict[str, float]:
    """A package of one batch in memory: MB of its padded size by second."""
    halves = draw_halves()
    batches = [made(rows, 1)]
    chunks: list[bytes] = []
    sealed = seal_package(ORDER, halves, batches, GRANTED, chunks.append)
    order, commitments = order_of(batches), Commitments(sealed=sealed, b=halves.b)
    assert judge(order, commitments, halves.a, chunks) is Verdict.OK
    size = len(chunks) * CHUNK_BYTES / MEGABYTE
    cipher, nonce, plain = AESGCM(bytes(32)), bytes(12), bytes(CHUNK_BYTES)

    def nothing(_: bytes) -> None:
        """A store that keeps nothing."""

    def encrypt() -> None:
        """The same bytes by plain AES-GCM."""
        for _ in range(PLAIN_TIMES * len(chunks)):
            cipher.encrypt(nonce, plain, None)

    build = seconds(lambda: seal_package(ORDER, halves, batches, GRANTED, nothing))
    check = seconds(lambda: judge(order, commitments, halves.a, chunks))
    plainly = seconds(encrypt) / PLAIN_TIMES
    return {
        "rows": rows,
        "package_megabytes": size,
        "built_mb_per_s": size / build,
        "judged_mb_per_s": size / check,
        "aes_gcm_mb_per_s": size / plainly,
        "built_rows_per_s": rows / build,
        "judged_rows_per_s": rows / check,
    }


def large(times: int) -> None:
    """In another process: seal and judge a package of a batch so many times, in a file."""
    batches = Repeated(made(10_000, 1), times)
    halves = Halves(bytes(32), bytes(32))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "package"
        with path.open("wb") as file:
            sealed: Sealed = seal_package(ORDER, halves, batches, GRANTED, file.write)
        commitments = Commitments(sealed=sealed, b=halves.b)
        assert judge(order_of(batches), commitments, halves.a, ChunkFile(path)) is Verdict.OK
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    size = sealed.chunk_count * CHUNK_BYTES
    print(json.dumps({"large_megabytes": size / MEGABYTE, "peak_megabytes": most / MEGABYTE}))


def elsewhere(times: int) -> dict[str, float]:
    """What `large` says in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "bench.data", "--large", str(times)],
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, float] = json.loads(ended.stdout)
    return found


def main() -> int:
    """Measure, print, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000, help="rows of the batch")
    parser.add_argument("--times", type=int, default=30, help="batches of the large package")
    parser.add_argument("--large", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.large is not None:
        large(arguments.large)
        return 0
    found: dict[str, Any] = conditions()
    found |= rates(arguments.rows)
    print(
        f"a package of {found['package_megabytes']:.1f} MB, {found['rows']:,} rows, MB/s of CPU: "
        f"built {found['built_mb_per_s']:.1f}, judged {found['judged_mb_per_s']:.1f}, "
        f"plain AES-GCM {found['aes_gcm_mb_per_s']:.0f}"
    )
    found |= elsewhere(arguments.times)
    print(
        f"a package of {found['large_megabytes']:.0f} MB, sealed and judged: at most "
        f"{found['peak_megabytes']:.0f} MB of memory"
    )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")
    print(f"bench-data: {found['built_rows_per_s']:,.0f} rows/s built, into {RESULTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
