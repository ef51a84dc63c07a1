"""Send what costs money so that a kill at any moment loses nothing and pays nothing twice.

A signed transaction is in the folder before it is sent. Whoever finds it there sends the same bytes
again: a ledger takes them once, and tells again what they came to.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from tongbao.kernel import Invalid, InvalidTransaction, Message
from tongbao.modules import data
from tongbao.sdk.client import AlreadyDecided, Client, Refused
from tongbao.sdk.data.facts import all_of
from tongbao.sdk.data.orders_folder import Deal, OrdersFolder, Placing, Sending
from tongbao.sdk.wallet import Wallet

ATTEMPTS: Final = 5
TAKEN: Final = (Invalid.NONCE_WAS_USED, Invalid.NONCE_IS_TOO_OLD)


class Sender:
    """Sends an account's messages about orders."""

    def __init__(self, chain: Client, wallet: Wallet, folder: OrdersFolder) -> None:
        """Send by this wallet, and keep what is under way in this folder."""
        self._chain = chain
        self._wallet = wallet
        self._folder = folder
        self._under_way = set(folder.under_way())

    def send(self, message: Message, order: str) -> None:
        """Send a message about an order. Raises Refused, Unreachable, InvalidTransaction."""
        self._anew(message, order, None)

    def place(self, message: data.PlaceOrder, placing: Placing) -> str:
        """Place an order; its id. Raises as `send`."""
        return self._anew(message, "", placing)

    def resume(self) -> int:
        """Find out what came of everything that was under way; how many there were.

        What was refused, or never can happen, is done with: the ledger says how the order stands.
        Raises Unreachable.
        """
        found = sorted(self._under_way)
        for name in found:
            with suppress(Refused, InvalidTransaction):
                self._settle(name, self._folder.sending(name))
        return len(found)

    def _anew(self, message: Message, order: str, placing: Placing | None) -> str:
        """Build and send; anew where another program of the account's has taken the nonce.

        That is final: what had this nonce never happens.
        """
        self.resume()
        for left in reversed(range(ATTEMPTS)):
            transaction = self._wallet.build(message).decode()
            try:
                return self._go(Sending(transaction=transaction, order=order, placing=placing))
            except InvalidTransaction as error:
                if error.why not in TAKEN or not left:
                    raise
        raise AssertionError("the last attempt raises")

    def _go(self, sending: Sending) -> str:
        name = self._folder.keep_sending(sending)
        self._under_way.add(name)
        return self._settle(name, sending)

    def _decided(self, name: str) -> None:
        self._folder.decided(name)
        self._under_way.discard(name)

    def _settle(self, name: str, sending: Sending) -> str:
        try:
            made = self._wallet.settle(sending.transaction.encode()).receipt.ids
            order = made[0] if sending.placing is not None else sending.order
        except AlreadyDecided:
            order = sending.order or self._placed(sending)
        except (Refused, InvalidTransaction):
            self._decided(name)
            raise
        if sending.placing is not None and order:
            self._keep(order, sending.placing)
        self._decided(name)
        return order

    def _keep(self, order: str, placing: Placing) -> None:
        if not self._folder.has_deal(order):
            asked = self._folder.request(placing.request_hash)
            deal = Deal(request_hash=placing.request_hash, agent=asked.agent, secret=placing.secret)
            self._folder.keep_deal(order, deal)

    def _placed(self, sending: Sending) -> str:
        """The order that has a key, where the transaction's receipt is gone."""
        assert sending.placing is not None
        rows = all_of(self._chain, data.bought, buyer=self._wallet.address)
        public = sending.placing.public
        return next((name for name, row in rows if row.buyer_key == public), "")
