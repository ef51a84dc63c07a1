"""Every limit of the kernel in one table; a test exceeds each row, and the reference shows it."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tongbao.kernel import kernel_module
from tongbao.kernel.amount import DECIMALS_LIMIT
from tongbao.kernel.authentication import KEYS_LIMIT
from tongbao.kernel.context import PAGE_ROWS
from tongbao.kernel.envelope import SIGNATURES_LIMIT, SPELLING_BYTES_LIMIT
from tongbao.kernel.genesis import SECTIONS_LIMIT
from tongbao.kernel.job import QUERY_ROWS
from tongbao.kernel.module import ROW_KEY_LIMIT, Parameter
from tongbao.kernel.nonces import WINDOW
from tongbao.kernel.reasons import Invalid, KernelWhy, Reason
from tongbao.kernel.transaction import LANES_LIMIT, MESSAGES_LIMIT


class Limit(Struct, frozen=True):
    """One limit: its name, its value as readers see it, where it is enforced, and the answer."""

    name: str
    value: str
    where: str
    answer: str


def _parameter(parameter: Parameter, where: str, answer: str) -> Limit:
    value = (
        f"{parameter.default:,} ({parameter.low:,} to {parameter.high:,} by genesis or governance)"
    )
    return Limit(parameter.name, value, where, answer)


def _said(reason: Reason) -> str:
    return f"{reason.name} ({reason.number})"


_MALFORMED: Final = _said(Invalid.PAYLOAD_IS_MALFORMED)
_ENVELOPE: Final = _said(Invalid.ENVELOPE_IS_MALFORMED)

LIMITS: Final = (
    _parameter(
        kernel_module.TRANSACTION_BYTES, "transaction.py", _said(Invalid.TRANSACTION_IS_TOO_LARGE)
    ),
    _parameter(kernel_module.EXPIRY_MS, "execution.py", _said(Invalid.EXPIRY_IS_TOO_FAR)),
    _parameter(
        kernel_module.TRANSACTION_ROWS, "job.py", _said(KernelWhy.TRANSACTION_WORK_IS_SPENT)
    ),
    _parameter(kernel_module.BLOCK_ROWS, "job.py", _said(KernelWhy.BLOCK_WORK_IS_SPENT)),
    _parameter(kernel_module.DUE_ITEMS, "execution.py", "the rest waits for the next block"),
    _parameter(
        kernel_module.JSON_DEPTH, "beginning.py", "GenesisError; deeper payloads: " + _MALFORMED
    ),
    _parameter(
        kernel_module.VALIDATORS_LIMIT, "membership.py", _said(KernelWhy.TOO_MANY_VALIDATORS)
    ),
    _parameter(kernel_module.PEERS_LIMIT, "membership.py", _said(KernelWhy.TOO_MANY_PEERS)),
    Limit("power of a validator", "1 to 1,000,000", "kernel_module.py", _MALFORMED),
    Limit(
        "bytes of a transaction in any spelling",
        f"{SPELLING_BYTES_LIMIT:,}",
        "envelope.py",
        _said(Invalid.TRANSACTION_IS_TOO_LARGE),
    ),
    Limit("bytes of a row's key", f"{ROW_KEY_LIMIT}", "module.py", "the module can't be imported"),
    Limit("messages of a transaction", f"1 to {MESSAGES_LIMIT}", "transaction.py", _MALFORMED),
    Limit("signatures of a transaction", f"1 to {SIGNATURES_LIMIT}", "envelope.py", _ENVELOPE),
    Limit("lanes of an account", f"1 to {LANES_LIMIT}", "transaction.py", _MALFORMED),
    Limit("keys of an account", f"1 to {KEYS_LIMIT}", "authentication.py", _MALFORMED),
    Limit(
        "nonce ahead",
        f"{WINDOW} above the highest used",
        "nonces.py",
        _said(Invalid.NONCE_IS_TOO_FAR),
    ),
    Limit(
        "nonce behind",
        f"{WINDOW} below the highest used",
        "nonces.py",
        _said(Invalid.NONCE_IS_TOO_OLD),
    ),
    Limit("units of an amount", "0 to 2^63 - 1", "amount.py", _MALFORMED),
    Limit("decimals of an amount", f"0 to {DECIMALS_LIMIT}", "amount.py", _MALFORMED),
    Limit("integers", "0 to 2^53 - 1", "identifiers.py", _MALFORMED),
    Limit("characters of a reference", "1 to 35 of A-Za-z0-9-", "identifiers.py", _MALFORMED),
    Limit(
        "characters of a transaction's reference",
        "as of a reference, or 64 of 0-9a-f",
        "identifiers.py",
        _MALFORMED,
    ),
    Limit(
        "work of what falls due",
        "half of kernel.block_rows",
        "job.py",
        "the rest waits for the next block",
    ),
    Limit("characters of an asset's code", "1 to 12 of A-Z0-9", "identifiers.py", _MALFORMED),
    Limit("characters of a chain's name", "1 to 24 of a-z0-9", "genesis.py", "GenesisError"),
    Limit("lines in a part of genesis", f"{SECTIONS_LIMIT:,}", "genesis.py", "GenesisError"),
    Limit("rows of a page", f"{PAGE_ROWS}", "context.py", "the page ends with a cursor"),
    Limit(
        "rows that a query reads",
        f"{QUERY_ROWS:,}",
        "job.py",
        _said(KernelWhy.TRANSACTION_WORK_IS_SPENT),
    ),
)
