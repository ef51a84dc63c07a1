"""Consent to a source: signed once, in force until it ends or the person deletes the drop.

A renewal to a later end lets the old drop be until its own end: the source may push before it has
the new consent, and would take a 403 for a withdrawal.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec.structs import replace

from tongbao.kernel import Address
from tongbao.kernel.identifiers import Hash, Time
from tongbao.modules import data
from tongbao.rights.attestation import Method
from tongbao.rights.cells import Salt
from tongbao.rights.schema import SchemaName
from tongbao.sdk.data.consents import Consent, sign_consent
from tongbao.services.my_data.ledger import every
from tongbao.services.my_data.notebook import OLD_DROPS_LIMIT, Consented, OldDrop
from tongbao.services.my_data.person import Person

_ADDRESS: Final = re.compile(r"[0-9a-f]{40}\Z")


class NoConsent(Exception):
    """A consent can't be given, or there is none to withdraw; the text says why."""

    exit_code = 4
    advice = "see `tongbao mydata consents`, and `tongbao data admitted --source SOURCE`"


def consent(person: Person, source: str, schema: str, ends: int) -> Consented:
    """Let a source attest rows of a schema and leave them at the store; what to hand to it.

    The method is the one that the ledger has admitted the source for. Raises NoConsent.
    """
    if not _ADDRESS.match(source):
        raise NoConsent("a source is named by its address of 40 hex digits: ask it")
    method = _admitted(person, source, schema)
    if ends <= person.now():
        raise NoConsent("a consent ends later than now")
    before = person.notebook.consent(source, schema)
    old = [one.ends for one in person.notebook.old_drops if _is_of(one, source, schema)]
    if ends in old or (before is not None and before.ends == ends):
        raise NoConsent("a consent that ends just then was given before: choose another time")
    if len(person.notebook.old_drops) >= OLD_DROPS_LIMIT:
        raise NoConsent("too many renewed consents have not ended: withdraw one, or wait")
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
    _note(person, given, None if before is None or before.withdrawn else before)
    person.shelf.allow_drop(keys.drop_token(source, schema, ends))
    forbid_old_drops(person)
    person.put_notebook()
    return given


def withdraw_consent(person: Person, source: str, schema: str) -> None:
    """Let a source leave nothing any more: its next parcel is refused. Raises NoConsent."""
    given = person.notebook.consent(source, schema)
    if given is None:
        raise NoConsent(f"no consent was given to {source[:64]} for {schema[:64]}")
    _note(person, replace(given, withdrawn=True), given)
    forbid_old_drops(person)
    person.put_notebook()


def forbid_old_drops(person: Person) -> None:
    """Forbid the drops of renewed and withdrawn consents that nothing may be left at any more."""
    now = person.now()
    for one in person.notebook.old_drops:
        current = person.notebook.consent(one.source, one.schema)
        is_renewed = current is not None and not current.withdrawn and one.ends < current.ends
        if is_renewed and one.ends > now:
            continue
        person.shelf.forbid_drop(person.keys.drop_token(one.source, one.schema, one.ends))
        left = tuple(other for other in person.notebook.old_drops if other != one)
        person.home.note(old_drops=left)


def _note(person: Person, given: Consented, before: Consented | None) -> None:
    """Note a consent in the place of the last; its drop, so that whoever was killed forbids it."""
    others = tuple(
        one for one in person.notebook.consents if not _is_of(one, given.source, given.schema)
    )
    old = person.notebook.old_drops
    if before is not None:
        drop = OldDrop(ends=before.ends, schema=before.schema, source=before.source)
        old = (*(one for one in old if one != drop), drop)
    person.home.note(consents=(*others, given), old_drops=old)


def _admitted(person: Person, source: str, schema: str) -> Method:
    for (_, name), row in every(person.chain, data.admitted, source=source):
        if name == schema:
            method: Method = row.method
            return method
    raise NoConsent(f"the ledger has not admitted {source[:64]} as a source of {schema[:64]}")


def _is_of(one: Consented | OldDrop, source: str, schema: str) -> bool:
    return (one.source, one.schema) == (source, schema)
