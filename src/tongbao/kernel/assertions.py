"""Assertions are how a node stops before it does harm, so a node never runs without them."""


class AssertionsAreOff(RuntimeError):
    """Python was started with `-O`, which removes every `assert`."""

    exit_code = 78
    advice = "start Python without -O and without PYTHONOPTIMIZE"


def require_assertions() -> None:
    """Refuse to run where nothing would stop a ledger gone wrong. Raises AssertionsAreOff."""
    if not __debug__:
        raise AssertionsAreOff(
            "Tongbao does not run under `python -O`: its assertions guard the ledger"
        )
