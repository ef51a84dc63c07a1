"""Who takes part: schemas, enterprises, sources, adjudicators, and who says so."""

from collections.abc import Sequence

from msgspec.structs import replace

from tongbao.kernel import Address, Context, View, require
from tongbao.modules import account, member
from tongbao.modules.data.messages import (
    AdmitSource,
    DefineSchema,
    EndSource,
    RegisterEnterprise,
    Serve,
    SuspendEnterprise,
    Why,
)
from tongbao.modules.data.money import release, reserve, scale_of
from tongbao.modules.data.records import Definition, Enterprise, Serving, Source
from tongbao.modules.data.tables import (
    ADJUDICATORS_LIMIT,
    REGISTRAR,
    adjudicators,
    by_serving,
    enterprises,
    module,
    schemas,
    sources,
)
from tongbao.modules.data.types import EVENT, SOURCE_KEYS_LIMIT, Schema, SourceKeys

SELF = "self"


def has_role(ctx: View, address: Address, role: str) -> bool:
    """Whether an account acts for an active member with a role; never on a chain without them."""
    return ctx.has(member.module) and member.has_role(ctx, address, role)


def require_registrar(ctx: Context) -> None:
    """Refuse a sender that operators have not made registrar."""
    require(has_role(ctx, ctx.sender, REGISTRAR), Why.SENDER_IS_NOT_REGISTRAR)


def require_each_once(*lists: Sequence[object]) -> None:
    """Refuse a list that names something twice: one thing has one spelling."""
    require(all(len(set(words)) == len(words) for words in lists), Why.WORD_IS_DOUBLED)


def require_fields(ctx: View, schema: Schema, fields: Sequence[str]) -> None:
    """Refuse fields that are not those of a schema, each once."""
    definition = ctx[schemas].one(schema, Why.SCHEMA_NOT_FOUND)
    require(set(fields) <= set(definition.fields), Why.FIELD_NOT_FOUND)
    require_each_once(fields)


@module.handler
def define_schema(ctx: Context, msg: DefineSchema) -> None:
    """Keep a schema's fields."""
    require_registrar(ctx)
    require(msg.schema not in ctx[schemas], Why.SCHEMA_IS_DEFINED)
    require(not msg.sensitive, Why.SENSITIVE_IS_REFUSED)
    require_each_once(msg.fields)
    require(EVENT not in msg.fields, Why.FIELD_IS_RESERVED)

    # From here it succeeds.
    ctx[schemas][msg.schema] = Definition(fields=msg.fields)


@module.handler
def register_enterprise(ctx: Context, msg: RegisterEnterprise) -> None:
    """Write down what an enterprise may ask for; one that was suspended may again."""
    require_registrar(ctx)
    require(account.is_open(ctx, msg.enterprise), Why.ACCOUNT_NOT_FOUND)
    require_each_once(msg.purposes, [ask.schema for ask in msg.asks])
    for ask in msg.asks:
        require_fields(ctx, ask.schema, ask.fields)
    before = ctx[enterprises].get(msg.enterprise)
    restored_at = None if before is None else before.restored_at
    if before is not None and before.suspended:
        restored_at = ctx.time

    # From here it succeeds.
    ctx[enterprises][msg.enterprise] = Enterprise(
        region=msg.region,
        purposes=msg.purposes,
        asks=msg.asks,
        suspended_at=None if before is None else before.suspended_at,
        restored_at=restored_at,
    )


@module.handler
def suspend_enterprise(ctx: Context, msg: SuspendEnterprise) -> None:
    """Stop an enterprise; what it has confirmed is not revealed, and nobody is at fault."""
    require_registrar(ctx)
    found = ctx[enterprises].one(msg.enterprise, Why.ENTERPRISE_NOT_FOUND)

    # From here it succeeds.
    ctx[enterprises][msg.enterprise] = replace(found, suspended=True, suspended_at=ctx.time)


@module.handler
def admit_source(ctx: Context, msg: AdmitSource) -> None:
    """Let a source attest, against a bond that it has posted."""
    require_registrar(ctx)
    require(msg.schema in ctx[schemas], Why.SCHEMA_NOT_FOUND)
    require(msg.method != SELF, Why.METHOD_IS_SELF)
    require(account.is_open(ctx, msg.source), Why.ACCOUNT_NOT_FOUND)
    require(has_role(ctx, msg.source, member.DATA_SOURCE), Why.SOURCE_HAS_NO_ROLE)
    require((msg.source, msg.schema) not in ctx[sources], Why.SOURCE_IS_ADMITTED)
    scale_of(ctx, msg.asset, msg.bond)
    reserve(ctx, msg.source, msg.asset, msg.bond)

    # From here it succeeds.
    ctx[sources][msg.source, msg.schema] = Source(
        method=msg.method,
        volume=msg.volume,
        asset=msg.asset,
        bond=msg.bond,
        keys=with_keys_of_now(ctx, msg.source, ()),
    )


def with_keys_of_now(ctx: View, source: Address, known: SourceKeys) -> SourceKeys:
    """The keys that are known of a source, and after them those that sign alone for it now."""
    fresh = tuple(key for key in account.signing_alone(ctx, source) if key not in known)
    return (*known, *fresh)[-SOURCE_KEYS_LIMIT:]


@module.handler
def end_source(ctx: Context, msg: EndSource) -> None:
    """A source attests a schema no more."""
    require_registrar(ctx)
    found = ctx[sources].one((msg.source, msg.schema), Why.SOURCE_NOT_FOUND)

    # From here it succeeds.
    release(ctx, msg.source, found.asset, found.bond)
    del ctx[sources][msg.source, msg.schema]


@module.handler
def serve(ctx: Context, msg: Serve) -> None:
    """List an adjudicator, or take it off the list."""
    require(has_role(ctx, ctx.sender, member.ADJUDICATOR), Why.SENDER_IS_NOT_ADJUDICATOR)
    most = ctx.parameter(ADJUDICATORS_LIMIT)
    listed = ctx.page(by_serving, 0, None, limit=most).rows
    known = ctx.sender in ctx[adjudicators]
    require(known or not msg.serves or len(listed) < most, Why.TOO_MANY_ADJUDICATORS)

    # From here it succeeds.
    if msg.serves:
        ctx[adjudicators][ctx.sender] = Serving(since=ctx.time)
    elif known:
        del ctx[adjudicators][ctx.sender]


def is_active(ctx: View, buyer: Address) -> bool:
    """Whether a buyer is registered, not suspended, and no member that does not take part."""
    found = ctx[enterprises].get(buyer)
    if found is None or found.suspended:
        return False
    standing = member.standing(ctx, buyer) if ctx.has(member.module) else None
    return standing is None or standing.is_active


def was_suspended(ctx: View, buyer: Address, since: int) -> bool:
    """Whether a buyer is not active, or was not for a while at a time or later."""
    found = ctx[enterprises].get(buyer)
    if found is None or not is_active(ctx, buyer):
        return True
    began, ended = found.suspended_at, found.restored_at
    return (began is not None and began >= since) or (ended is not None and ended > since)
