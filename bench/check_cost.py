"""What CheckTx costs beyond its signature, and a recheck, in this process and without a socket.

Both are measured as a block's worth of frames in a row: read, judged and answered as the server
does it for each frame.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Final

from bench.workload import Workload
from tongbao.engines.cometbft.application import MachineApplication
from tongbao.engines.cometbft.codec import decode_request, encode_request, encode_response
from tongbao.engines.cometbft.framing import Frames, frame
from tongbao.engines.cometbft.messages import CheckTxType
from tongbao.engines.cometbft.requests import RequestCheckTx
from tongbao.engines.solo.engine import wall_clock
from tongbao.kernel.transaction import check_signatures

COUNT: Final = 2_000
RUNS: Final = 5
FRAME_LIMIT: Final = 1 << 20


def measure(folder: Path) -> dict[str, float]:
    """Microseconds a transaction, medians of some runs; a warm one went before."""
    workload = Workload(folder, COUNT)
    machine = workload.producer.machine
    application = MachineApplication(machine, workload.store, wall_clock)
    found: dict[str, list[float]] = {}

    def note(name: str, work: Callable[[], object]) -> float:
        begun = process_time()
        work()
        us = (process_time() - begun) * 1e6 / COUNT
        found.setdefault(name, []).append(us)
        return us

    for _ in range(RUNS + 1):
        wires = workload.payments(COUNT)
        new = _frames(wires, CheckTxType.NEW)
        again = _frames(wires, CheckTxType.RECHECK)
        signatures = [machine.parse(wire).signatures for wire in wires]
        alone = note("signature", lambda: [check_signatures(each) for each in signatures])
        whole = note("CheckTx", lambda: answer(application, new))
        found.setdefault("CheckTx beyond the signature", []).append(whole - alone)
        note("recheck", lambda: answer(application, again))
    workload.store.close()
    return {name: statistics.median(each[1:]) for name, each in found.items()}


def _frames(wires: list[bytes], kind: CheckTxType) -> bytes:
    return b"".join(frame(encode_request(RequestCheckTx(tx=wire, type=kind))) for wire in wires)


def answer(application: MachineApplication, data: bytes) -> None:
    """Read all frames, and make an answer to each."""
    frames = Frames(FRAME_LIMIT)
    frames.feed(data)
    count = 0
    while (content := frames.next()) is not None:
        request = decode_request(content)
        assert isinstance(request, RequestCheckTx)
        response = application.check_tx(request)
        assert not response.code
        frame(encode_response(response))
        count += 1
    assert count == COUNT
