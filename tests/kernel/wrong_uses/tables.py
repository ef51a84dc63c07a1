"""Tables and indexes that are declared or opened for what they don't hold."""

from tests.kernel.diary.rules import Leaf, OldLeaf, Why, by_writer, module, pages
from tongbao.kernel import Address, Amount, Context, Count, Cursor, Id, Page, View, Work
from tongbao.modules.asset import Holding

alice = Address("a1" * 20)
leaf = Leaf(writer=alice)
page = Id("b2" * 20)

by_nothing = module.index(9, of=pages, by=lambda leaf: leaf.unknown)  # expect: attr-defined
module.table(9, key=Id, value=Amount)  # expect: type-var
counted = module.table(9, key=Count, value=Leaf)


@module.due(by_writer)  # expect: arg-type
def by_person(ctx: Work, page: Id, leaf: Leaf) -> None:
    """What an index of addresses can't drive: due work goes by time."""


def use(ctx: Context) -> None:
    """Read and write."""
    ctx[pages][page] = leaf
    ctx[pages][page] = Holding(amount=Amount("1"))  # expect: assignment
    ctx[pages][page] = OldLeaf(writer=alice)  # expect: assignment
    ctx[pages][alice] = leaf  # expect: index
    ctx[pages]["b2"] = leaf  # expect: index
    ctx[pages][page] = None  # expect: assignment
    ctx[pages].get(alice)  # expect: arg-type
    ctx[pages].one(page)  # expect: call-arg
    ctx[pages].one(page, "the page is there")  # expect: arg-type
    print(ctx[pages].get(page).writer)  # expect: union-attr
    ctx[pages].add(Holding(amount=Amount("1")))  # expect: arg-type
    ctx[counted].add(leaf)  # expect: misc
    ctx["pages"]  # expect: index
    holding: Holding | None = ctx[pages].get(page)  # expect: assignment
    found: Leaf = ctx[pages].one(page, Why.PAGE_NOT_FOUND)
    ctx.page(by_writer, page, None)  # expect: misc
    assert holding is None or found is leaf


def find(view: View, after: Cursor | None) -> Page[Id, Holding]:
    """Give pages of one record for those of another."""
    return view.page(by_writer, alice, after)  # expect: arg-type
