"""Chains with a history for bundles, under both engines, and their statements by plain counting."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from random import Random
from typing import Any

import msgspec

from tests.fixed_chain import BEGIN, MINUTE, FixedChain
from tests.paper_chain import PaperChain
from tests.paper_network import moment
from tests.sdk.test_light_network import change_everybody
from tests.spoiling import spoiled
from tongbao.index.answers import Statement, StatementMovement
from tongbao.index.entries import entries_of
from tongbao.kernel import Address, Amount, Message, Reference, Time
from tongbao.kernel.amount import text_of
from tongbao.modules import asset, hold
from tongbao.sdk.bundle import BundleStatement, csv_of, units_of
from tongbao.sdk.bundle_maker import Ask, bundle_pieces, prove_end, statement_of
from tongbao.sdk.folder import trust_file
from tongbao.sdk.local import Chain
from tongbao.sdk.proofs import to_json
from tongbao.sdk.zip_form import read_zip, zip_pieces

AT = BEGIN + 10 * MINUTE
"""When bundles are looked at, in ms UTC."""
FIRST, LAST = BEGIN + 1_500, BEGIN + 3_500
"""A period of the middle: blocks 2 and 3 of each chain."""


def transfer(chain: FixedChain | PaperChain, amount: str, reference: str | None = None) -> Message:
    """A payment to the shop."""
    found = None if reference is None else Reference(reference)
    return asset.Transfer(asset=chain.cny, amount=Amount(amount), payee=chain.shop, reference=found)


def placed(chain: FixedChain | PaperChain, amount: str, expires_at: int) -> Message:
    """A hold for the shop."""
    return hold.Place(
        asset=chain.cny, amount=Amount(amount), payee=chain.shop, expires_at=Time(expires_at)
    )


def fixed_story() -> FixedChain:
    """Of a second a block: references, several payments in one, a refusal, a hold that expires."""
    fixed = FixedChain()
    bad = asset.Transfer(asset=fixed.cny, amount=Amount("9999.00"), payee=fixed.shop)
    several = (transfer(fixed, "1.00", "order-1"), transfer(fixed, "2.00", "-order-2"))
    fixed.make(fixed.signed("alice", *several), fixed.pay("3.50"), fixed.signed("alice", bad))
    back = asset.Transfer(asset=fixed.cny, amount=Amount("0.50"), payee=fixed.alice)
    fixed.make(
        fixed.signed("alice", placed(fixed, "10.00", BEGIN + 4_500)),
        fixed.signed("shop", back, transfer_none(fixed)),
    )
    fixed.make(fixed.pay("4.00"))
    fixed.make(fixed.pay("5.00"))
    return fixed


def transfer_none(chain: FixedChain | PaperChain) -> Message:
    """A payment that does not concern alice."""
    return asset.Transfer(asset=chain.cny, amount=Amount("0.25"), payee=chain.bank)


def paper_story() -> PaperChain:
    """The same kind of history, ordered by four validators."""
    paper = PaperChain()
    several = (transfer(paper, "1.00", "order-1"), transfer(paper, "2.00", "-order-2"))
    paper.make(paper.signed("alice", *several), paper.pay("3.50"), b"no transaction")
    back = asset.Transfer(asset=paper.cny, amount=Amount("0.50"), payee=paper.alice)
    paper.make(paper.signed("alice", placed(paper, "10.00", BEGIN + 4_500)))
    paper.make(paper.signed("shop", back, transfer_none(paper)))
    paper.make(paper.pay("4.00"), time=moment(BEGIN + 60_000))
    paper.make(paper.pay("5.00"), time=moment(BEGIN + 61_000))
    paper.make(time=moment(BEGIN + 62_000))
    return paper


def changed_story() -> PaperChain:
    """Between two payments all validators make room for others."""
    paper = PaperChain()
    paper.make(paper.pay("12.50"))
    change_everybody(paper, 6)
    return paper


def counted(chain: Chain, account: Address) -> Ask:
    """Statements of an account in CNY by going through every block: what an index must answer."""
    cny = FixedChain.cny
    known: list[dict[str, Any]] = []
    balance = 0
    for height in range(chain.first_block, chain.head().height + 1):
        record = chain.block(height)
        for index, entry in enumerate(entries_of(record)):
            for place, moved in enumerate(entry.moved):
                if moved.asset != cny or account not in (moved.payer, moved.payee):
                    continue
                way, other = ("in", moved.payer) if moved.payee == account else ("out", moved.payee)
                balance += units_of(moved.amount) * (1 if way == "in" else -1)
                line = {
                    "height": height,
                    "index": index,
                    "place": place,
                    "time": record.time,
                    "id": entry.id.hex(),
                    "way": way,
                    "amount": moved.amount,
                    "balance": text_of(balance, 2),
                    "counterparty": other,
                    "reference": moved.reference,
                }
                known.append(line)

    def ask(first: int, before: int, held: Any, after: str | None) -> Statement:
        earlier = [line for line in known if line["time"] < first]
        chosen = [line for line in known if first <= line["time"] < before]
        opening = earlier[-1]["balance"] if earlier else "0.00"
        # Two a page, so that pages are turned.
        start = int(after or 0)
        page = [StatementMovement(**line) for line in chosen[start : start + 2]]
        more = str(start + 2) if start + 2 < len(chosen) else None
        return Statement(
            height=chain.head().height,
            account=account,
            asset=cny,
            first_time=first,
            before_time=before,
            opening=opening,
            closing=chosen[-1]["balance"] if chosen else opening,
            brought="",
            carried="",
            total_in="",
            total_out="",
            movements=tuple(page),
            after=more,
        )

    return ask


def bundle_of(
    chain: Chain,
    account: Address,
    first: int = FIRST,
    before: int | None = LAST,
    ask: Ask | None = None,
) -> bytes:
    """The bundle of an account in CNY."""
    rows = prove_end(chain, account, FixedChain.cny)
    statement = statement_of(chain, rows, ask or counted(chain, account), first, before)
    return b"".join(bundle_pieces(chain, rows, statement))


class Bundled:
    """A chain's bundles and its trust file, as bytes.

    `middle` is of a period in between and proven as a whole, `partly` of all that concerned alice,
    whose last hold came back as due work.
    """

    def __init__(self, story: Callable[[], FixedChain | PaperChain]) -> None:
        """Make them."""
        made = story()
        self.chain = made.reading() if isinstance(made, FixedChain) else made.chain()
        self.trust = to_json(trust_file(made.genesis))
        owner = FixedChain.alice if isinstance(made, FixedChain) else FixedChain.shop
        self.middle = bundle_of(self.chain, owner)
        self.partly = bundle_of(self.chain, FixedChain.alice, 0, None)


def packed(members: dict[str, bytes]) -> bytes:
    """An archive of these members, whose manifest was made again to fit."""
    others = {name: content for name, content in members.items() if name != "manifest.json"}
    told = json.loads(members["manifest.json"])
    told["members"] = [
        {"bytes": len(content), "name": name, "sha256": sha256(content).hexdigest()}
        for name, content in others.items()
    ]
    return b"".join(zip_pieces([*others.items(), ("manifest.json", canonical(told))]))


def canonical(value: Any) -> bytes:
    """The RFC 8785 form of JSON that has no floats."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode(errors="surrogatepass")


def altered(bundle: bytes, seed: int) -> Iterator[tuple[str, bytes]]:
    """Bundles that differ in one place, each with a name that says where.

    The archive with a byte flipped, cut, or lengthened; members dropped, doubled, swapped, moved
    and renamed; and with a manifest that was made again to fit: bytes flipped in each member, and
    JSON with one value changed, added or left out.
    """
    random, members = Random(seed), read_zip(bundle)
    yield from _of_archive(bundle, random)
    yield from _of_members(members)
    for name, content in members.items():
        if name == "manifest.json":
            yield from _of_manifest(members, content)
            continue
        for _ in range(24):
            place, bit = random.randrange(len(content)), 1 << random.randrange(8)
            flipped = content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]
            yield f"{name}: bit {bit} of {place}", packed({**members, name: flipped})
        if name.endswith(".json"):
            for changed in spoiled(json.loads(content)):
                if (written := canonical(changed)) != content:
                    yield f"{name}: {written[:400]!r}", packed({**members, name: written})


def invented(bundle: bytes, at: int, **said: Any) -> bytes:
    """A bundle with two movements that cancel each other out, said to be unproven.

    They stand before the line `at` of the movements and are like it, but for what is `said`.
    """
    members = read_zip(bundle)
    told = json.loads(members["statement.json"])
    lines = told["movements"]
    before = lines[at - 1]["balance"] if at else told["opening"]
    more = text_of(units_of(before) + 100, 2)
    of = {name: lines[at][name] for name in ("time", "height", "index")} | said
    lines[at:at] = [
        of | {"place": 7, "way": "in", "amount": "1.00", "balance": more},
        of | {"place": 8, "way": "out", "amount": "1.00", "balance": before},
    ]
    for name, way in (("total_in", "in"), ("total_out", "out")):
        told[name] = text_of(sum(units_of(x["amount"]) for x in lines if x["way"] == way), 2)
    statement = msgspec.json.decode(canonical(told), type=BundleStatement)
    return packed(
        {**members, "statement.json": canonical(told), "statement.csv": csv_of(statement)}
    )


def inventions(bundle: bytes, is_network: bool) -> Iterator[tuple[str, bytes]]:
    """Bundles with movements invented in transactions and blocks that are shown, and where."""
    lines = json.loads(read_zip(bundle)["statement.json"])["movements"]
    for at in range(1, len(lines)):
        shown = {name: lines[at - 1][name] for name in ("time", "height", "index")}
        if lines[at - 1].get("unproven") or lines[at]["index"] == shown["index"]:
            continue
        for why in ("pruned", "due_work") if is_network else ("pruned",):
            yield f"{why} in {shown}", invented(bundle, at, **shown, unproven=why)
        if lines[at]["height"] > shown["height"]:
            shown["index"] += 1
            yield f"pruned beside {shown}", invented(bundle, at, **shown, unproven="pruned")


def _of_archive(bundle: bytes, random: Random) -> Iterator[tuple[str, bytes]]:
    places = {*range(64), *range(len(bundle) - 64, len(bundle))}
    places |= {random.randrange(len(bundle)) for _ in range(200)}
    for place in sorted(places):
        bit = 1 << random.randrange(8)
        yield f"byte {place}", bundle[:place] + bytes([bundle[place] ^ bit]) + bundle[place + 1 :]
    yield "nothing", b""
    yield "cut", bundle[:-1]
    yield "half", bundle[: len(bundle) // 2]
    yield "longer", bundle + b"\0"
    yield "twice", bundle * 2
    yield "before", b"\0" + bundle
    yield "inflated", bundle.replace(b"PK\1\2\x0a\0\x0a\0\0\0\0\0", b"PK\1\2\x0a\0\x0a\0\0\0\x08\0")


def _of_members(members: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    names = list(members)
    for at, name in enumerate(names):
        rest = {other: content for other, content in members.items() if other != name}
        yield f"unlisted {name}", b"".join(zip_pieces(rest.items()))
        yield f"doubled {name}", b"".join(zip_pieces([*members.items(), (name, members[name])]))
        if name == "manifest.json":
            continue
        yield f"dropped {name}", packed(rest)
        yield f"empty {name}", packed({**members, name: b""})
        yield f"moved {name}", packed({name: members[name], **rest} if at else {**rest, name: b"x"})
        yield f"renamed {name}", packed({**rest, f"a{name[1:]}": members[name]})
        other = names[(at + 1) % (len(names) - 1)]
        yield f"swapped {name}", packed({**members, name: members[other], other: members[name]})
    for name in ("../evil.json", "/evil.json", "a/b/c.json", "Evil.json", "blocks/1.json"):
        yield f"added {name}", packed({name: b"{}", **members})


def _of_manifest(members: dict[str, bytes], content: bytes) -> Iterator[tuple[str, bytes]]:
    for changed in spoiled(json.loads(content)):
        if (written := canonical(changed)) != content:
            pieces = zip_pieces({**members, "manifest.json": written}.items())
            yield f"manifest: {written[:200]!r}", b"".join(pieces)
