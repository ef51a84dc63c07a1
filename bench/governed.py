"""What a consortium's controls cost: payments under them beside payments without, sessions, votes.

`python -m bench.governed` measures these alone and writes `build/bench-governed.json`; they are
part of `make bench` too. Figures in pairs are measured in turns, in the same run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec

from bench import sessions
from bench.conditions import conditions
from bench.figures import lines
from bench.load import flood
from bench.node import Node, running
from bench.workload import Workload
from tongbao.engines.solo import Options
from tongbao.engines.solo.engine import wall_clock
from tongbao.kernel import Id, Message, Small, Time
from tongbao.kernel.genesis import Section, section
from tongbao.kernel.kernel_module import QUOTAS, TOKENS_LIMIT, SponsoredCount, Tokens
from tongbao.modules import asset, governance, member, sponsor
from tongbao.sdk.client import Applied
from tongbao.sdk.local import Chain

RESULTS = Path("build") / "bench-governed.json"
ACCOUNTS = 10_000
PAYMENTS = 10_000
RUNS = 5
VOTERS = 100
VOTES = 5
ISSUER = member.Role("issuer")
RESERVED = ("asset.define", "asset.issue")
CLOSES_MS = 3_600_000
DELAY_MS = 86_400_000
STANDS_FOR = 500
"""Accounts of a sponsor."""
LEI_BASE = "BENCH0000000000000"


class Governed(Workload):
    """A chain with quotas, whose bank may issue, and whose asset only those hold who may."""

    def parameters(self) -> dict[str, int]:
        """Each transaction is paid for."""
        return {QUOTAS.name: 1}

    def sections(self) -> tuple[Section, ...]:
        """The bank as a member with a role, messages that are reserved for that, and sponsors."""
        bank = member.FirstMember(
            lei=member.Lei(LEI_BASE + member.check_digits_of(LEI_BASE)),
            name=member.MemberName("Bench Bank"),
            accounts=(self.addresses[0],),
            roles=(ISSUER,),
        )
        permissions = tuple(
            member.FirstPermission(permission=member.PermissionName(name), roles=(ISSUER,))
            for name in RESERVED
        )
        return (
            section("member", member.Start(members=(bank,), permissions=permissions)),
            section("sponsor", sponsor.Start(sponsors=self.sponsors())),
        )

    def sponsors(self) -> tuple[sponsor.FirstAllowance, ...]:
        """The bank and some others stand for everybody else; none of them ever runs dry."""
        count = 1 + len(self.addresses) // STANDS_FOR
        plenty = Tokens(TOKENS_LIMIT)
        return tuple(
            sponsor.FirstAllowance(
                sponsor=self.addresses[at],
                capacity=plenty,
                per_minute=plenty,
                accounts=SponsoredCount(2 * STANDS_FOR),
                stands_for=tuple(self.addresses[count + at :: count]),
            )
            for at in range(count)
        )

    def admitted(self) -> list[Message]:
        """Whoever holds the asset is authorised."""
        flags = (asset.Flag("authorisation"),)
        return [
            asset.SetFlags(asset=self.usd, switch_on=flags, lock=flags),
            *(asset.Authorise(asset=self.usd, account=each) for each in self.addresses[1:]),
        ]


class Council(Workload):
    """A chain of operators who all must agree."""

    def sections(self) -> tuple[Section, ...]:
        """Every account is an operator."""
        start = governance.Start(
            operators=tuple(self.addresses),
            threshold=Small(len(self.addresses)),
            delay_ms=governance.Delay(DELAY_MS),
        )
        return (section("governance", start),)

    def propose(self) -> Id:
        """A proposal of the first operator, in a block of its own."""
        action = governance.SetThreshold(threshold=Small(1))
        closes_at = Time(wall_clock() + CLOSES_MS)
        asked = governance.Propose(actions=(action,), closes_at=closes_at)
        made = self.producer.make((self.signed(0, asked),), wall_clock())
        assert made is not None and not made.invalid
        return Id(msgspec.json.decode(made.decided.results[0].receipt)["ids"][0])

    def vote_ms(self) -> float:
        """Milliseconds for the block in which all others approve, to disk."""
        proposal = self.propose()
        vote = governance.Vote(proposal=proposal, choice=governance.Choice("approve"))
        wires = tuple(self.signed(at, vote) for at in range(1, len(self.addresses)))
        begun = perf_counter()
        made = self.producer.make(wires, wall_clock())
        taken = (perf_counter() - begun) * 1_000
        assert made is not None and not made.invalid
        found = governance.show(self.producer.machine.view(governance.module), proposal)
        assert found is not None and found.phase == "approved"
        return taken


def measure(
    folder: Path, accounts: int = ACCOUNTS, count: int = PAYMENTS, runs: int = RUNS
) -> dict[str, Any]:
    """All figures; the sizes are those of each chain and each run."""
    print("under governance: payments, votes, sessions", flush=True)
    plain = Workload(folder / "plain", accounts)
    governed = Governed(folder / "governed", accounts)
    found: dict[str, Any] = in_process(plain, governed, count, runs)
    found |= over_http(plain, governed, count, runs)
    council = Council(folder / "council", VOTERS)
    found["vote_ms"] = statistics.median(council.vote_ms() for _ in range(VOTES))
    council.store.close()
    return found | sessions.measure(folder / "sessions", min(accounts, sessions.SESSIONS), count)


def in_process(plain: Workload, governed: Workload, count: int, runs: int) -> dict[str, Any]:
    """Rates of open chains, which are closed after that."""
    with plain.chain(Options()) as one, governed.chain(Options()) as other:
        found = pairs(runs, lambda: rate(one, plain, count), lambda: rate(other, governed, count))
    return {"governed_in_process_ratio": ratio(found), "governed_in_process_pairs": found}


def over_http(plain: Workload, governed: Workload, count: int, runs: int) -> dict[str, Any]:
    """Rates of two nodes, to durable blocks."""
    plain.lay_out()
    governed.lay_out()
    cpu: dict[str, list[float]] = {"plain": [], "governed": []}

    # What Linux counts the CPU time of a process in: a short run may be less than one of it.
    tick_us = 1_000_000 / os.sysconf("SC_CLK_TCK") / count

    def flooded(name: str, node: Node, workload: Workload) -> float:
        found = flood(node, workload.payments(count))
        cpu[name].append(max(tick_us, sum(found.cpu_us.values()) - found.cpu_us["sender"]))
        return found.rate

    with running(plain.folder.path) as one, running(governed.folder.path) as other:
        found = pairs(
            runs,
            lambda: flooded("plain", one, plain),
            lambda: flooded("governed", other, governed),
        )
    used = {name: each[1:] for name, each in cpu.items()}  # without the one that warms up
    return {
        "plain_cpu_us": statistics.median(used["plain"]),
        "governed_cpu_us": statistics.median(used["governed"]),
        "governed_cpu_ratio": ratio(list(zip(used["governed"], used["plain"], strict=True))),
        "plain_tx_per_s": statistics.median(without for without, _ in found),
        "governed_tx_per_s": statistics.median(under for _, under in found),
        "governed_ratio": ratio(found),
        "governed_pairs": found,
    }


def pairs(
    runs: int, without: Callable[[], float], under: Callable[[], float]
) -> list[tuple[float, float]]:
    """Rates in turns, without any control and with all of them."""
    found: list[tuple[float, float]] = []
    for run in range(runs + 1):
        pair = without(), under()
        if run:  # the first one warms up
            found.append(pair)
            print(f"  run {run}: {pair[0]:,.0f} payments/s, {pair[1]:,.0f}", flush=True)
    return found


def ratio(found: list[tuple[float, float]]) -> float:
    """The median of what is kept."""
    return statistics.median(under / without for without, under in found)


def rate(chain: Chain, workload: Workload, count: int) -> float:
    """Payments a second, each applied."""
    wires = workload.payments(count)
    begun = perf_counter()
    answers = chain.submit_many(wires)
    taken = perf_counter() - begun
    assert all(isinstance(answer, Applied) for answer in answers)
    return count / taken


def main(words: list[str] | None = None) -> int:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.governed", description=__doc__)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--payments", type=int, default=PAYMENTS, help="a run")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"default: {RESULTS}")
    chosen = parser.parse_args(words)
    Path("build").mkdir(exist_ok=True)
    found: dict[str, Any] = conditions() | vars(chosen) | {"out": str(chosen.out)}
    with tempfile.TemporaryDirectory(prefix="bench-", dir="build") as folder:
        found |= measure(Path(folder), chosen.accounts, chosen.payments, chosen.runs)
    chosen.out.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    print("\n".join(lines(found)))
    print(f"\ngoverned: {found['governed_ratio']:.3f} of the rate without controls")
    return 0


if __name__ == "__main__":
    sys.exit(main())
