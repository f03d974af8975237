"""GETs of random items over many connections, each with one request at a time: a small wrk, in Python.

python -m benchmarks.compare.load_generator PORT RESOURCE PREFIX COUNT CONNECTIONS SECONDS
prints `Answers` (reads.py) as JSON.
"""

import asyncio
import random
import sys
import time
from collections.abc import Callable
from statistics import quantiles
from typing import cast

import msgspec
import uvloop

from benchmarks.compare.reads import Answers


class _Connection(asyncio.Protocol):
    """Sends the next request when the answer to the last one is whole, until `requests` ends."""

    def __init__(self, next_request: Callable[[], bytes | None]) -> None:
        self._next_request = next_request
        self._answer = b""
        self._milliseconds: list[float] = []
        self.bad = 0
        self.done: asyncio.Future[list[float]] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if _is_whole(self._answer):
            self._milliseconds.append((time.perf_counter() - self._began) * 1000)
            self.bad += not self._answer.startswith(b"HTTP/1.1 200 ")
            self._answer = b""
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.bad += 1
            self.done.set_result(self._milliseconds)

    def _ask(self) -> None:
        request = self._next_request()
        if request is None:
            self.done.set_result(self._milliseconds)
            self._transport.close()
            return
        self._began = time.perf_counter()
        self._transport.write(request)


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return len(body) >= int(length or 0)


async def _main(port: int, path: str, count: int, connections: int, seconds: float) -> Answers:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()

    def next_request() -> bytes | None:
        if time.perf_counter() - began > seconds:
            return None
        number = random.randrange(count)  # noqa: S311
        return f"GET {path}-{number} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()

    opened = [
        await loop.create_connection(lambda: _Connection(next_request), "127.0.0.1", port)
        for _ in range(connections)
    ]
    each = await asyncio.gather(*(connection.done for _, connection in opened))
    passed = time.perf_counter() - began
    milliseconds = [one for some in each for one in some]
    cuts = quantiles(milliseconds, n=100)
    bad = sum(connection.bad for _, connection in opened)
    return Answers(len(milliseconds), passed, cuts[49], cuts[98], bad)


if __name__ == "__main__":
    port, resource, prefix, count, connections, seconds = sys.argv[1:]
    path = f"/v1/{resource}/{prefix}"
    answers = uvloop.run(_main(int(port), path, int(count), int(connections), float(seconds)))
    sys.stdout.write(msgspec.json.encode(answers).decode() + "\n")
