"""Recording what supervisors read: kept on disk before each answer, on the ledger soon after."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

import msgspec
import structlog

from tongbao.engines.solo import Answer
from tongbao.kernel import Address, Hash, Id, Time
from tongbao.modules.reading import READS_LIMIT, Counted, RecordReads, Why, show
from tongbao.node.access.needs import Kind
from tongbao.node.access.read_log import FOLDER, ReadLog
from tongbao.node.problems import unavailable
from tongbao.node.settings import Settings, SettingsError
from tongbao.sdk.folder import Folder
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.keystore_errors import KeystoreError
from tongbao.sdk.local import ATTEMPTED
from tongbao.sdk.signer import Signer

if TYPE_CHECKING:
    from tongbao.node.api import Api

P = ParamSpec("P")
R = TypeVar("R")

log = structlog.get_logger("tongbao.node")

MS: Final = 1000
AT_ONCE: Final = 100
"""So many reads are sent before their time."""
AGAIN_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0
PASSPHRASE_BYTES: Final = 4_096


class Recorder:
    """What one node keeps and sends of reads, as an account that acts for an operator."""

    def __init__(self, folder: Path, settings: Settings, account: Address, signer: Signer) -> None:
        """Keep lines in a folder. Raises OSError, ValueError where it has what can't be read."""
        self._log = ReadLog(folder)
        self._lock = threading.Lock()
        self._settings = settings
        self._account = account
        self._signer = signer
        self._woken = asyncio.Event()

    async def note(self, api: Api, inspection: Id, kind: Kind) -> None:
        """Keep a read durably, before it is answered. Raises ProblemError, 503."""
        now = Time(api.chain.now())
        oldest = self._log.oldest
        is_late = oldest is not None and now - oldest > self._settings.reads_wait_ms
        if is_late or self._log.is_full:
            self._woken.set()
            raise unavailable(
                "what supervisors have read can't be recorded on the ledger now, so nothing more "
                "is read: ask again when this node's transactions are applied"
            )
        try:
            await asyncio.to_thread(self._locked, self._log.add, inspection, kind, now)
        except OSError as error:
            log.error("a read can't be kept", kind=type(error).__name__)
            raise unavailable("the node can't keep what is read: ask again later") from error
        if self._log.waiting >= AT_ONCE:
            self._woken.set()

    def _locked(self, function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        with self._lock:
            return function(*arguments, **named)

    async def run(self, api: Api) -> None:
        """Send batch by batch until cancelled; what is not sent then is sent by the next node."""
        pause_s = AGAIN_S
        while True:
            if not await self._send(api):
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                continue
            pause_s = AGAIN_S
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.reads_batch_ms / MS):
                    await self._woken.wait()
            self._woken.clear()

    async def _send(self, api: Api) -> bool:
        """Send the batch that is due; whether the ledger has all of it."""
        try:
            found = await asyncio.to_thread(self._locked, self._log.cut)
            if found is None:
                return True
            name, reads = found
            # What lies beside an older chain that was restored may name what that one never had.
            known = set(await api.apart(known_of, api, reads))
            for first in range(0, len(reads), READS_LIMIT):
                part = tuple(one for one in reads[first : first + READS_LIMIT] if one in known)
                if part and not await self._has_sent(api, name, part):
                    return False
            if len(known) == len(reads):
                await asyncio.to_thread(self._locked, self._log.forget)
                return True
            log.error("some reads are of inspections that the ledger does not have: kept apart")
            await asyncio.to_thread(self._locked, self._log.put_apart, name)
        except OSError as error:
            log.error("reads can't be kept", kind=type(error).__name__)
            return False
        return True

    async def _has_sent(self, api: Api, name: Hash, reads: tuple[Counted, ...]) -> bool:
        """Whether the ledger has some of a batch, by now or since before."""
        message = RecordReads(batch=name, reads=reads)
        try:
            wallet = api.chain.wallet(self._account, self._signer)
            wire = await api.apart(wallet.build, message)
            ticket = api.chain.queue(wire)
            answered = asyncio.wrap_future(ticket.future())
            async with asyncio.timeout(self._settings.decide_ms / MS):
                answer: Answer = await answered
        except (*ATTEMPTED, TimeoutError) as error:
            log.warning("reads are not recorded yet", kind=type(error).__name__)
            return False
        if answer.number in (0, Why.BATCH_IS_RECORDED.number):
            return True
        log.error("reads are refused", reason=api.chain.why(answer.number))
        return False

    def close(self) -> None:
        """Keep no more."""
        self._log.close()


def known_of(api: Api, reads: Sequence[Counted]) -> list[Counted]:
    """Those under an inspection that the ledger has."""
    return [one for one in reads if api.chain.query(show, one.inspection) is not None]


@asynccontextmanager
async def recording(api: Api) -> AsyncIterator[None]:
    """Send what was read while a node answers, where it records anything."""
    recorder = api.callers.recorder
    if recorder is None:
        yield
        return
    sending = asyncio.create_task(recorder.run(api))
    try:
        yield
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        recorder.close()


def open_recorder(folder: Path, settings: Settings) -> Recorder | None:
    """The recorder that settings name, None where they name none. Raises SettingsError."""
    if not settings.reads_account:
        return None
    account = msgspec.convert(settings.reads_account, Address)
    signer = unlocked(folder, settings)
    try:
        return Recorder(folder / FOLDER, settings, account, signer)
    except (OSError, ValueError) as error:
        raise SettingsError(f"reads_account: {error}") from error


def unlocked(folder: Path, settings: Settings) -> Signer:
    """The key of who records reads. Raises SettingsError."""
    try:
        with Path(settings.reads_passphrase_file).open("rb") as file:
            passphrase = file.read(PASSPHRASE_BYTES).decode().split("\n", 1)[0].rstrip("\r")
        return Keystore(Folder(folder).keys).unlock(settings.reads_key, passphrase)
    except (KeystoreError, OSError, ValueError) as error:
        raise SettingsError(f"reads_key: {error}") from error
