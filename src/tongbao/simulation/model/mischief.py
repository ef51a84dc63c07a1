"""The simulator's own module in the model: what it may do and where it is stopped."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from tongbao.simulation.model import controls, guards, holds, ids, money
from tongbao.simulation.model.books import No, Thing, Turn, is_vault, need, read_amount
from tongbao.simulation.model.numbers import AssetWhy, KernelWhy, MischiefWhy

MODULE: Final = 64_000
VAULT: Final = f"{MODULE:040x}"
LATER_MS: Final = 1_000
NO_PAYMENT: Final = {"asset": "NONE." + "f" * 40, "amount": "1.00"}


class Habit(IntEnum):
    """What a thing does when it falls due."""

    TIDY = 0
    REFUSES = 1
    LINGERS = 2
    POSTPONES = 3
    BURNS = 4
    SPILLS = 5
    BREEDS = 6
    ROBS = 7


def rob(turn: Turn, msg: dict[str, Any]) -> None:
    """Somebody else's value for the sender."""
    assert turn.sender is not None
    money.pay(turn, msg, msg["payer"], turn.sender, by=MODULE)


def burn(turn: Turn, msg: dict[str, Any]) -> None:
    """Work for nothing. The model counts no other work: nothing else comes near a limit."""
    spend(turn, msg["rows"])


def spend(turn: Turn, rows: int) -> None:
    """So much work within the limit of one transaction; one row too many ends it."""
    turn.burnt += rows
    if turn.burnt > turn.rows_limit:
        turn.burnt = turn.rows_limit + 1
        raise No(KernelWhy.TRANSACTION_WORK_IS_SPENT)


def pour(turn: Turn, msg: dict[str, Any]) -> None:
    """Drops from one jar into another."""
    need(msg["source"] != msg["target"], MischiefWhy.JARS_ARE_ONE)
    take_drops(turn, msg["source"], msg["drops"])
    turn.books.jars[msg["target"]] = turn.books.jars.get(msg["target"], 0) + msg["drops"]
    turn.drops_lost -= msg["drops"]


def spill(turn: Turn, msg: dict[str, Any]) -> None:
    """Drops out of a jar, and no more."""
    take_drops(turn, msg["jar"], msg["drops"])


def take_drops(turn: Turn, jar: int, drops: int) -> None:
    """Drops out of a jar that has them."""
    have = turn.books.jars.get(jar)
    if have is None or have < drops:
        raise No(MischiefWhy.JAR_IS_TOO_EMPTY)
    turn.books.jars[jar] = have - drops
    turn.drops_lost += drops


def make(turn: Turn, msg: dict[str, Any]) -> None:
    """A new thing of the sender's."""
    need(msg["habit"] < len(Habit), MischiefWhy.HABIT_IS_UNKNOWN)
    assert turn.sender is not None
    add(turn, Thing(turn.sender, msg["habit"], msg["due_at"]))


def add(turn: Turn, thing: Thing) -> None:
    """A thing under a derived id that names nothing yet."""
    name = ids.new(turn)
    need(name not in turn.books.things, KernelWhy.ID_IS_TAKEN)
    turn.books.things[name] = thing


def squat(turn: Turn, msg: dict[str, Any]) -> None:
    """A thing under an id that the sender chose."""
    need(msg["habit"] < len(Habit), MischiefWhy.HABIT_IS_UNKNOWN)
    assert turn.sender is not None
    write(turn, msg["place"], Thing(turn.sender, msg["habit"], None))


def repair(turn: Turn, msg: dict[str, Any]) -> None:
    """A thing written anew."""
    need(msg["habit"] < len(Habit), MischiefWhy.HABIT_IS_UNKNOWN)
    thing = turn.books.things.get(msg["thing"])
    if thing is None:
        raise No(MischiefWhy.THING_NOT_FOUND)
    write(turn, msg["thing"], thing._replace(habit=msg["habit"], due=msg["due_at"]))


def write(turn: Turn, name: str, thing: Thing | None) -> None:
    """A change of a thing's row, which forgets that it was stuck."""
    turn.books.stuck.pop(name, None)
    if thing is None:
        del turn.books.things[name]
    else:
        turn.books.things[name] = thing


def tell(turn: Turn, msg: dict[str, Any]) -> None:
    """How many things have a habit."""
    habits = [thing.habit for thing in turn.books.things.values()]
    need(msg["things"] == habits.count(msg["habit"]), MischiefWhy.COUNT_IS_ANOTHER)


def regret(turn: Turn, msg: dict[str, Any]) -> None:
    """Effects, and then a refusal."""
    make(turn, msg)
    pour(turn, {"source": 0, "target": 1, "drops": 1})
    raise No(MischiefWhy.IT_IS_REGRETTED)


def set_aside(turn: Turn, msg: dict[str, Any]) -> None:
    """Value stays with its owner, who can't spend it."""
    owner, name = msg["owner"], msg["asset"]
    need(owner == turn.sender, AssetWhy.PAYER_HAS_NOT_AGREED)
    _, units = money.amount_of(turn, msg)
    held = turn.books.balances.get((owner, name), 0)
    need(held >= units, AssetWhy.BALANCE_IS_TOO_LOW)
    reserved = guards.leaves(turn, name, owner)
    need(held >= units + reserved, AssetWhy.VALUE_IS_RESERVED)
    controls.reserve(turn, name, owner, VAULT, units)
    turn.books.claims[owner, name] = turn.books.claims.get((owner, name), 0) + units


def let_go(turn: Turn, msg: dict[str, Any]) -> None:
    """The owner may spend it again."""
    units = _give_up(turn, msg)
    controls.reserve(turn, msg["asset"], msg["owner"], VAULT, -units)


def deliver(turn: Turn, msg: dict[str, Any]) -> None:
    """It goes to somebody."""
    units = _give_up(turn, msg)
    owner, name, payee = msg["owner"], msg["asset"], msg["payee"]
    need(payee == VAULT or not is_vault(payee), AssetWhy.VAULT_IS_CLOSED)
    need(owner != payee, AssetWhy.PAYEE_IS_PAYER)
    need(payee == VAULT or turn.books.is_open(payee), AssetWhy.PAYEE_NOT_FOUND)
    guards.leaves(turn, name, owner)
    guards.arrives(turn, name, payee, units)
    controls.reserve(turn, name, owner, VAULT, -units)
    money.take(turn, name, owner, units)
    money.put(turn, name, payee, units)
    money.say(turn, name, units, owner, payee)


def _give_up(turn: Turn, msg: dict[str, Any]) -> int:
    """Less of what is claimed."""
    key = msg["owner"], msg["asset"]
    claimed = turn.books.claims.get(key)
    if claimed is None:
        raise No(MischiefWhy.CLAIM_IS_TOO_SMALL)
    units, decimals = read_amount(msg["amount"])
    fits = decimals == turn.books.assets[msg["asset"]].scale and 0 < units <= claimed
    need(fits, MischiefWhy.CLAIM_IS_TOO_SMALL)
    turn.books.claims[key] = claimed - units
    if units == claimed:
        del turn.books.claims[key]
    return units


def fall_due(turn: Turn, name: str) -> None:
    """A thing behaves as its habit says."""
    thing = turn.books.things[name]
    later = Thing(thing.owner, Habit.TIDY, turn.time + LATER_MS)
    match Habit(thing.habit):
        case Habit.LINGERS:
            return
        case Habit.REFUSES:
            raise No(MischiefWhy.THING_WILL_NOT)
        case Habit.BURNS:
            spend(turn, turn.rows_limit + 1)
        case Habit.SPILLS:
            take_drops(turn, 0, 1)
        case Habit.ROBS:
            money.pay(turn, NO_PAYMENT, holds.VAULT, thing.owner, by=MODULE)
        case Habit.POSTPONES:
            write(turn, name, later)
            return
        case Habit.BREEDS:
            add(turn, later)
    write(turn, name, None)


def check_conservation(turn: Turn) -> None:
    """All jars together have what they had."""
    need(turn.drops_lost == 0, KernelWhy.CONSERVATION_IS_BROKEN)


RULES: Final = {
    "mischief.rob": rob,
    "mischief.burn": burn,
    "mischief.pour": pour,
    "mischief.spill": spill,
    "mischief.make": make,
    "mischief.squat": squat,
    "mischief.repair": repair,
    "mischief.tell": tell,
    "mischief.regret": regret,
    "mischief.set_aside": set_aside,
    "mischief.let_go": let_go,
    "mischief.deliver": deliver,
}
