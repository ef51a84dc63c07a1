"""One transaction: exactly what was signed, what became of it, what it did, and its proof."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from tongbao.console import forms
from tongbao.console.asking import Asked, View, follow
from tongbao.console.history import state_of
from tongbao.console.site import Site
from tongbao.kernel.envelope import decode_envelope
from tongbao.kernel.transaction import ID_DOMAIN
from tongbao.sdk.client import Status
from tongbao.sdk.joined import NeverHere
from tongbao.store.errors import Pruned


def transaction(site: Site, asked: Asked) -> View:
    """What is known of a transaction's id."""
    wanted = forms.transaction(asked.path["id"])
    path = f"/v1/transactions/{wanted}"
    try:
        status = site.chain.status(wanted)
    except NeverHere:
        facts = {"id": wanted, "state": "unknown", "begins": site.chain.begins}
        gone = HTTPStatus.GONE
        return View(template="transaction_missing.html", facts=facts, json=path, status=gone)
    if status.height is None or status.index is None:
        is_pending = status.state == "pending"
        head = site.chain.head()
        return View(
            template="transaction_missing.html",
            facts={"id": wanted, "state": status.state, "begins": 0},
            height=head.height,
            follow=follow(head.height),
            again=is_pending,
            json=path,
            status=HTTPStatus.OK if is_pending else HTTPStatus.NOT_FOUND,
        )
    try:
        record = site.chain.block(status.height)
    except Pruned:
        return _pruned(site, wanted, status)
    facts = _facts(site, record, status.index, status.number)
    return View(template="transaction.html", facts={"id": wanted, **facts}, json=path)


def _pruned(site: Site, wanted: str, status: Status) -> View:
    """What is known for ever of a transaction whose block was pruned."""
    facts = {
        "id": wanted,
        "state": status.state,
        "number": status.number,
        "reason": site.chain.registry.reasons.get(status.number),
        "block": status.height,
        "index": status.index,
        "first": site.chain.first_block,
    }
    return View(
        template="transaction_pruned.html",
        facts=facts,
        json=f"/v1/transactions/{wanted}",
        status=HTTPStatus.GONE,
    )


def _facts(site: Site, record: Any, index: int, number: int) -> dict[str, Any]:
    """What a block says of one of its transactions."""
    wire, receipt = record.transactions[index], record.receipts[index]
    envelope = decode_envelope(wire)
    payload = msgspec.json.decode(envelope.payload)
    did = msgspec.json.decode(receipt)
    return {
        "block": record,
        "index": index,
        "number": number,
        "state": state_of(number),
        "reason": site.chain.registry.reasons.get(number),
        "payload": payload,
        "messages": [site.reader.said(message) for message in payload["messages"]],
        "events": [site.reader.said(event) for event in did.get("events", ())],
        "made": did.get("ids", ()),
        "refused_message": did.get("message", 0),
        "signers": [signature.kid for signature in envelope.signatures],
        "id_domain": ID_DOMAIN.decode(),
        "payload_text": envelope.payload.decode(),
        "wire_text": wire.decode(),
        "receipt_text": receipt.decode(),
    }
