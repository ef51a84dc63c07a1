"""An issuer's statement, asked of a node by a client that believes nothing but proofs of rows."""

from __future__ import annotations

import pytest

from tests.fixed_chain import BEGIN, HOUR
from tests.node.conftest import serving
from tests.sdk.test_light import found_by, lied_to, on
from tongbao.kernel import Amount, Time
from tongbao.modules import asset, hold
from tongbao.sdk import to_json
from tongbao.sdk.http import HttpChain
from tongbao.sdk.verification import Finding


@pytest.mark.parametrize("proven", [True, False])
def test_a_statement_is_the_same_in_process_over_http_and_out_of_proofs(proven: bool) -> None:
    """
    Given 100.00 issued, of which alice has put 20.00 on hold and paid 12.50,
    when a client asks a node for the asset's statement, with and without a trust file,
    then it has issued, held, on hold and reserved; with the file each part was a proven row.
    """
    with serving() as served:
        fixed = served.fixed
        place = hold.Place(
            asset=fixed.cny,
            amount=Amount("20.00"),
            payee=fixed.shop,
            expires_at=Time(BEGIN + 2 * HOUR),
        )
        served.send(fixed.pay("12.50")).raise_for_status()
        served.send(fixed.signed("alice", place)).raise_for_status()
        trust = to_json(served.chain.trust()) if proven else None
        with HttpChain(served.address, trust=trust) as chain:
            told = chain.query(asset.statement, fixed.cny)

        assert told == served.chain.query(asset.statement, fixed.cny)
        assert told == asset.Statement(
            issued=Amount("100.00"),
            held=Amount("80.00"),
            on_hold=Amount("20.00"),
            reserved=Amount("0.00"),
        )


def test_a_node_that_lies_about_what_was_issued_is_found() -> None:
    """
    Given a node that answers with another supply,
    when a client with a trust file asks for the statement,
    then the lie is found: the row's value is not what its proof commits to.
    """
    with serving() as served:
        liar = on("/rows/asset.supplies/proof", b'"100.00"', b'"900.00"')
        with lied_to(served, liar) as chain:
            finding = found_by(lambda: chain.query(asset.statement, served.fixed.cny))

    assert finding is Finding.ROW_IS_NOT_PROVEN
