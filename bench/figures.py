"""Every figure: its name in the file, words for people, unit, which way is better, and its goal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple


class Figure(NamedTuple):
    """One figure. `goal` is what is to be reached, at least or, where less is better, at most."""

    name: str
    words: str
    unit: str = ""
    less_is_better: bool = False
    goal: float | None = None


class Part(NamedTuple):
    """Figures that are measured together and told under one title."""

    title: str
    figures: tuple[Figure, ...]


LESS: Final = True
PARTS: Final = (
    Part(
        "ratios",
        (
            Figure("ratio_to_verify", "HTTP batches to durable blocks, of L", "", not LESS, 0.30),
            Figure("in_process_ratio_to_verify", "in process, of L"),
            Figure("hundred_ratio", "100 payments in a transaction, of single", "", not LESS, 3.0),
            Figure("million_accounts_ratio", "a million accounts, of 100,000", "", not LESS, 0.5),
            Figure("reads_cost_percent", "of the most, lost to 200 reads/s", "%", LESS, 15.0),
            Figure("reads_cpu_percent", "of all cores, for 200 reads/s", "%", LESS, 15.0),
            Figure("half_load_kept", "of half the most, kept beside reads", "", not LESS, 0.85),
            Figure("governed_ratio", "under quotas and authorisation, of none", "", not LESS, 0.85),
            Figure("governed_in_process_ratio", "the same in process"),
            Figure("governed_cpu_ratio", "the same by CPU of all processes", "", not LESS, 0.85),
            Figure("long_slower_percent", "slower after a million in a row", "%", LESS, 15.0),
            Figure("long_slower_of_l_percent", "the same as a ratio to L", "%", LESS),
            Figure("long_more_cpu_percent", "more CPU a payment after a million", "%", LESS),
        ),
    ),
    Part(
        "rates",
        (
            Figure("verify_per_s", "libsodium, all cores, same run (L)", "/s"),
            Figure("submit_durable_tx_per_s", "HTTP batches to durable blocks", "/s"),
            Figure("with_reads_tx_per_s", "the same beside 200 reads/s", "/s"),
            Figure("hundred_payments_per_s", "payments, 100 in a transaction", "/s"),
            Figure("in_process_tx_per_s", "in process", "/s"),
            Figure("websocket_tx_per_s", "one payment a WebSocket message", "/s"),
            Figure("http_single_tx_per_s", "one payment a request", "/s"),
            Figure("websocket_events_per_s", "events over one WebSocket", "/s"),
            Figure("plain_tx_per_s", "HTTP batches, no controls", "/s"),
            Figure("governed_tx_per_s", "HTTP batches, under controls", "/s"),
            Figure("one_session_reads_per_s", "balances in one session", "/s"),
            Figure("sessions_reads_per_s", "balances in 1,000 sessions", "/s"),
            Figure("million_tx_per_s", "HTTP batches, a million accounts", "/s"),
            Figure("long_first_tx_per_s", "a million in a row, the first tenth", "/s"),
            Figure("long_last_tx_per_s", "a million in a row, the last tenth", "/s"),
        ),
    ),
    Part(
        "times",
        (
            Figure("p50_ms", "batches at half load, p50", "ms", LESS),
            Figure("p95_ms", "batches at half load, p95", "ms", LESS),
            Figure("p99_ms", "batches at half load, p99", "ms", LESS, 500.0),
            Figure("half_load_p99_ms_with_reads", "the same beside reads, p99", "ms", LESS),
            Figure("in_process_p50_ms", "in process at half load, p50", "ms", LESS),
            Figure("in_process_p95_ms", "in process at half load, p95", "ms", LESS),
            Figure("in_process_p99_ms", "in process at half load, p99", "ms", LESS),
            Figure("http_single_p50_ms", "one a request at half load, p50", "ms", LESS),
            Figure("http_single_p95_ms", "one a request at half load, p95", "ms", LESS),
            Figure("http_single_p99_ms", "one a request at half load, p99", "ms", LESS),
            Figure("reads_p50_ms", "200 reads/s at half load, p50", "ms", LESS),
            Figure("reads_p99_ms", "200 reads/s at half load, p99", "ms", LESS),
            Figure("statement_ms", "statement of 10,000 movements", "ms", LESS, 200.0),
            Figure("vote_ms", "block of 99 votes that decide, to disk", "ms", LESS),
            Figure("index_lag_s", "the index is behind, at most", "s", LESS, 2.0),
            Figure("purchases_s", "every basket: signed, settled, proven", "s", LESS, 90.0),
        ),
    ),
    Part(
        "memory, rest and conditions",
        (
            Figure("rss_mb", "core's memory without LMDB's map", "MB", LESS, 2_048.0),
            Figure("long_rss_mb", "the same after a million in a row", "MB", LESS, 2_048.0),
            Figure("plain_cpu_us", "CPU of a payment, no controls", "us", LESS),
            Figure("governed_cpu_us", "CPU of a payment, under controls", "us", LESS),
            Figure("sessions_mb", "1,000 open sessions, front's memory", "MB", LESS),
            Figure("idle_cpu_percent", "idle node, CPU of one core", "%", LESS),
            Figure("idle_rss_mb", "idle node, memory of all processes", "MB", LESS),
            Figure("conflict_rate", "payments that share an account in a block"),
            Figure("transactions_per_block", "transactions in a block"),
        ),
    ),
)
FIGURES: Final = {figure.name: figure for part in PARTS for figure in part.figures}
WORDS: Final = 42


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The figures that were measured, ratios first, with what is to be reached."""
    for part in PARTS:
        here = [figure for figure in part.figures if figure.name in found]
        if here:
            yield f"\n{part.title}"
        for figure in here:
            yield f"{figure.words:{WORDS}} {shown(figure, found[figure.name]):>14}{goal(figure)}"


def shown(figure: Figure, value: float) -> str:
    """A value with its unit, as exact as it is worth."""
    digits = 0 if abs(value) >= 1_000 else 1 if abs(value) >= 10 else 3
    return f"{value:,.{digits}f} {figure.unit}".rstrip()


def goal(figure: Figure) -> str:
    """What is to be reached, where there is something."""
    if figure.goal is None:
        return ""
    return f"   (at {'most' if figure.less_is_better else 'least'} {figure.goal:g})"


def is_reached(figure: Figure, value: float) -> bool:
    """Whether a value is as good as its goal, or has none."""
    if figure.goal is None:
        return True
    return value <= figure.goal if figure.less_is_better else value >= figure.goal


def missed(found: Mapping[str, Any]) -> list[str]:
    """The figures that are short of their goals, in words."""
    return [
        f"{figure.words} {shown(figure, found[figure.name])}{goal(figure)}"
        for figure in FIGURES.values()
        if figure.name in found and not is_reached(figure, found[figure.name])
    ]
