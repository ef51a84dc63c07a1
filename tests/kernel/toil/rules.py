"""Reading rows, over and over."""

from tests.kernel.toil.messages import Dig, Dug, Why
from tongbao.kernel import Context, Count, Module, View, require

module = Module(50_000, "toil", reasons=Why)
holes = module.table(1, key=Count, value=Dug)


@module.handler
def dig(ctx: Context, msg: Dig) -> None:
    """Read rows."""
    require(msg.rows > 0, Why.NOTHING_TO_DIG)
    for at in range(msg.rows):
        ctx[holes].get(Count(at))


@module.query
def count_rows(view: View, rows: Count) -> int:
    """Read rows as a query."""
    return sum(view[holes].get(Count(at)) is not None for at in range(rows))
