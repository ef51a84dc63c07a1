"""Evidence as hostile buyers bring it: an adjudicator believes what opens whole, and no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.rights.material import fixed
from tests.sdk.data.market import Market, market
from tests.sdk.data.panels import panel_folder
from tests.sdk.data.shop import Shop, begun
from tongbao.kernel import jcs
from tongbao.rights.parcel import evidence_context, seal_parcel_file
from tongbao.services.data_panel.cases import PanelFolder
from tongbao.services.data_panel.panel import Panel

Spoil = Callable[[str, bytes, list[bytes]], tuple[str, bytes]]


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, str]]:
    """A market, and an order that bob has claimed in spite of a right package."""
    with (
        market(tmp_path_factory.mktemp("court") / "chain") as found,
        begun(found, tmp_path_factory.mktemp("bob")) as shop,
    ):
        order = shop.revealed()
        shop.buyer.claim(order, in_spite=True)
        yield shop, order


def head(order: str, a: bytes) -> bytes:
    """The first line."""
    return jcs.encode({"a": a.hex(), "order": order}) + b"\n"


def right(order: str, a: bytes, chunks: list[bytes]) -> tuple[str, bytes]:
    """What was claimed."""
    return order, head(order, a) + b"".join(chunks)


def other_context(order: str, a: bytes, chunks: list[bytes]) -> tuple[str, bytes]:
    """A parcel about another order."""
    return "33" * 20, head(order, a) + b"".join(chunks)


def other_order(order: str, a: bytes, chunks: list[bytes]) -> tuple[str, bytes]:
    """A first line about another order."""
    return order, head("33" * 20, a) + b"".join(chunks)


def spelled(order: str, a: bytes, chunks: list[bytes]) -> tuple[str, bytes]:
    """A first line that is not canonical."""
    line = f'{{"order":"{order}","a":"{a.hex()}"}}\n'
    return order, line.encode() + b"".join(chunks)


def endless(order: str, a: bytes, chunks: list[bytes]) -> tuple[str, bytes]:
    """No line at all."""
    return order, b"{" * 500_000


def surplus(order: str, a: bytes, chunks: list[bytes]) -> tuple[str, bytes]:
    """A chunk more than the package has."""
    return order, head(order, a) + b"".join((*chunks, chunks[0]))


def nothing(order: str, a: bytes, chunks: list[bytes]) -> tuple[str, bytes]:
    """An empty text."""
    return order, b""


def cut(order: str, a: bytes, chunks: list[bytes]) -> tuple[str, bytes]:
    """Half a chunk."""
    return order, head(order, a) + chunks[0][:1_000]


def no_chunk(order: str, a: bytes, chunks: list[bytes]) -> tuple[str, bytes]:
    """A first line alone."""
    return order, head(order, a)


def other_a(order: str, a: bytes, chunks: list[bytes]) -> tuple[str, bytes]:
    """Another `a` than that of the claim."""
    return order, head(order, fixed("another")) + b"".join(chunks)


def other_chunk(order: str, a: bytes, chunks: list[bytes]) -> tuple[str, bytes]:
    """A chunk with another bit."""
    return order, head(order, a) + bytes([chunks[0][0] ^ 1]) + chunks[0][1:]


FOUND: dict[Spoil, tuple[str, str]] = {
    right: ("rejected", "OK"),
    other_a: ("rejected", "EVIDENCE_IS_NOT_COMMITTED"),
    other_chunk: ("rejected", "EVIDENCE_IS_NOT_COMMITTED"),
    no_chunk: ("rejected", "EVIDENCE_IS_NOT_COMMITTED"),
    other_context: ("", "NO_EVIDENCE"),
    other_order: ("", "NO_EVIDENCE"),
    spelled: ("", "NO_EVIDENCE"),
    endless: ("", "NO_EVIDENCE"),
    surplus: ("", "NO_EVIDENCE"),
    nothing: ("", "NO_EVIDENCE"),
    cut: ("", "NO_EVIDENCE"),
}


@pytest.mark.parametrize("spoil", FOUND, ids=lambda spoil: spoil.__name__)
def test_evidence_is_what_was_claimed_or_none(
    court: tuple[Shop, str], tmp_path: Path, spoil: Spoil
) -> None:
    """
    Given a claim,
    when a buyer brings evidence that is wrong in each way,
    then it is rejected where it opens, and waited for where it does not; nothing stays beside it.
    """
    shop, order = court
    a, chunks = shop.buyer.package(order)
    context, text = spoil(order, a, list(chunks))
    with panel_folder(tmp_path / "ann") as folder:
        panel = adjudicator(shop.market, folder)
        key = folder.secret_now(shop.market.chain.now()).public
        parcel, about = folder.evidence(order), evidence_context(bytes.fromhex(context))
        seal_parcel_file("evidence", about, key, [text], len(text), parcel)
        found = panel.judge(order)
        left = [path.name for path in folder.incoming.iterdir()]

    assert (found.vote, found.ground.partition(":")[0]) == FOUND[spoil]
    assert left == [order]


def test_evidence_for_another_reader_is_none(court: tuple[Shop, str], tmp_path: Path) -> None:
    """
    Given evidence that is sealed to another adjudicator's key, or cut off,
    when this one judges,
    then there is none.
    """
    shop, order = court
    a, chunks = shop.buyer.package(order)
    text = head(order, a) + b"".join(chunks)
    with panel_folder(tmp_path / "ann") as folder, panel_folder(tmp_path / "ben") as other:
        panel = adjudicator(shop.market, folder)
        folder.secret_now(shop.market.chain.now())
        key = other.secret_now(shop.market.chain.now()).public
        parcel, about = folder.evidence(order), evidence_context(bytes.fromhex(order))
        seal_parcel_file("evidence", about, key, [text], len(text), parcel)
        foreign = panel.judge(order)
        parcel.write_bytes(parcel.read_bytes()[:-1])
        short = panel.judge(order)

    assert (foreign.vote, short.vote) == ("", "")


def adjudicator(market: Market, folder: PanelFolder) -> Panel:
    """Ann, with a folder; on the panel of three that there are."""
    return Panel(market.chain, market.wallets["ann"], folder)
