"""Freeze what a transfer bag holds, so that a download that broke off goes on with the same bytes."""

import secrets
from collections.abc import Callable, Collection
from datetime import date, timedelta

from sqlalchemy import delete, select

from hardening.clock import Clock, today
from hardening.database import Database
from reviewers.errors import NotFoundError
from reviewers.records import Selection
from reviewers.tables import SelectionPartRow, SelectionRow

KEPT_DAYS = 7

_ID_BYTES = 16


class Selections:
    """The stored selections of all reviewers.

    Args:
        database: The reviewers' store, open for writing.
        clock: Asked for the day.
        random_bytes: The source of the ids.
    """

    def __init__(
        self, database: Database, clock: Clock, random_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._database = database
        self._clock = clock
        self._random_bytes = random_bytes

    def freeze(self, reviewer_id: str, part_ids: Collection[str], keyset_hash: str, facts: bytes) -> Selection:
        """Store a selection; only this reviewer gets it back, for `KEPT_DAYS` days.

        Args:
            reviewer_id: Who asks.
            part_ids: What the bag holds.
            keyset_hash: Of the keyset that travels with it.
            facts: Whatever else the bag's bytes depend on.
        """
        selection = Selection(
            self._random_bytes(_ID_BYTES).hex(),
            reviewer_id,
            tuple(sorted(set(part_ids))),
            keyset_hash,
            facts,
            today(self._clock),
        )
        with self._database.writing() as session:
            session.add(
                SelectionRow(
                    selection_id=selection.selection_id,
                    reviewer_id=reviewer_id,
                    keyset_hash=keyset_hash,
                    facts=facts,
                    day=selection.day,
                )
            )
            session.flush()
            session.add_all(
                SelectionPartRow(selection_id=selection.selection_id, part_id=part_id) for part_id in selection.part_ids
            )
        return selection

    def open(self, selection_id: str, reviewer_id: str) -> Selection:
        """Return a selection to the reviewer who asked for it.

        Raises:
            NotFoundError: There is none, it is somebody else's, or it has expired: all look alike (P2).
        """
        with self._database.reading() as session:
            row = session.get(SelectionRow, selection_id)
            if row is None or row.reviewer_id != reviewer_id or row.day < self._oldest_day():
                raise NotFoundError("there is no such bag, or no longer")
            part_ids = session.scalars(
                select(SelectionPartRow.part_id)
                .where(SelectionPartRow.selection_id == selection_id)
                .order_by(SelectionPartRow.part_id)
            )
            return Selection(selection_id, reviewer_id, tuple(part_ids), row.keyset_hash, row.facts, row.day)

    def of(self, reviewer_id: str) -> list[tuple[str, date]]:
        """List the ids and days of the selections that a reviewer can still open, the newest day first."""
        with self._database.reading() as session:
            found = session.execute(
                select(SelectionRow.selection_id, SelectionRow.day)
                .where(SelectionRow.reviewer_id == reviewer_id, SelectionRow.day >= self._oldest_day())
                .order_by(SelectionRow.day.desc(), SelectionRow.selection_id)
            )
            return [(selection_id, day) for selection_id, day in found]

    def forget_expired(self) -> int:
        """Destroy the selections that have expired; call it once a day. Say how many they were."""
        with self._database.writing() as session:
            expired = session.scalars(
                select(SelectionRow.selection_id).where(SelectionRow.day < self._oldest_day())
            ).all()
            for selection_id in expired:
                session.execute(delete(SelectionPartRow).where(SelectionPartRow.selection_id == selection_id))
                session.execute(delete(SelectionRow).where(SelectionRow.selection_id == selection_id))
        return len(expired)

    def _oldest_day(self) -> date:
        return today(self._clock) - timedelta(days=KEPT_DAYS)
