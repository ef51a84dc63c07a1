"""Show the ledger that a source has signed two contents of one month: it ends, its bond goes."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from tongbao.modules import data
from tongbao.sdk.client import Refused
from tongbao.services.my_data.person import Person

SETTLED: Final = (data.Why.LIE_IS_PROVEN.number, data.Why.SOURCE_NOT_FOUND.number)
"""Somebody has shown it before, or the source is none any more."""


def prove(person: Person) -> int:
    """Show every proof that was kept and not shown: how many ended a source. Raises Refused."""
    ended = 0
    for proof in person.notebook.proofs:
        if proof.shown:
            continue
        message = data.ProveTwoContents(
            first=data.SignedText(proof.first), second=data.SignedText(proof.second)
        )
        try:
            person.wallet.send(message)
            ended += 1
        except Refused as error:
            if error.number not in SETTLED:
                raise
        others = (one for one in person.notebook.proofs if one != proof)
        person.home.note(proofs=(*others, replace(proof, shown=True)))
    person.put_notebook()
    return ended
