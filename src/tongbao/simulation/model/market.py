"""The data market in the model: who takes part, bonds, batches, offers."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from tongbao.simulation.model import ids, money
from tongbao.simulation.model.books import Turn, need, read_amount, write_amount
from tongbao.simulation.model.numbers import DataWhy

MODULE: Final = 11
VAULT: Final = f"{MODULE:040x}"
DAY_MS: Final = 86_400_000
MOST_UNITS: Final = 2**63 - 1
MOST_KEYS: Final = 64

Row = dict[str, Any]


def digest(tag: str, *parts: bytes) -> str:
    """The hash rule of the market, in hex."""
    written = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return sha256(b"tongbao/data/" + tag.encode() + b"/1\0" + written).hexdigest()


def acts_as(turn: Turn, address: str | None, role: str) -> bool:
    """Whether an account acts for an active member with a role."""
    member = turn.books.members.get(turn.books.acting.get(address or "", ""))
    return member is not None and member.status == "active" and role in member.roles


def registrar(turn: Turn) -> None:
    """The sender must be one."""
    need(acts_as(turn, turn.sender, "data_registrar"), DataWhy.SENDER_IS_NOT_REGISTRAR)


def once(*lists: list[Any]) -> None:
    """Nothing is named twice in a list."""
    for words in lists:
        need(len(words) == len(set(words)), DataWhy.WORD_IS_DOUBLED)


def fields_fit(turn: Turn, schema: str, fields: list[str]) -> None:
    """Fields of a schema."""
    need(schema in turn.books.data_schemas, DataWhy.SCHEMA_NOT_FOUND)
    for field in fields:
        need(field in turn.books.data_schemas[schema]["fields"], DataWhy.FIELD_NOT_FOUND)
    once(fields)


def without(msg: Row, *names: str) -> Row:
    """The members of a message, as a row has them."""
    return {name: value for name, value in msg.items() if name not in ("@type", *names)}


def units(text: str) -> int:
    """Units of an amount."""
    return read_amount(text)[0]


def scaled(turn: Turn, asset: str, *amounts: str) -> int:
    """The scale of an asset in which all amounts are written."""
    need(asset in turn.books.assets, DataWhy.ASSET_NOT_FOUND)
    scale = turn.books.assets[asset].scale
    for amount in amounts:
        need(read_amount(amount)[1] == scale, DataWhy.DECIMALS_DIFFER)
    return scale


# Money


def least(turn: Turn, price: str, part: int) -> int:
    """A part of a price, or the least bond."""
    count, decimals = read_amount(price)
    floor = turn.values["data.least_bond"] * 10**decimals
    return max(count // part, int(min(floor, MOST_UNITS)))


def earn(turn: Turn, payee: str, asset: str, count: int) -> None:
    """Something more to be pulled."""
    if count:
        known = turn.books.data_earnings.get((payee, asset), 0)
        turn.books.data_earnings[payee, asset] = known + count


def give(turn: Turn, payee: str, asset: str, count: int) -> None:
    """Out of the vault, whatever stands on the payee's holding."""
    if count:
        money.take(turn, asset, VAULT, count)
        money.put(turn, asset, payee, count)
        money.say(turn, asset, count, VAULT, payee)


def free(turn: Turn, party: str | None, asset: str) -> int:
    """What of a bond is not reserved."""
    posted, reserved = turn.books.data_bonds.get((party or "", asset), (0, 0))
    return posted - reserved


def reserve(turn: Turn, party: str, asset: str, count: int) -> None:
    """Something of a bond is spoken for; or, below zero, no more."""
    need(count <= free(turn, party, asset), DataWhy.BOND_IS_TOO_LOW)
    change_bond(turn, party, asset, 0, count)


def change_bond(turn: Turn, party: str, asset: str, more: int, reserved: int) -> None:
    """What is posted and what is reserved change by so much; no row for nothing."""
    bonds, key = turn.books.data_bonds, (party, asset)
    if more or reserved:
        was = bonds.get(key, (0, 0))
        bonds[key] = was[0] + more, was[1] + reserved
        if bonds[key] == (0, 0):
            del bonds[key]


def post_bond(turn: Turn, msg: Row) -> None:
    """Into the vault."""
    assert turn.sender is not None
    money.pay(turn, msg, turn.sender, VAULT, by=MODULE)
    change_bond(turn, turn.sender, msg["asset"], units(msg["amount"]), 0)


def withdraw_bond(turn: Turn, msg: Row) -> None:
    """Out of it, what is free."""
    assert turn.sender is not None
    count = units(msg["amount"])
    need(count <= free(turn, turn.sender, msg["asset"]), DataWhy.BOND_IS_TOO_LOW)
    money.pay(turn, msg, VAULT, turn.sender, by=MODULE)
    change_bond(turn, turn.sender, msg["asset"], -count, 0)


def pull(turn: Turn, msg: Row) -> None:
    """All that was earned in an asset."""
    assert turn.sender is not None
    key = turn.sender, msg["asset"]
    need(key in turn.books.data_earnings, DataWhy.NOTHING_IS_EARNED)
    count = turn.books.data_earnings[key]
    amount = write_amount(count, turn.books.assets[msg["asset"]].scale)
    money.pay(turn, msg | {"amount": amount}, VAULT, turn.sender, by=MODULE)
    del turn.books.data_earnings[key]


# Who takes part


def define_schema(turn: Turn, msg: Row) -> None:
    """A kind of rows."""
    registrar(turn)
    need(msg["schema"] not in turn.books.data_schemas, DataWhy.SCHEMA_IS_DEFINED)
    need(not msg.get("sensitive"), DataWhy.SENSITIVE_IS_REFUSED)
    once(msg["fields"])
    need("event" not in msg["fields"], DataWhy.FIELD_IS_RESERVED)
    turn.books.data_schemas[msg["schema"]] = {"fields": msg["fields"]}


def register_enterprise(turn: Turn, msg: Row) -> None:
    """A buyer, with what it may ask."""
    registrar(turn)
    books, name = turn.books, msg["enterprise"]
    need(books.is_open(name), DataWhy.ACCOUNT_NOT_FOUND)
    once(msg["purposes"], [ask["schema"] for ask in msg["asks"]])
    for ask in msg["asks"]:
        fields_fit(turn, ask["schema"], ask["fields"])
    before = books.data_enterprises.get(name, {})
    kept = {key: before[key] for key in ("suspended_at", "restored_at") if key in before}
    kept |= {"restored_at": turn.time} if "suspended" in before else {}
    books.data_enterprises[name] = without(msg, "enterprise") | kept


def suspend_enterprise(turn: Turn, msg: Row) -> None:
    """A buyer no more."""
    registrar(turn)
    known, name = turn.books.data_enterprises, msg["enterprise"]
    need(name in known, DataWhy.ENTERPRISE_NOT_FOUND)
    known[name] = known[name] | {"suspended": True, "suspended_at": turn.time}


def admit_source(turn: Turn, msg: Row) -> None:
    """A source, with a bond."""
    registrar(turn)
    books, source = turn.books, msg["source"]
    need(msg["schema"] in books.data_schemas, DataWhy.SCHEMA_NOT_FOUND)
    need(msg["method"] != "self", DataWhy.METHOD_IS_SELF)
    need(books.is_open(source), DataWhy.ACCOUNT_NOT_FOUND)
    need(acts_as(turn, source, "data_source"), DataWhy.SOURCE_HAS_NO_ROLE)
    key = source, msg["schema"]
    need(key not in books.data_sources, DataWhy.SOURCE_IS_ADMITTED)
    scaled(turn, msg["asset"], msg["bond"])
    reserve(turn, source, msg["asset"], units(msg["bond"]))
    books.data_sources[key] = without(msg, "source", "schema")
    remember_keys(turn, key)


def lone_keys(turn: Turn, address: str) -> list[str]:
    """The keys that sign alone for an account."""
    account = turn.books.accounts.get(address)
    keys = () if account is None else account.keys
    return [key for key, _, weight in keys if account and weight >= account.ordinary]


def remember_keys(turn: Turn, key: tuple[str, str]) -> None:
    """What a source may sign with now counts against it for ever, up to so many keys."""
    row = turn.books.data_sources[key]
    known = row.get("keys", [])
    known = [*known, *(one for one in lone_keys(turn, key[0]) if one not in known)][-MOST_KEYS:]
    turn.books.data_sources[key] = row | ({"keys": known} if known else {})


def end_source(turn: Turn, msg: Row) -> None:
    """A source no more."""
    registrar(turn)
    key = msg["source"], msg["schema"]
    need(key in turn.books.data_sources, DataWhy.SOURCE_NOT_FOUND)
    source = turn.books.data_sources.pop(key)
    change_bond(turn, msg["source"], source["asset"], 0, -units(source["bond"]))


def serve(turn: Turn, msg: Row) -> None:
    """An adjudicator comes or goes."""
    assert turn.sender is not None
    need(acts_as(turn, turn.sender, "adjudicator"), DataWhy.SENDER_IS_NOT_ADJUDICATOR)
    listed = turn.books.data_adjudicators
    comes = msg.get("serves", False)
    full = len(listed) >= turn.values["data.adjudicators_limit"]
    need(not comes or turn.sender in listed or not full, DataWhy.TOO_MANY_ADJUDICATORS)
    if comes:
        listed[turn.sender] = turn.time
    else:
        listed.pop(turn.sender, None)


# Batches


def statement_of(turn: Turn, msg: Row, version: int) -> str:
    """The name of a version of a month."""
    assert turn.sender is not None
    return name_of(turn.sender, msg["subject"], msg["schema"], msg["period"], version)


def name_of(source: str, subject: str, schema: str, period: str, version: int) -> str:
    """As `statement_of`, of what anybody says."""
    return digest(
        "statement",
        bytes.fromhex(source),
        bytes.fromhex(subject),
        schema.encode(),
        period.encode(),
        version.to_bytes(4, "big"),
    )


def commit(turn: Turn, msg: Row) -> None:
    """A commitment to a month."""
    assert turn.sender is not None
    books = turn.books
    need(msg["schema"] in books.data_schemas, DataWhy.SCHEMA_NOT_FOUND)
    need(books.is_open(msg["owner"]), DataWhy.ACCOUNT_NOT_FOUND)
    if msg["method"] == "self":
        need(msg["owner"] == turn.sender, DataWhy.METHOD_IS_SELF)
    else:
        source = books.data_sources.get((turn.sender, msg["schema"]), {"method": None})
        need(source["method"] == msg["method"], DataWhy.SOURCE_NOT_FOUND)
        key = turn.sender, msg["schema"], msg["period"]
        count = books.data_committed.get(key, 0) + 1
        need(count <= source["volume"], DataWhy.VOLUME_IS_SPENT)
        books.data_committed[key] = count
        remember_keys(turn, (turn.sender, msg["schema"]))
    name = statement_of(turn, msg, msg["version"])
    need(name not in books.data_statements, DataWhy.VERSION_IS_TAKEN)
    need(msg["commitment"] not in books.data_commitments, DataWhy.COMMITMENT_IS_TAKEN)
    _follow(turn, msg)
    made = ids.new(turn)
    books.data_batches[made] = without(msg) | {"source": turn.sender}
    books.data_statements[name] = books.data_commitments[msg["commitment"]] = made


def _follow(turn: Turn, msg: Row) -> None:
    """The version before is named, and ends."""
    batches, why = turn.books.data_batches, DataWhy.PREDECESSOR_IS_WRONG
    if msg["version"] == 1:
        need("supersedes" not in msg, why)
        return
    name = turn.books.data_statements.get(statement_of(turn, msg, msg["version"] - 1))
    need(name is not None and name == msg.get("supersedes"), why)
    assert name is not None
    need(batches[name]["owner"] == msg["owner"] and "retired" not in batches[name], why)
    batches[name] = batches[name] | {"superseded": True}


def is_live(batch: Row) -> bool:
    """Whether a batch can be sold."""
    return "superseded" not in batch and "retired" not in batch


def retire(turn: Turn, msg: Row) -> None:
    """A batch ends."""
    batches, name = turn.books.data_batches, msg["batch"]
    need(name in batches, DataWhy.BATCH_NOT_FOUND)
    need(batches[name]["owner"] == turn.sender, DataWhy.SENDER_IS_NOT_OWNER)
    need(is_live(batches[name]), DataWhy.BATCH_IS_NOT_LIVE)
    batches[name] = batches[name] | {"retired": True}


# Offers


def make_offer(turn: Turn, msg: Row) -> None:
    """What may be sold."""
    fields_fit(turn, msg["schema"], msg["fields"])
    once(msg["purposes"], msg["regions"])
    latest = turn.time + turn.values["data.offer_ms"]
    need(turn.time < msg["expires_at"] <= latest, DataWhy.EXPIRY_IS_WRONG)
    scaled(turn, msg["asset"], msg["price"], msg["floor"])
    need(0 < units(msg["floor"]) <= units(msg["price"]), DataWhy.PRICE_IS_BELOW_FLOOR)
    fit = "agent" not in msg or turn.books.is_open(msg["agent"])
    need(fit, DataWhy.ACCOUNT_NOT_FOUND)
    own = sum(offer["owner"] == turn.sender for offer in turn.books.data_offers.values())
    need(own < turn.values["data.offers_limit"], DataWhy.TOO_MANY_OFFERS)
    turn.books.data_offers[ids.new(turn)] = without(msg) | {"owner": turn.sender}


def withdraw_offer(turn: Turn, msg: Row) -> None:
    """No more of it."""
    offers, name = turn.books.data_offers, msg["offer"]
    need(name in offers, DataWhy.OFFER_NOT_FOUND)
    need(offers[name]["owner"] == turn.sender, DataWhy.SENDER_IS_NOT_OWNER)
    del offers[name]


def expire_offer(turn: Turn, name: str) -> None:
    """It is over."""
    del turn.books.data_offers[name]


def end_offers(turn: Turn, owner: str) -> None:
    """None of an owner's is left."""
    for name, offer in list(turn.books.data_offers.items()):
        if offer["owner"] == owner:
            del turn.books.data_offers[name]


RULES: Final = {
    "data.define_schema": define_schema,
    "data.register_enterprise": register_enterprise,
    "data.suspend_enterprise": suspend_enterprise,
    "data.admit_source": admit_source,
    "data.end_source": end_source,
    "data.post_bond": post_bond,
    "data.withdraw_bond": withdraw_bond,
    "data.commit": commit,
    "data.retire": retire,
    "data.make_offer": make_offer,
    "data.withdraw_offer": withdraw_offer,
    "data.pull": pull,
    "data.serve": serve,
}
