"""The consents that a source has: one in force for each customer and schema.

When one ends, by its time, by who withdrew it, or by the source, rows and secrets are forgotten;
what is left is which events and months were told, so that none is told twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final, Literal

import msgspec
from msgspec import Struct

from tongbao.kernel.identifiers import Address
from tongbao.modules import account, data
from tongbao.sdk.client import Client
from tongbao.sdk.data.consents import BadConsent, SignedConsent, read_consent
from tongbao.sdk.signed_requests import account_has_key
from tongbao.services.data_source.journal import Journal
from tongbao.services.data_source.settings import WRONG, Settings, SourceError
from tongbao.services.data_source.source import Source

CUSTOMER_LIMIT: Final = 128
"""Characters of a customer's reference."""
PAGES_LIMIT: Final = 64
ID_DIGITS: Final = 8

State = Literal["in force", "ended", "withdrawn", "removed", "replaced"]
IN_FORCE: Final = "in force"
DELIVERED: Final = 5
"""The step after which a source owes a month no more: see statements.py."""


class Held(Struct, frozen=True, kw_only=True):
    """A consent as the source has it; what is told of one that ended is only when."""

    id: bytes
    schema: str
    ends: int
    state: State
    customer: str | None = None
    signed: SignedConsent | None = None

    @property
    def signed_consent(self) -> SignedConsent:
        """The consent of one that is in force."""
        assert self.signed is not None
        return self.signed


class _Body(Struct, frozen=True, forbid_unknown_fields=True):
    customer: str
    text: bytes


class Keys(Struct, frozen=True):
    """What stands for customer, account and subject in the journal."""

    customer: bytes
    account: bytes
    subject: bytes


def check_customer(reference: str) -> str:
    """A reference by which the source knows a customer. Raises SourceError."""
    if not 0 < len(reference) <= CUSTOMER_LIMIT or not reference.isprintable():
        raise SourceError(
            f"a customer's reference is 1 to {CUSTOMER_LIMIT} printable characters",
            "write the number of the customer's card, or another name that you know it by",
        )
    return reference


def keys_of(journal: Journal, customer: str, signed: SignedConsent) -> Keys:
    """What stands for those that a consent is about."""
    return Keys(
        customer=customer_key(journal, customer),
        account=journal.blind("account", signed.consent.account.encode()),
        subject=subject_key(journal, signed),
    )


def customer_key(journal: Journal, customer: str) -> bytes:
    """What stands for a customer."""
    return journal.blind("customer", customer.encode())


def subject_key(journal: Journal, signed: SignedConsent) -> bytes:
    """What stands for a subject."""
    return journal.blind("subject", signed.subject.encode())


def check_consent(
    text: bytes, settings: Settings, chain: Client, now: int, methods: dict[str, str] | None = None
) -> SignedConsent:
    """A consent that this source may act by. Raises SourceError.

    Its key must be one of the person's account, heavy enough to sign alone; the ledger says so.
    `methods` remembers, for many consents, how the source was admitted for each schema.
    """
    try:
        signed = read_consent(text)
    except BadConsent as error:
        raise SourceError(f"no consent: {error}", "ask the person for another", WRONG) from None
    consent = signed.consent
    told = settings.told(consent.schema)
    if consent.chain != settings.chain:
        raise _refused(f"it is of the chain {consent.chain}")
    if consent.source != settings.account:
        raise _refused("it is for another source")
    if consent.ends <= now:
        raise _refused("it has ended")
    known = {} if methods is None else methods
    name = told.schema.name
    method = known.get(name) or admitted_method(chain, settings.account, name)
    known[name] = method
    if method != consent.method:
        raise _refused(f"it is about rows by {consent.method}; this source tells them by {method}")
    if not account_has_key(chain, consent.account, signed.key_id):
        raise _refused("its key does not sign alone for the person's account")
    return signed


def _refused(why: str) -> SourceError:
    return SourceError(
        f"a consent that this source can't act by: {why}", "ask the person for another", WRONG
    )


def admitted_method(chain: Client, source: Address, schema: str) -> str:
    """How the ledger has admitted the source to know rows of a schema. Raises SourceError."""
    after = None
    for _ in range(PAGES_LIMIT):
        page = chain.query(data.admitted, source, after)
        for (_, name), row in page.rows:
            if name == schema:
                return row.method
        after = page.after
        if after is None:
            break
    raise SourceError(
        f"the ledger has not admitted {source} as a source of {schema}",
        "post a bond (`tongbao data post-bond`), and ask a registrar to admit the account",
    )


def owner_is_open(chain: Client, owner: Address) -> bool:
    """Whether an account can own rows."""
    found = chain.query(account.show, owner)
    return found is not None and found.closed_into is None


def add_consent(source: Source, customer: str, signed: SignedConsent) -> bool:
    """Keep a consent durably; False if it was kept before. Raises SourceError.

    A newer one of the same person takes the place of the one in force.
    """
    journal = source.journal
    keys = keys_of(journal, check_customer(customer), signed)
    with journal.step() as database:
        known = database.execute("SELECT state FROM consents WHERE id = ?", (signed.id,)).fetchone()
        if known is not None:
            if known[0] == IN_FORCE:
                return False
            raise SourceError("this consent has ended", "ask the person for a new one", WRONG)
        _make_way(database, keys, signed)
        body = msgspec.msgpack.encode(_Body(customer, signed.text))
        consent = signed.consent
        database.execute(
            "INSERT INTO consents VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                signed.id,
                keys.customer,
                keys.account,
                keys.subject,
                consent.schema,
                consent.ends,
                IN_FORCE,
                journal.seal("consent", body),
            ),
        )
    return True


def _make_way(database: sqlite3.Connection, keys: Keys, signed: SignedConsent) -> None:
    """End the consent that a newer one replaces, and let it take over what is still to be told."""
    schema = signed.consent.schema
    found = database.execute(
        "SELECT id, customer, account, subject FROM consents"
        " WHERE (customer = ? OR account = ?) AND schema = ? AND state = ?",
        (keys.customer, keys.account, schema, IN_FORCE),
    ).fetchall()
    for old, customer, whose, subject in found:
        if (customer, whose) != (keys.customer, keys.account):
            raise SourceError(
                "this customer, or this account, has a consent in force with another",
                "remove that first: `tongbao data-source consents remove`",
            )
        owed = database.execute(
            "SELECT count(*) FROM statements WHERE consent = ? AND step < ? AND body NOT NULL",
            (old, DELIVERED),
        ).fetchone()[0]
        if owed and subject != keys.subject:
            raise SourceError(
                "months of the consent in force are not delivered yet",
                "`tongbao data-source push`, or export, first",
            )
        database.execute("UPDATE consents SET state = 'replaced', body = NULL WHERE id = ?", (old,))
        database.execute("UPDATE statements SET consent = ? WHERE consent = ?", (signed.id, old))
        database.execute(
            "UPDATE events SET subject = ? WHERE subject = ? AND schema = ? AND given = 0",
            (keys.subject, subject, schema),
        )
        if subject != keys.subject:
            _forget(database, subject, schema)


def end_consent(source: Source, consent: bytes, state: State) -> None:
    """End a consent, and forget the rows and secrets that were kept by it."""
    with source.journal.step() as database:
        found = database.execute(
            "SELECT subject, schema FROM consents WHERE id = ? AND state = ?", (consent, IN_FORCE)
        ).fetchone()
        if found is None:
            raise SourceError(
                "no consent of this id is in force", "see `tongbao data-source consents list`"
            )
        database.execute(
            "UPDATE consents SET state = ?, body = NULL WHERE id = ?", (state, consent)
        )
        _forget(database, *found)


def _forget(database: sqlite3.Connection, subject: bytes, schema: str) -> None:
    """Remove values, secrets and parcels of a subject; which events were given stays known."""
    whose = (subject, schema)
    database.execute("DELETE FROM events WHERE subject = ? AND schema = ? AND given = 0", whose)
    database.execute("UPDATE events SET body = NULL WHERE subject = ? AND schema = ?", whose)
    database.execute(
        "UPDATE statements SET body = NULL, parcel = NULL WHERE subject = ? AND schema = ?", whose
    )


def end_expired(source: Source, now: int) -> int:
    """End the consents whose time is over; how many."""
    found = source.journal.database.execute(
        "SELECT id FROM consents WHERE state = ? AND ends <= ?", (IN_FORCE, now)
    ).fetchall()
    for (consent,) in found:
        end_consent(source, consent, "ended")
    return len(found)


def consents(source: Source, *, all_states: bool = False) -> Iterator[Held]:
    """Those in force in the order of their ids, or all that ever were."""
    after = b""
    while True:
        rows = source.journal.database.execute(
            "SELECT id, schema, ends, state, body FROM consents"
            " WHERE id > ? AND (? OR state = ?) ORDER BY id LIMIT 256",
            (after, all_states, IN_FORCE),
        ).fetchall()
        if not rows:
            return
        for row in rows:
            yield _held(source.journal, *row)
        after = rows[-1][0]


def id_of(source: Source, text: str) -> bytes:
    """The id that a person means by its first 8 or more digits. Raises SourceError."""
    found = [held.id for held in consents(source) if held.id.hex().startswith(text.lower())]
    if len(text) < ID_DIGITS or len(found) != 1:
        raise SourceError(
            "no consent in force, or more than one, has this id",
            "see `tongbao data-source consents list`",
        )
    return found[0]


def consent_of_customer(source: Source, customer: str, schema: str) -> Held | None:
    """The one in force of a customer, for a schema."""
    return _one(
        source.journal,
        "customer = ? AND schema = ? AND state = 'in force'",
        (customer_key(source.journal, customer), schema),
    )


def consent_of_id(source: Source, consent: bytes) -> Held | None:
    """The one in force of an id."""
    return _one(source.journal, "id = ? AND state = 'in force'", (consent,))


def _one(journal: Journal, where: str, values: tuple[object, ...]) -> Held | None:
    row = journal.database.execute(
        f"SELECT id, schema, ends, state, body FROM consents WHERE {where}",  # noqa: S608
        values,
    ).fetchone()
    return None if row is None else _held(journal, *row)


def _held(
    journal: Journal, consent: bytes, schema: str, ends: int, state: State, body: bytes | None
) -> Held:
    if body is None:
        return Held(id=consent, schema=schema, ends=ends, state=state)
    read = msgspec.msgpack.decode(journal.unseal("consent", body), type=_Body)
    return Held(
        id=consent,
        schema=schema,
        ends=ends,
        state=state,
        customer=read.customer,
        signed=read_consent(read.text),
    )
