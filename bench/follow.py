"""A process that follows all events of a chain over one WebSocket.

`python -m bench.follow ADDRESS` prints how many came a second, from the first block to the one that
was the last at its start.
"""

from __future__ import annotations

import json
import sys
from http.client import HTTPConnection
from time import perf_counter

from websockets.sync.client import connect

FIRST_PLACE = "0.0"
SILENCE_S = 60
TEXT_BYTES = 2**22


def follow(address: str) -> float:
    """Events a second."""
    connection = HTTPConnection(address.removeprefix("http://"), timeout=SILENCE_S)
    connection.request("GET", "/v1", headers={"Host": "localhost"})
    last = json.loads(connection.getresponse().read())["height"]
    connection.close()
    target = address.replace("http://", "ws://") + f"/v1/events/socket?after={FIRST_PLACE}"
    count = 0
    with connect(target, max_size=TEXT_BYTES) as socket:
        begun = perf_counter()
        while True:
            happening = json.loads(socket.recv(timeout=SILENCE_S))
            count += 1
            if happening["height"] == last:
                return count / (perf_counter() - begun)


if __name__ == "__main__":
    print(follow(sys.argv[1]))
