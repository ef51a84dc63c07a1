"""Packages of data for `make bench-data`: built and judged, beside plain AES-GCM of the same bytes.

A buyer's whole way is measured: `judge` reads the chunks twice, opens them, reads the text and
recomputes every cell and root. Memory is that of a process that seals a large package into a file,
and of one that opens it.
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

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tongbao.kernel.identifiers import Address, Hash
from tongbao.rights.batch import Batch, Origin, Period, commitment_of, make_batch
from tongbao.rights.chunk_file import ChunkFile
from tongbao.rights.halves import Halves, draw_halves
from tongbao.rights.judge import Commitments, Order, Ordered, Verdict, judge
from tongbao.rights.limits import CHUNK_BYTES
from tongbao.rights.opened import bought_rows
from tongbao.rights.schema import Field, FieldName, Row, Schema, SchemaName, event_hash
from tongbao.rights.seal import Sealed, seal_package

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
LARGE_ROWS = 10_000
LARGE_HALVES = Halves(bytes(32), bytes(32))


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


def ordered_of(batch: Batch) -> Ordered:
    """A batch as the ledger would have it."""
    header = batch.header
    return Ordered(
        commitment=commitment_of(header),
        period=header.period,
        source=header.source,
        subject=header.subject,
    )


def order_of(batches: Sequence[Batch]) -> Order:
    """An order of these."""
    return Order(
        id=ORDER,
        schema=SCHEMA.name,
        schema_fields=SCHEMA.cells[1:],
        fields=GRANTED,
        batches=tuple(ordered_of(batch) for batch in batches),
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


def seal_large(times: int, path: Path) -> None:
    """In another process: seal a package of a batch so many times into a file."""
    batches = Repeated(made(LARGE_ROWS, 1), times)
    with path.open("wb") as file:
        sealed = seal_package(ORDER, LARGE_HALVES, batches, GRANTED, file.write)
    tell(sealed, chunks=sealed.chunk_count)


def open_large(times: int, path: Path) -> None:
    """In another process: judge such a package, and read each of its rows."""
    batches = Repeated(made(LARGE_ROWS, 1), times)
    told = msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=Sealed)
    commitments = Commitments(sealed=told, b=LARGE_HALVES.b)
    rows = bought_rows(order_of(batches), commitments, LARGE_HALVES.a, ChunkFile(path))
    tell(told, rows=sum(1 for _ in rows))


def tell(sealed: Sealed, **counts: int) -> None:
    """What this process has done and the most memory that it has had, for the one that asked."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE
    told = {"peak_megabytes": most, "seconds": process_time(), **counts}
    print(json.dumps(told | {"sealed": msgspec.json.encode(sealed).decode()}))


def elsewhere(what: str, times: int, path: Path) -> dict[str, Any]:
    """What a process of its own says that seals or opens."""
    words = [sys.executable, "-m", "bench.packages", what, str(times), str(path)]
    ended = subprocess.run(words, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(ended.stdout)
    path.with_suffix(".json").write_text(found.pop("sealed"))
    return found


def large(times: int) -> dict[str, float]:
    """Memory and CPU of a process that seals a large package, and of one that opens it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "package"
        sealing = elsewhere("seal", times, path)
        opening = elsewhere("open", times, path)
    assert opening["rows"] == times * LARGE_ROWS
    return {
        "large_megabytes": sealing["chunks"] * CHUNK_BYTES / MEGABYTE,
        "large_rows": opening["rows"],
        "sealing_peak_megabytes": sealing["peak_megabytes"],
        "opening_peak_megabytes": opening["peak_megabytes"],
        "sealing_cpu_s": sealing["seconds"],
        "opening_cpu_s": opening["seconds"],
    }


def main() -> int:
    """One of the processes of `large`."""
    parser = argparse.ArgumentParser(description="one process of bench.data's large package")
    parser.add_argument("what", choices=("seal", "open"))
    parser.add_argument("times", type=int)
    parser.add_argument("package", type=Path)
    arguments = parser.parse_args()
    work = seal_large if arguments.what == "seal" else open_large
    work(arguments.times, arguments.package)
    return 0


if __name__ == "__main__":
    sys.exit(main())
