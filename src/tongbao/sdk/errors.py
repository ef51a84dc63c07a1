"""What can go wrong between a client and a node, apart from what the chain itself decided."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from msgspec import Struct

from tongbao.kernel import InvalidTransaction
from tongbao.kernel.envelope import decode_envelope
from tongbao.kernel.transaction import id_of
from tongbao.sdk.answers import Problem


class _Expiring(Struct):
    """What of a payload says until when it may happen."""

    expires: int


def id_and_expiry(transaction: bytes) -> tuple[str, int]:
    """The id of a transaction, and its `expires` in ms UTC.

    Raises InvalidTransaction when it is no envelope, msgspec.DecodeError when it is no payload.
    """
    payload = decode_envelope(transaction).payload
    return id_of(payload).hex(), msgspec.json.decode(payload, type=_Expiring).expires


class Unreachable(Exception):
    """The node did not answer, or not now, however often it was asked.

    With a `transaction` (its bytes; `id` in hex and `expires` in ms UTC go with it) this one may or
    may not have happened, and may wait for its block still. Send the same bytes again, with
    `Wallet.settle` or `submit`: they can't happen twice. A new transaction would be another
    payment. Without one nothing was submitted.
    """

    exit_code = 75

    def __init__(self, why: str, transaction: bytes | None = None) -> None:
        """Say why, and which transaction is undecided."""
        self.why = why
        self.transaction = transaction
        self.id = ""
        self.expires: int | None = None
        if transaction is not None:
            try:
                self.id, self.expires = id_and_expiry(transaction)
            except (InvalidTransaction, msgspec.DecodeError):
                self.id = "that is malformed"
            why += (
                f"; transaction {self.id} may have happened or may still happen: settle it, or "
                "submit the same bytes again; a new one would be another payment"
            )
        super().__init__(why)


class Unsettled(Exception):
    """A wallet has sent `transactions` whose outcome it doesn't know, and sends nothing before."""

    exit_code = 75

    def __init__(self, transactions: dict[str, bytes]) -> None:
        """Name them by their ids."""
        self.transactions = tuple(transactions.values())
        super().__init__(
            f"not decided yet: {', '.join(transactions)}; call `settle` with each of `transactions`"
            " first (or `abandon`): sent anew, a payment might be made twice"
        )


class NodeError(Exception):
    """The node answered that the request was wrong; the text is the node's."""

    exit_code = 65

    def __init__(self, problem: Problem) -> None:
        """Carry the problem document."""
        super().__init__(f"{problem.title}: {problem.detail}" if problem.detail else problem.title)
        self.problem = problem


class Gone(NodeError, LookupError):
    """The node had it, and has given it up: the body of a block, or events that came of one."""

    exit_code = 4
    advice = "ask a node or a backup that has it; `tongbao status ID` tells what it came to"


def error_of(problem: Problem) -> NodeError:
    """The error that a problem document stands for."""
    return Gone(problem) if problem.status == HTTPStatus.GONE else NodeError(problem)


class Unreadable(NodeError):
    """The node's answer is not what the interface says; `detail` of the problem says where."""

    def __init__(self, detail: str, status: int = 0) -> None:
        """Say what can't be read."""
        super().__init__(Problem("about:blank", "the node's answer can't be read", status, detail))
