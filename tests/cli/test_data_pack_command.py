"""`tongbao data-pack make` at a node of its own, and `tongbao verify` on the archive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.calling import PASSPHRASE, Place
from tests.sdk.data.granted import B, buyer_key
from tests.sdk.data.market import ADDRESSES, BOND, Market, market
from tongbao.kernel import Hash, Id, Time
from tongbao.modules import data
from tongbao.rights.deletion import Deletion, deletion_bytes, deletion_hash
from tongbao.rights.receipt import make_receipt, read_receipt, request_in
from tongbao.rights.requests import DataRequest, grant_hash, request_hash
from tongbao.sdk.data.orders_folder import Deal, OrdersFolder
from tongbao.sdk.data.parties import institution_of
from tongbao.sdk.proofs import to_json

ROOT = Hash("02" * 32)


class Sold:
    """One grant of alice's to bob, from its request to its deletion, at a real node."""

    def __init__(self, market: Market) -> None:
        """Sell a month."""
        self.market, chain = market, market.chain
        request = market.request(market.attest("2026-03"))
        self.order = Id(market.send("bob", placing(request)))
        row, offer = market.row(self.order), chain.query(data.offer, market.offers["view"])
        enterprise = chain.query(data.enterprise, request.buyer)
        assert offer is not None and enterprise is not None
        self.receipt = make_receipt(
            chain=chain.id,
            order_id=self.order,
            order=row,
            request=request,
            offer_id=market.offers["view"],
            offer=offer,
            enterprise=enterprise,
            seller=ADDRESSES["carol"],
            made_at=chain.now(),
            institution=institution_of(chain, request.buyer),
        )
        grant = Hash(grant_hash(self.receipt).hex())
        market.send("carol", self.sealing(grant))
        nonce = data.Nonce("0c" * 16)
        confirm = data.Confirm(order=self.order, grant_hash=grant, package_root=ROOT, nonce=nonce)
        market.send("bob", confirm)
        licence = Id(market.send("carol", data.Reveal(order=self.order, b=B)))
        self.deletion = deletion_bytes(
            Deletion(
                account=request.buyer,
                chain=chain.id,
                deleted_at=chain.now(),
                licence=licence,
                order=self.order,
            )
        )
        hashed = Hash(deletion_hash(self.deletion).hex())
        market.send("bob", data.AttestDeletion(licence=licence, attestation_hash=hashed))

    def sealing(self, grant: Hash) -> data.Seal:
        """Carol's seal."""
        locked = data.data_hash("b", bytes.fromhex(self.order), bytes.fromhex(B))
        return data.Seal(
            order=self.order,
            offer=self.market.offers["view"],
            grant_hash=grant,
            package_root=ROOT,
            chunks=data.Chunks(4),
            a_commit=Hash("04" * 32),
            b_lock=Hash(locked.hex()),
        )


def placing(request: DataRequest) -> data.PlaceOrder:
    """The order of a request."""
    shared = {
        name: getattr(request, name)
        for name in request.__struct_fields__
        if name not in ("buyer", "chain", "why")
    }
    return data.PlaceOrder(
        **shared,
        deletion_bond=BOND,
        request_hash=Hash(request_hash(request).hex()),
        buyer_key=buyer_key(1),
        seal_by=Time(request.delete_by - 5 * 86_400_000),
    )


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sold]:
    """The grant; the chain's folder is the one of its node."""
    with market(tmp_path_factory.mktemp("market") / "chain") as found:
        yield Sold(found)


@pytest.fixture
def desk(sold: Sold, tmp_path: Path) -> Place:
    """Where the buyer works: it asks the node, and has what it kept."""
    (tmp_path / "receipt.json").write_bytes(sold.receipt)
    (tmp_path / "deletion.json").write_bytes(sold.deletion)
    (tmp_path / "assessment.txt").write_text("assessed", encoding="utf-8")
    (tmp_path / "trust.json").write_bytes(trust_of(sold))
    return Place(tmp_path / "mine")


def trust_of(sold: Sold) -> bytes:
    """The chain's trust file."""
    return to_json(sold.market.chain.trust())


def making(sold: Sold, *words: str) -> tuple[str, ...]:
    """The command that makes bob's pack."""
    return ("data-pack", "make", ADDRESSES["bob"], *words, "--node", sold.market.address)


def test_a_pack_is_made_of_files_and_verified_elsewhere(
    sold: Sold, desk: Place, tmp_path: Path
) -> None:
    """
    Given a node, and the receipt and the attestation that a buyer kept,
    when its pack is made and verified by the trust file,
    then both say what became of the grant; with a byte changed, verifying ends with 65.
    """
    pack, trust = str(tmp_path / "pack.zip"), str(tmp_path / "trust.json")
    kept = [str(tmp_path / name) for name in ("deletion.json", "receipt.json")]
    made = desk.do(
        *making(sold, *kept, "--out", pack, "--assessment", str(tmp_path / "assessment.txt"))
    )
    assert (made["role"], made["grants"], made["verified"], made["late"]) == ("buyer", 1, True, 0)
    told = desk.call("verify", pack, "--trust", trust)
    assert told.last == (
        "verified: 1 grant by receipts that were sealed; 1 revealed, 1 deleted, 0 held; of buyer "
        f"{ADDRESSES['bob']} on {sold.market.chain.id}"
    )
    (grant,) = desk.do("verify", pack, "--trust", trust)["grants"]
    assert (grant["order"], grant["phase"], grant["price"]) == (sold.order, "revealed", "20.00")
    content = Path(pack).read_bytes()
    Path(pack).write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    told = desk.call("verify", pack, "--trust", trust)
    assert (told.code, "PACK_IS_UNREADABLE (30)" in told.err) == (65, True)
    told = desk.call("verify", pack, "--trust", trust, "--after", pack)
    assert (told.code, "--after is about bundles" in told.err) == (2, True)


def test_a_pack_is_made_of_a_buyer_s_folder(sold: Sold, desk: Place, tmp_path: Path) -> None:
    """Given a buyer's folder of orders, when a pack is made of it, then it is the same pack."""
    asked = request_in(read_receipt(sold.receipt))
    deal = Deal(
        request_hash=request_hash(asked).hex(),
        agent=ADDRESSES["carol"],
        receipt=sold.receipt.decode(),
        attestation=sold.deletion.decode(),
    )
    with OrdersFolder.create(tmp_path / "orders", PASSPHRASE) as folder:
        folder.keep_deal(sold.order, deal)
    out, orders = str(tmp_path / "pack.zip"), str(tmp_path / "orders")
    made = desk.do(*making(sold, "--orders", orders, "--out", out))
    assert (made["grants"], made["assessment"]) == (1, False)
    told = desk.call(*making(sold, "--orders", orders, "--out", out, "--to", "2020-01-01"))
    assert told.last == f"written to {out}: 0 grants, verified"


def test_what_is_no_receipt_is_named(sold: Sold, desk: Place, tmp_path: Path) -> None:
    """Given a file that is no receipt, none at all, a bad time, when asked, then what to do."""
    out, trust = str(tmp_path / "pack.zip"), str(tmp_path / "trust.json")
    receipt = str(tmp_path / "receipt.json")
    told = desk.call(*making(sold, trust, "--out", out))
    assert (told.code, "trust.json: no receipt" in told.err) == (65, True)
    told = desk.call(*making(sold, "--out", out))
    assert (told.code, "no receipt to make a pack of" in told.err) == (66, True)
    told = desk.call(*making(sold, receipt, "--out", out, "--from", "yesterday"))
    assert (told.code, "change --from or --to" in told.err) == (2, True)
    told = desk.call("data-pack", "make", ADDRESSES["carol"], receipt, "--out", out, "--node",
                     sold.market.address)  # fmt: skip
    assert (told.code, "not all receipts are of grants to" in told.err) == (2, True)
