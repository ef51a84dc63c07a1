"""Consent to a source: signed once, in force until it ends or the person deletes the drop."""

from __future__ import annotations

from msgspec.structs import replace

from tongbao.kernel import Address
from tongbao.kernel.identifiers import Hash, Time
from tongbao.modules import data
from tongbao.rights.attestation import Method
from tongbao.rights.cells import Salt
from tongbao.rights.schema import SchemaName
from tongbao.sdk.data.consents import Consent, sign_consent
from tongbao.services.my_data.ledger import every
from tongbao.services.my_data.notebook import Consented
from tongbao.services.my_data.person import Person


class NoConsent(Exception):
    """A consent can't be given, or there is none to withdraw; the text says why."""

    exit_code = 4
    advice = "see `tongbao mydata consents`, and `tongbao data admitted SOURCE`"


def consent(person: Person, source: str, schema: str, ends: int) -> Consented:
    """Let a source attest rows of a schema and leave them at the store; what to hand to it.

    The method is the one that the ledger has admitted the source for. Raises NoConsent.
    """
    method = _admitted(person, source, schema)
    if ends <= person.now():
        raise NoConsent("a consent ends later than now")
    before = person.notebook.consent(source, schema)
    if before is not None and before.ends == ends:
        raise NoConsent("a consent that ends just then was given before: choose another time")
    keys = person.keys
    told = Consent(
        account=person.account,
        chain=person.chain.id,
        drop=Hash(keys.drop_token(source, schema, ends).hex()),
        ends=Time(ends),
        inbox=Hash(keys.space.public_key.hex()),
        key=Hash(keys.exchange_key.hex()),
        method=method,
        schema=SchemaName(schema),
        source=Address(source),
        store=person.notebook.store,
        subject_salt=Salt(keys.subject_salt(source, schema).hex()),
    )
    given = Consented(
        ends=ends,
        jws=sign_consent(keys.signer, told).decode("ascii"),
        method=method,
        schema=schema,
        source=source,
    )
    person.home.note(consents=(*_without(person, source, schema), given))
    person.shelf.allow_drop(keys.drop_token(source, schema, ends))
    if before is not None and not before.withdrawn:
        person.shelf.forbid_drop(keys.drop_token(source, schema, before.ends))
    person.put_notebook()
    return given


def withdraw_consent(person: Person, source: str, schema: str) -> None:
    """Let a source leave nothing any more: its next parcel is refused. Raises NoConsent."""
    given = person.notebook.consent(source, schema)
    if given is None:
        raise NoConsent(f"no consent was given to {source[:64]} for {schema[:64]}")
    ended = replace(given, withdrawn=True)
    person.home.note(consents=(*_without(person, source, schema), ended))
    person.shelf.forbid_drop(person.keys.drop_token(source, schema, given.ends))
    person.put_notebook()


def _admitted(person: Person, source: str, schema: str) -> Method:
    for (_, name), row in every(person.chain, data.admitted, source=source):
        if name == schema:
            method: Method = row.method
            return method
    raise NoConsent(f"the ledger has not admitted {source[:64]} as a source of {schema[:64]}")


def _without(person: Person, source: str, schema: str) -> tuple[Consented, ...]:
    return tuple(
        one for one in person.notebook.consents if (one.source, one.schema) != (source, schema)
    )
