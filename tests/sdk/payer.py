"""A program that pays until it is killed, and says what it sends and what was answered.

`python payer.py FOLDER` prints `sent TRANSACTION` before it submits any of a batch, and
`done ID HEIGHT` once the answer is there. Each line is written at once, and whole.
"""

from __future__ import annotations

import sys
from itertools import cycle
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.sdk.kept_chain import CENT, PASSPHRASE, pay
from tongbao.kernel import Address
from tongbao.sdk.client import Applied
from tongbao.sdk.opening import open_chain, operator_wallet

BATCHES: Final = (1, 2, 150, 30)
"""How many payments go at once: the third is enough for the signature checker to be asked."""


def main(folder: Path, shop: Address) -> None:
    """Pay the shop a cent, for ever."""
    with open_chain(folder, passphrase=PASSPHRASE) as chain:
        operator = operator_wallet(chain, folder, PASSPHRASE)
        for size in cycle(BATCHES):
            batch = [operator.build(pay(shop, CENT)) for _ in range(size)]
            for transaction in batch:
                print("sent", transaction.decode("ascii"), flush=True)
            for answer in chain.submit_many(batch):
                if not isinstance(answer, Applied):
                    raise answer
                print("done", answer.id, answer.height, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Address(sys.argv[2]))
