"""`tongbao verify`: check a proof, a bundle or a data pack by the verifier alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tongbao.cli.options import json_option, read_file, terminal_of
from tongbao.cli.terminal import count, json_text
from tongbao.sdk.bundle_verification import (
    ARCHIVE,
    VerifiedBundle,
    check_joined,
    verify_bundle,
)
from tongbao.sdk.data.pack_verification import VerifiedPack, is_pack, verify_pack
from tongbao.sdk.verification import Verified
from tongbao.sdk.verification import verify as check
from tongbao.sdk.zip_form import BYTES_LIMIT


@click.command(epilog="\b\nExample:\n  tongbao verify holding.proof --trust trust.json")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--trust",
    type=click.Path(path_type=Path),
    required=True,
    help="Trust file: whose signatures count for the chain, agreed on out of band.",
)
@click.option(
    "--at",
    type=click.IntRange(min=0),
    metavar="MS",
    help="Judge the period of a network's trust file as of this time (ms UTC), not by the clock: "
    "for what was archived. Whose keys the file names must not have lost them before you had it.",
)
@click.option(
    "--partly",
    is_flag=True,
    help="Of a bundle: take movements that have no proof as the node's word, and count them. Of a "
    "data pack: take grants whose deletion nobody attested in time, and count them.",
)
@click.option(
    "--after",
    type=click.Path(path_type=Path),
    help="Of a bundle: an earlier one of the same account and asset, whose proven holding this one "
    "must agree with; then what is left out since adds up to nothing.",
)
@json_option
@click.pass_context
def verify(
    ctx: click.Context,
    file: Path,
    trust: Path,
    at: int | None,
    partly: bool,
    after: Path | None,
) -> None:
    """Check the proof, bundle or data pack in FILE (- is standard input), print what it proves.

    Times are milliseconds UTC. Exit code 0: proven; 65: not, and the reason has a number.
    """
    content = read_file(file, BYTES_LIMIT + 1)
    if is_pack(content):
        if after is not None:
            raise click.UsageError("--after is about bundles, and this is a data pack")
        pack = verify_pack(content, read_file(trust), at, partly)
        terminal_of(ctx).answer(_facts_of_pack(pack), f"verified: {_sum_of_pack(pack)}")
        return
    if content.startswith(ARCHIVE):
        bundle = verify_bundle(content, read_file(trust), at, partly)
        verdict = f"verified: {_sum(bundle)}"
        if after is not None:
            earlier = verify_bundle(read_file(after, BYTES_LIMIT + 1), read_file(trust), at, partly)
            check_joined(earlier, bundle)
            verdict += f"; what is left out since height {earlier.height} adds up to nothing"
        terminal_of(ctx).answer(_facts_of(bundle), verdict)
        return
    if partly or after is not None:
        raise click.UsageError("--partly and --after are about bundles, and this is no archive")
    found = check(content, read_file(trust), at)
    facts: dict[str, Any] = {
        "chain": found.chain,
        "height": found.height,
        "time": found.time,
        "kind": found.kind,
        "name": found.name,
    }
    if found.kind == "row":
        facts |= {"key": list(found.key), "value": found.value}
    else:
        facts |= {"id": found.transaction_id, "signed": found.value, "receipt": found.receipt}
    terminal_of(ctx).answer(facts, f"verified: {_claim(found)}")


def _facts_of(bundle: VerifiedBundle) -> dict[str, Any]:
    """What a bundle proves, without its movements: they stand in its CSV."""
    said = bundle.statement
    return {
        "chain": said.chain,
        "height": bundle.height,
        "time": bundle.time,
        "kind": "bundle",
        "account": said.account,
        "asset": said.asset,
        "from": said.first_time,
        "to": said.before_time,
        "opening": said.opening,
        "total_in": said.total_in,
        "total_out": said.total_out,
        "closing": said.closing,
        "holding": said.holding,
        "movements": len(said.movements),
        "since": len(said.since),
        "proven": bundle.proven,
        "unproven": bundle.unproven,
    }


def _sum(bundle: VerifiedBundle) -> str:
    """What a bundle proves, in one line."""
    said, every = bundle.statement, bundle.proven + bundle.unproven
    of = f"{bundle.proven} of {count(every, 'movement')}"
    end = f"{said.holding} is held at height {bundle.height} of {said.chain}"
    return f"{of}; {said.opening} + {said.total_in} - {said.total_out} = {said.closing}; {end}"


def _facts_of_pack(found: VerifiedPack) -> dict[str, Any]:
    """What a pack proves of each grant."""
    pack = found.pack
    return {
        "chain": pack.chain,
        "height": found.height,
        "time": found.time,
        "kind": "data-pack",
        "account": pack.account,
        "role": pack.role,
        "from": pack.first_time,
        "to": pack.before_time,
        "assessment": pack.assessment,
        "grants": [
            {
                "order": one.receipt.order,
                "owner": one.receipt.owner,
                "buyer": one.receipt.buyer,
                "purpose": one.receipt.purpose,
                "schema": one.receipt.schema,
                "fields": list(one.receipt.fields),
                "price": str(one.receipt.price),
                "asset": one.receipt.asset,
                "phase": one.phase,
                "sealed_at": one.sealed_at,
                "delete_by": one.receipt.delete_by,
                "deleted_at": one.deleted_at,
                "held": one.held,
            }
            for one in found.grants
        ],
        "late": len(found.late),
    }


def _sum_of_pack(found: VerifiedPack) -> str:
    """What a pack proves, in one line."""
    revealed = [one for one in found.grants if one.revealed]
    deleted = sum(one.deleted_at is not None and one.in_time for one in revealed)
    held = sum(one.held for one in revealed)
    late = f", {len(found.late)} not deleted in time" if found.late else ""
    grants, pack = count(len(found.grants), "grant"), found.pack
    return (
        f"{grants} by receipts that were sealed; {len(revealed)} revealed, {deleted} deleted, "
        f"{held} held{late}; of {pack.role} {pack.account} on {pack.chain}"
    )


def _claim(found: Verified) -> str:
    """What is proven, in one line."""
    where = f"at height {found.height} of {found.chain}"
    if found.kind == "transaction":
        return f"transaction {found.transaction_id} was {found.receipt['outcome']} {where}"
    key = " ".join(map(str, found.key))
    if found.value is None:
        return f"{found.name} has no row {key} {where}"
    return f"{found.name} {key} is {json_text(found.value)} {where}"
