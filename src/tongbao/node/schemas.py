"""The schemas of the OpenAPI document: of answers, messages, records and receipts, by their types.

Where an answer's type says only "some JSON", because the node passes bytes on as they are, `MEANT`
says what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct, structs

from tongbao.kernel import Amount, Registry
from tongbao.node.examples import payload
from tongbao.sdk.answers import Happening, Problem

TEMPLATE: Final = "#/components/schemas/{name}"
AMOUNT: Final = {
    "type": "string",
    "pattern": "^(0|[1-9][0-9]{0,18})([.][0-9]{1,18})?$",
    "description": "decimal text with exactly the asset's decimals",
}
NULL: Final = {"type": "null"}
MEANT: Final = (
    ("SubmitAnswer", "receipt", "Receipt"),
    ("DryRunAnswer", "receipt", "Receipt"),
    ("TransactionAnswer", "payload", "Payload"),
    ("TransactionAnswer", "receipt", "Receipt"),
    ("TransactionProof", "receipt", "Receipt"),
    ("Happening", "receipt", "AnyReceipt"),
    ("RowAnswer", "value", "Record"),
    ("RowProof", "value", "Record"),
)
"""Component, member, and the component that it holds, or null."""


def reference(name: str) -> dict[str, Any]:
    """A reference to a component."""
    return {"$ref": TEMPLATE.format(name=name)}


def schema_of_other(kind: Any) -> dict[str, Any]:
    """The schema of a type that msgspec does not know."""
    assert kind is Amount, kind
    return AMOUNT


def components(registry: Registry, answers: Iterable[Any]) -> tuple[dict[int, Any], dict[str, Any]]:
    """Each answer's schema by its type's `id`, and every schema that they refer to, by name."""
    payload_type, receipt_type = registry.payload_decoder.type, registry.receipt_decoder.type
    records = [table.value for table in registry.tables.values()]
    kinds = [*answers, Problem, Happening, payload_type, receipt_type, *registry.messages, *records]
    found, every = msgspec.json.schema_components(
        list(map(_without_raw_default, kinds)),
        schema_hook=schema_of_other,
        ref_template=TEMPLATE,
    )
    shapes = dict(zip(map(id, kinds), found, strict=True))
    for name, kind in (("Payload", payload_type), ("Receipt", receipt_type)):
        every[name] = {**every.pop(_name_in(shapes[id(kind)])), "title": name}
    example = payload(registry)
    if example is not None:
        every["Payload"]["example"] = example
    every["DueReceipt"] = _due(every["Receipt"])
    every["AnyReceipt"] = {"anyOf": [reference("Receipt"), reference("DueReceipt")]}
    every["Record"] = {
        "description": "A record of any table; its table says which.",
        "anyOf": [shapes[id(kind)] for kind in dict.fromkeys(records)],
    }
    for name, member, meant in MEANT:
        if name in every:
            every[name]["properties"][member] = {"anyOf": [reference(meant), NULL]}
    return shapes, every


def _name_in(shape: dict[str, str]) -> str:
    return shape["$ref"].rpartition("/")[2]


def _due(receipt: dict[str, Any]) -> dict[str, Any]:
    """What a block's due work did: `tongbao.kernel.receipt.DueReceipt`."""
    count = {"type": "integer", "minimum": 0, "default": 0}
    members = {name: receipt["properties"][name] for name in ("ids", "events")}
    return {
        "title": "DueReceipt",
        "description": "What a block's due work did.",
        "type": "object",
        "properties": {"done": count, "stuck": count, **members},
        "additionalProperties": False,
    }


def _without_raw_default(kind: Any) -> Any:
    """The same type without a default that is no JSON, which stands for "is not there"."""
    if not isinstance(kind, type) or not issubclass(kind, Struct):
        return kind
    fields = structs.fields(kind)
    if not any(isinstance(field.default, Raw) for field in fields):
        return kind
    config = kind.__struct_config__
    return msgspec.defstruct(
        kind.__name__,
        [
            (field.name, field.type)
            if field.required
            else (field.name, field.type, None if isinstance(field.default, Raw) else field.default)
            for field in fields
        ],
        tag_field=config.tag_field,
        tag=config.tag,
        kw_only=True,
        forbid_unknown_fields=True,
        namespace={"__doc__": kind.__doc__},
    )


def cleaned(value: Any) -> Any:
    """A document with patterns as ECMA 262 has them, which ends them otherwise, and short texts."""
    if isinstance(value, dict):
        return {
            name: _text(name, part) if isinstance(part, str) else cleaned(part)
            for name, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [cleaned(part) for part in value]
    return value


def _text(name: str, text: str) -> str:
    if name == "pattern":
        return re.sub(r"\\Z$", "$", text)
    return " ".join(text.split()) if name == "description" else text
