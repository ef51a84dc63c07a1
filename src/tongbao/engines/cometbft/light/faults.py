"""What can be wrong with a header of CometBFT and its votes."""

from __future__ import annotations

from enum import Enum


class Fault(Enum):
    """Each way in which a header is not to be believed; the text says which rule it breaks."""

    MALFORMED = "the header, the votes or the validators are not well-formed"
    OTHER_CHAIN = "the header is of another chain"
    OTHER_BLOCK = "the votes are on another block than the header"
    OTHER_VALIDATORS = "the validators are not those that a header names"
    EXPIRED = "what is trusted is older than the trusting period"
    NOT_AFTER = "the header is not higher and later than what is trusted"
    AHEAD = "the header's time lies ahead of the clock"
    VOTED_TWICE = "a validator votes twice"
    WRONG_SIGNATURE = "a vote's signature is wrong"
    TOO_FEW_VOTES = "no more than two thirds of the validators' power voted for the header"
    TOO_LITTLE_TRUST = "no more than a third of the trusted power voted for the header"


class LightError(Exception):
    """A header that is not to be believed."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        """Carry the fault and what exactly was found."""
        super().__init__(f"{fault.value} [{detail}]" if detail else fault.value)
        self.fault = fault
        self.detail = detail
