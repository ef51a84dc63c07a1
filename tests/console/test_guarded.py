"""An account's page shows what others may do to it: guardians, recoveries, changes, mandates."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixed_chain import FixedChain
from tests.node.conftest import serving_chain
from tongbao.kernel import Address, Amount, AssetCode, Id, Small, Time, WeightedKey
from tongbao.modules import account, asset, mandate
from tongbao.modules.mandate.messages import PeriodMs
from tongbao.sdk import SoftwareKey, create_chain
from tongbao.sdk.wallet import Wallet
from tongbao.testing import ledger_key

HOUR_MS = 3_600_000
SENTENCES = {
    "en": (
        "agree so far",
        "unless its owner vetoes",
        "keys, thresholds or guardians",
        "Together 2",
        "at most 7.50 each 1 h",
    ),
    "zh": ("逾期失效", "除非所有者否决", "密钥、阈值或监护人", "其中 2 个", "每 1 小时 至多 7.50"),
}


def weighted(key: SoftwareKey) -> WeightedKey:
    """A key of weight 1."""
    return WeightedKey(key=ledger_key(key), weight=Small(1))


def opened(bank: Wallet, *keys: SoftwareKey) -> Wallet:
    """An account whose keys must all sign what is sensitive."""
    message = account.Open(
        keys=tuple(map(weighted, keys)),
        ordinary=Small(1),
        sensitive=Small(len(keys)),
        lanes=Small(1),
    )
    address = Address(bank.send(message, also=keys).made)
    return bank.chain.wallet(address, *keys)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_owner_sees_who_may_do_what_and_until_when(tmp_path: Path, language: str) -> None:
    """
    Given an owner with two guardians, one mandate and a change that waits,
    when guardians ask for other keys, one and then both,
    then the page of the account names the guardians, the mandate with what is left of it and what
    it allows each hour, the change, and the recovery at each of its stages with those who have
    agreed, in each language.
    """
    keys = [SoftwareKey.generate() for _ in range(6)]
    chain, bank = create_chain(tmp_path / "chain", passphrase="correct horse battery staple")
    with chain, serving_chain(FixedChain(), chain) as served:
        owner = opened(bank, keys[0], keys[1])
        guardians = [opened(bank, key) for key in keys[2:4]]
        bank.send(asset.Define(code=AssetCode("CNY"), scale=Small(2)))
        trusted = tuple(guardian.address for guardian in guardians)
        granted = mandate.Grant(
            holder=bank.address,
            asset=bank.asset_id("CNY"),
            total=Amount("90.00"),
            expires_at=Time(chain.now() + HOUR_MS),
            each_period=Amount("7.50"),
            period_ms=PeriodMs(HOUR_MS),
        )
        owner.send(account.SetGuardians(guardians=trusted, threshold=Small(2)), granted)
        owner.send(account.SetThresholds(ordinary=Small(2), sensitive=Small(2)))
        asked = account.ProposeRecovery(
            account=owner.address,
            keys=tuple(map(weighted, keys[4:])),
            ordinary=Small(1),
            sensitive=Small(2),
        )
        recovery = Id(guardians[0].send(asked, also=tuple(keys[4:])).made)

        def page() -> str:
            path = f"/accounts/{owner.address}"
            return served.client.get(path, headers={"accept-language": language}).text

        first = page()
        guardians[1].send(account.ApproveRecovery(recovery=recovery))
        second = page()

    is_open, waits, change, together, each = SENTENCES[language]
    assert all(sentence in first for sentence in (is_open, change, together, "90.00", each))
    rows = (text.split('"recovery-')[1].split("</tr>")[0] for text in (first, second))
    agreed = [row.count('href="/accounts/') for row in rows]
    assert agreed == [1, 2]
    assert all(f'href="/accounts/{guardian}"' in first for guardian in (*trusted, bank.address))
    assert waits in second and change not in second
    assert first.count("recovery-" + recovery) == second.count("recovery-" + recovery) == 1
