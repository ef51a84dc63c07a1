"""Module queries as operations: one for each query of each module, derived from its function.

What people look for by its own address, an account or an asset, has a second path (`RESOURCES`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import cache
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta
from starlette.requests import Request

from tongbao.kernel import Address, Cursor, Module, Page, Registry, jcs
from tongbao.node.access.needs import CHAIN, LEDGER, Need, Scope, of_account
from tongbao.node.api import Api
from tongbao.node.operations import Operation, Process
from tongbao.node.problems import bad_request, not_found
from tongbao.sdk.answers import PageAnswer, PageRow, QueryAnswer, query_path

MIN_HEIGHT: Final = "min_height"
CursorText = Annotated[
    str, Meta(pattern=r"^(?:[0-9a-f]{2}){1,600}\Z", description="where to go on")
]


RESOURCES: Final = (
    ("account", "/v1/accounts/{address}", "account", "show"),
    ("holdings", "/v1/accounts/{account}/holdings", "asset", "held_by"),
    ("issued", "/v1/accounts/{issuer}/assets", "asset", "issued_by"),
    ("holds_for", "/v1/accounts/{payee}/holds", "hold", "held_for"),
    ("holds_by", "/v1/accounts/{payer}/holds-placed", "hold", "placed_by"),
    ("asset", "/v1/assets/{asset}", "asset", "show"),
    ("supply", "/v1/assets/{asset}/supply", "asset", "supply"),
    ("hold", "/v1/holds/{hold}", "hold", "show"),
)
"""The operation's name, its path, and the module and query that answer; 404 where it is nothing."""


def operations_of(registry: Registry) -> Iterator[Operation]:
    """An operation for each query of each module, and those of `RESOURCES`."""
    for module in registry.modules:
        for name, query in module.queries.items():
            path = query_path(module.name, name)
            yield _operation(f"{module.name}_{name}", path, query, module)
    modules = {module.name: module for module in registry.modules}
    for name, path, module_name, query_name in RESOURCES:
        if module_name in modules:
            yield _operation(
                name,
                path,
                modules[module_name].queries[query_name],
                modules[module_name],
                missing=f"there is no such {name.split('_')[0]}",
                tag=path.split("/")[2],
            )


def _operation(
    name: str,
    path: str,
    query: Callable[..., Any],
    module: Module,
    *,
    missing: str | None = None,
    tag: str = "queries",
) -> Operation:
    """A query behind a path; with `missing`, that is what a 404 says where it finds nothing."""
    hints = get_type_hints(query, include_extras=True)
    found = hints.pop("return")
    asks = _parameters(name, query, hints)
    is_page = get_origin(found) is Page

    async def run(api: Api, request: Request, asked: Any) -> QueryAnswer | PageAnswer:
        given = {field: getattr(asked, field) for field in asked.__struct_fields__}
        min_height = given.pop(MIN_HEIGHT)
        answer = await api.read(min_height, _ask, api, query, given)
        if missing is not None and isinstance(answer, QueryAnswer) and answer.value is None:
            raise not_found(f"{missing} at height {answer.height}")
        return answer

    return Operation(
        needs=_need(query, module, hints),
        method="GET",
        path=path,
        name=name,
        summary=" ".join((query.__doc__ or "").split()),
        asks=asks,
        answers=(_answer_type(query),),
        run=run,
        errors=() if missing is None or is_page else (404,),
        tag=tag,
        process=Process.CORE if has_structures(module) else Process.READER,
    )


OPEN_MODULES: Final = frozenset({"governance", "member", "upgrade"})
OPEN_QUERIES: Final = frozenset(
    {
        "account.show",
        "asset.acts_by",
        "asset.controls_of",
        "asset.issued_by",
        "asset.show",
        "asset.supply",
        "data.adjudicating",
        "data.admitted",
        "data.clock",
        "data.enterprise",
        "data.schema",
        "reading.is_for_members",
        "reading.tally",
    }
)
"""Modules and queries that tell what belongs to nobody alone."""

ISSUERS_QUERIES: Final = frozenset({"asset.balance", "asset.standing_of", "asset.statement"})
"""Queries that tell of one asset alone, by their parameter `asset`: its issuer may ask them.

Named one by one, since anybody may issue something: where an answer told of more than that asset,
whoever asks would be its reader.
"""


def _need(query: Callable[..., Any], module: Module, hints: dict[str, Any]) -> Need:
    """Who may ask where reading is for members: of an account's affairs whoever it is.

    A query that names no account, and is not known to be open, may tell of anybody's.
    """
    if module.name in OPEN_MODULES or f"{module.name}.{query.__name__}" in OPEN_QUERIES:
        return CHAIN
    names = [name for name, hint in hints.items() if Address in (hint, *get_args(hint))]
    assets = ("asset",) if f"{module.name}.{query.__name__}" in ISSUERS_QUERIES else ()
    if names:
        return of_account(*names, assets=assets)
    return of_account(scope=Scope.LEDGER, kind=None, assets=assets) if assets else LEDGER


def has_structures(module: Module) -> bool:
    """Whether a query may ask what is kept in memory beside the rows, here or in what it uses."""
    return bool(module.structures) or any(map(has_structures, module.uses))


@cache
def _answer_type(query: Callable[..., Any]) -> type[msgspec.Struct]:
    """The type of a query's answer: QueryAnswer or PageAnswer with what it holds."""
    found = get_type_hints(query, include_extras=True)["return"]
    parts = (*query.__module__.split(".")[-2:-1], *query.__name__.split("_"))
    name = "".join(part.capitalize() for part in parts)
    fields: list[Any] = [("height", int)]
    if get_origin(found) is Page:
        key, row = get_args(found)
        line = msgspec.defstruct(f"{name}Row", [("key", key), ("value", row)])
        fields += [("rows", tuple[line, ...]), ("after", str | None)]  # type: ignore[valid-type]
    else:
        fields.append(("value", found))
    return msgspec.defstruct(f"{name}Answer", fields, namespace={"__doc__": query.__doc__})


def _parameters(
    name: str, query: Callable[..., Any], hints: dict[str, Any]
) -> type[msgspec.Struct]:
    """The struct of a query's parameters, and `min_height`."""
    fields: list[Any] = []
    for parameter in list(inspect.signature(query).parameters.values())[1:]:
        hint = hints[parameter.name]
        if Cursor in (hint, *get_args(hint)):
            hint = CursorText | None
        if parameter.default is inspect.Parameter.empty:
            fields.append((parameter.name, hint))
        else:
            fields.append((parameter.name, hint, parameter.default))
    height = Annotated[int, Meta(ge=0, le=2**53 - 1)] | None
    fields.append((MIN_HEIGHT, height, None))
    return msgspec.defstruct(
        name, fields, frozen=True, kw_only=True, forbid_unknown_fields=True, module=__name__
    )


def _ask(api: Api, query: Callable[..., Any], given: dict[str, Any]) -> QueryAnswer | PageAnswer:
    try:
        with api.chain.reading() as height:
            found = api.chain.query(query, **given)
    except ValueError as error:
        raise bad_request(f"after: {error}") from error
    if isinstance(found, Page):
        rows = tuple(PageRow(jcs.to_builtins(key), jcs.to_builtins(row)) for key, row in found.rows)
        return PageAnswer(height, rows, found.after)
    return QueryAnswer(height, jcs.to_builtins(found))
