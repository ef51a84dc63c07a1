"""`tongbao verify`: check a proof with nothing but the verifier: no store, no node, no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tongbao.cli.options import json_option, read_file, terminal_of
from tongbao.cli.terminal import json_text
from tongbao.sdk.verification import Verified
from tongbao.sdk.verification import verify as check


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
@json_option
@click.pass_context
def verify(ctx: click.Context, file: Path, trust: Path, at: int | None) -> None:
    """Check the proof in FILE (- is standard input) and print what it proves.

    Times are milliseconds UTC. Exit code 0: proven; 65: not, and the reason has a number.
    """
    found = check(read_file(file), read_file(trust), at)
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


def _claim(found: Verified) -> str:
    """What is proven, in one line."""
    where = f"at height {found.height} of {found.chain}"
    if found.kind == "transaction":
        return f"transaction {found.transaction_id} was {found.receipt['outcome']} {where}"
    key = " ".join(map(str, found.key))
    if found.value is None:
        return f"{found.name} has no row {key} {where}"
    return f"{found.name} {key} is {json_text(found.value)} {where}"
