"""What can be wrong with a folder. Each error has an exit code and says what to do."""


class StoreError(Exception):
    """Something about the files of a chain; nothing was changed unless the text says so."""

    exit_code = 74


class FolderMissing(StoreError):
    """There is no such folder."""

    exit_code = 66


class FolderInUse(StoreError):
    """Another process has the folder open."""

    exit_code = 75


class WrongChain(StoreError):
    """The files belong to another chain than the genesis file."""

    exit_code = 65


class WrongVersion(StoreError):
    """The files were written in a format that this version does not read."""

    exit_code = 76


class DamagedLog(StoreError):
    """The block log is not what was acknowledged: it is left as it is."""

    exit_code = 74


class Pruned(StoreError, LookupError):
    """The block was there, and its body was given up: its header and its outcomes are kept."""

    exit_code = 4
    advice = "ask a node or a backup that has it; `tongbao status ID` tells what it came to"


class DiskFull(StoreError):
    """There is no space; the block was not made, and the log is as it was before."""

    exit_code = 73


class DiskFailed(StoreError):
    """A write could not be made durable: the process must stop, and nothing is retried."""

    exit_code = 71
