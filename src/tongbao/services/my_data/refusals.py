"""Why something that came for a person is not taken: numbered, and told in both languages."""

from __future__ import annotations

from enum import IntEnum


class Why(IntEnum):
    """Every reason, with what is true of what is taken. Append, never renumber."""

    rule: str

    def __new__(cls, number: int, rule: str) -> Why:
        """A number with the rule that was not kept."""
        made = int.__new__(cls, number)
        made._value_ = number
        made.rule = rule
        return made

    DOES_NOT_OPEN = 1, "a parcel was sealed for this person, as a batch, and nobody changed it"
    IS_NO_BATCH = 2, "a parcel holds an attestation and a batch"
    NO_CONSENT = 3, "the person has consented to this source, schema and method, until later"
    IS_NOT_SIGNED = 4, "the attestation is signed by a key that the ledger has for the source"
    IS_ANOTHERS = 5, "the subject is the source's pseudonym for this person"
    DIFFERS = 6, "attestation, header and context say the same"
    IS_NOT_TRUE = 7, "the rows give the root that the header names"
    TWO_CONTENTS = 8, "a source says one thing of a month and version"
    IS_NOT_ON_LEDGER = 9, "the source has committed to the batch on the ledger"
    LEDGER_DIFFERS = 10, "the ledger has the batch as it is told: whose, of what, and when"
    IS_ERASED = 11, "the month was not erased before"
    EVENT_IS_REPEATED = 12, "no event is told in two months of a source"
    IS_TOO_OLD = 13, "a version is not older than the one that is kept"


WAITS = frozenset({Why.IS_NOT_ON_LEDGER, Why.IS_NOT_SIGNED})
"""What may be well a while later: such a parcel stays where it is."""


class NotTaken(Exception):
    """What came is not taken; it says nothing of any value."""

    exit_code = 65
    advice = "ask the source for it again; `tongbao mydata collect` tells what came of others"

    def __init__(self, why: Why, detail: str = "") -> None:
        """Carry the reason, and what is known besides."""
        super().__init__(f"{why.rule}: {detail}" if detail else why.rule)
        self.why = why
        self.number = int(why)
