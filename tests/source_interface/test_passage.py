"""Bytes cross from the event loop to a thread in order and whole, and neither side waits for a dead one."""

import asyncio
import hashlib
import secrets

import pytest

from source_interface.passage import CutError, Passage


def _hash(passage: Passage, read_bytes: int) -> tuple[int, str]:
    digest, size_bytes = hashlib.sha256(), 0
    with passage.reader() as reader:
        while chunk := reader.read(read_bytes):
            digest.update(chunk)
            size_bytes += len(chunk)
    return size_bytes, digest.hexdigest()


@pytest.mark.parametrize("capacity_bytes", [1, 1000, 1_000_000])
@pytest.mark.parametrize("read_bytes", [7, 65_536])
def test_all_bytes_arrive_in_order(capacity_bytes: int, read_bytes: int) -> None:
    content = secrets.token_bytes(300_000)

    async def pass_on() -> tuple[int, str]:
        passage = Passage(capacity_bytes)
        reading = asyncio.get_running_loop().run_in_executor(None, _hash, passage, read_bytes)
        for start in range(0, len(content), 9973):
            assert await passage.put(content[start : start + 9973])
        passage.end()
        return await reading

    assert asyncio.run(pass_on()) == (len(content), hashlib.sha256(content).hexdigest())


def test_a_cut_is_an_error_and_never_an_end() -> None:
    async def pass_on() -> None:
        passage = Passage()
        reading = asyncio.get_running_loop().run_in_executor(None, _hash, passage, 65_536)
        await passage.put(b"half")
        passage.cut()
        with pytest.raises(CutError):
            await reading

    asyncio.run(pass_on())


def test_whoever_puts_does_not_wait_for_a_reader_that_is_gone() -> None:
    async def pass_on() -> bool:
        passage = Passage(10)
        await passage.put(bytes(10))
        waiting = asyncio.ensure_future(passage.put(bytes(10)))
        await asyncio.sleep(0)
        passage.abandon()
        return await waiting

    assert asyncio.run(pass_on()) is False


def test_no_more_is_held_than_there_is_room_for() -> None:
    async def pass_on() -> bool:
        passage = Passage(1000)
        await passage.put(bytes(1000))
        waiting = asyncio.ensure_future(passage.put(b"x"))
        for _ in range(5):
            await asyncio.sleep(0)
        waited = not waiting.done()
        reading = asyncio.get_running_loop().run_in_executor(None, _hash, passage, 100)
        await waiting
        passage.end()
        assert (await reading)[0] == 1001
        return waited

    assert asyncio.run(pass_on())
