"""A shelf of books: for what becomes of rows and indexes when a record migrates."""

from tongbao.kernel import (
    Context,
    Cursor,
    Id,
    Message,
    Module,
    Page,
    Reason,
    Record,
    Small,
    View,
)


class Put(Message, tag=1):
    """Put a book on the shelf."""

    rank: Small


class Take(Message, tag=2):
    """Take a book off the shelf."""

    book: Id


class Book(Record, version=1):
    """A book on the shelf."""

    rank: Small


class Why(Reason):
    """Every refusal of this module."""

    BOOK_NOT_FOUND = 1, "no book has this id"


module = Module(1_234, "shelf", reasons=Why)
books = module.table(1, key=Id, value=Book)
by_rank = module.index(2, of=books, by=lambda book: book.rank)


@module.handler
def put(ctx: Context, msg: Put) -> Id:
    """Write the book."""
    return ctx[books].add(Book(rank=msg.rank))


@module.handler
def take(ctx: Context, msg: Take) -> None:
    """Remove the book."""
    ctx[books].one(msg.book, Why.BOOK_NOT_FOUND)
    del ctx[books][msg.book]


@module.query
def ranked(view: View, rank: Small, after: Cursor | None = None) -> Page[Id, Book]:
    """The books of one rank, as this version counts."""
    return view.page(by_rank, rank, after)
