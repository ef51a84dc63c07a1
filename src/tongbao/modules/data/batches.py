"""Commitments to months of rows: who may make them, in which order, and when one ends."""

from msgspec.structs import replace

from tongbao.kernel import Context, Count, Hash, Id, Work, require
from tongbao.modules import account
from tongbao.modules.data.hashing import data_hash
from tongbao.modules.data.messages import Commit, Retire, Why
from tongbao.modules.data.records import Batch, Committed, Named
from tongbao.modules.data.registering import SELF, with_keys_of_now
from tongbao.modules.data.tables import (
    batches,
    commitments,
    committed,
    module,
    schemas,
    sources,
    statements,
)


def statement_name(source: str, subject: str, schema: str, period: str, version: int) -> Hash:
    """The name of what one source says of a subject, schema, period and version."""
    parts = (
        bytes.fromhex(source),
        bytes.fromhex(subject),
        schema.encode("ascii"),
        period.encode("ascii"),
        version.to_bytes(4, "big"),
    )
    return Hash(data_hash("statement", *parts).hex())


def name_of(sender: str, msg: Commit, version: int) -> Hash:
    """As `statement_name`, of the statement of a message, or the one before it."""
    return statement_name(sender, msg.subject, msg.schema, msg.period, version)


@module.handler
def commit(ctx: Context, msg: Commit) -> Id:
    """Register a commitment, and let the version before it be live no more."""
    require(msg.schema in ctx[schemas], Why.SCHEMA_NOT_FOUND)
    require(account.is_open(ctx, msg.owner), Why.ACCOUNT_NOT_FOUND)
    if msg.method == SELF:
        require(msg.owner == ctx.sender, Why.METHOD_IS_SELF)
    else:
        count_volume(ctx, msg)
    name = name_of(ctx.sender, msg, msg.version)
    require(name not in ctx[statements], Why.VERSION_IS_TAKEN)
    require(msg.commitment not in ctx[commitments], Why.COMMITMENT_IS_TAKEN)
    supersede(ctx, msg)

    # From here it succeeds.
    made = ctx[batches].add(
        Batch(
            source=ctx.sender,
            owner=msg.owner,
            subject=msg.subject,
            schema=msg.schema,
            period=msg.period,
            version=msg.version,
            commitment=msg.commitment,
            method=msg.method,
            supersedes=msg.supersedes,
        )
    )
    ctx[statements][name] = ctx[commitments][msg.commitment] = Named(batch=made)
    return made


def count_volume(ctx: Context, msg: Commit) -> None:
    """Count a batch of a source that is admitted for the method, within its volume.

    Its keys of now are kept: what it attests with them counts against it when it has others.
    """
    source = ctx[sources].one((ctx.sender, msg.schema), Why.SOURCE_NOT_FOUND)
    require(source.method == msg.method, Why.SOURCE_NOT_FOUND)
    key = ctx.sender, msg.schema, msg.period
    before = ctx[committed].get(key)
    count = 1 + (0 if before is None else before.batches)
    require(count <= source.volume, Why.VOLUME_IS_SPENT)
    ctx[committed][key] = Committed(batches=Count(count))
    keys = with_keys_of_now(ctx, ctx.sender, source.keys)
    if keys != source.keys:
        ctx[sources][ctx.sender, msg.schema] = replace(source, keys=keys)


def supersede(ctx: Context, msg: Commit) -> None:
    """A first version names none before it; each other the live one, which ends."""
    if msg.version == 1:
        require(msg.supersedes is None, Why.PREDECESSOR_IS_WRONG)
        return
    before = ctx[statements].one(
        name_of(ctx.sender, msg, msg.version - 1), Why.PREDECESSOR_IS_WRONG
    )
    old = batch_of(ctx, before.batch)
    fits = before.batch == msg.supersedes and old.owner == msg.owner and not old.retired
    require(fits, Why.PREDECESSOR_IS_WRONG)
    ctx[batches][before.batch] = replace(old, superseded=True)


def batch_of(ctx: Work, name: Id) -> Batch:
    """A batch that there is."""
    batch = ctx[batches].get(name)
    assert batch is not None
    return batch


@module.handler
def retire(ctx: Context, msg: Retire) -> None:
    """End a batch of the sender's."""
    batch = ctx[batches].one(msg.batch, Why.BATCH_NOT_FOUND)
    require(batch.owner == ctx.sender, Why.SENDER_IS_NOT_OWNER)
    require(not batch.retired and not batch.superseded, Why.BATCH_IS_NOT_LIVE)

    # From here it succeeds.
    ctx[batches][msg.batch] = replace(batch, retired=True)
