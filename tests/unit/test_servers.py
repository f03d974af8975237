import asyncio
from typing import cast

from dapr_hero.servers import Corked


class Transport:
    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True


async def test_what_is_written_in_one_turn_leaves_at_once() -> None:
    transport = Transport()
    corked = Corked(cast(asyncio.Transport, transport))
    corked.write(b"head ")
    corked.write(b"body")
    assert transport.written == []
    await asyncio.sleep(0)
    assert transport.written == [b"head body"]


async def test_nothing_is_held_back_at_the_end() -> None:
    transport = Transport()
    corked = Corked(cast(asyncio.Transport, transport))
    corked.write(b"last words")
    corked.close()
    assert (transport.written, transport.closed) == ([b"last words"], True)
    await asyncio.sleep(0)
    assert transport.written == [b"last words"]
