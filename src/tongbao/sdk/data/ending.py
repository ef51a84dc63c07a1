"""How a buyer's orders end that are not simply accepted: a claim with evidence, and deletion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from tongbao.kernel import Hash, Id, Time
from tongbao.modules import data
from tongbao.rights.deletion import Deletion, deletion_hash
from tongbao.rights.judge import Verdict
from tongbao.rights.requests import DataRequest, evidence_hash
from tongbao.sdk.data.agent_client import AgentAway, AgentRefused
from tongbao.sdk.data.deleting import delete_files, delete_keys
from tongbao.sdk.data.evidence import PanelClient, seal_evidence
from tongbao.sdk.data.facts import NotFetched, NotThere, all_of, order_row, sealed_of
from tongbao.sdk.data.streaming import Stream, due_batches
from tongbao.sdk.exchange_keys import BadExchangeKey, ledger_exchange_key

if TYPE_CHECKING:
    from tongbao.sdk.data.buyer import Buyer


UNDER_WAY: Final = ("open", "sealed", "confirmed")


class NothingToClaim(Exception):
    """The buyer's own judge finds nothing to claim: a panel would find the same."""

    exit_code = 1
    advice = "accept the order, or let it settle; a claim would cost the deposit"


class StillUnderWay(Exception):
    """What would be deleted may be owed for yet: without its key the package never opens."""

    exit_code = 1
    advice = "wait until it is revealed or lapses; one that is not confirmed can be cancelled"


def claim(buyer: Buyer, order: str, *, in_spite: bool = False) -> Verdict:
    """Say that the package is faulty; the verdict that the panel will come to.

    Raises NothingToClaim where that is no upheld one, unless `in_spite`; NotFetched, Refused.
    """
    verdict = buyer.verdict(order)
    if verdict is Verdict.EVIDENCE_IS_NOT_COMMITTED and not in_spite:
        raise NotFetched(f"the package of order {order} is damaged here: fetch it again")
    if not verdict.upheld and not in_spite:
        raise NothingToClaim(f"judge says {verdict.name}: {verdict.value}")
    row = order_row(buyer.chain, order)
    a, _ = buyer.package(order)
    said = evidence_hash(bytes.fromhex(order), a, sealed_of(order, row).package_root)
    message = data.Claim(order=Id(order), evidence_hash=Hash(said.hex()))
    buyer.sender.send(message, order)
    return verdict


def show_panel(
    buyer: Buyer, order: str, panels: Mapping[str, str], only: Iterable[str] = ()
) -> dict[str, str]:
    """Send the evidence to each of the panel whose program is at a known address.

    `panels` are adjudicators' addresses and where their programs are. What became of each: "told",
    or why not; whoever was told before is not told again, unless named in `only`.
    """
    row = order_row(buyer.chain, order)
    if not row.panel:
        raise NotThere(f"order {order} is {row.phase}: no panel was called")
    wanted = set(only)
    answers: dict[str, str] = {}
    for adjudicator in row.panel:
        if wanted and adjudicator not in wanted:
            continue
        if adjudicator in buyer.folder.deal(order).told and adjudicator not in wanted:
            answers[adjudicator] = "told"
        elif adjudicator in panels:
            answers[adjudicator] = _tell(buyer, order, adjudicator, panels[adjudicator])
        else:
            answers[adjudicator] = "it is not known where its program is"
    return answers


def _tell(buyer: Buyer, order: str, adjudicator: str, url: str) -> str:
    path = buyer.folder.evidence(order, adjudicator)
    try:
        with PanelClient(url, buyer.signer, buyer.wallet.address) as panel:
            write_evidence(buyer, order, adjudicator, panel.key(), path)
            panel.leave(order, path)
    except (AgentAway, AgentRefused, BadExchangeKey) as error:
        decided = order_row(buyer.chain, order).phase != "claimed"
        return "the claim was decided without it" if decided else str(error)
    deal = buyer.folder.deal(order)
    buyer.folder.keep_deal(order, replace(deal, told=(*deal.told, adjudicator)))
    path.unlink(missing_ok=True)
    return "told"


def write_evidence(
    buyer: Buyer, order: str, adjudicator: str, statement: bytes, path: Path
) -> None:
    """Write the parcel for an adjudicator that has stated its key. Raises BadExchangeKey."""
    key = ledger_exchange_key(buyer.chain, statement, adjudicator, buyer.chain.now())
    a, chunks = buyer.package(order)
    seal_evidence(order, a, chunks, key, path)


def attest_deletion(buyer: Buyer, order: str) -> bytes:
    """Delete what an order brought, files and keys, then attest it; the attestation.

    An order without a licence is deleted just so, and nothing is attested: the answer is empty.
    Raises StillUnderWay before Reveal; Refused, as after `delete_by`, when the data are gone all
    the same.
    """
    phase = buyer.phase(order)
    if phase in UNDER_WAY:
        raise StillUnderWay(f"order {order} is {phase}: its key is what opens it")
    deal = buyer.folder.deal(order)
    rows = all_of(buyer.chain, data.licensed_to, buyer=buyer.wallet.address)
    licence = next((name for name, row in rows if row.order == order), None)
    attested = None
    if licence is not None:
        attested = Deletion(
            account=buyer.wallet.address,
            chain=buyer.chain.id,
            deleted_at=Time(buyer.chain.now()),
            licence=licence,
            order=Id(order),
        )
    delete_files(buyer.folder, order, deal)
    text = delete_keys(buyer.folder, order, attested).attestation.encode()
    if licence is not None:
        hashed = Hash(deletion_hash(text).hex())
        buyer.sender.send(data.AttestDeletion(licence=licence, attestation_hash=hashed), order)
    return text


def order_due(buyer: Buyer, name: str, *, again: bool = False) -> dict[str, str]:
    """Order each new batch of a stream; the batches, and the order of each or why there is none."""
    buyer.sender.resume()
    stream = buyer.folder.streams(Stream)[name]
    made: dict[str, str] = {}
    for batch in due_batches(buyer.chain, buyer.wallet.address, stream, again=again):
        request = DataRequest(
            asset=stream.asset,
            batches=(batch,),
            buyer=buyer.wallet.address,
            chain=buyer.chain.id,
            delete_by=Time(buyer.chain.now() + stream.keep_ms),
            fee=stream.fee,
            fields=stream.fields,
            mode=data.Mode("stream"),
            owner=stream.owner,
            price=stream.price,
            purpose=stream.purpose,
            schema=stream.schema,
            why=stream.why,
        )
        try:
            asked = buyer.request(request, stream.agent)
        except (AgentAway, AgentRefused) as error:
            made[batch] = str(error)
            continue
        made[batch] = buyer.order(asked, deletion_bond=stream.deletion_bond)
    return made
