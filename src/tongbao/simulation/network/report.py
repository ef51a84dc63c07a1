"""What campaigns have counted, and whether that is good."""

from __future__ import annotations

from collections import Counter
from typing import Final

from msgspec import Struct, field

from tongbao.simulation.network.faults import FAIL_POINTS, STORE_POINTS
from tongbao.simulation.network.hostile import KINDS
from tongbao.simulation.network.manifest import Fault
from tongbao.simulation.network.scene import ANEW, BY_ITSELF, WAYS

DOUBLED: Final = "the same bytes sent more than once"
OVERTAKEN: Final = "decided behind a later nonce"


class Line(Struct, frozen=True):
    """One fault that was survived: what exactly, how long until all agreed, and at which block."""

    fault: str
    what: str
    seconds: float
    settled: float
    height: int


class Report(Struct):
    """One campaign."""

    manifest: str
    seed: int
    fabric: str = ""
    lines: list[Line] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    transactions: Counter[str] = field(default_factory=Counter)
    blocks: int = 0
    reads: int = 0
    seconds: float = 0.0
    findings: list[str] = field(default_factory=list)

    @property
    def replay(self) -> str:
        """The one command that plays it again."""
        return f"python -m tongbao.simulation.network --manifest {self.manifest} --seed {self.seed}"


def wanted_points() -> tuple[str, ...]:
    """What the long lane must reach: every fault, every crash point, every hostile block."""
    return (
        *(fault.value for fault in Fault),
        *(f"crash point {index}" for index in range(FAIL_POINTS)),
        *map(str, STORE_POINTS),
        *(f"hostile: {kind}" for kind in KINDS),
        *(DOUBLED, OVERTAKEN, BY_ITSELF, ANEW, *WAYS),
    )


def total(reports: list[Report]) -> Counter[str]:
    """How often everything was reached in all of them."""
    counts = Counter[str]()
    for report in reports:
        counts += report.counts
    return counts


def verdict(reports: list[Report], *, must_reach_all: bool) -> tuple[bool, str]:
    """Whether all is well, and the last line."""
    for report in reports:
        if report.findings:
            return False, f"jepsen: FAILED: {report.findings[0]}"
    counts = total(reports)
    missing = [point for point in wanted_points() if not counts[point]] if must_reach_all else []
    if missing:
        return False, f"jepsen: FAILED: never reached: {', '.join(missing)}"
    faults = sum(len(report.lines) for report in reports)
    known = sum(report.transactions["acknowledged"] for report in reports)
    return True, (
        f"jepsen: passed: {faults} faults in {len(reports)} campaigns, {known:,} transactions "
        "acknowledged, none lost, none doubled, all nodes agree"
    )
