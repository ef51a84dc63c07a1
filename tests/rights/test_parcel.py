"""Parcels: one text for one reader, of one kind and about one thing; whole or not at all."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rights.hpke_by_the_book import public_key_of, seal
from tests.rights.material import NOTE, ORDER, fixed
from tongbao.kernel import jcs
from tongbao.modules.data.hashing import data_hash
from tongbao.modules.data.keys import LOW_ORDER
from tongbao.rights.chunks import TooLarge, chunk_count, chunks_root, seal_chunks
from tongbao.rights.limits import (
    CHUNK_BYTES,
    CHUNKS_LIMIT,
    COPY_CHUNKS_LIMIT,
    SEALED_CHUNK_BYTES,
)
from tongbao.rights.parcel import (
    LIMITS,
    BadParcel,
    Kind,
    Parcel,
    evidence_context,
    open_parcel,
    open_parcel_file,
    seal_parcel,
    seal_parcel_file,
)

READER = fixed("reader")
KEY = public_key_of(READER)
ABOUT = fixed("commitment")


def by_the_book(
    kind: str, context: bytes, text: bytes, changed: dict[str, object] | None = None
) -> bytes:
    """A parcel written from the page, whatever its head says, with nothing drawn."""
    key = fixed("key of a parcel")
    count = chunk_count(len(text))
    chunks = list(seal_chunks(key, context, (text,), len(text), count))
    root = chunks_root(chunks)
    info = data_hash("parcel", kind.encode(), context, root)
    head = {
        "context": context.hex(),
        "count": count,
        "envelope": seal(KEY, key, info, fixed("ephemeral")).hex(),
        "kind": kind,
        "root": root.hex(),
    }
    return framed(jcs.encode(head | (changed or {})), b"".join(chunks))


def framed(head: bytes, chunks: bytes) -> bytes:
    """Any head before any chunks."""
    return len(head).to_bytes(4, "big") + head + chunks


def parts(parcel: bytes) -> tuple[bytes, bytes]:
    """The head and the chunks of a parcel."""
    begin = 4 + int.from_bytes(parcel[:4], "big")
    return parcel[4:begin], parcel[begin:]


def opened_from_a_file(folder: Path) -> Callable[[Kind, bytes, bytes], Parcel]:
    """Opens parcels as a panel does, from files."""

    def opened(kind: Kind, secret: bytes, parcel: bytes) -> Parcel:
        path = folder / "parcel"
        path.write_bytes(parcel)
        context, pieces = open_parcel_file(kind, secret, path)
        return Parcel(context, b"".join(pieces))

    return opened


@pytest.fixture(params=["memory", "file"])
def opened(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[Kind, bytes, bytes], Parcel]:
    """Both ways to open a parcel, which must agree."""
    return open_parcel if request.param == "memory" else opened_from_a_file(tmp_path)


@given(st.binary(max_size=200_000), st.sampled_from(["batch", "copy"]))
def test_the_reader_gets_what_was_sealed(text: bytes, kind: Kind) -> None:
    """Given any text, when sealed for a reader, then the reader opens it; sizes are padded."""
    parcel = seal_parcel(kind, ABOUT, KEY, text)
    assert open_parcel(kind, READER, parcel) == Parcel(ABOUT, text)
    assert len(parts(parcel)[1]) == chunk_count(len(text)) * SEALED_CHUNK_BYTES


def test_a_parcel_by_the_book_opens(opened: Callable[[Kind, bytes, bytes], Parcel]) -> None:
    """Given a parcel written from the page alone, when opened, then its text."""
    assert opened("copy", READER, by_the_book("copy", ABOUT, b"eggs")) == Parcel(ABOUT, b"eggs")


def test_nothing_of_the_text_is_in_the_clear_and_two_parcels_are_different() -> None:
    """Given one text sealed twice, when compared, then no chunk, key or hash comes twice."""
    text = NOTE.encode() * 3
    one, other = (seal_parcel("batch", ABOUT, KEY, text) for _ in range(2))
    assert NOTE.encode() not in one and text.hex().encode() not in one
    assert parts(one)[1] != parts(other)[1] and parts(one)[0] != parts(other)[0]


def test_another_kind_reader_or_context_does_not_open(
    opened: Callable[[Kind, bytes, bytes], Parcel],
) -> None:
    """Given a parcel, when the reader, the kind or what it is about is another, then refused."""
    parcel = seal_parcel("batch", ABOUT, KEY, b"eggs")
    head, chunks = parts(parcel)
    with pytest.raises(BadParcel, match="another reader"):
        opened("batch", fixed("stranger"), parcel)
    with pytest.raises(BadParcel, match="of kind batch, not copy"):
        opened("copy", READER, parcel)
    told = head.replace(b'"kind":"batch"', b'"kind":"copy"')
    with pytest.raises(BadParcel, match="another reader, or of another kind"):
        opened("copy", READER, framed(told, chunks))
    about = head.replace(ABOUT.hex().encode(), fixed("another").hex().encode())
    with pytest.raises(BadParcel, match="another reader, or of another kind"):
        opened("batch", READER, framed(about, chunks))


def test_chunks_and_heads_of_two_parcels_do_not_mix(
    opened: Callable[[Kind, bytes, bytes], Parcel],
) -> None:
    """Given two parcels for one reader, when head and chunks are exchanged, then refused."""
    one = seal_parcel("copy", ABOUT, KEY, b"1" * 70_000)
    other = seal_parcel("copy", ABOUT, KEY, b"2" * 70_000)
    head, chunks = parts(one)
    moved = chunks[SEALED_CHUNK_BYTES:] + chunks[:SEALED_CHUNK_BYTES]
    for wrong in (
        framed(head, parts(other)[1]),
        framed(head, moved),
        framed(head, chunks[:SEALED_CHUNK_BYTES]),
        framed(head, chunks * 2),
        framed(head, chunks[:-1]),
        framed(head, chunks + b"\x00"),
        framed(head, b""),
    ):
        with pytest.raises(BadParcel):
            opened("copy", READER, wrong)


def test_no_flipped_byte_goes_unnoticed(opened: Callable[[Kind, bytes, bytes], Parcel]) -> None:
    """Given a parcel, when any bit of its head, or one of its chunks, flips, then refused."""
    parcel = by_the_book("batch", ABOUT, b"eggs")
    begin = 4 + len(parts(parcel)[0])
    choose = random.Random(9)
    places = [*range(begin + 20), *(choose.randrange(begin, len(parcel)) for _ in range(100))]
    for place in (*places, len(parcel) - 1):
        data = bytearray(parcel)
        data[place] ^= 1 << choose.randrange(8)
        with pytest.raises(BadParcel):
            opened("batch", READER, bytes(data))


@pytest.mark.parametrize(
    "changed",
    [
        {"count": 2},
        {"count": 0},
        {"count": -1},
        {"count": 2**40},
        {"count": "1"},
        {"count": True},
        {"kind": "letter"},
        {"context": ABOUT.hex().upper()},
        {"context": ABOUT.hex()[:-2]},
        {"root": ""},
        {"root": None},
        {"envelope": "00" * 80},
        {"envelope": "00" * 79},
        {"envelope": "00" * 10_000},
        {"note": "nobody reads me"},
    ],
)
def test_a_hostile_head_is_refused(
    changed: dict[str, object], opened: Callable[[Kind, bytes, bytes], Parcel]
) -> None:
    """Given a head with a wrong, huge or unknown member, when opened, then refused."""
    with pytest.raises(BadParcel):
        opened("copy", READER, by_the_book("copy", ABOUT, b"eggs", changed))


def test_a_head_in_another_spelling_is_refused(
    opened: Callable[[Kind, bytes, bytes], Parcel],
) -> None:
    """Given a head with spaces, doubled or unordered members, or none, when opened, then so."""
    head, chunks = parts(by_the_book("copy", ABOUT, b"eggs"))
    for wrong in (
        head.replace(b'":', b'": '),
        head + b" ",
        head.replace(b'{"context"', b'{"count":1,"context"'),
        head[:-1] + b',"count":1}',
        b"",
        b"{}",
        b"[]",
        b"[" * 500,
        b"\xff" * 400,
        b"{" + b" " * 600 + b"}",
    ):
        with pytest.raises(BadParcel):
            opened("copy", READER, framed(wrong, chunks))
    for wrong in (b"", b"\x00", b"\xff" * 4, b"\xff\xff\xff\xff" + head + chunks, head + chunks):
        with pytest.raises(BadParcel):
            opened("copy", READER, wrong)


@given(st.binary(max_size=900))
def test_any_bytes_instead_of_a_parcel_are_refused(data: bytes) -> None:
    """Given hostile bytes, when taken for a parcel, then BadParcel and nothing else."""
    for parcel in (data, framed(data, b""), framed(data, bytes(SEALED_CHUNK_BYTES))):
        with pytest.raises(BadParcel):
            open_parcel("batch", READER, parcel)


def test_keys_of_small_order_and_texts_that_are_too_long_are_refused(tmp_path: Path) -> None:
    """Given a bad key, or a text beyond the limit, when sealed, then refused; no file is left."""
    path = tmp_path / "parcel"
    bad = (*(number.to_bytes(32, "little") for number in LOW_ORDER), b"\xff" * 32, b"")
    for key in bad:
        with pytest.raises(BadParcel):
            seal_parcel("copy", ABOUT, key, b"eggs")
        with pytest.raises(BadParcel):
            seal_parcel_file("copy", ABOUT, key, (b"eggs",), 4, path)
    with pytest.raises(TooLarge):
        seal_parcel_file("copy", ABOUT, KEY, (), COPY_CHUNKS_LIMIT * CHUNK_BYTES, path)
    assert not path.exists()


def test_evidence_is_about_an_order_and_nothing_else() -> None:
    """Given a context that is no order's, when opened as evidence, then refused."""
    about = evidence_context(ORDER)
    assert about == ORDER + bytes(12)
    found = open_parcel("evidence", READER, seal_parcel("evidence", about, KEY, b"eggs"))
    assert found == Parcel(about, b"eggs")
    with pytest.raises(BadParcel, match="12 zero bytes"):
        open_parcel("evidence", READER, seal_parcel("evidence", ABOUT, KEY, b"eggs"))


def test_evidence_of_the_largest_package_fits_a_parcel() -> None:
    """Given the chunks of 4 GiB with a first line, when counted, then at the limit, not beyond."""
    evidence = 200 + CHUNKS_LIMIT * SEALED_CHUNK_BYTES
    assert chunk_count(evidence, LIMITS["evidence"]) == LIMITS["evidence"] == 2 * CHUNKS_LIMIT


def test_a_large_parcel_is_sealed_and_opened_in_little_memory(tmp_path: Path) -> None:
    """Given evidence of 8 MiB in a file, when sealed and opened, then memory stays far below."""
    path, piece = tmp_path / "evidence", fixed("piece") * 1_000
    tracemalloc.start()
    try:
        pieces = (piece for _ in range(250))
        about = evidence_context(ORDER)
        seal_parcel_file("evidence", about, KEY, pieces, 250 * len(piece), path)
        found = sum(map(len, open_parcel_file("evidence", READER, path)[1]))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == 250 * len(piece) and path.stat().st_size > 128 * SEALED_CHUNK_BYTES
    assert peak < 1_000_000


def test_a_parcel_file_is_a_parcel_and_is_none_until_it_is_finished(tmp_path: Path) -> None:
    """Given a text in pieces, when sealed into a file, then it opens; cut off, it is refused."""
    path, about = tmp_path / "evidence", evidence_context(ORDER)
    text = [fixed(str(number)) * 1_000 for number in range(10)]
    seal_parcel_file("evidence", about, KEY, text, 320_000, path)
    assert open_parcel("evidence", READER, path.read_bytes()) == Parcel(about, b"".join(text))
    context, pieces = open_parcel_file("evidence", READER, path)
    assert (context, b"".join(pieces)) == (about, b"".join(text))
    with pytest.raises(FileExistsError):
        seal_parcel_file("evidence", about, KEY, text, 320_000, path)

    def dies() -> list[bytes]:
        raise OSError("the disk is full")

    cut = tmp_path / "cut"
    with pytest.raises(OSError, match="disk is full"):
        seal_parcel_file("evidence", about, KEY, (dies()[0] for _ in "1"), 320_000, cut)
    with pytest.raises(BadParcel):
        open_parcel_file("evidence", READER, cut)
