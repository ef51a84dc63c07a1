"""The checks after each block find what they are there to find."""

from __future__ import annotations

import pytest

from tongbao.kernel import Amount
from tongbao.kernel.row_keys import encode_by_value
from tongbao.modules import hold
from tongbao.modules.hold.rules import by_payee, holds
from tongbao.testing import CNY, Chain, bob
from tongbao.testing.checks import check_indexes, check_root, check_state


def with_hold(chain: Chain) -> dict[bytes, bytes]:
    """The rows of a chain with one hold, as a copy that may be damaged."""
    at = chain.in_days(1)
    chain.apply("alice", hold.Place(payee=bob, asset=CNY, amount=Amount("1.00"), expires_at=at))
    return dict(chain.ledger.live.rows)


def test_a_row_that_the_machine_reads_otherwise_is_found(chain: Chain) -> None:
    """
    Given a chain with a hold,
    when the rows that were written are taken for other ones,
    then the check of the state says which key differs, and that of the root that it is another.
    """
    rows = with_hold(chain)
    check_state(chain.machine, rows)
    check_root(chain.machine, rows)
    key = next(key for key in rows if key.startswith(holds.prefix))
    rows[key] = rows[key].replace(b"1.00", b"2.00")

    with pytest.raises(AssertionError, match=key.hex()):
        check_state(chain.machine, rows)
    with pytest.raises(AssertionError, match="root"):
        check_root(chain.machine, rows)


def test_an_entry_too_few_or_too_many_is_found(chain: Chain) -> None:
    """
    Given a chain with a hold,
    when the entry of an index is missing, and when there is one that no row asks for,
    then the check of indexes names the index.
    """
    rows = with_hold(chain)
    check_indexes(chain.machine, rows)
    key = next(key for key in rows if key.startswith(by_payee.prefix))
    missing = {other: value for other, value in rows.items() if other != key}
    stray = rows | {by_payee.prefix + encode_by_value("0" * 40) + rows[key]: rows[key]}

    for damaged in (missing, stray):
        with pytest.raises(AssertionError, match=r"index hold\.by_payee"):
            check_indexes(chain.machine, damaged)
