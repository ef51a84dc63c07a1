"""The OpenAPI 3.1 document, generated from the table of operations and the types of messages."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

import msgspec

from tongbao import __version__
from tongbao.kernel import Registry
from tongbao.kernel.schema import wire_name_of
from tongbao.node import examples
from tongbao.node.operations import Operation, errors_of
from tongbao.node.problems import MEDIA_TYPE
from tongbao.node.schemas import cleaned, components, reference, schema_of_other

TAGS: Final = {
    "transactions": "Send signed transactions, and ask what became of them.",
    "chain": "The chain, its blocks and its rows, as they were decided.",
    "proofs": "What is checked without trusting the node.",
    "accounts": "Accounts and what belongs to them.",
    "assets": "Assets and their supply.",
    "holds": "Value that is set aside.",
    "queries": "Questions that the chain's modules answer.",
    "events": "What happens, as it happens.",
    "health": "What operators and load balancers watch.",
    "sessions": "Who calls, where reading is for members.",
}
STREAM: Final = (
    "Each event is a `Happening` in JSON. `id` is the cursor to go on after, as `after` or in the "
    "header Last-Event-ID. A comment is a sign of life."
)
RETRY: Final = {
    "Retry-After": {"description": "seconds to wait", "schema": {"type": "integer", "minimum": 1}}
}
ETAG: Final = {
    "ETag": {"description": "for If-None-Match", "schema": {"type": "string"}},
}
SCHEMES: Final = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "an API key, or the token of a session",
    },
    "certificate": {
        "type": "mutualTLS",
        "description": "a client certificate whose URI is the account's `did:tongbao:...`",
    },
}
LATER: Final = frozenset({429, 503, 507})


def document(registry: Registry, operations: tuple[Operation, ...]) -> dict[str, Any]:
    """The whole document."""
    shapes, schemas = components(registry, [kind for one in operations for kind in one.answers])
    paths: dict[str, Any] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, shapes)
    used = {one.tag for one in operations}
    whole = {
        "openapi": "3.1.0",
        "info": {
            "title": "Tongbao",
            "version": __version__,
            "summary": "A permissioned ledger for business.",
            "description": (
                "A transaction is a JWS over RFC 8785 JSON whose payload holds messages: "
                f"{', '.join(map(wire_name_of, registry.messages))}. Every schema of messages and "
                "records is in `components`. What writes is signed. "
                "Reads are public, unless `/v1` says `members` as its `read_policy`: then they "
                "need an API key, a session or a client certificate."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [],
        "tags": [
            {"name": name, "description": text} for name, text in TAGS.items() if name in used
        ],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": dict(_problems(operations)),
            "securitySchemes": SCHEMES,
        },
    }
    found = cleaned(whole)
    assert isinstance(found, dict)
    return found


def _response_name(status: int) -> str:
    return HTTPStatus(status).phrase.title().replace(" ", "").replace("-", "")


def _problems(operations: tuple[Operation, ...]) -> Iterator[tuple[str, Any]]:
    """The answers that many operations share: a problem for each status."""
    for status in sorted({status for one in operations for status in errors_of(one)}):
        said: dict[str, Any] = {
            "description": f"{HTTPStatus(status).phrase}: the problem says what to do.",
            "content": {MEDIA_TYPE: {"schema": reference("Problem")}},
        }
        if status in LATER:
            said["headers"] = RETRY
        yield _response_name(status), said


def _operation(one: Operation, shapes: dict[int, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "description": one.description or one.summary,
        "tags": [one.tag],
        "parameters": list(_parameters(one)),
        "responses": _responses(one, shapes),
    }
    if one.needs.scope is not None:  # `{}`: where reading is public, nobody has to be known
        said["security"] = [{}, *({scheme: []} for scheme in SCHEMES)]
    if one.takes:
        said["requestBody"] = {
            "required": True,
            "content": {media_type: dict(taken) for media_type, taken in one.takes.items()},
        }
    return said


def _responses(one: Operation, shapes: dict[int, Any]) -> dict[str, Any]:
    """Every answer of an operation, by status."""
    found: dict[str, Any] = {}
    if one.answers:
        kinds = [shapes[id(kind)] for kind in one.answers]
        shape = kinds[0] if len(kinds) == 1 else {"oneOf": kinds}
        if one.media_type == "text/event-stream":  # annotations alone: JSON Schema validation, 8
            shape = {
                **shape,
                "contentMediaType": "application/json",
                "contentSchema": reference("Happening"),
            }
        found["200"] = {"description": "Done.", "content": {one.media_type: {"schema": shape}}}
    for status, text in one.also.items():
        found[str(status)] = {**found.get("200", {}), "description": text}
    if one.is_lasting:
        found["200"]["headers"] = ETAG
        found["304"] = {"description": "The caller has it already.", "headers": ETAG}
    for status in errors_of(one):
        if status not in one.also:
            name = _response_name(status)
            found[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return dict(sorted(found.items()))


def _parameters(one: Operation) -> Iterator[dict[str, Any]]:
    """Parameters of path and query, with their schemas."""
    schema = msgspec.json.schema(one.asks, schema_hook=schema_of_other)
    definition = schema["$defs"][one.asks.__name__]
    for name, shape in definition["properties"].items():
        in_path = f"{{{name}}}" in one.path
        own = _without_null(shape)
        found = {
            "name": name,
            "in": "path" if in_path else "query",
            "required": in_path or name in definition["required"],
            "schema": own,
        }
        if shape.get("type") == "array":
            found |= {"style": "form", "explode": True}
        example = examples.of_parameter(name, own)
        if example is not None:
            found["example"] = example
        yield found


def _without_null(shape: dict[str, Any]) -> dict[str, Any]:
    """A parameter that is left out is not null."""
    choices = [part for part in shape.get("anyOf", ()) if part != {"type": "null"}]
    if len(choices) == 1:
        return dict(choices[0])
    return {name: part for name, part in shape.items() if name != "default" or part is not None}
