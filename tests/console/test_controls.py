"""An account's page shows its owner what stands on the holdings, who did what, and why."""

from __future__ import annotations

import pytest

from tests.fixed_chain import BEGIN, HOUR
from tests.node.conftest import serving
from tongbao.kernel import Amount, AssetCode, AssetId, Reference, Small, Time
from tongbao.modules import asset


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        (
            "en",
            ("What stands on these holdings", "Nothing leaves", "A suspicion of fraud", "At most"),
        ),
        ("zh", ("对这些持有的管控", "禁止支出", "涉嫌欺诈", "上限")),
    ],
)
def test_an_owner_sees_freezes_limits_and_acts_with_their_grounds(
    language: str, texts: tuple[str, ...]
) -> None:
    """
    Given alice, whose holding of an asset has a limit and was frozen on a ground,
    when her page is read in a language,
    then both stand there in it, with a proof and the two acts; the bank's page has neither.
    """
    with serving() as served:
        fixed = served.fixed
        gold = AssetId(f"GOLD.{fixed.bank}")
        flags = tuple(map(asset.Flag, ("freezing", "limits")))
        sent = fixed.signed(
            "bank",
            asset.Define(code=AssetCode("GOLD"), scale=Small(0)),
            asset.SetFlags(asset=gold, switch_on=flags),
            asset.Issue(
                asset=gold, amount=Amount("5"), payee=fixed.alice, reference=Reference("first")
            ),
            asset.SetLimit(asset=gold, account=fixed.alice, limit=Amount("7"), reason=Small(9)),
            asset.Freeze(
                asset=gold,
                account=fixed.alice,
                scope=asset.Scope("debits"),
                reason=Small(4),
                until=Time(BEGIN + 9 * HOUR),
            ),
        )
        served.send(sent).raise_for_status()
        asked = {"accept": "text/html", "accept-language": language}
        text = served.client.get(f"/accounts/{fixed.alice}", headers=asked).text
        other = served.client.get(f"/accounts/{fixed.bank}", headers=asked).text

    assert all(word in text for word in texts)
    assert f"/v1/rows/asset.standings/proof?key={fixed.alice}&amp;key={gold}" in text
    assert text.count('data-key="control-') == 2
    assert text.count('data-key="act-') == 2
    assert texts[0] not in other
