"""A crowd is slowed down, refused at once beyond a bound, and cannot crowd out one person."""

import asyncio
import time
from collections.abc import Hashable

import pytest

from hardening.pace import Bucket, BusyError, Gate
from tests.clock import FakeClock


@pytest.mark.check("D2")
def test_a_bucket_gives_ten_a_second_in_the_long_run(clock: FakeClock) -> None:
    bucket = Bucket(rate=10, burst=10, clock=clock)
    taken = 0

    for _ in range(6000):
        clock.advance(0.01)
        taken += bucket.take()

    assert taken == pytest.approx(10 * 60 + 10, abs=2)


def test_a_bucket_holds_no_more_than_its_burst(clock: FakeClock) -> None:
    bucket = Bucket(rate=10, burst=3, clock=clock)
    clock.advance(3600)

    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


def test_a_bucket_tells_when_to_come_again(clock: FakeClock) -> None:
    bucket = Bucket(rate=2, burst=4, clock=clock)
    assert bucket.ready_in() == 0
    assert bucket.take(4)

    assert bucket.ready_in() == pytest.approx(0.5)
    assert not bucket.take()
    clock.advance(0.5)
    assert bucket.take()


class Worker:
    """Work that ends when it is told to, and a record of who got in."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.entered: list[str] = []
        self.running = 0
        self.most_running = 0
        self.end = asyncio.Semaphore(0)

    async def work(self, name: str, key: Hashable = None) -> None:
        async with self.gate.turn(key):
            self.entered.append(name)
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            await self.end.acquire()
            self.running -= 1

    def begin(self, name: str, key: Hashable = None) -> asyncio.Task[None]:
        return asyncio.create_task(self.work(name, key))


async def settled() -> None:
    """Let everything run that can run without anything new happening."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.check("D2")
def test_four_run_sixty_four_wait_and_the_rest_is_refused_at_once() -> None:
    async def crowd() -> None:
        worker = Worker(Gate(running=4, waiting=64))
        tasks = [worker.begin(str(number)) for number in range(68)]
        await settled()
        assert worker.running == 4

        begun = time.monotonic()
        refused = 0
        for _ in range(1000):
            try:
                await worker.work("too many")
            except BusyError:
                refused += 1
        assert refused == 1000
        assert (time.monotonic() - begun) / 1000 < 0.1

        for _ in tasks:
            worker.end.release()
        await asyncio.gather(*tasks)
        assert worker.most_running == 4
        assert worker.entered == [str(number) for number in range(68)]

    asyncio.run(crowd())


def test_one_key_has_no_more_places_than_it_may_inside_and_outside_together() -> None:
    async def crowd() -> None:
        worker = Worker(Gate(running=2, waiting=10, per_key=3))
        tasks = [worker.begin(str(number), "one") for number in range(3)]
        await settled()
        with pytest.raises(BusyError):
            await worker.work("a fourth", "one")
        other = worker.begin("other", "another")
        await settled()

        for _ in range(5):
            worker.end.release()
        await asyncio.gather(*tasks, other)
        await worker.work("once more", "one")
        assert worker.entered == ["0", "1", "2", "other", "once more"]

    asyncio.run(crowd())


@pytest.mark.check("D3")
def test_one_person_waits_one_turn_behind_a_flood_from_another_circuit() -> None:
    async def flood() -> None:
        worker = Worker(Gate(running=1, waiting=10))
        tasks = [worker.begin(f"flood {number}", "circuit 1") for number in range(11)]
        await settled()

        person = worker.begin("person", "circuit 2")
        await settled()
        for _ in range(12):
            worker.end.release()
        outcomes = await asyncio.gather(*tasks, person, return_exceptions=True)

        assert worker.entered[:3] == ["flood 0", "flood 1", "person"]
        assert [type(outcome) for outcome in outcomes[9:]] == [type(None), BusyError, type(None)]

    asyncio.run(flood())


@pytest.mark.check("D3")
def test_keys_take_turns() -> None:
    async def three_keys() -> None:
        worker = Worker(Gate(running=1, waiting=10))
        tasks = [worker.begin(name, name[0]) for name in ("a0", "a1", "a2", "a3", "b1", "b2", "c1")]
        await settled()

        for _ in tasks:
            worker.end.release()
        await asyncio.gather(*tasks)

        assert worker.entered == ["a0", "a1", "b1", "c1", "a2", "b2", "a3"]

    asyncio.run(three_keys())


@pytest.mark.check("D3")
def test_a_key_cannot_push_out_one_that_holds_as_few_places() -> None:
    async def even() -> None:
        worker = Worker(Gate(running=1, waiting=2))
        tasks = [worker.begin(name, name[0]) for name in ("x", "a", "b")]
        await settled()

        with pytest.raises(BusyError):
            await worker.work("c", "c")

        for _ in tasks:
            worker.end.release()
        await asyncio.gather(*tasks)

    asyncio.run(even())


def test_a_gate_without_waiting_places_refuses_at_once() -> None:
    async def nobody_waits() -> None:
        worker = Worker(Gate(running=1, waiting=0))
        task = worker.begin("first")
        await settled()

        with pytest.raises(BusyError):
            await worker.work("second")

        worker.end.release()
        await task

    asyncio.run(nobody_waits())


def test_whoever_stops_waiting_leaves_no_gap() -> None:
    async def leaves() -> None:
        worker = Worker(Gate(running=1, waiting=2))
        first, second, third = (worker.begin(name) for name in ("first", "second", "third"))
        await settled()
        second.cancel()
        await settled()
        fourth = worker.begin("fourth")
        await settled()

        for _ in range(3):
            worker.end.release()
        await asyncio.gather(first, third, fourth)

        assert worker.entered == ["first", "third", "fourth"]

    asyncio.run(leaves())


def test_a_turn_that_comes_together_with_a_cancellation_is_passed_on() -> None:
    async def unlucky() -> None:
        worker = Worker(Gate(running=1, waiting=2))
        async with worker.gate.turn():
            second, third = worker.begin("second"), worker.begin("third")
            await settled()
        second.cancel()
        worker.end.release()

        await third

        assert worker.entered == ["third"]
        async with worker.gate.turn():
            assert second.cancelled()

    asyncio.run(unlucky())


def test_work_that_fails_gives_its_turn_back() -> None:
    async def fails() -> None:
        gate = Gate(running=1, waiting=0)
        for _ in range(3):
            with pytest.raises(ValueError, match="broken"):
                async with gate.turn():
                    raise ValueError("broken")

    asyncio.run(fails())
