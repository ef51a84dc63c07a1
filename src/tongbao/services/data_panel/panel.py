"""What one adjudicator does: hear of cases, take evidence, judge, vote; each step can be killed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tongbao.kernel import Id, InvalidTransaction
from tongbao.modules import data
from tongbao.sdk.answers import Happening
from tongbao.sdk.client import AlreadyDecided, Client, Refused
from tongbao.sdk.data.facts import NotThere, deadline_of, order_row, parameter_of
from tongbao.sdk.exchange_keys import sign_exchange_key
from tongbao.sdk.folder import sync_folder
from tongbao.sdk.wallet import Wallet
from tongbao.services.data_panel.cases import Case, PanelFolder
from tongbao.services.data_panel.judging import NoEvidence, judge_case

CLAIMED: Final = "claimed"
QUARTER: Final = 4
UPHELD, REJECTED = "upheld", "rejected"


class Finding(Struct, frozen=True):
    """What to vote now, and why; `vote` is empty while evidence may still come."""

    order: str
    vote: str
    ground: str


class Standing(Struct, frozen=True):
    """A case as it is shown: where the order is, until when it is decided, and what is here."""

    order: str
    phase: str
    deadline: int
    evidence: bool
    vote: str
    ground: str


class Panel:
    """One adjudicator's cases. Threads may share it."""

    def __init__(self, chain: Client, wallet: Wallet, folder: PanelFolder) -> None:
        """Act as the wallet's account."""
        self.chain = chain
        self.wallet = wallet
        self.folder = folder
        self.stirred = threading.Event()
        """Set when there is something new to look at."""
        self._lock = threading.RLock()
        self._statement: tuple[bytes, bytes] | None = None

    @property
    def account(self) -> str:
        """The adjudicator's address."""
        return self.wallet.address

    def statement(self) -> bytes:
        """The signed statement of the key that evidence is sealed to now."""
        with self._lock:
            secret = self.folder.secret_now(self.chain.now())
            if self._statement is None or self._statement[0] != secret.public:
                signer = self.wallet.signers[0]
                said = sign_exchange_key(
                    signer, self.account, self.chain.id, secret.public, secret.ends
                )
                self._statement = (secret.public, said)
            return self._statement[1]

    # Hearing of cases

    def hear(self, happening: Happening) -> list[str]:
        """Write down what a happening of type `data.reached` brings; the orders of new cases."""
        orders = _claimed_orders(bytes(happening.receipt))
        new = [order for order in orders if self.case(order) is not None]
        self.folder.follow_from(happening.cursor)
        self.stirred.set()
        return new

    def case(self, order: str) -> Case | None:
        """The case of an order that is claimed with this adjudicator on its panel, else None."""
        with self._lock:
            known = self.folder.case(order)
            if known is not None:
                return known
            try:
                row = order_row(self.chain, order)
            except NotThere:
                return None
            if row.phase != CLAIMED or self.account not in row.panel:
                return None
            case = Case(order=order)
            self.folder.keep(case)
            return case

    def buyer_of(self, order: str) -> str | None:
        """Who may bring evidence: the buyer of a case that is open here, and not voted on yet."""
        case = self.case(order)
        if case is None or case.vote or case.ended:
            return None
        row = order_row(self.chain, order)
        return row.buyer if row.phase == CLAIMED else None

    def must_be_open(self, order: str) -> data.Order:
        """The row of an open case of this adjudicator. Raises NotThere."""
        row = order_row(self.chain, order)
        if row.phase != CLAIMED or self.account not in row.panel:
            raise NotThere(f"order {order} is no open case of this adjudicator")
        return row

    def most_bytes(self, order: str) -> int:
        """The longest parcel that evidence on an order can be: padding doubles at most."""
        chunks = order_row(self.chain, order).chunks or 1
        return 4 * (chunks + 1) * 65_552

    def take(self, order: str, parcel: Path) -> None:
        """Keep a parcel that lies in a file of the folder `incoming`."""
        parcel.replace(self.folder.evidence(order))
        sync_folder(self.folder.incoming)
        self.stirred.set()

    # Judging and voting

    def standings(self) -> Iterator[Standing]:
        """All cases, as they are shown."""
        for case in self.folder.cases():
            row = order_row(self.chain, case.order)
            yield Standing(
                order=case.order,
                phase=row.phase,
                deadline=deadline_of(self.chain, row),
                evidence=self.folder.evidence(case.order).exists(),
                vote=case.vote,
                ground=case.ground,
            )

    def judge(self, order: str) -> Finding:
        """What there is to vote on a case now. Raises NotThere."""
        row = self.must_be_open(order)
        now = self.chain.now()
        secrets = [bytes.fromhex(one.secret) for one in self.folder.secrets()]
        try:
            verdict = judge_case(self.chain, order, row, self.folder.evidence(order), secrets)
        except NoEvidence as error:
            left = deadline_of(self.chain, row) - now
            late = left * QUARTER <= parameter_of(self.chain, data.VERDICT_MS)
            return Finding(order, REJECTED if late else "", f"NO_EVIDENCE: {error}")
        return Finding(order, UPHELD if verdict.upheld else REJECTED, verdict.name)

    def vote(self, finding: Finding) -> None:
        """Send a vote; one that was sent before is settled instead. Raises Refused, Unreachable."""
        assert finding.vote in (UPHELD, REJECTED)
        with self._lock:
            case = self.folder.case(finding.order) or Case(order=finding.order)
            if not case.transaction:
                message = data.Vote(order=Id(finding.order), verdict=data.Verdict(finding.vote))
                transaction = self.wallet.build(message).decode()
                case = replace(
                    case, vote=finding.vote, ground=finding.ground, transaction=transaction
                )
                self.folder.keep(case)
            self._settle(case)

    def _settle(self, case: Case) -> None:
        try:
            self.wallet.settle(case.transaction.encode())
        except AlreadyDecided:
            pass
        except (Refused, InvalidTransaction):
            self.folder.keep(replace(case, vote="", ground="", transaction=""))
            raise
        self.folder.keep(replace(case, transaction=""))

    def work(self) -> list[Finding]:
        """Take each open case a step on: settle, vote where there is a vote, tidy what has ended.

        Raises Unreachable.
        """
        voted = []
        for case in list(self.folder.cases()):
            if case.ended:
                continue
            if case.transaction:
                with suppress(Refused, InvalidTransaction):
                    self._settle(case)
                continue
            if order_row(self.chain, case.order).phase != CLAIMED:
                self._end(case)
            elif not case.vote:
                finding = self.judge(case.order)
                if finding.vote:
                    with suppress(Refused, InvalidTransaction):
                        self.vote(finding)
                        voted.append(finding)
        return voted

    def _end(self, case: Case) -> None:
        """A case that was decided: its evidence is destroyed."""
        self.folder.evidence(case.order).unlink(missing_ok=True)
        self.folder.keep(replace(case, ended=True))


class _Reached(Struct):
    type: str = msgspec.field(name="@type", default="")
    order: str = ""
    phase: str = ""


class _Receipt(Struct):
    events: tuple[_Reached, ...] = ()


def _claimed_orders(receipt: bytes) -> list[str]:
    events = msgspec.json.decode(receipt, type=_Receipt).events
    return [
        event.order for event in events if event.type == "data.reached" and event.phase == CLAIMED
    ]
