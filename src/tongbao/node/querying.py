"""Module queries as operations: one for each query of each module, derived from its function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta
from starlette.requests import Request

from tongbao.kernel import Cursor, Module, Page, Registry, jcs
from tongbao.node.api import Api
from tongbao.node.operations import Operation
from tongbao.node.problems import bad_request
from tongbao.sdk.answers import PageAnswer, PageRow, QueryAnswer

MIN_HEIGHT: Final = "min_height"
CursorText = Annotated[
    str, Meta(pattern=r"^(?:[0-9a-f]{2}){1,600}\Z", description="where to go on")
]


def operations_of(registry: Registry) -> Iterator[Operation]:
    """An operation for each query of each module."""
    for module in registry.modules:
        for name, query in module.queries.items():
            yield _operation(module, name, query)


def _operation(module: Module, name: str, query: Callable[..., Any]) -> Operation:
    hints = get_type_hints(query, include_extras=True)
    found = hints.pop("return")
    asks = _parameters(f"{module.name}_{name}", query, hints)
    is_page = get_origin(found) is Page

    async def run(api: Api, request: Request, asked: Any) -> QueryAnswer | PageAnswer:
        given = {field: getattr(asked, field) for field in asked.__struct_fields__}
        min_height = given.pop(MIN_HEIGHT)
        return await api.read(min_height, _ask, api, query, given)

    return Operation(
        method="GET",
        path=f"/v1/modules/{module.name}/{name}",
        name=f"{module.name}_{name}",
        summary=" ".join((query.__doc__ or "").split()),
        asks=asks,
        answers=(PageAnswer if is_page else QueryAnswer,),
        run=run,
        errors=(400, 503),
    )


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
