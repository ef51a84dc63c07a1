"""The solo engine when the authority's signer, a service of its own, goes away or lies."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.clock import Clock, held_by_alice
from tests.fixed_chain import FixedChain, key
from tests.key_service import KeyService, key_service
from tongbao.engines.solo import Options
from tongbao.engines.solo.lacks import WHY_UNSIGNED
from tongbao.engines.solo.signing import SignerUnavailable
from tongbao.sdk.client import Applied
from tongbao.sdk.local import Chain
from tongbao.sdk.signers import open_signer
from tongbao.store.store import Store

FAR_S = 30.0


@pytest.fixture
def service(tmp_path: Path) -> Iterator[KeyService]:
    """A service with the authority's key."""
    with key_service(tmp_path / "certificates", authority=key("authority")) as service:
        yield service


@pytest.fixture
def fixed(tmp_path: Path, service: KeyService) -> Iterator[FixedChain]:
    """A chain whose blocks the service signs from block 2 on."""
    (tmp_path / "chain").mkdir()
    fixed = FixedChain(Store(tmp_path / "chain", "fixed"))
    signer = open_signer(service.address("authority"), {})
    fixed.producer.signer = signer
    yield fixed
    signer.close()


def signs_again(chain: Chain) -> bool:
    """Whether an engine whose signer is back has found that out by itself."""
    until = time.monotonic() + FAR_S
    while chain.why_stopped is not None and time.monotonic() < until:
        chain.head()
    return chain.why_stopped is None


def test_a_signer_that_goes_away_loses_nothing_and_payments_go_on_when_it_is_back(
    fixed: FixedChain, service: KeyService, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given a chain whose signer was stopped,
    when payments are submitted, and again once the signer is back,
    then all are told at once that nothing happened, the reason is given and logged once, no block
    was made; then all are applied, each once, in blocks that the same key has signed.
    """
    caplog.set_level(logging.WARNING, "tongbao.engines.solo")
    payments = [fixed.pay("0.10") for _ in range(10)]
    with fixed.running(Clock(), Options(block_transactions=2, linger_ms=1_000)) as chain:
        assert isinstance(chain.submit(payments[0]), Applied)
        before = chain.head()
        service.stop()
        answers = chain.submit_many(payments[1:])
        assert {type(answer) for answer in answers} == {SignerUnavailable}
        with pytest.raises(SignerUnavailable):
            chain.queue(payments[1])
        assert (chain.head(), chain.waiting, chain.is_disk_full) == (before, 0, False)
        assert chain.why_stopped == WHY_UNSIGNED
        service.start()
        assert signs_again(chain)
        assert {type(answer) for answer in chain.submit_many(payments[1:])} == {Applied}
        assert chain.audit() == []
        assert chain.trust().keys == (key("authority").key_id,)
    told = [record.getMessage().partition(" (")[0] for record in caplog.records]
    assert told == [WHY_UNSIGNED, "the authority's signer signs again: transactions are taken"]


def test_a_block_with_a_wrong_signature_is_never_made(
    fixed: FixedChain, service: KeyService
) -> None:
    """
    Given a signer that answers with a signature of something else,
    when a payment is submitted,
    then no block holds it, whoever sent it is told, and it is applied once the signer is right.
    """
    payment = fixed.pay("0.10")
    right = service.keys["authority"]
    with fixed.running(Clock()) as chain:
        before = chain.head()
        service.keys["authority"] = key("mallory")
        with pytest.raises(SignerUnavailable):
            chain.submit(payment)
        assert chain.head() == before
        service.keys["authority"] = right
        assert signs_again(chain)
        assert chain.submit(payment).height == before.height + 1


def test_due_work_waits_for_the_signer_without_a_rush(
    fixed: FixedChain, service: KeyService
) -> None:
    """
    Given a hold that runs out while the signer is away,
    when its time has come,
    then the signer is asked about once a second, and the hold returns once it is back.
    """
    clock = Clock()
    with fixed.running(clock) as chain:
        chain.submit(fixed.place("40.00", for_ms=5_000_000))
        service.says = (503, b"")
        clock.now += 10_000_000
        with pytest.raises(SignerUnavailable):
            chain.submit(fixed.pay("0.10"))
        height = chain.head().height
        service.await_asked(service.asked + 1)
        began, asked = time.monotonic(), service.asked
        service.await_asked(asked + 2)
        assert time.monotonic() - began > 1.5
        assert chain.head().height == height
        service.says = None
        assert signs_again(chain)
        until = time.monotonic() + FAR_S
        while held_by_alice(fixed, chain) != 10_000:
            assert time.monotonic() < until


def test_an_engine_closes_in_order_without_its_signer(
    fixed: FixedChain, service: KeyService, tmp_path: Path
) -> None:
    """
    Given a chain whose signer is away,
    when it is closed,
    then that ends, and the chain opens again with all that was answered.
    """
    with fixed.running(Clock()) as chain:
        answered = chain.submit(fixed.pay("0.10"))
        service.stop()
        with pytest.raises(SignerUnavailable):
            chain.submit(fixed.pay("0.20"))
    store = Store(tmp_path / "chain", "fixed")
    assert store.last is not None and store.last.height == answered.height
    store.close()
    service.start()
