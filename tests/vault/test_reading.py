import secrets
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Select, text
from sqlalchemy.dialects import sqlite

from ledger.entry import Received, size_class
from tests.stores import Stores
from tests.vault.drop import Drop, seal
from vault.errors import NotFoundError
from vault.objects import Shelves
from vault.reading import InboxReader, newest_queries, search_query
from vault.records import Collection, SubmissionNotice
from vault.tables import INBOX, SourceRow, SubmissionRow

TODAY = date(2026, 3, 4)


def test_the_last_touched_day_comes_first_and_words_order_a_day(drop: Drop) -> None:
    sources = [drop.source() for _ in range(6)]
    for source in sources:
        drop.send(source)
    drop.clock.advance(86_400)
    drop.send(sources[0])

    listed = drop.reader.newest()

    assert listed[0].collection_id == sources[0].collection_id
    assert (listed[0].submissions, listed[0].last_day) == (2, date(2026, 3, 5))
    assert [found.designation for found in listed[1:]] == sorted(source.designation for source in sources[1:])


def test_pages_show_every_collection_once(drop: Drop) -> None:
    for day in range(3):
        for _ in range(5):
            drop.send(drop.source())
        drop.clock.advance(86_400 if day < 2 else 0)

    pages: list[Collection] = []
    while page := drop.reader.newest(pages[-1] if pages else None, limit=4):
        pages += page

    assert len(pages) == len({found.collection_id for found in pages}) == 15
    assert pages == drop.reader.newest(limit=50)


def test_a_designation_is_found_by_its_beginning(drop: Drop) -> None:
    sources = [drop.source() for _ in range(8)]
    for source in sources:
        drop.send(source)
    wanted = sources[3].designation

    assert [found.designation for found in drop.reader.search(f"  {wanted[:-1].upper()} ")] == sorted(
        source.designation for source in sources if source.designation.startswith(wanted[:-1])
    )
    assert len(drop.reader.search("")) == 8
    assert drop.reader.search("%") == drop.reader.search("_") == []
    first = drop.reader.search("", limit=1)[0]
    assert drop.reader.search("", after=first, limit=50) == drop.reader.search("", limit=50)[1:]


def test_collections_are_named_in_the_order_asked(drop: Drop) -> None:
    ids = [source.collection_id for source in (drop.source(), drop.source()) if drop.send(source)]

    assert [found.collection_id for found in drop.reader.named([ids[1], "0" * 32, ids[0]])] == [ids[1], ids[0]]
    with pytest.raises(NotFoundError):
        drop.reader.collection("0" * 32)


def test_what_arrived_since_a_day_is_told(drop: Drop) -> None:
    source = drop.source()
    first = drop.send(source)
    drop.clock.advance(86_400)
    second = drop.send(source)
    tomorrow = TODAY + timedelta(days=1)

    assert drop.reader.arrived_since(tomorrow) == [SubmissionNotice(second, source.collection_id, tomorrow)]
    assert {notice.submission_id for notice in drop.reader.arrived_since(None)} == {first, second}


def test_a_hash_leads_to_its_collection(drop: Drop) -> None:
    source = drop.source()
    with drop.inbox.receiving(source) as receiving:
        sealed = seal(receiving)
        receiving.keep(sealed)

    assert drop.reader.holders([sealed.sha256, "0" * 64]) == {sealed.sha256: source.collection_id}
    assert not drop.reader.pending(bytes(32))
    waiting = Received(sealed.sha256, size_class(sealed.size_bytes), TODAY).leaf_hash()
    assert drop.reader.pending(waiting)
    assert drop.reader.pending_among([bytes(32), waiting]) == {waiting}


def test_replies_are_sealed_to_the_keys_of_those_who_can_still_read_them(drop: Drop) -> None:
    kept, closed = drop.source(), drop.source()
    drop.send(kept)
    drop.send(closed)
    drop.inbox.close(closed)

    found = drop.reader.reply_keys([kept.collection_id, closed.collection_id, "0" * 32])

    assert found == {kept.collection_id: kept.public_key}


def test_at_100_000_submissions_every_page_walks_along_an_index(files: Stores, tmp_path: Path) -> None:
    """A plan without a scan or a sort costs the same whatever the size; time would only measure the machine."""
    database = files.to_write(INBOX)
    sources = [
        {
            "collection_id": secrets.token_hex(16),
            "designation": f"word{number:06} word",
            "lookup_id": secrets.token_bytes(32),
            "public_key": bytes(32),
            "last_day": TODAY - timedelta(days=secrets.randbelow(700)),
            "progress": bytes(512),
            "closed": False,
        }
        for number in range(50_000)
    ]
    submissions = [
        {
            "submission_id": secrets.token_hex(16),
            "collection_id": secrets.choice(sources)["collection_id"],
            "day": TODAY - timedelta(days=secrets.randbelow(700)),
        }
        for _ in range(100_000)
    ]
    with database.writing() as session:
        # Below the ORM, which would look at each of the rows.
        connection = session.connection()
        connection.execute(SourceRow.__table__.insert(), sources)  # type: ignore[attr-defined]
        connection.execute(SubmissionRow.__table__.insert(), submissions)  # type: ignore[attr-defined]
        session.execute(text("ANALYZE"))
    reader = InboxReader(files.to_read(INBOX), Shelves(tmp_path))
    middle = reader.newest()[-1]

    pages = [
        *newest_queries(None),
        *newest_queries(middle),
        search_query("word01", None),
        search_query("word01", middle),
    ]
    for query in pages:
        plan = _plan(files, query)
        assert "TEMP B-TREE" not in plan, plan
        # Only the first page reads the index from its start, and it stops after 50 rows.
        assert "SCAN" not in plan or (query is pages[0] and "USING INDEX ix_sources_pages" in plan), plan

    assert len(reader.newest(middle)) == 50
    assert [found.designation for found in reader.search("word04999")] == [f"word04999{n} word" for n in range(10)]
    assert len(reader.arrived_since(TODAY)) < 400


def _plan(files: Stores, query: Select[SourceRow]) -> str:
    statement = query.limit(50).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with files.to_read(INBOX).reading() as session:
        return "\n".join(row[3] for row in session.execute(text(f"EXPLAIN QUERY PLAN {statement}".replace(":", "\\:"))))
