"""Claim 6: a page of collections costs the same whether a hundred thousand submissions are stored or a page of them."""

import secrets
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

from sqlalchemy import Table, text

from benchmarks.figures import Figure, Size, median
from hardening.database import open_to_read, open_to_write
from hardening.migrating import create
from svidok.place import Place
from vault.objects import Shelves
from vault.reading import PAGE, InboxReader
from vault.records import Collection
from vault.tables import INBOX, SourceRow, SubmissionRow

# Room for a cache that misses; a scan or a sort would cost a hundred times as much.
_BOUND = 1.5
_EACH = 2
_DAYS = 700


def measure(place: Place, size: Size) -> list[Figure]:
    """Read pages of both stores in turns, in CPU time: nothing of it happens in another process."""
    small, large = (
        _stored(place.root / name, count) for name, count in (("few", 2 * PAGE * _EACH), ("many", size.stored))
    )
    last, middle = small.newest()[-1], large.search(f"word{size.stored // _EACH // 2:06}")[0]
    figures: list[Figure] = []
    for name, (after_few, after_many) in {"first": (None, None), "middle": (last, middle)}.items():
        few: list[float] = []
        many: list[float] = []
        for _ in range(size.pages):
            few.append(_page(small, after_few))
            many.append(_page(large, after_many))
        note = f"{median(many) * 1000:.2f} ms of CPU against {median(few) * 1000:.2f} ms in a store of two pages"
        claim = f"the {name} page of collections at {size.stored:,} submissions"
        figures.append(Figure(claim, median(many) / median(few), "x", _BOUND, note))
    return figures


def _page(reader: InboxReader, after: Collection | None) -> float:
    started = time.thread_time()
    page = reader.newest(after)
    took = time.thread_time() - started
    if len(page) != PAGE:
        raise ValueError("the page is not full: another amount of work was measured")
    return took


def _stored(folder: Path, submissions: int) -> InboxReader:
    """Make a store with so many submissions, two from each source."""
    folder.mkdir()
    url = f"sqlite:///{folder}/inbox.db"
    create(url, INBOX)
    sources = [_source(number) for number in range(submissions // _EACH)]
    rows = [
        {
            "submission_id": secrets.token_hex(16),
            "collection_id": sources[number % len(sources)]["collection_id"],
            "day": _day(),
        }
        for number in range(submissions)
    ]
    _insert(url, sources, rows)
    return InboxReader(open_to_read(url, INBOX), Shelves(folder))


def _insert(url: str, sources: Sequence[dict[str, object]], rows: Sequence[dict[str, object]]) -> None:
    database = open_to_write(url, INBOX)
    with database.writing() as session:
        # Below the ORM, which would look at each of the rows.
        session.connection().execute(cast("Table", SourceRow.__table__).insert(), sources)
        session.connection().execute(cast("Table", SubmissionRow.__table__).insert(), rows)
        session.execute(text("ANALYZE"))
    database.close()


def _source(number: int) -> dict[str, object]:
    return {
        "collection_id": secrets.token_hex(16),
        "designation": f"word{number:06} word",
        "lookup_id": secrets.token_bytes(32),
        "public_key": bytes(32),
        "last_day": _day(),
        "progress": bytes(512),
        "closed": False,
    }


def _day() -> date:
    return datetime.now(UTC).date() - timedelta(days=secrets.randbelow(_DAYS))
