"""`python -m bench.network`: payments through CometBFT, beside its kvstore and beside solo.

All contenders of one number of validators run at the same time and are measured in turn, so that
what the machine does meanwhile meets all of them; the ratios are of one run, their medians of all.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import msgspec

from bench import check_cost
from bench.conditions import cpu_name
from bench.contestants import Contestant
from bench.network_layout import lay_out_kvstore, lay_out_ours
from bench.verify_rate import all_cores
from bench.workload import Accounts, Workload
from tongbao import __version__
from tongbao.engines.cometbft.program import VERSION

RESULTS: Final = Path("build") / "bench-network.json"
OURS: Final = "ours"
SOLO: Final = "solo"
SOCKET: Final = "kvstore, socket"
WITHIN: Final = "kvstore, in process"
NETWORKS: Final = (1, 4)
TARGETS: Final = {1: 0.5, 4: 0.6}
"""Of the slower one of kvstore and solo with one validator, of kvstore with four."""
CHECK_US: Final = 30.0
RECHECK_US: Final = 5.0
LATENCY_S: Final = 8.0
"""For how long transactions are sent at half of our rate."""
CUTS: Final = ("p50_ms", "p95_ms", "p99_ms")


class Fillers:
    """Transactions of the kvstore, of the size that our payments have; each is another."""

    def __init__(self) -> None:
        """Begin with the first."""
        self._made = 0

    def like(self, wires: list[bytes]) -> list[bytes]:
        """As many, of the same sizes: `key=value`, whose value is a payment's text, cut."""
        found = []
        for wire in wires:
            self._made += 1
            found.append((b"%016d=" % self._made + wire)[: len(wire)])
        return found


def contestants(
    stack: ExitStack, folder: Path, validators: int, accounts: int
) -> tuple[dict[str, Contestant], int]:
    """All that are measured with a number of validators, started and funded; a payment's bytes."""
    own = Accounts(accounts)
    places = lay_out_ours(folder / "ours", validators, own)
    found = {OURS: Contestant("node", places, own.payments)}
    if validators == 1:
        workload = Workload(folder / "solo", accounts)
        workload.store.close()
        workload.folder.lay_out(workload.producer.machine.genesis_file)
        found[SOLO] = Contestant("solo", [folder / "solo"], workload.payments)
    fillers = Fillers()

    def like_payments(count: int) -> list[bytes]:
        return fillers.like(own.samples(count))

    for name, kind in ((SOCKET, "kvstore-socket"), (WITHIN, "kvstore-within")):
        homes = lay_out_kvstore(folder / kind, validators)
        found[name] = Contestant(kind, homes, like_payments)
    for one in found.values():
        stack.enter_context(one)
    for one in found.values():
        one.wait_until_ready()
    definition, *issues = own.funding()
    found[OURS].send([definition])  # in a block before: another node may propose in another order
    found[OURS].send(issues)
    return found, len(own.samples(1)[0])


def measure(folder: Path, validators: int, chosen: argparse.Namespace) -> dict[str, Any]:
    """Rates, CPU and latencies with a number of validators."""
    with ExitStack() as stack:
        told = f"{validators} validator{'s' if validators > 1 else ''}"
        print(f"\n{told}: laying out and funding {chosen.accounts:,} accounts", flush=True)
        found, size = contestants(stack, folder, validators, chosen.accounts)
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in found}
        for run in range(chosen.runs + 1):
            for name, one in found.items():
                seconds, cpu = one.flood(chosen.transactions if run else chosen.warm_up)
                if run:  # the first one warms up
                    rate = chosen.transactions / seconds
                    used = {role: 1e3 * each / chosen.transactions for role, each in cpu.items()}
                    runs[name].append({"rate": rate, "cpu_s_per_1000_tx": used})
            if run:
                each = ", ".join(f"{name} {made[-1]['rate']:,.0f}" for name, made in runs.items())
                print(f"  run {run}, transactions/s: {each}", flush=True)
        rate = _median(runs[OURS]) / 2
        count = max(200, int(rate * LATENCY_S))
        waited = {name: _cuts(one.pace(count, rate)) for name, one in found.items()}
    return {
        "validators": validators,
        "transaction_bytes": size,
        "runs": runs,
        "tx_per_s": {name: _median(made) for name, made in runs.items()},
        "cpu_s_per_1000_tx": {name: _median_cpu(made) for name, made in runs.items()},
        "latency_at_tx_per_s": rate,
        "latency": waited,
        "ratios": _ratios(runs),
    }


def _median(made: list[dict[str, Any]]) -> float:
    return float(statistics.median(one["rate"] for one in made))


def _median_cpu(made: list[dict[str, Any]]) -> dict[str, float]:
    roles = sorted({role for one in made for role in one["cpu_s_per_1000_tx"]})
    return {
        role: statistics.median(one["cpu_s_per_1000_tx"].get(role, 0.0) for one in made)
        for role in roles
    }


def _cuts(waited: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(waited, n=100)
    return dict(zip(CUTS, (cuts[49], cuts[94], cuts[98]), strict=True))


def _ratios(runs: dict[str, list[dict[str, Any]]]) -> dict[str, float]:
    """Our rate by that of each other one in the same run, medians of all runs; `slowest` of all."""
    others = [name for name in runs if name != OURS]

    def ratio(of: Callable[[int], float]) -> float:
        own = runs[OURS]
        return float(statistics.median(one["rate"] / of(place) for place, one in enumerate(own)))

    found = {
        name: ratio(lambda place, name=name: runs[name][place]["rate"])  # type: ignore[misc]
        for name in others
    }
    compared = [name for name in others if name != WITHIN]
    found["target"] = ratio(lambda place: min(runs[name][place]["rate"] for name in compared))
    return found


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The table for people."""
    yield (
        f"\n{found['cpu']}, {found['cores']} cores, load {found['load_before']:.1f} before; "
        f"Python {found['python']}, CometBFT {found['cometbft']}, Tongbao {found['version']}"
    )
    yield (
        f"accounts {found['accounts']:,}; {found['transactions']:,} transactions a run, "
        f"{found['runs']} runs; medians. All validators, clients and signers of votes are on these "
        "cores."
    )
    yield (
        "Final: ours and solo after fdatasync of the log that answers come from; kvstore when a "
        "header has it. Each CometBFT syncs its own log of votes. The kvstore checks no signatures "
        "and keeps its state in memory. Ours is handed payments in the node's process; kvstore's "
        "client is a process beside it."
    )
    for one in found["networks"]:
        yield f"\n{one['validators']} validator(s), {one['transaction_bytes']} bytes a transaction"
        yield (
            f"{'':22}{'tx/s':>8}{'of ours':>9}{'p50':>9}{'p95':>9}{'p99 ms':>9}"
            f"   CPU s per 1,000 tx by process, at {one['latency_at_tx_per_s']:,.0f} tx/s latency"
        )
        for name, rate in one["tx_per_s"].items():
            ratio = one["ratios"].get(name)
            cuts = "".join(f"{one['latency'][name][cut]:9.1f}" for cut in CUTS)
            cpu = ", ".join(
                f"{role} {each:.3f}" for role, each in one["cpu_s_per_1000_tx"][name].items()
            )
            shown = f"{ratio:9.3f}" if ratio is not None else f"{'':9}"
            yield f"{name:22}{rate:8,.0f}{shown}{cuts}   {cpu}"
    yield f"\nlibsodium, all cores, same run (L): {found['verify_per_s']:,.0f} signatures/s"
    for name, us in found["check_us"].items():
        yield f"{name:40} {us:8.1f} us"


def verdict(found: dict[str, Any]) -> tuple[bool, str]:
    """Whether all targets are met, and the line that says so."""
    parts, is_met = [], True
    for one in found["networks"]:
        target, ratio = TARGETS[one["validators"]], one["ratios"]["target"]
        is_met = is_met and ratio >= target
        beside = "the slower of kvstore and solo" if one["validators"] == 1 else "kvstore"
        parts.append(
            f"{one['validators']} validator(s): {one['tx_per_s'][OURS]:,.0f} tx/s, {ratio:.2f} of "
            f"{beside} (target {target})"
        )
    check = found["check_us"]["CheckTx beyond the signature"]
    again = found["check_us"]["recheck"]
    is_met = is_met and check < CHECK_US and again < RECHECK_US
    parts.append(f"CheckTx {check:.1f} us (< {CHECK_US:.0f}), recheck {again:.1f} us (< 5)")
    return is_met, f"bench-network: {'targets met' if is_met else 'below target'}: " + "; ".join(
        parts
    )


def main() -> int:
    """Measure and write `build/bench-network.json`; its last line and its code say the verdict."""
    parser = argparse.ArgumentParser(prog="python -m bench.network", description=__doc__)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--transactions", type=int, default=20_000, help="payments a run")
    parser.add_argument("--warm-up", type=int, default=3_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--validators", type=int, nargs="*", default=NETWORKS, choices=NETWORKS)
    chosen = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=RESULTS.parent.absolute()))
    load = os.getloadavg()[0]
    try:
        found = {
            "version": __version__,
            "cometbft": VERSION,
            "cpu": cpu_name(),
            "cores": os.cpu_count(),
            "load_before": load,
            "python": platform.python_version(),
            "accounts": chosen.accounts,
            "transactions": chosen.transactions,
            "runs": chosen.runs,
            "check_us": check_cost.measure(folder / "checks"),
            "verify_per_s": all_cores(),
            "networks": [
                measure(folder / str(validators), validators, chosen)
                for validators in chosen.validators
            ],
        }
        RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    finally:
        shutil.rmtree(folder)
    for line in lines(found):
        print(line)
    is_met, words = verdict(found)
    print(f"\n{words}")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
