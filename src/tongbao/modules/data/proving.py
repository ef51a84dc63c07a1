"""Two signed contents of one month: a source has lied, and anybody may prove it.

Its bond goes to nobody who can have had a hand in it. Whoever proves it may be the source itself
under another name, and so may the person whose month it is: paid to either, the bond would come
back to who lied. It goes to the issuer of the bond's asset, as if it had been redeemed for nothing.
"""

from tongbao.kernel import Context, PublicKey, Refusal, require
from tongbao.modules import account, asset
from tongbao.modules.data.attestation import (
    Attested,
    BadAttestation,
    contradict,
    decode_attestation,
)
from tongbao.modules.data.batches import statement_name
from tongbao.modules.data.messages import ProveTwoContents, Why
from tongbao.modules.data.money import earn, lower, release
from tongbao.modules.data.records import Contradicted, Proven
from tongbao.modules.data.tables import module, proven, sources
from tongbao.modules.data.types import Version


@module.handler
def prove_two_contents(ctx: Context, msg: ProveTwoContents) -> None:
    """Take the bond of a source that has signed two contents of one month, and end it."""
    one, other = read(msg.first), read(msg.second)
    require(contradict(one.said, other.said), Why.CONTENTS_AGREE)
    said = one.said
    name = statement_name(said.iss, said.sub, said.schema, said.period, said.version)
    require(name not in ctx[proven], Why.LIE_IS_PROVEN)
    source = ctx[sources].one((said.iss, said.schema), Why.SOURCE_NOT_FOUND)
    keys = {*source.keys, *account.signing_alone(ctx, said.iss)}
    require(is_signed(one, keys) and is_signed(other, keys), Why.ATTESTATION_IS_NOT_SIGNED)

    # From here it succeeds.
    del ctx[sources][said.iss, said.schema]
    release(ctx, said.iss, source.asset, source.bond)
    if source.bond:
        lower(ctx, said.iss, source.asset, source.bond)
        earn(ctx, asset.issuer_of(source.asset), source.asset, source.bond)
    ctx[proven][name] = Proven(at=ctx.time, by=ctx.sender)
    ctx.emit(
        Contradicted(
            source=said.iss,
            subject=said.sub,
            schema=said.schema,
            period=said.period,
            version=Version(said.version),
            asset=source.asset,
            bond=source.bond,
        )
    )


def read(text: str) -> Attested:
    """An attestation of the form that there is."""
    try:
        return decode_attestation(text.encode("ascii"))
    except BadAttestation:
        raise Refusal(Why.ATTESTATION_IS_MALFORMED) from None


def is_signed(attested: Attested, keys: set[PublicKey]) -> bool:
    """Whether one of these keys has signed; the costly question comes last."""
    return attested.signature.kid in keys and attested.is_signed
