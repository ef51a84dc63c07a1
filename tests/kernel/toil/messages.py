"""What the toil module is told and keeps."""

from tongbao.kernel import Count, Message, Reason, Record


class Dig(Message, tag=1):
    """Read so many rows."""

    rows: Count


class Dug(Record, version=1):
    """A row to read."""

    depth: Count


class Why(Reason):
    """Every refusal of this module."""

    NOTHING_TO_DIG = 1, "one digs at least once"
