"""The ring of bytes that two processes share."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from tongbao.node.processes.ring import Ring, new_memory

SIZE = 64


@given(pieces=st.lists(st.binary(max_size=SIZE), max_size=40), late=st.integers(0, 3))
def test_what_is_written_is_read_as_it_was_however_it_wraps(pieces: list[bytes], late: int) -> None:
    """
    Given pieces of any length, and a reader that is some of them behind,
    when each is written as soon as there is room for it,
    then the reader gets every byte, in order, and there is room again.
    """
    memory = new_memory(SIZE)
    writer, reader = Ring(os.dup(memory), SIZE), Ring(memory, SIZE)
    told: list[int] = []
    found = b""

    def read() -> bytes:
        end = told.pop(0)
        data = reader.take(end)
        writer.read = end
        return data

    for piece in pieces:
        while told and (len(told) > late or len(piece) > writer.room):
            found += read()
        told.append(writer.write(piece))
    while told:
        found += read()
    assert found == b"".join(pieces)
    assert writer.room == SIZE
    writer.close()
    reader.close()
