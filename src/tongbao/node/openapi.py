"""The OpenAPI 3.1 document, generated from the table of operations and the types of messages."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct, structs

from tongbao import __version__
from tongbao.kernel import Amount, Registry
from tongbao.kernel.schema import wire_name_of
from tongbao.node.operations import Operation
from tongbao.sdk.answers import Problem

TEMPLATE: Final = "#/components/schemas/{name}"
AMOUNT: Final = {
    "type": "string",
    "pattern": "^(0|[1-9][0-9]{0,18})([.][0-9]{1,18})?$",
    "description": "decimal text with exactly the asset's decimals",
}


def _schema_of_other(kind: Any) -> dict[str, Any]:
    assert kind is Amount, kind
    return AMOUNT


def document(registry: Registry, operations: tuple[Operation, ...]) -> dict[str, Any]:
    """The whole document."""
    kinds = [Problem, *registry.messages]
    kinds += [kind for one in operations for kind in one.answers]
    kinds += [table.value for table in registry.tables.values()]
    found, components = msgspec.json.schema_components(
        list(map(_without_raw_default, kinds)),
        schema_hook=_schema_of_other,
        ref_template=TEMPLATE,
    )
    schemas = dict(zip(map(id, kinds), found, strict=True))
    paths: dict[str, Any] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schemas)
    whole = {
        "openapi": "3.1.0",
        "info": {
            "title": "Tongbao",
            "version": __version__,
            "summary": "A permissioned ledger for business.",
            "description": (
                "A transaction is a JWS over RFC 8785 JSON whose payload holds messages: "
                f"{', '.join(map(wire_name_of, registry.messages))}. Every schema of messages and "
                "records is in `components`."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": components},
    }
    cleaned = _clean(whole)
    assert isinstance(cleaned, dict)
    return cleaned


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


def _clean(value: Any) -> Any:
    """The document with patterns as ECMA 262 has them, which ends them otherwise."""
    if isinstance(value, dict):
        return {
            name: re.sub(r"\\Z$", "$", part)
            if name == "pattern" and isinstance(part, str)
            else _clean(part)
            for name, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [_clean(part) for part in value]
    return value


def _operation(one: Operation, schemas: dict[int, Any]) -> dict[str, Any]:
    shapes = [schemas[id(kind)] for kind in one.answers]
    shape = shapes[0] if len(shapes) == 1 else {"oneOf": shapes}
    answer = {"description": "Done.", "content": {one.media_type: {"schema": shape}}}
    problem = {"$ref": TEMPLATE.format(name="Problem")}
    said: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "parameters": list(_parameters(one)),
        "responses": {"200": answer}
        | {
            str(status): {
                "description": HTTPStatus(status).phrase,
                "content": {"application/problem+json": {"schema": problem}},
            }
            for status in sorted({*one.errors, 400, 431, 500})
        },
    }
    if one.takes:
        content = {media_type: {"schema": schema} for media_type, schema in one.takes.items()}
        said["requestBody"] = {"required": True, "content": content}
    if one.name == "submit":
        said["responses"]["202"] = {**answer, "description": "Taken in; it waits for its block."}
    if one.name == "ready":
        said["responses"]["503"] = {**answer, "description": "Not ready, with reasons."}
    return said


def _parameters(one: Operation) -> Any:
    """Parameters of path and query, with their schemas."""
    schema = msgspec.json.schema(one.asks, schema_hook=_schema_of_other)
    definition = schema["$defs"][one.asks.__name__]
    for name, shape in definition["properties"].items():
        in_path = f"{{{name}}}" in one.path
        found = {
            "name": name,
            "in": "path" if in_path else "query",
            "required": in_path or name in definition["required"],
            "schema": _without_null(shape),
        }
        if shape.get("type") == "array":
            found |= {"style": "form", "explode": True}
        yield found


def _without_null(shape: dict[str, Any]) -> dict[str, Any]:
    """A parameter that is left out is not null."""
    choices = [part for part in shape.get("anyOf", ()) if part != {"type": "null"}]
    if len(choices) == 1:
        return dict(choices[0])
    return {name: part for name, part in shape.items() if name != "default" or part is not None}
