"""Many sources at once, each with words and files of her own, while reviewers read: nothing is lost or mixed."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.browserlike import Chosen
from tests.source_interface.house import House
from tests.vault.drop import read_whole

MakeHouse = Callable[..., House]


@pytest.mark.timeout(1200)
@pytest.mark.check("J9")
@pytest.mark.parametrize(("sources", "sendings"), [(5, 2), pytest.param(50, 10, marks=pytest.mark.full)])
def test_many_sources_send_at_once_and_each_collection_holds_her_own(house: House, sources: int, sendings: int) -> None:
    over = threading.Event()

    def send(who: int) -> tuple[str, list[int]]:
        browser, codename = house.sender(f"{who} 0", [Chosen.of("a", f"{who} 0 file".encode())])
        statuses: list[int] = []
        for number in range(1, sendings):
            browser.open("/send")
            page = browser.press(
                "Send now", message=f"{who} {number}", files=[Chosen.of("a", f"{who} {number} file".encode())]
            )
            statuses.append(page.status)
        return codename, statuses

    def read() -> int:
        read = 0
        while not over.is_set():
            read += read_whole(house.reader, house.submissions())
            over.wait(0.05)
        return read

    with ThreadPoolExecutor(5) as reviewers:
        readers = [reviewers.submit(read) for _ in range(5)]
        try:
            with ThreadPoolExecutor(sources) as senders:
                done = list(senders.map(send, range(sources)))
        finally:
            over.set()

    assert sum(reader.result() for reader in readers) > 0
    assert [status for _, statuses in done for status in statuses] == [200] * sources * (sendings - 1)
    assert len(house.submissions()) == sources * sendings
    for who, (codename, _) in enumerate(done):
        submissions = house.reader.submissions_of(house.collection(codename).collection_id)
        contents = sorted(
            house.opened(part.part_id).content.decode()
            for submission in submissions
            for part in submission.parts
            if part.kind != "manifest"
        )
        assert contents == sorted(f"{who} {number}{end}" for number in range(sendings) for end in ("", " file"))
