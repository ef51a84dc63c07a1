"""A network on paper with a payment, a hold that is refused, and validators who change; its proofs.

Everything in it is fixed: these are the golden files of proofs under CometBFT.
"""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from tests.fixed_chain import BEGIN, MINUTE
from tests.paper_chain import PaperChain
from tests.paper_network import header_of, members
from tongbao.engines.cometbft.codec import encode
from tongbao.engines.cometbft.light.hashes import header_hash
from tongbao.kernel.envelope import encode_base64url
from tongbao.sdk.folder import trust_file
from tongbao.sdk.network_trust import trust_after
from tongbao.sdk.proofs import ProofFile, to_json
from tongbao.sdk.verification import Verified, verify

AT = BEGIN + MINUTE
"""When these files are looked at, in ms UTC."""
OTHERS = ("up", "down", "left", "right")


class ProvenNetwork:
    """The chain, its trust files and proofs, as bytes."""

    def __init__(self) -> None:
        """Make the proofs: of block 2 under header 3, and of block 8 under header 9."""
        self.paper = paper = PaperChain()
        self.payment = paper.pay("12.50")
        self.refusal = paper.pay("1000.00")
        paper.make(paper.signed("bank"), self.payment, self.refusal, b"no transaction")
        paper.make()
        chain = paper.chain()
        self.id = paper.id
        self.trust = to_json(trust_file(paper.genesis))
        self.holding = to_json(chain.prove_row("asset.holdings", (paper.shop, paper.cny)))
        self.absence = to_json(chain.prove_row("asset.holdings", (paper.bank, paper.cny)))
        parse = paper.blocks.machine.parse
        self.identity = parse(self.payment).id.hex()
        self.transaction = to_json(chain.prove_transaction(self.identity))
        self.refused = to_json(chain.prove_transaction(parse(self.refusal).id.hex()))
        self._change_validators()
        moved = chain.prove_row("asset.holdings", (paper.shop, paper.cny))
        self.alone = to_json(moved)
        self.moved = to_json(replace(moved, blocks=(self.text_of(6),)))
        following = paper.network.members_of(7).validators
        self.trust_later = to_json(trust_after(paper.network.at(6), following))

    def _change_validators(self) -> None:
        """From block 8 on all four are others; half of them are in blocks 6 and 7."""
        paper = self.paper
        paper.make(after=members("north", "east", *OTHERS[:2]))
        paper.make(after=members("north", "east", *OTHERS[:2]))
        paper.make(after=members(*OTHERS))
        paper.make()
        paper.make(paper.pay("7.50"))
        paper.make()

    def text_of(self, height: int) -> str:
        """A light block as it stands in proofs."""
        return encode_base64url(encode(self.paper.network.at(height)))

    def verified(self, proof: bytes | ProofFile, trust: bytes | None = None) -> Verified:
        """What a proof shows."""
        text = proof if isinstance(proof, bytes) else to_json(proof)
        return verify(text, trust or self.trust, AT)

    def golden(self) -> dict[str, Any]:
        """What is frozen."""
        names = ("trust", "trust_later", "holding", "absence", "transaction", "refused", "moved")
        files = {name: json.loads(getattr(self, name)) for name in names}
        blocks = self.paper.network.blocks
        return files | {
            "at": AT,
            "light_blocks": [encode_base64url(encode(block)) for block in blocks],
            "header_hashes": [header_hash(header_of(block)).hex() for block in blocks],
        }
