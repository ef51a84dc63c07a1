"""Contexts that are asked for more than they may do."""

from collections.abc import Iterable

from tests.kernel.diary.rules import Leaf, Written, lost, module, pages
from tongbao.kernel import Address, Amount, AssetId, Audit, Context, Id, View, Work
from tongbao.modules import account, asset

alice = Address("a1" * 20)
cny = AssetId(f"CNY.{alice}")
leaf = Leaf(writer=alice)
page = Id("b2" * 20)


@module.query
def look(view: View, page: Id) -> Iterable[Leaf]:
    """A query reads; it neither writes nor scans."""
    view[pages][page] = leaf  # expect: index
    del view[pages][page]  # expect: attr-defined
    view[pages].add(leaf)  # expect: attr-defined
    view.emit(Written(page=page))  # expect: attr-defined
    view.announce(lost, leaf)  # expect: attr-defined
    view.new_id()  # expect: attr-defined
    asset.move(view, cny, alice, alice, Amount("1.00"))  # expect: arg-type
    print(account.is_open(view, alice), view.sender)  # expect: attr-defined
    return view[pages].values()  # expect: attr-defined no-any-return


@module.invariant
def inspect(view: Audit) -> bool:
    """An invariant scans; it does not write."""
    view[pages][page] = leaf  # expect: index
    return all(one.writer for one in view[pages].values())


@module.invariant  # expect: arg-type
def inspect_with_power(ctx: Work) -> bool:
    """An invariant gets no context that writes."""
    return page in ctx[pages]


@module.handler  # expect: type-var
def no_message(ctx: Context, msg: Leaf) -> None:
    """A record is no message."""


def work(ctx: Work) -> Address:
    """Due work writes; it has no sender, and scans nothing."""
    ctx[pages].add(leaf)
    ctx.emit(leaf)  # expect: arg-type
    ctx.announce(lost, leaf)  # expect: misc
    list(ctx[pages].items())  # expect: attr-defined
    act(ctx)  # expect: arg-type
    return ctx.sender  # expect: attr-defined no-any-return


def act(ctx: Context) -> None:
    """A message's context may do all of it."""
    work(ctx)
    look(ctx, page)
    inspect(ctx)  # expect: arg-type
