"""What clients may ask of the data market."""

from tongbao.kernel import Address, AssetId, Cursor, Id, Page, View
from tongbao.modules.data.records import (
    Batch,
    Bond,
    Clock,
    Definition,
    Earning,
    Enterprise,
    Licence,
    Offer,
    Order,
    Party,
    Serving,
    Source,
)
from tongbao.modules.data.tables import (
    CLOCK,
    batches,
    bonds,
    by_batch_owner,
    by_buyer,
    by_licensee,
    by_licensor,
    by_offer_owner,
    by_owner,
    by_serving,
    clocks,
    earnings,
    enterprises,
    licences,
    module,
    offers,
    orders,
    parties,
    schemas,
    sources,
)
from tongbao.modules.data.types import Schema


@module.query
def schema(view: View, schema: Schema) -> Definition | None:
    """The fields of a schema."""
    return view[schemas].get(schema)


@module.query
def enterprise(view: View, account: Address) -> Enterprise | None:
    """What an enterprise may ask for, and whether it is suspended."""
    return view[enterprises].get(account)


@module.query
def admitted(
    view: View, source: Address, after: Cursor | None = None
) -> Page[tuple[Address, Schema], Source]:
    """The schemas of which a source attests batches, a page at a time."""
    return view.page(sources, source, after)


@module.query
def adjudicating(view: View, after: Cursor | None = None) -> Page[Address, Serving]:
    """The adjudicators that can be called to panels, a page at a time."""
    return view.page(by_serving, 0, after)


@module.query
def bonded(
    view: View, account: Address, after: Cursor | None = None
) -> Page[tuple[Address, AssetId], Bond]:
    """What a source or agent has posted, and how much of it is reserved, a page at a time."""
    return view.page(bonds, account, after)


@module.query
def batch(view: View, batch: Id) -> Batch | None:
    """One commitment, also one that was superseded or retired."""
    return view[batches].get(batch)


@module.query
def batches_of(view: View, owner: Address, after: Cursor | None = None) -> Page[Id, Batch]:
    """The commitments to a person's rows, a page at a time."""
    return view.page(by_batch_owner, owner, after)


@module.query
def offer(view: View, offer: Id) -> Offer | None:
    """One offer that has neither expired nor been withdrawn."""
    return view[offers].get(offer)


@module.query
def offers_of(view: View, owner: Address, after: Cursor | None = None) -> Page[Id, Offer]:
    """A person's offers, a page at a time."""
    return view.page(by_offer_owner, owner, after)


@module.query
def order(view: View, order: Id) -> Order | None:
    """One order, whatever has become of it."""
    return view[orders].get(order)


@module.query
def statement(view: View, owner: Address, after: Cursor | None = None) -> Page[Id, Order]:
    """Every order for a person's rows: who asked, for what, when, and how much it paid."""
    return view.page(by_owner, owner, after)


@module.query
def bought(view: View, buyer: Address, after: Cursor | None = None) -> Page[Id, Order]:
    """Every order of a buyer's, a page at a time."""
    return view.page(by_buyer, buyer, after)


@module.query
def earned(
    view: View, account: Address, after: Cursor | None = None
) -> Page[tuple[Address, AssetId], Earning]:
    """What an account has earned and not pulled yet, a page at a time."""
    return view.page(earnings, account, after)


@module.query
def licence(view: View, licence: Id) -> Licence | None:
    """One licence that has not ended."""
    return view[licences].get(licence)


@module.query
def licensed_to(view: View, buyer: Address, after: Cursor | None = None) -> Page[Id, Licence]:
    """What a buyer keeps and has to delete, a page at a time."""
    return view.page(by_licensee, buyer, after)


@module.query
def licensed_by(view: View, owner: Address, after: Cursor | None = None) -> Page[Id, Licence]:
    """Who keeps a person's rows, and until when, a page at a time."""
    return view.page(by_licensor, owner, after)


@module.query
def party(view: View, account: Address) -> Party | None:
    """How many orders a party has under way, and how many it has let lapse."""
    return view[parties].get(account)


@module.query
def clock(view: View) -> Clock | None:
    """How much deadlines have grown: an order's is `deadline` and what this is beyond `grown`."""
    return view[clocks].get(CLOCK)
