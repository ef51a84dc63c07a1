"""Many payments at once with `await`, and what a refusal looks like."""

import asyncio
import tempfile

from tongbao.modules import asset
from tongbao.sdk import Amount, AsyncChain, Refused, SoftwareKey, create_chain


async def main() -> None:
    """Pay a hundred times at once; then pay more than there is."""
    with tempfile.TemporaryDirectory() as folder:
        chain, bank = create_chain(folder, passphrase="correct horse battery staple")
        alice, shop = (bank.open_account(SoftwareKey.generate()) for _ in range(2))
        bank.send(asset.Define(code="THB", scale=2))
        thb = bank.asset_id("THB")
        bank.send(
            asset.Issue(
                asset=thb, amount=Amount("1000.00"), payee=alice.address, reference="salary-11"
            )
        )
        payment = asset.Transfer(asset=thb, amount=Amount("1.25"), payee=shop.address)
        async with AsyncChain(chain) as ledger:
            wires = [alice.build(payment) for _ in range(100)]
            answers = await asyncio.gather(*(ledger.submit(wire) for wire in wires))
            print(f"{len(answers)} payments in {len({answer.height for answer in answers})} blocks")
            too_much = asset.Transfer(asset=thb, amount=Amount("9999.00"), payee=shop.address)
            try:
                await ledger.submit(alice.build(too_much))
            except Refused as refused:
                print(refused)
            print(await ledger.query(asset.balance, shop.address, thb))


asyncio.run(main())
