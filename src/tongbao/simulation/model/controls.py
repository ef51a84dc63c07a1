"""Control over holdings in the model: flags, authorisation, limits, freezes, clawback."""

from __future__ import annotations

from typing import Any, Final

from tongbao.simulation.model import guards, ids, money
from tongbao.simulation.model.books import Freeze, No, Rules, Standing, Turn, is_vault, need
from tongbao.simulation.model.numbers import AssetWhy

GROUNDS: Final = range(1, 12)


def set_flags(turn: Turn, msg: dict[str, Any]) -> None:
    """Powers come, go and are locked."""
    name = msg["asset"]
    _issuer(turn, name)
    on, off, lock = (msg.get(member, []) for member in ("switch_on", "switch_off", "lock"))
    once = len({*on, *off}) == len(on) + len(off) and len(set(lock)) == len(lock)
    need(once, AssetWhy.FLAGS_CONTRADICT)
    rules = turn.books.rules.get(name, Rules())
    need(not any(flag in rules.locked for flag in (*on, *off)), AssetWhy.FLAG_IS_LOCKED)
    flags = {flag for flag in (*rules.flags, *on) if flag not in off}
    changed = rules._replace(
        flags=tuple(sorted(flags)), locked=tuple(sorted({*rules.locked, *lock}))
    )
    need(changed != rules, AssetWhy.NOTHING_CHANGES)
    if "clawback" in flags and "clawback" not in rules.flags:
        need(turn.books.issued[name] == 0, AssetWhy.CLAWBACK_COMES_TOO_LATE)
    turn.books.rules[name] = changed


def authorise(turn: Turn, msg: dict[str, Any]) -> None:
    """Somebody may hold."""
    _issuer(turn, msg["asset"])
    _holder(turn, msg["asset"], msg["account"], "issuer")
    stands = guards.standing(turn, msg["account"], msg["asset"])
    need(not stands.authorised, AssetWhy.NOTHING_CHANGES)
    keep(turn, msg["account"], msg["asset"], stands._replace(authorised=True))
    note(turn, "authorised", msg, "issuer")


def deauthorise(turn: Turn, msg: dict[str, Any]) -> None:
    """Somebody may hold no more."""
    _issuer(turn, msg["asset"])
    _ground(msg)
    stands = guards.standing(turn, msg["account"], msg["asset"])
    need(stands.authorised, AssetWhy.NOTHING_CHANGES)
    keep(turn, msg["account"], msg["asset"], stands._replace(authorised=False))
    note(turn, "deauthorised", msg, "issuer", "reason", "basis_hash")


def set_limit(turn: Turn, msg: dict[str, Any]) -> None:
    """A limit of one or of all."""
    name = msg["asset"]
    _power(turn, name, "limits")
    _ground(msg)
    limit = None
    if "limit" in msg:
        _, limit = money.amount_of(turn, {"asset": name, "amount": msg["limit"]})
    if "account" not in msg:
        rules = turn.books.rules[name]
        need(rules.limit != limit, AssetWhy.NOTHING_CHANGES)
        turn.books.rules[name] = rules._replace(limit=limit)
        return
    _holder(turn, name, msg["account"], "issuer")
    stands = guards.standing(turn, msg["account"], name)
    need(stands.limit != limit, AssetWhy.NOTHING_CHANGES)
    keep(turn, msg["account"], name, stands._replace(limit=limit))
    told = msg | ({"amount": msg["limit"]} if "limit" in msg else {})
    note(turn, "limited", told, "issuer", "reason", "amount", "basis_hash")


def freeze(turn: Turn, msg: dict[str, Any]) -> None:
    """A holding stops."""
    assert turn.sender is not None
    capacity = _freezer(turn, msg, switched_on=True)
    _ground(msg)
    need(msg["until"] > turn.time, AssetWhy.END_HAS_PASSED)
    longest = turn.values["asset.freeze_ms"]
    need(msg["until"] - turn.time <= longest, AssetWhy.FREEZE_IS_TOO_LONG)
    _holder(turn, msg["asset"], msg["account"], capacity)
    made = Freeze(turn.sender, msg["scope"], msg["reason"], turn.time, msg["until"])
    _put_freeze(turn, msg, capacity, made)
    note(turn, "frozen", msg, capacity, "reason", "scope", "until", "basis_hash")


def unfreeze(turn: Turn, msg: dict[str, Any]) -> None:
    """A holding goes on."""
    capacity = _freezer(turn, msg, switched_on=False)
    stands = guards.standing(turn, msg["account"], msg["asset"])
    found = stands.by_supervisor if capacity == "supervisor" else stands.by_issuer
    need(found is not None and turn.time < found.until, AssetWhy.FREEZE_NOT_FOUND)
    _put_freeze(turn, msg, capacity, None)
    note(turn, "unfrozen", msg, capacity)


def claw_back(turn: Turn, msg: dict[str, Any]) -> None:
    """The issuer takes back."""
    assert turn.sender is not None
    name, holder = msg["asset"], msg["account"]
    _power(turn, name, "clawback")
    _ground(msg)
    _, units = money.amount_of(turn, msg)
    _holder(turn, name, holder, "issuer")
    guards.arrives(turn, name, turn.sender, units)
    money.take(turn, name, holder, units, guards.standing(turn, holder, name).reserved)
    money.put(turn, name, turn.sender, units)
    money.say(turn, name, units, holder, turn.sender)
    note(turn, "clawed_back", msg, "issuer", "reason", "amount", "basis_hash")


def recall(turn: Turn, msg: dict[str, Any]) -> None:
    """The issuer lets value come back to its holder."""
    _power(turn, msg["asset"], "clawback")
    _ground(msg)
    note(turn, "recalled", msg, "issuer", "reason", "amount", "basis_hash")


def _issuer(turn: Turn, name: str) -> None:
    asset = turn.books.assets.get(name)
    if asset is None:
        raise No(AssetWhy.ASSET_NOT_FOUND)
    need(asset.issuer == turn.sender, AssetWhy.SENDER_IS_NOT_ISSUER)


def _power(turn: Turn, name: str, flag: str) -> None:
    _issuer(turn, name)
    need(flag in turn.books.rules.get(name, Rules()).flags, AssetWhy.CONTROL_IS_OFF)


def _freezer(turn: Turn, msg: dict[str, Any], *, switched_on: bool) -> str:
    """As what the sender freezes."""
    if msg.get("as_supervisor"):
        need(msg["asset"] in turn.books.assets, AssetWhy.ASSET_NOT_FOUND)
        need(supervises(turn), AssetWhy.SENDER_IS_NOT_SUPERVISOR)
        return "supervisor"
    if switched_on:
        _power(turn, msg["asset"], "freezing")
    else:
        _issuer(turn, msg["asset"])
    return "issuer"


def supervises(turn: Turn) -> bool:
    """Whether the sender acts for an active member that is a supervisor."""
    member = turn.books.members.get(turn.books.acting.get(turn.sender or "", ""))
    return member is not None and member.status == "active" and "supervisor" in member.roles


def _holder(turn: Turn, name: str, holder: str, capacity: str) -> None:
    own = capacity == "issuer" and turn.books.assets[name].issuer == holder
    there = turn.books.is_open(holder) and not is_vault(holder)
    need(there and not own, AssetWhy.HOLDER_NOT_FOUND)


def _ground(msg: dict[str, Any]) -> None:
    need(msg["reason"] in GROUNDS, AssetWhy.REASON_IS_UNKNOWN)


def _put_freeze(turn: Turn, msg: dict[str, Any], capacity: str, made: Freeze | None) -> None:
    stands = guards.standing(turn, msg["account"], msg["asset"])
    if capacity == "supervisor":
        stands = stands._replace(by_supervisor=made)
    else:
        stands = stands._replace(by_issuer=made)
    keep(turn, msg["account"], msg["asset"], stands)
    turn.books.rules.setdefault(msg["asset"], Rules())


def keep(turn: Turn, owner: str, asset: str, stands: Standing) -> None:
    """Write what stands on a holding; nothing where nothing does."""
    turn.books.standings[owner, asset] = stands
    if stands == Standing():
        del turn.books.standings[owner, asset]


def note(turn: Turn, kind: str, msg: dict[str, Any], capacity: str, *members: str) -> None:
    """Keep an act with these members of its message, count it and tell it."""
    assert turn.sender is not None
    said = {name: msg[name] for name in members if name in msg}
    who = {"by": turn.sender, "capacity": capacity, "kind": kind}
    hit = {"account": msg["account"], "asset": msg["asset"]}
    name = ids.new(turn)
    turn.books.acts[name] = who | hit | {"at": turn.time} | said
    before = turn.books.tallies.get((turn.sender, capacity), {})
    turn.books.tallies[turn.sender, capacity] = before | {kind: before.get(kind, 0) + 1}
    told = {member: said[member] for member in ("reason", "until") if member in said}
    turn.events.append({"@type": "asset.controlled", "act": name} | who | hit | told)


def reserve(turn: Turn, asset: str, owner: str, by: str, units: int) -> None:
    """More, or with a negative number less, of what a module has reserved in a holding."""
    stands = guards.standing(turn, owner, asset)
    shares = dict(stands.shares)
    shares[by] = shares.get(by, 0) + units
    left = tuple(sorted((name, share) for name, share in shares.items() if share))
    keep(turn, owner, asset, stands._replace(shares=left))
    rules = turn.books.rules.get(asset, Rules())
    turn.books.rules[asset] = rules._replace(reserved=rules.reserved + units)


RULES: Final = {
    "asset.set_flags": set_flags,
    "asset.authorise": authorise,
    "asset.deauthorise": deauthorise,
    "asset.set_limit": set_limit,
    "asset.freeze": freeze,
    "asset.unfreeze": unfreeze,
    "asset.claw_back": claw_back,
}
