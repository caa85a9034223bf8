import secrets
from datetime import date
from itertools import pairwise
from math import erfc, sqrt
from pathlib import Path

import pytest

from hardening.database import Database, open_to_write
from hardening.migrating import create
from tests.vault.drop import Drop, seal
from vault.records import Source
from vault.tables import INBOX, PartRow, PendingLeafRow, SourceRow, SubmissionRow

TODAY = date(2026, 3, 4)
# SQLite counts its changes in the first page: bytes 24 to 27, and the same again from 92.
COUNTERS = [*range(24, 28), *range(92, 96)]


@pytest.mark.check("K3")
def test_ids_tell_nothing_of_when_they_were_made(file_drop: Drop) -> None:
    """By chance alone one draw in a hundred looks like an order; three in a row do not."""
    draws = [[file_drop.source().collection_id for _ in range(1000)] for _ in range(3)]

    assert len({made for draw in draws for made in draw}) == 3000
    assert all(len(made) == 32 for draw in draws for made in draw)
    assert any(_runs(draw) > 0.01 for draw in draws)
    assert any(abs(_spearman(draw)) < 0.1 for draw in draws)


@pytest.mark.check("K3")
def test_a_swept_store_is_the_same_bytes_whatever_the_order_of_arrival(tmp_path: Path) -> None:
    """SQLite puts new rows where there is room in a page, so until the sweep the bytes of a page show an order."""
    rows = [(secrets.token_hex(16), secrets.token_hex(16), secrets.token_hex(16)) for _ in range(400)]
    stores = [_filled(tmp_path / name, order) for name, order in (("one", rows), ("other", rows[::-1]))]
    assert _content(stores[0][1]) != _content(stores[1][1])

    for database, _ in stores:
        database.forget_order()
        database.close()

    assert _content(stores[0][1]) == _content(stores[1][1])


@pytest.mark.check("K3")
def test_parts_of_a_submission_have_no_order(drop: Drop) -> None:
    source = drop.source()
    with drop.inbox.receiving(source) as receiving:
        sent = [seal(receiving, kind="message"), *(seal(receiving) for _ in range(20))]
        for sealed in sent:
            receiving.keep(sealed)

    (submission,) = drop.reader.submissions_of(source.collection_id)

    assert [part.part_id for part in submission.parts] == sorted(sealed.part_id for sealed in sent)


@pytest.mark.check("K1", "F6")
def test_nothing_of_the_plaintext_and_no_time_is_in_the_store(file_drop: Drop) -> None:
    source: Source = file_drop.source()
    file_drop.send(source)

    content = (file_drop.root / "inbox.db").read_bytes()

    assert b"2026-03-04" in content
    assert b"cafe" not in content
    assert b"12:00" not in content


def _filled(folder: Path, rows: list[tuple[str, str, str]]) -> tuple[Database, Path]:
    folder.mkdir()
    url = f"sqlite:///{folder}/inbox.db"
    create(url, INBOX)
    database = open_to_write(url, INBOX)
    for collection_id, submission_id, part_id in rows:
        secret = bytes.fromhex(collection_id * 2)
        with database.writing() as session:
            session.add(
                SourceRow(
                    collection_id=collection_id,
                    designation=f"{collection_id[:8]} word",
                    lookup_id=secret,
                    public_key=secret,
                    progress=secret * 16,
                    last_day=TODAY,
                    withdrawn_day=TODAY if secret[0] % 2 else None,
                    closed=False,
                )
            )
            session.flush()
            session.add(SubmissionRow(submission_id=submission_id, collection_id=collection_id, day=TODAY))
            session.flush()
            session.add(
                PartRow(
                    part_id=part_id, submission_id=submission_id, kind="file", ct_sha256=part_id * 2, size_bytes=65_536
                )
            )
            session.add(PendingLeafRow(leaf_hash=bytes.fromhex(part_id * 2)))
    return database, folder / "inbox.db"


def _content(path: Path) -> bytes:
    content = bytearray(path.read_bytes())
    for position in COUNTERS:
        content[position] = 0
    return bytes(content)


def _runs(ids: list[str]) -> float:
    """Wald and Wolfowitz: is the number of runs above and below the middle that of a coin? The p-value."""
    middle = sorted(ids)[len(ids) // 2]
    high = [made >= middle for made in ids]
    above, below = sum(high), len(ids) - sum(high)
    runs = 1 + sum(one != other for one, other in pairwise(high))
    mean = 2 * above * below / len(ids) + 1
    deviation = sqrt((mean - 1) * (mean - 2) / (len(ids) - 1))
    return erfc(abs(runs - mean) / deviation / sqrt(2))


def _spearman(ids: list[str]) -> float:
    ranks = {made: rank for rank, made in enumerate(sorted(ids))}
    squares = sum((ranks[made] - position) ** 2 for position, made in enumerate(ids))
    return 1 - 6 * squares / (len(ids) * (len(ids) ** 2 - 1))
