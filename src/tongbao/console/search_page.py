"""Search: what is typed leads to its page, or to one that says what can be looked for."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from tongbao.console import forms
from tongbao.console.asking import Asked, Elsewhere, View
from tongbao.console.site import Site
from tongbao.kernel import Address, AssetId, Id
from tongbao.modules import account, asset, governance, member
from tongbao.modules.member import Lei
from tongbao.sdk.joined import NeverHere

LONGEST: Final = 200


def search(site: Site, asked: Asked) -> View | Elsewhere:
    """Find what has a text as its height, id, address or asset."""
    text = asked.query.get("q", "").strip()
    if not text:
        return View(template="search.html", facts={"text": "", "is_long": False})
    if len(text) > LONGEST:
        facts = {"text": text[:LONGEST], "is_long": True}
        return View(template="search.html", facts=facts, status=HTTPStatus.BAD_REQUEST)
    path = place_of(site, text)
    if path is not None:
        return Elsewhere(path)
    facts = {"text": text, "is_long": False}
    return View(template="search.html", facts=facts, status=HTTPStatus.NOT_FOUND)


def place_of(site: Site, text: str) -> str | None:
    """The path of the page about a text; None when there is nothing of that name."""
    chain = site.chain
    small = text.lower()
    if forms.HEIGHT.match(text):
        return f"/blocks/{text}" if int(text) <= chain.head().height else None
    if forms.TRANSACTION.match(small):
        return f"/transactions/{small}" if _may_be_there(site, small) else None
    if forms.ADDRESS.match(small):
        address = Address(small)
        is_there = address in site.vaults or chain.query(account.show, address) is not None
        return f"/accounts/{small}" if is_there else _proposal(site, Id(small))
    if forms.LEI.match(text.upper()) and site.has("member"):
        lei = Lei(text.upper())
        return f"/members/{lei}" if chain.query(member.show, lei) is not None else None
    code, _, issuer = text.partition(".")
    found = f"{code.upper()}.{issuer.lower()}"
    if forms.ASSET.match(found) and chain.query(asset.show, AssetId(found)) is not None:
        return f"/assets/{found}"
    return None


def _proposal(site: Site, wanted: Id) -> str | None:
    """The path of a proposal of this id, if there is one."""
    if not site.has("governance") or site.chain.query(governance.show, wanted) is None:
        return None
    return f"/proposals/{wanted}"


def _may_be_there(site: Site, identifier: str) -> bool:
    """Whether there is something to say of a transaction."""
    try:
        return site.chain.status(identifier).state != "unknown"
    except NeverHere:
        return True
