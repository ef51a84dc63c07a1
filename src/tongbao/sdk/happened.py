"""What blocks did, in order: the source of all streams, of a node's and of those in process."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct

from tongbao.kernel.envelope import decode_envelope
from tongbao.kernel.transaction import id_of
from tongbao.sdk.answers import Happening
from tongbao.sdk.place import Place
from tongbao.store.record import BlockRecord, has_happened


class Happened(Struct, frozen=True):
    """Something that happened, as it goes over the wire, with all that filters look at."""

    place: Place
    line: bytes
    searched: bytes

    def is_wanted(self, after: Place, needles: tuple[bytes, ...]) -> bool:
        """Whether it lies after a place and holds every needle."""
        return self.place > after and all(needle in self.searched for needle in needles)


class _Said(Struct):
    """What of a payload is told."""

    sender: str
    messages: tuple[Raw, ...]


_payloads: Final = msgspec.json.Decoder(_Said)


def happenings_of(record: BlockRecord) -> tuple[Happened, ...]:
    """Each transaction of a block that has an outcome, then its due work."""
    found = []
    for index, (wire, receipt, (_, number)) in enumerate(
        zip(record.transactions, record.receipts, record.outbox, strict=False)
    ):
        if not has_happened(number):
            continue  # a network's block may hold what nobody could read
        payload = decode_envelope(wire).payload
        said = _payloads.decode(payload)
        place = Place(record.height, index)
        happening = Happening(
            cursor=str(place),
            height=record.height,
            time=record.time,
            id=id_of(payload).hex(),
            number=number,
            sender=said.sender,
            messages=said.messages,
            receipt=Raw(receipt),
        )
        found.append(Happened(place, msgspec.json.encode(happening), payload + receipt))
    if len(record.receipts) > len(record.transactions):
        place = Place(record.height, len(record.transactions))
        receipt = record.receipts[-1]
        due = Happening(str(place), record.height, record.time, receipt=Raw(receipt))
        found.append(Happened(place, msgspec.json.encode(due), receipt))
    return tuple(found)
