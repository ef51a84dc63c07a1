"""`python -m tongbao.simulation.determinism --seed N`: one digest of all that a history decides.

The same history gives the same bytes in every process, whatever PYTHONHASHSEED is.
"""

from __future__ import annotations

import argparse
from hashlib import sha256

from tongbao.simulation.mischief_recipes import CHAPTERS, RECIPES
from tongbao.simulation.playing import REGISTRY, genesis_for
from tongbao.testing.genesis import PEOPLE
from tongbao.testing.histories import History
from tongbao.testing.keys import named_key
from tongbao.testing.ledger import Ledger


def digest_of(seed: str, transactions: int) -> str:
    """SHA-256 over every block's transactions, receipts, rows and root, in hex."""
    ledger = Ledger(REGISTRY, genesis_for(seed))
    signers = [named_key(person) for person in PEOPLE]
    history = History(ledger.machine, seed, transactions, signers, RECIPES, CHAPTERS)
    digest = sha256(ledger.machine.genesis_hash)
    for step in history.steps():
        wires = tuple(found.wire for found in step.submissions)
        decided = ledger.machine.apply(ledger.block(step.time, wires))
        ledger.commit(decided)
        history.learn(step, decided.results)
        for part in (*wires, *decided.receipts, decided.state_root):
            digest.update(len(part).to_bytes(8, "big") + part)
        for key, value in decided.rows:
            digest.update(key + b"\0" + (value or b"") + b"\0")
    return digest.hexdigest()


def main() -> None:
    """Print the digest as the only line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default="1", help="what the history is made from")
    parser.add_argument("--transactions", type=int, default=500, help="how long it is")
    told = parser.parse_args()
    print(digest_of(told.seed, told.transactions))


if __name__ == "__main__":
    main()
