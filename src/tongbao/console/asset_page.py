"""One asset: who issues it, how much of it there is, and the proofs of that."""

from __future__ import annotations

from tongbao.console import forms
from tongbao.console.asking import Asked, View, follow, missing
from tongbao.console.movements import recall
from tongbao.console.site import Site
from tongbao.kernel import Amount
from tongbao.modules import asset as assets


def asset(site: Site, asked: Asked) -> View:
    """An asset's definition and supply."""
    wanted = forms.asset(asked.path["asset"])
    with site.chain.reading() as height:
        definition = site.chain.query(assets.show, wanted)
        supply = site.chain.query(assets.supply, wanted)
        controls = site.chain.query(assets.controls_of, wanted)
    if definition is None or supply is None:
        raise missing("asset.missing_title", "asset.missing", id=wanted)
    cap = definition.cap
    left = None if cap is None else Amount.of(cap - supply.issued, definition.scale)
    recalled = recall(site.index.movements_of_asset if site.index else None, wanted, asked, height)
    return View(
        template="asset.html",
        facts={
            "id": wanted,
            "code": wanted.partition(".")[0],
            "definition": definition,
            "controls": controls,
            "issued": supply.issued,
            "left": left,
            "recalled": recalled,
        },
        height=height,
        follow=follow(height, asset=wanted),
        again=recalled.lags,
        json=f"/v1/assets/{wanted}",
    )
