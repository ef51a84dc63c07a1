"""Pages that people write and tear out; `tests/kernel/test_schema.py` spoils copies of this."""

from typing import Annotated

from msgspec import Meta

from tongbao.kernel import (
    Address,
    Audit,
    Context,
    Count,
    Cursor,
    Event,
    Id,
    Message,
    Module,
    Page,
    Reason,
    Record,
    Reference,
    Time,
    Value,
    View,
    Work,
    require,
)
from tongbao.modules import account
from tongbao.modules.account import Closing


class Write(Message, tag=1):
    """Write a page."""

    title: Reference
    words: Annotated[tuple[Count, ...], Meta(max_length=3)] = ()


class Tear(Message, tag=2):
    """Tear a page out."""

    page: Id


class Written(Event, tag=1):
    """A page was written."""

    page: Id


class Torn(Event, tag=2):
    """A page was torn out."""

    page: Id


class OldLeaf(Record, version=1):
    """A page as it was kept at first."""

    writer: Address


class Leaf(Record, version=2, previous=OldLeaf):
    """A page of somebody's."""

    writer: Address
    kept_until: Time = Time(0)

    @classmethod
    def migrate(cls, old: OldLeaf) -> "Leaf":
        """Kept for ever, as all pages were."""
        return cls(writer=old.writer)


class Start(Value):
    """What genesis says of diaries."""

    pages: Count = Count(0)


class Lost(Value):
    """A page that is no more, for the modules above to hear."""

    page: Id


class Why(Reason):
    """Every refusal of this module."""

    PAGE_NOT_FOUND = 1, "the page is there"
    PAGE_IS_ANOTHERS = 2, "one tears out one's own pages"


module = Module(60_000, "diary", uses=(account.module,), reasons=Why)
pages = module.table(1, key=Id, value=Leaf)
by_writer = module.index(2, of=pages, by=lambda leaf: leaf.writer)
by_end = module.index(3, of=pages, by=lambda leaf: leaf.kept_until or None)
lost = module.announcement(Lost)
WORDS = module.parameter("words", default=3, low=1, high=3, meaning="words of a page")
INK = module.feature("ink", "pages are written in ink")


@module.genesis
def begin(ctx: Work, start: Start) -> None:
    """Nothing is written yet."""


@module.handler
def write(ctx: Context, msg: Write) -> Id:
    """Keep a page."""
    page = ctx[pages].add(Leaf(writer=ctx.sender))
    ctx.emit(Written(page=page))
    return page


@module.handler
def tear(ctx: Context, msg: Tear) -> None:
    """Throw a page away."""
    leaf = ctx[pages].one(msg.page, Why.PAGE_NOT_FOUND)
    require(leaf.writer == ctx.sender, Why.PAGE_IS_ANOTHERS)
    del ctx[pages][msg.page]
    ctx.announce(lost, Lost(page=msg.page))


@module.due(by_end)
def forget(ctx: Work, page: Id, leaf: Leaf) -> None:
    """Throw away what was kept long enough."""
    del ctx[pages][page]
    ctx.emit(Torn(page=page))


@module.hears(account.closing)
def keep_writers(ctx: Work, said: Closing) -> None:
    """Pages stay when their writer goes."""


@module.query
def written_by(view: View, writer: Address, after: Cursor | None = None) -> Page[Id, Leaf]:
    """One writer's pages."""
    return view.page(by_writer, writer, after)


@module.invariant
def every_page_has_a_writer(view: Audit) -> bool:
    """No page is nobody's."""
    return all(leaf.writer for leaf in view[pages].values())
