"""Every place where the store changes something on a disk, by name.

Each is used at exactly one call, so it is also a point at which a process may die: before it,
within it, after it. The simulator and the campaign of real kills go through this list, and a
change of the disk without a site fails `make check`.
"""

from __future__ import annotations

from enum import Enum


class Change(Enum):
    """What a site does to a disk, which decides what can go wrong there."""

    FOLDER = "makes a folder"
    FILE = "opens a file, made if need be"
    WRITE = "appends bytes"
    REWRITE = "writes bytes again where they stand"
    SYNC = "makes a file's bytes durable"
    CUT = "cuts a file"
    REMOVE = "removes a file or folder"
    NAMES = "makes the names in a folder durable"
    RENAME = "gives a file or folder another name"
    ROWS = "writes through LMDB"


class Site(Enum):
    """A place in the code: what it does to a disk, and why."""

    change: Change
    meaning: str

    def __new__(cls, change: Change, meaning: str) -> Site:
        """A member whose value is its number; it says what it does."""
        member = object.__new__(cls)
        member._value_ = len(cls.__members__) + 1
        member.change, member.meaning = change, meaning
        return member

    # Opening a log
    TORN_SEGMENT = Change.REMOVE, "a last segment whose head is torn goes"
    LAST_SEGMENT = Change.FILE, "the last segment is opened to append"
    TORN_TAIL = Change.CUT, "what nobody was told of is cut off"
    FOUND_TAIL = Change.REWRITE, "blocks of which no sync is known are written again"
    FOUND_BLOCKS = Change.SYNC, "blocks that a killed process left unsynced are made durable"
    FOUND_SEGMENTS = Change.NAMES, "and the names of their segments"
    FOUND_LOG = Change.NAMES, "and the name of the log"

    # A block
    FRAME = Change.WRITE, "a block's record"
    FRAME_SYNC = Change.SYNC, "the atomic step: the block is durable"
    FRAME_BACK = Change.CUT, "what a failed write left of a record"

    # A segment
    LOG_FOLDER = Change.FOLDER, "the folder of the log"
    SEGMENT_FILE = Change.FILE, "the file of a segment"
    SEGMENT_HEAD = Change.WRITE, "the head of a segment"
    SEGMENT_SYNC = Change.SYNC, "its head is durable before a block follows"
    SEGMENT_NAME = Change.NAMES, "its name is durable before a block follows"
    LOG_NAME = Change.NAMES, "and the name of the log, before the first"
    SEGMENT_BACK = Change.REMOVE, "a segment whose head could not be written goes"

    # The copy of the headers
    HEADERS_FILE = Change.FILE, "the copy of the headers is opened to append"
    HEADERS_CUT = Change.CUT, "its damaged or foreign lines go"
    HEADERS_LINE = Change.WRITE, "a block's signed header"

    # The rows
    ROWS_READERS = Change.ROWS, "LMDB's table of readers has its place"
    ROWS_LEFT_OVER = Change.REMOVE, "rows that a killed process had begun to make"
    ROWS_EMPTY = Change.ROWS, "empty rows beside their place"
    ROWS_OLD = Change.REMOVE, "rows that are to be made anew"
    ROWS_NAME = Change.RENAME, "empty rows take their place"
    ROWS_FLUSH = Change.ROWS, "the rows of blocks that are durable in the log"

    # A base, from which the log goes on
    ROWS_OF_BASE = Change.ROWS, "the rows of a base, in rows that are made anew"
    BASE_OLD = Change.REMOVE, "a base that a later one has replaced"
    PRUNED_SEGMENT = Change.REMOVE, "a file of the log that has no block to keep"
    PRUNED_NAME = Change.NAMES, "its name is gone for good before the next file goes"

    # Space on a disk that was full
    ROOM_LEFT_OVER = Change.REMOVE, "what a killed process tried for space"
    ROOM_FILE = Change.FILE, "a file to try for space"
    ROOM_WRITE = Change.WRITE, "as many bytes as a block may need"
    ROOM_BACK = Change.REMOVE, "which are given back"
