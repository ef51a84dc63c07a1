"""Why something is not done: numbered reasons, refusals and invalid transactions.

A refusal number is `module * 1000 + code`; the kernel is module 0. Codes below 100 of the kernel
mean *invalid* (nothing changed), from 100 *refused* (only the nonce is used).
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar, Final

NUMBERS_PER_MODULE: Final = 1000


class Reason(Enum):
    """Base of each module's `Why`: `NAME = code, "the rule that was not kept"`."""

    module_number: ClassVar[int]
    module_name: ClassVar[str]

    def __init__(self, code: int, rule: str) -> None:
        """Take the code, 1 to 999 and never used again, and the rule as one clause."""
        self.code = code
        self.rule = rule

    @property
    def number(self) -> int:
        """The number that stands in receipts and problem documents."""
        return type(self).module_number * NUMBERS_PER_MODULE + self.code

    def __str__(self) -> str:
        """As shown to people: `hold.SENDER_IS_NOT_PAYEE (7005): only the payee ...`."""
        return f"{type(self).module_name}.{self.name} ({self.number}): {self.rule}"


class Refusal(Exception):
    """A rule of a module was not kept: the transaction is refused. Only the kernel catches it."""

    def __init__(self, why: Reason) -> None:
        """Carry the reason."""
        super().__init__(why)
        self.why = why


def require(condition: bool, why: Reason) -> None:
    """Refuse the transaction with `why` unless `condition` holds."""
    if not condition:
        raise Refusal(why)


class Invalid(Reason):
    """Why a transaction is invalid: it changes nothing and leaves no status."""

    TRANSACTION_IS_TOO_LARGE = 1, "a transaction has at most `transaction_bytes` bytes"
    ENVELOPE_IS_MALFORMED = 2, "the envelope is a JWS: compact, or general JSON with 2 to 16"
    ENVELOPE_IS_NOT_CANONICAL = 3, "general JSON is in RFC 8785 form"
    BASE64_IS_NOT_CANONICAL = 4, "base64url has no padding and its unused bits are zero"
    HEADER_IS_NOT_ALLOWED = 5, "the header is exactly alg (Ed25519), kid and typ"
    SIGNATURES_ARE_NOT_SORTED = 6, "signatures ascend by key and no key signs twice"
    PAYLOAD_IS_MALFORMED = 7, "the payload has the documented members and types, and no others"
    PAYLOAD_IS_NOT_CANONICAL = 8, "the payload is in RFC 8785 form with defaults left out"
    CHAIN_IS_ANOTHER = 9, "`chain` names this chain"
    EXPIRY_HAS_PASSED = 10, "a transaction expires later than the time of its block"
    EXPIRY_IS_TOO_FAR = 11, "a transaction expires at most `expiry_ms` after its block"
    SENDER_IS_UNKNOWN = 12, "the sender is an open account"
    SPONSOR_IS_UNKNOWN = 13, "the sponsor is an open account"
    LANE_IS_NOT_DECLARED = 14, "the lane is one that the sender has declared"
    NONCE_WAS_USED = 15, "a nonce is used once in its lane"
    NONCE_IS_TOO_OLD = 16, "a nonce is at most 256 below the highest used in its lane"
    NONCE_IS_TOO_FAR = 17, "a nonce is at most 256 above the highest used in its lane"
    THRESHOLD_IS_NOT_MET = 18, "the sender's signatures reach the threshold that is asked for"
    NEW_KEY_HAS_NOT_SIGNED = 19, "every key that a message introduces signs"
    SPONSOR_HAS_NOT_SIGNED = 20, "the sponsor's signatures reach its ordinary threshold"
    SIGNATURE_IS_NOT_ASKED_FOR = 21, "nobody signs who is not asked to"
    SIGNATURE_IS_WRONG = 22, "every signature satisfies the equations of kernel/ed25519.py"
    MESSAGE_IS_NOT_LAST = 23, "a message that ends its sender's account is the last one"
    SPONSOR_HAS_NO_ALLOWANCE = 24, "under quotas a sponsor that is named has an allowance"
    ALLOWANCE_IS_SPENT = 25, "the bucket that pays has a token for each message; try again later"
    SHARE_IS_SPENT = 26, "the sender's share has a token for each message; try again later"


class KernelWhy(Reason):
    """Why the kernel itself refuses a transaction that is valid."""

    TRANSACTION_WORK_IS_SPENT = 100, "a transaction reads and writes at most `transaction_rows`"
    BLOCK_WORK_IS_SPENT = 101, "the transactions of a block touch at most `block_rows`; try again"
    CONSERVATION_IS_BROKEN = 102, "what a transaction writes keeps every module's conservation"
    ID_IS_TAKEN = 103, "a derived id names nothing yet"
    UPGRADE_IS_EMPTY = 104, "an upgrade names a module or a feature"
    UPGRADE_IS_TOO_SOON = 105, "an upgrade begins at least `upgrade_notice` blocks later"
    UPGRADE_IS_SCHEDULED = 106, "one upgrade begins at a height: cancel it before another"
    UPGRADE_NAME_IS_DOUBLED = 107, "an upgrade names each module and each feature once"
    MODULE_IS_ANOTHER = 108, "a module keeps number and name, and its version never goes back"
    MODULE_CHANGE_WAITS = 109, "a module has one change to come: cancel it before another"
    FEATURE_BEGINS_ONCE = 110, "a feature begins once: cancel what has not begun, and never again"
    UPGRADE_NOT_FOUND = 111, "only an upgrade that has not begun can be cancelled"
    VALIDATOR_KEY_IS_NOT_ACCEPTABLE = 112, "a validator's key is a point outside the small subgroup"
    TOO_MANY_VALIDATORS = 113, "at most `validators_limit` validators vote on blocks"
    VALIDATOR_NOT_FOUND = 114, "only a validator can be removed from the validators"
    LAST_VALIDATOR_STAYS = 115, "a validator is left: add another one before"
    TOO_MANY_PEERS = 116, "at most `peers_limit` nodes may connect"
    PEER_NOT_FOUND = 117, "only a node that may connect can be removed from those"
    PARAMETER_NOT_FOUND = 118, "a parameter is one that a module of this chain declares"
    PARAMETER_IS_OUT_OF_BOUNDS = 119, "a parameter's value is within its declared bounds"
    MODULE_IS_HALTED = 120, "a halted module, and what uses it, goes on when the halt ends"
    MODULE_CANNOT_BE_HALTED = 121, "a module of this chain is halted, and not the one that decides"
    MODULE_IS_NOT_HALTED = 122, "only a module that is halted goes on before its halt ends"
    ALLOWANCE_NOT_FOUND = 123, "only a sponsor's allowance can be ended"
    STORAGE_IS_FULL = 124, "under quotas those for whom one pays own as many rows as it may store"


for _reasons in (Invalid, KernelWhy):
    _reasons.module_number = 0
    _reasons.module_name = "kernel"


class InvalidTransaction(Exception):
    """A transaction that changes nothing, with its reason."""

    def __init__(self, why: Invalid, detail: str = "", again_at: int | None = None) -> None:
        """Carry the reason and, where one helps, what exactly was found (never any content).

        `again_at` is the time, in ms UTC, of the first block for which it may be otherwise.
        """
        super().__init__(f"{why}: {detail}" if detail else str(why))
        self.why = why
        self.detail = detail
        self.again_at = again_at
