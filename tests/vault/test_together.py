import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.vault.drop import Drop, read_whole
from vault.records import Source


@pytest.mark.check("J9", "J11")
def test_fifty_sources_at_once_mix_nothing_while_reviewers_read(drop: Drop) -> None:
    sources = [drop.source() for _ in range(50)]
    over = threading.Event()

    def send(source: Source) -> list[str]:
        return [drop.send(source, [65_536 if number % 2 else 66_048]) for number in range(10)]

    def read() -> int:
        """Whatever is listed can be read whole."""
        read = 0
        while not over.is_set():
            for collection in drop.reader.newest():
                read += read_whole(drop.reader, drop.reader.submissions_of(collection.collection_id)[-1:])
                over.wait(0.01)
        return read

    with ThreadPoolExecutor(5) as reviewers:
        readers = [reviewers.submit(read) for _ in range(5)]
        try:
            with ThreadPoolExecutor(50) as senders:
                sent = dict(zip(sources, senders.map(send, sources), strict=True))
        finally:
            over.set()

    assert sum(reader.result() for reader in readers) > 0
    for source, submission_ids in sent.items():
        found = drop.reader.submissions_of(source.collection_id)
        assert {submission.submission_id for submission in found} == set(submission_ids)
    assert len(drop.files()) == len(drop.folders()) == 500
    assert drop.inbox.sweep() == 0


def test_one_source_that_sends_twice_at_once_is_one_source(drop: Drop) -> None:
    """The same session in two tabs: both may find that there is no source yet."""
    source = drop.source()

    with ThreadPoolExecutor(8) as tabs:
        sent = set(tabs.map(lambda _: drop.send(source), range(8)))

    (collection,) = drop.reader.newest()
    assert (collection.collection_id, collection.submissions) == (source.collection_id, len(sent))


@pytest.mark.check("J11")
def test_a_part_destroyed_during_its_download_is_read_to_its_end(drop: Drop) -> None:
    submission_id = drop.send(drop.source(), [200_000])
    (submission,) = drop.reader.submissions([submission_id])

    with drop.reader.open_part(submission.parts[0].part_id) as part:
        first = part.read(10)
        drop.shelves.unshelve(submission_id)
        rest = part.read()

    assert len(first + rest) == 200_000
