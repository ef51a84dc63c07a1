"""A receipt as JSON-LD: ISO/IEC TS 27560:2023 in the terms of the W3C Data Privacy Vocabulary 2.

The members are those of the DPV community group's guide on 27560, and what that has no word for
stands under `tongbao:`. The context is inline: nothing is ever fetched to know what a receipt says.
docs/data-receipts.md tells what each member is.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from tongbao.kernel import jcs
from tongbao.rights.receipt_terms import Receipt, milliseconds, written
from tongbao.rights.sentence import NOTICE_VERSION, chinese, english

PROFILE: Final = "urn:tongbao:data:receipt:1"
"""The form of this document; another one gets another number."""

CONTEXT: Final = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "loc": "https://w3id.org/dpv/loc#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "tongbao": "urn:tongbao:data:",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
ENGLISH: Final = "en"
CHINESE: Final = "zh-Hans"

PROCESSING: Final = {
    "view": ("dpv:Consult",),
    "store": ("dpv:Store", "dpv:Use"),
    "stream": ("dpv:Store", "dpv:Use"),
}
"""What a mode lets a buyer do, in terms of the DPV."""

Json = dict[str, Any]


def document_of(receipt: Receipt) -> Json:
    """The document of a receipt."""
    return {
        "@context": CONTEXT,
        "@id": _name(receipt, "receipt", receipt.order),
        "@type": "dpv:ConsentReceipt",
        "dct:conformsTo": {"@id": PROFILE},
        "dct:created": _time(receipt.made_at),
        "dct:identifier": receipt.order,
        "dpv:hasRecordOfActivity": _record(receipt),
    }


def _record(receipt: Receipt) -> Json:
    return {
        "@id": _name(receipt, "order", receipt.order),
        "@type": "dpv:ConsentRecord",
        "dct:identifier": receipt.order,
        "dct:language": [ENGLISH, CHINESE],
        "dpv:hasConsentStatus": _event(receipt),
        "dpv:hasDataController": _buyer(receipt),
        "dpv:hasDataSubject": _party(receipt, receipt.owner, "dpv:DataSubject"),
        "dpv:hasNotice": _notice(receipt),
        "dpv:hasProcess": _process(receipt),
        "tongbao:chain": receipt.chain,
        "tongbao:offer": receipt.offer,
        "tongbao:requestHash": receipt.request_hash,
    }


def _event(receipt: Receipt) -> Json:
    """The consent: who gives it when, for how long."""
    return {
        "@type": ["dpv:ConsentGiven", "dpv:ExplicitlyExpressedConsent"],
        "dpv:hasDuration": _until(receipt.delete_by),
        "dpv:hasIndicationMethod": "data.seal",
        "dpv:isIndicatedAtTime": _time(receipt.made_at),
        "dpv:isIndicatedBy": _party(receipt, receipt.seller, "dpv:Entity"),
    }


def _party(receipt: Receipt, account: str, kind: str) -> Json:
    return {
        "@id": _name(receipt, "account", account),
        "@type": kind,
        "dct:identifier": account,
    }


def _buyer(receipt: Receipt) -> Json:
    """Who gets the data; an institution's postal address is found by its LEI."""
    party: Json = _party(receipt, receipt.buyer, "dpv:DataController")
    party["dpv:hasLocation"] = {"@id": f"loc:{receipt.region}"}
    if receipt.institution is not None:
        party["dpv:hasName"] = receipt.institution.name
        party["schema:leiCode"] = receipt.institution.lei
    return party


def _notice(receipt: Receipt) -> Json:
    texts = ((ENGLISH, english(receipt)), (CHINESE, chinese(receipt)))
    return {
        "@type": "dpv:ConsentNotice",
        "dct:description": [{"@language": code, "@value": text} for code, text in texts],
        "dct:hasVersion": NOTICE_VERSION,
        "tongbao:texts": [
            {"dct:language": code, "tongbao:sha256": sha256(text.encode()).hexdigest()}
            for code, text in texts
        ],
    }


def _process(receipt: Receipt) -> Json:
    region = {"@id": f"loc:{receipt.region}"}
    return {
        "@type": "dpv:Process",
        "dpv:hasConsentControl": {
            "@type": "dpv:WithdrawConsent",
            "dpv:isExercisedAt": {"@id": _name(receipt, "order", receipt.order)},
            "tongbao:messages": ["data.withdraw_order", "data.withdraw_offer"],
        },
        "dpv:hasJurisdiction": region,
        "dpv:hasLegalBasis": {"@id": "dpv:ExplicitlyExpressedConsent"},
        "dpv:hasPersonalData": {
            "@type": "dpv:PersonalData",
            "dct:identifier": receipt.schema,
            "skos:broader": {"@id": _name(receipt, "schema", receipt.schema)},
            "tongbao:batches": {"@list": list(receipt.batches)},
            "tongbao:fields": {"@list": list(receipt.fields)},
        },
        "dpv:hasProcessing": [{"@id": term} for term in PROCESSING[receipt.mode]],
        "dpv:hasPurpose": {
            "@type": "dpv:Purpose",
            "dct:description": receipt.why,
            "skos:broader": {"@id": receipt.purpose},
        },
        "dpv:hasRecipient": {"@id": _name(receipt, "account", receipt.buyer)},
        "dpv:hasRule": {
            "@type": "dpv:Prohibition",
            "dpv:hasProcessing": {"@id": "dpv:Share"},
        },
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": region},
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": _until(receipt.delete_by)},
        ],
        "tongbao:mode": receipt.mode,
        "tongbao:offeredRetentionMs": receipt.retention_ms,
        "tongbao:payment": {
            "tongbao:asset": receipt.asset,
            "tongbao:deletionBond": str(receipt.deletion_bond),
            "tongbao:fee": str(receipt.fee),
            "tongbao:price": str(receipt.price),
        },
    }


def _until(ms: int) -> Json:
    return {"@type": "dpv:UntilTimeDuration", "rdf:value": _time(ms)}


def _time(ms: int) -> Json:
    return {"@type": "xsd:dateTime", "@value": written(ms)}


def _name(receipt: Receipt, kind: str, what: str) -> str:
    """An opaque name, to be the same in all receipts of a chain; it is nowhere to be fetched."""
    return f"urn:tongbao:{receipt.chain}:{kind}:{what}"


def facts_of(document: Json) -> Receipt:
    """The facts that a document states; whether it states nothing else is for who compares.

    Raises KeyError, TypeError, ValueError (and msgspec's errors, which are such).
    """
    record = document["dpv:hasRecordOfActivity"]
    event, process = record["dpv:hasConsentStatus"], record["dpv:hasProcess"]
    buyer, paid = record["dpv:hasDataController"], process["tongbao:payment"]
    rows, purpose = process["dpv:hasPersonalData"], process["dpv:hasPurpose"]
    facts: Json = {
        "chain": record["tongbao:chain"],
        "order": record["dct:identifier"],
        "offer": record["tongbao:offer"],
        "owner": record["dpv:hasDataSubject"]["dct:identifier"],
        "seller": event["dpv:isIndicatedBy"]["dct:identifier"],
        "buyer": buyer["dct:identifier"],
        "institution": _institution(buyer),
        "region": buyer["dpv:hasLocation"]["@id"].removeprefix("loc:"),
        "schema": rows["dct:identifier"],
        "fields": rows["tongbao:fields"]["@list"],
        "batches": rows["tongbao:batches"]["@list"],
        "purpose": purpose["skos:broader"]["@id"],
        "why": purpose["dct:description"],
        "mode": process["tongbao:mode"],
        "asset": paid["tongbao:asset"],
        "price": paid["tongbao:price"],
        "fee": paid["tongbao:fee"],
        "deletion_bond": paid["tongbao:deletionBond"],
        "retention_ms": process["tongbao:offeredRetentionMs"],
        "delete_by": milliseconds(event["dpv:hasDuration"]["rdf:value"]["@value"]),
        "made_at": milliseconds(document["dct:created"]["@value"]),
        "request_hash": record["tongbao:requestHash"],
    }
    found: Receipt = jcs.convert(facts, Receipt)
    return found


def _institution(buyer: Json) -> Json | None:
    if "schema:leiCode" not in buyer:
        return None
    return {"lei": buyer["schema:leiCode"], "name": buyer["dpv:hasName"]}
