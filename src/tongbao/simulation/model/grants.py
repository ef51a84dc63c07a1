"""Orders of the data market in the model: the table of the page, line by line."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from typing import Any, Final

from tongbao.simulation.model import ids, market, money
from tongbao.simulation.model.books import Turn, need, write_amount
from tongbao.simulation.model.market import MODULE, VAULT, Row, acts_as, earn, give, units
from tongbao.simulation.model.numbers import DataWhy

TICK_INDEX: Final = 28
DEADLINE_INDEX: Final = 16
OFFER_INDEX: Final = 12
LICENCE_INDEX: Final = 20
CLOCK: Final = "0" * 16
"""The key of the clock's one row, as bytes in hex."""

PRIME: Final = 2**255 - 19
SMALL_POINTS: Final = (
    0,
    1,
    0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
    0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
    PRIME - 1,
)
RUNNING: Final = ("open", "sealed", "confirmed", "revealed", "claimed")


# The clock


def gained(turn: Turn) -> int:
    """What gaps came to until now; one that ends here is written down."""
    clock = turn.books.data_clock.get(0)
    if clock is None:
        return 0
    gap = turn.time - clock["seen_at"]
    if clock["open"] and gap > turn.values["data.halt_ms"]:
        turn.books.data_clock[0] = look(turn, clock | {"grown": clock["grown"] + gap})
    grown: int = turn.books.data_clock[0]["grown"]
    return grown


def look(turn: Turn, clock: Row) -> Row:
    """It sees this block, and wants the next after half the threshold."""
    half = max(1, turn.values["data.halt_ms"] // 2)
    return clock | {"seen_at": turn.time, "next_at": turn.time + half}


def count(turn: Turn, more: int) -> None:
    """So many more deadlines; the first of them wakes the clock."""
    grown = gained(turn)
    clock = turn.books.data_clock.get(0, {"open": 0, "grown": grown})
    if more > 0 and not clock["open"]:
        clock = look(turn, clock)
    turn.books.data_clock[0] = clock | {"open": clock["open"] + more}


def tick(turn: Turn, name: str) -> None:
    """A block is seen."""
    gained(turn)
    turn.books.data_clock[0] = look(turn, turn.books.data_clock[0])


# Parties


def join(turn: Turn, party: str) -> None:
    """One order more of a party's."""
    running, lapses = turn.books.data_parties.get(party, (0, 0))
    most = max(1, turn.values["data.orders_limit"] // (1 + lapses))
    need(running < most, DataWhy.TOO_MANY_ORDERS)
    turn.books.data_parties[party] = running + 1, lapses


def part(turn: Turn, party: str, *, at_fault: bool) -> None:
    """One less, by its fault or not."""
    running, lapses = turn.books.data_parties.pop(party)
    left = running - 1, lapses + at_fault
    if left != (0, 0):
        turn.books.data_parties[party] = left


def is_active(turn: Turn, buyer: str) -> bool:
    """Whether somebody may buy now."""
    row = turn.books.data_enterprises.get(buyer)
    member = turn.books.members.get(turn.books.acting.get(buyer, ""))
    stands = member is None or member.status == "active"
    return row is not None and "suspended" not in row and stands


# From state to state


def running(turn: Turn, msg: Row, *phases: str) -> Row:
    """The order of a message, in one of these phases and in time."""
    order = known(turn, msg)
    need(order["phase"] in phases, DataWhy.ORDER_IS_ELSEWHERE)
    need(turn.time < ends(turn, order), DataWhy.DEADLINE_HAS_PASSED)
    return order


def known(turn: Turn, msg: Row) -> Row:
    """The order of a message."""
    need(msg["order"] in turn.books.data_orders, DataWhy.ORDER_NOT_FOUND)
    return turn.books.data_orders[msg["order"]]


def ends(turn: Turn, order: Row) -> int:
    """When the phase of an order is over."""
    until: int = order["deadline"] + gained(turn) - order["grown"]
    return until


def tell(turn: Turn, name: str, phase: str) -> None:
    """The event of a phase."""
    turn.events.append({"@type": "data.reached", "order": name, "phase": phase})


def move(turn: Turn, name: str, phase: str, lasts: int, **said: Any) -> None:
    """An order comes to a phase."""
    timed = {"phase": phase, "deadline": turn.time + lasts, "grown": gained(turn)}
    orders = turn.books.data_orders
    orders[name] = orders[name] | timed | said
    tell(turn, name, phase)


def end(turn: Turn, name: str, phase: str, by: str | None = None) -> None:
    """An order is over, by somebody's fault or nobody's."""
    order = turn.books.data_orders[name]
    if "late" not in order:
        count(turn, -1)
    for party in [order[role] for role in ("buyer", "seller") if role in order]:
        part(turn, party, at_fault=party == by)
    if "secured" in order:
        secured = units(order["secured"])
        market.change_bond(turn, order["seller"], order["asset"], 0, -secured)
    turn.books.data_orders[name] = order | {"phase": phase, "ended_at": turn.time}
    tell(turn, name, phase)


def all_back(turn: Turn, order: Row) -> None:
    """Price and bond to the buyer."""
    back = units(order["price"]) + units(order["deletion_bond"])
    give(turn, order["buyer"], order["asset"], back)


def place_order(turn: Turn, msg: Row) -> None:
    """A buyer asks."""
    books, buyer = turn.books, turn.sender
    assert buyer is not None
    need(is_active(turn, buyer), DataWhy.BUYER_IS_NOT_ACTIVE)
    row = books.data_enterprises[buyer]
    need(msg["purpose"] in row["purposes"], DataWhy.PURPOSE_IS_NOT_REGISTERED)
    market.fields_fit(turn, msg["schema"], msg["fields"])
    may: set[str] = set()
    for ask in row["asks"]:
        may |= set(ask["fields"]) if ask["schema"] == msg["schema"] else set()
    need(set(msg["fields"]) <= may, DataWhy.FIELD_IS_NOT_REGISTERED)
    need(books.is_open(msg["owner"]), DataWhy.ACCOUNT_NOT_FOUND)
    market.once(msg["batches"])
    live(turn, msg)
    market.scaled(turn, msg["asset"], msg["price"], msg["fee"], msg["deletion_bond"])
    need(units(msg["price"]) > units(msg["fee"]), DataWhy.PRICE_IS_NOT_ABOVE_FEE)
    values = turn.values
    latest = turn.time + values["data.seal_ms"]
    need(turn.time < msg["seal_by"] <= latest, DataWhy.SEAL_TIME_IS_WRONG)
    in_time = msg["delete_by"] >= msg["seal_by"] + values["data.deletion_ms"]
    need(in_time, DataWhy.DELETION_TIME_IS_WRONG)
    point = int.from_bytes(urlsafe_b64decode(msg["buyer_key"] + "="), "little")
    need(point < PRIME and point not in SMALL_POINTS, DataWhy.KEY_IS_NOT_ACCEPTABLE)
    need(msg["buyer_key"] not in books.data_keys, DataWhy.KEY_WAS_USED)
    join(turn, buyer)
    for name in ("price", "deletion_bond"):
        if name == "price" or units(msg[name]):
            money.pay(turn, msg | {"amount": msg[name]}, buyer, VAULT, by=MODULE)
    count(turn, 1)
    made = ids.new(turn)
    timed = {"phase": "open", "deadline": msg["seal_by"], "grown": gained(turn)}
    timed["asked_at"] = turn.time
    books.data_orders[made] = market.without(msg, "seal_by") | {"buyer": buyer} | timed
    books.data_keys[msg["buyer_key"]] = made
    tell(turn, made, "open")


def live(turn: Turn, asked: Row) -> None:
    """Every batch that is asked for can be sold."""
    for name in asked["batches"]:
        batch = turn.books.data_batches.get(name, {})
        need(bool(batch), DataWhy.BATCH_NOT_FOUND)
        same = [batch[key] for key in ("owner", "schema")] == [asked["owner"], asked["schema"]]
        need(same, DataWhy.BATCH_IS_NOT_OWNERS)
        need(market.is_live(batch), DataWhy.BATCH_IS_NOT_LIVE)


def seal(turn: Turn, msg: Row) -> None:
    """Consent."""
    sender, values = turn.sender, turn.values
    assert sender is not None
    order = running(turn, msg, "open")
    need(msg["chunks"] & (msg["chunks"] - 1) == 0, DataWhy.CHUNKS_ARE_NOT_PADDED)
    need(is_active(turn, order["buyer"]), DataWhy.BUYER_IS_NOT_ACTIVE)
    _use(turn, msg, order)
    live(turn, order)
    said = market.without(msg, "order") | {"seller": sender, "sealed_at": turn.time}
    if sender != order["owner"]:
        secured = market.least(turn, order["price"], 1)
        market.reserve(turn, sender, order["asset"], secured)
        scale = turn.books.assets[order["asset"]].scale
        said |= {"secured": write_amount(secured, scale)}
    join(turn, sender)
    parts = (msg["chunks"] + 1_023) // 1_024
    lasts = values["data.confirm_ms"] + parts * values["data.transfer_ms"]
    move(turn, msg["order"], "sealed", lasts, **said)


def _use(turn: Turn, msg: Row, order: Row) -> None:
    """One grant by an offer."""
    offer = turn.books.data_offers.get(msg["offer"], {"owner": None})
    need(offer["owner"] == order["owner"], DataWhy.OFFER_NOT_FOUND)
    may = turn.sender in (offer["owner"], offer.get("agent"))
    need(may, DataWhy.SENDER_MAY_NOT_SEAL)
    need(turn.time < offer["expires_at"], DataWhy.OFFER_HAS_EXPIRED)
    region = turn.books.data_enterprises[order["buyer"]]["region"]
    fits = all(offer[name] == order[name] for name in ("schema", "mode", "asset"))
    fits = fits and order["purpose"] in offer["purposes"] and region in offer["regions"]
    fits = fits and all(field in offer["fields"] for field in order["fields"])
    need(fits, DataWhy.OFFER_DOES_NOT_COVER)
    need(units(order["price"]) >= units(offer["floor"]), DataWhy.PRICE_IS_BELOW_FLOOR)
    keeps = order["delete_by"] - turn.time
    need(keeps <= offer["retention_ms"], DataWhy.RETENTION_IS_TOO_LONG)
    today = turn.time // market.DAY_MS
    used = offer.get("used", 0) if offer.get("day", 0) == today else 0
    need(used < offer["daily_cap"], DataWhy.DAILY_CAP_IS_REACHED)
    turn.books.data_offers[msg["offer"]] = offer | {"day": today, "used": used + 1}


def confirm(turn: Turn, msg: Row) -> None:
    """The buyer has it."""
    order = running(turn, msg, "sealed")
    need(order["buyer"] == turn.sender, DataWhy.SENDER_IS_NOT_BUYER)
    for name in ("grant_hash", "package_root"):
        need(msg[name] == order[name], DataWhy.SEAL_DIFFERS)
    lasts = turn.values["data.reveal_ms"]
    said = {"nonce": msg["nonce"], "confirmed_at": turn.time}
    move(turn, msg["order"], "confirmed", lasts, **said)


def reveal(turn: Turn, msg: Row) -> None:
    """The key is out."""
    name = msg["order"]
    order = running(turn, msg, "confirmed")
    may = turn.sender in (order["owner"], order["seller"])
    need(may, DataWhy.SENDER_DID_NOT_SEAL)
    lock = market.digest("b", bytes.fromhex(name), bytes.fromhex(msg["b"]))
    need(lock == order["b_lock"], DataWhy.LOCK_DOES_NOT_OPEN)
    need(is_active(turn, order["buyer"]), DataWhy.BUYER_IS_NOT_ACTIVE)
    need(turn.time >= order.get("frozen_until", 0), DataWhy.ORDER_IS_FROZEN)
    lasts = turn.values["data.accept_ms"]
    move(turn, name, "revealed", lasts, b=msg["b"], revealed_at=turn.time)
    kept = {key: order[key] for key in ("buyer", "owner", "asset")}
    delete_by = max(order["delete_by"], turn.time + turn.values["data.accept_ms"])
    kept |= {"order": name, "bond": order["deletion_bond"], "delete_by": delete_by}
    turn.books.data_licences[ids.new(turn)] = kept | {"next_at": looked_at(turn, delete_by)}


def looked_at(turn: Turn, delete_by: int) -> int:
    """When a licence is looked at next: half way, or at its end where that is near."""
    near = delete_by - turn.time <= turn.values["data.halt_ms"]
    return delete_by if near else turn.time + (delete_by - turn.time) // 2


def accept(turn: Turn, msg: Row) -> None:
    """The buyer is content."""
    order = running(turn, msg, "revealed")
    need(order["buyer"] == turn.sender, DataWhy.SENDER_IS_NOT_BUYER)
    settle(turn, msg["order"], "settled")


def settle(turn: Turn, name: str, phase: str) -> None:
    """The owner is paid, and who sealed."""
    order = turn.books.data_orders[name]
    fee = units(order["fee"])
    earn(turn, order["owner"], order["asset"], units(order["price"]) - fee)
    earn(turn, order["seller"], order["asset"], fee)
    end(turn, name, phase)


def cancel_order(turn: Turn, msg: Row) -> None:
    """The buyer goes."""
    order = running(turn, msg, "open", "sealed")
    need(order["buyer"] == turn.sender, DataWhy.SENDER_IS_NOT_BUYER)
    all_back(turn, order)
    end(turn, msg["order"], "cancelled")


def withdraw_order(turn: Turn, msg: Row) -> None:
    """The owner goes."""
    order = running(turn, msg, "open", "sealed", "confirmed")
    need(order["owner"] == turn.sender, DataWhy.SENDER_IS_NOT_OWNER)
    all_back(turn, order)
    end(turn, msg["order"], "withdrawn")


def freeze(turn: Turn, msg: Row) -> None:
    """A supervisor stops it for a time."""
    need(acts_as(turn, turn.sender, "supervisor"), DataWhy.SENDER_IS_NOT_SUPERVISOR)
    order = running(turn, msg, "open", "sealed", "confirmed")
    latest = turn.time + turn.values["data.freeze_ms"]
    need(turn.time < msg["until"] <= latest, DataWhy.FREEZE_IS_WRONG)
    turn.books.data_orders[msg["order"]] = order | {"frozen_until": msg["until"]}
    turn.events.append(msg | {"@type": "data.froze"})


def fall_due(turn: Turn, name: str) -> None:
    """A deadline."""
    order = turn.books.data_orders[name]
    until = ends(turn, order)
    if until > turn.time:
        later = {"deadline": until, "grown": gained(turn)}
        turn.books.data_orders[name] = order | later
    elif order["phase"] == "revealed":
        settle(turn, name, "settled")
    elif order["phase"] == "claimed":
        count(turn, -1)
        turn.books.data_orders[name] = order | {"late": True}
    else:
        lapse(turn, name, order)


def lapse(turn: Turn, name: str, order: Row) -> None:
    """Nobody went on in time."""
    all_back(turn, order)
    if order["phase"] == "open":
        end(turn, name, "lapsed")
    elif order["phase"] == "sealed":
        end(turn, name, "lapsed", by=order["buyer"])
    elif could_not(turn, order):
        end(turn, name, "lapsed")
    else:
        end(turn, name, "lapsed", by=order["seller"])
        if "secured" in order:
            price = units(order["price"])
            market.change_bond(turn, order["seller"], order["asset"], -price, 0)
            earn(turn, order["owner"], order["asset"], price)


def could_not(turn: Turn, order: Row) -> bool:
    """Whether b could not be revealed all the time."""
    row = turn.books.data_enterprises.get(order["buyer"], {})
    suspended = row.get("suspended_at", -1) >= order["confirmed_at"]
    suspended = suspended or row.get("restored_at", -1) > order["confirmed_at"]
    frozen = order.get("frozen_until", 0) > order["confirmed_at"]
    return suspended or not is_active(turn, order["buyer"]) or frozen


RULES: Final = {
    "data.place_order": place_order,
    "data.seal": seal,
    "data.confirm": confirm,
    "data.reveal": reveal,
    "data.accept": accept,
    "data.cancel_order": cancel_order,
    "data.withdraw_order": withdraw_order,
    "data.freeze": freeze,
}
