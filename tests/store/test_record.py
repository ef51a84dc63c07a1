"""A record's bytes are frozen, and what no store can keep is our own bug."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.golden_file import check_golden
from tests.store.blocks import block, transaction_id
from tongbao.store.record import (
    KEY_LIMIT,
    BlockRecord,
    HeaderLine,
    Status,
    check_record,
    decode_header_line,
    decode_record,
    decode_status,
    encode,
    statuses_of,
)

EMPTY = BlockRecord(0, 0, b"", (), (), (), ())


def test_the_bytes_of_records_are_those_that_are_frozen() -> None:
    """
    Given records of blocks, a status and a line of the headers' copy,
    when they are encoded,
    then their bytes are the golden file's, and decoding gives the same objects again.
    """
    full = block(300)
    line = HeaderLine(full.height, full.time, full.header)
    status = Status(300, 1, 7005)
    assert decode_record(encode(full)) == full
    assert decode_record(encode(EMPTY)) == EMPTY
    assert decode_header_line(encode(line)) == line
    assert decode_status(encode(status)) == status
    check_golden(
        "block_record.json",
        "records",
        {
            "block 300": encode(full).hex(),
            "empty block": encode(EMPTY).hex(),
            "header line": encode(line).hex(),
            "status": encode(status).hex(),
        },
    )


def test_only_applied_and_refused_transactions_have_a_status() -> None:
    """
    Given a block with an applied, an invalid, a refused and an undecodable transaction,
    when their statuses are asked for,
    then the applied and the refused one have theirs, with the place they have in the block.
    """
    one, two, three = (transaction_id(1, index) for index in range(3))
    record = replace(EMPTY, height=9, outbox=((one, 0), (two, 15), (three, 7005), (b"", 2)))
    assert list(statuses_of(record)) == [(one, Status(9, 0, 0)), (three, Status(9, 2, 7005))]


@pytest.mark.parametrize(
    "wrong",
    [
        replace(EMPTY, rows=((b"b", b""), (b"a", b""))),
        replace(EMPTY, rows=((b"a", b""), (b"a", None))),
        replace(EMPTY, rows=((b"", b""),)),
        replace(EMPTY, rows=((bytes(KEY_LIMIT + 1), b""),)),
        replace(EMPTY, outbox=((b"short", 0),)),
    ],
    ids=["falling", "twice", "no key", "long key", "short id"],
)
def test_a_record_that_no_store_can_keep_fails_an_assertion(wrong: BlockRecord) -> None:
    """
    Given a record whose rows don't ascend, or with a key or id of a length that can't be,
    when it is checked before it is appended,
    then an assertion fails.
    """
    check_record(replace(EMPTY, rows=((bytes(KEY_LIMIT), b""),), outbox=((b"", 3),)))
    with pytest.raises(AssertionError):
        check_record(wrong)
