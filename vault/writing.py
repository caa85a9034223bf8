"""Write the rows of one submission: the one turn for which all other writers wait, so statements and no objects."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, bindparam, exists, insert, select, update

from ledger.entry import Received, size_class
from vault.designations import draw_designation
from vault.errors import SourceClosedError, SourceExistsError, VaultError, WithdrawnError
from vault.objects import Receiving, SealedPart
from vault.records import PROGRESS_BYTES, Source
from vault.rows import REPORT
from vault.tables import PartRow, PendingLeafRow, SourceRow, SubmissionRow

_ID_LIMIT = 1 << 128
_PROGRESS_LIMIT = 1 << (8 * PROGRESS_BYTES)
_DRAWS = 1000
_PLAIN_KINDS = frozenset({"message", "file", "manifest"})
# Made once, as those of `vault.rows` are.
_STATE = select(SourceRow.closed, SourceRow.withdrawn_day, SourceRow.last_day).where(
    SourceRow.collection_id == bindparam("collection_id")
)
_SUBMISSION = insert(SubmissionRow)
_PARTS = insert(PartRow)
_LEAVES = insert(PendingLeafRow)


@dataclass(frozen=True, slots=True)
class Lots:
    """What is drawn for a source or a submission.

    Attributes:
        words: For designations.
        randbelow: The source of all of it.
    """

    words: "tuple[str, ...]"
    randbelow: Callable[[int], int]

    def new_id(self) -> str:
        """Draw an id."""
        return f"{self.randbelow(_ID_LIMIT):032x}"

    def progress(self) -> bytes:
        """Draw what nobody can tell from a sealed progress."""
        return self.randbelow(_PROGRESS_LIMIT).to_bytes(PROGRESS_BYTES)

    def designation(self, store: Connection) -> str:
        """Draw a designation that no source in *store* has.

        Raises:
            VaultError: There is none left.
        """
        for _ in range(_DRAWS):
            designation = draw_designation(self.words, self.randbelow)
            if not store.scalar(select(exists().where(SourceRow.designation == designation))):
                return designation
        raise VaultError("the word list has no free designation left")


def write_rows(store: Connection, source: Source, receiving: Receiving, day: date, lots: Lots) -> None:
    """Write the source if she is new, the submission, its parts and their pending leaves.

    Raises:
        SourceClosedError: The source has closed its inbox meanwhile.
        WithdrawnError: She has withdrawn everything.
        SourceExistsError: Another source has the same codename.
        IntegrityError: Of SQLAlchemy; something of it is there already.
    """
    _write_source(store, source, receiving.progress, day, lots)
    store.execute(
        _SUBMISSION,
        {"submission_id": receiving.submission_id, "collection_id": source.collection_id, "day": day},
    )
    parts = receiving.parts.values()
    store.execute(_PARTS, [_row(part, receiving.submission_id) for part in parts])
    entries = [Received(part.sha256, size_class(part.size_bytes), day) for part in parts]
    store.execute(_LEAVES, [{"leaf_hash": entry.leaf_hash()} for entry in entries])


def _row(part: SealedPart, submission_id: str) -> dict[str, str | int]:
    return {
        "part_id": part.part_id,
        "submission_id": submission_id,
        "kind": part.kind if part.kind in _PLAIN_KINDS else REPORT,
        "ct_sha256": part.sha256,
        "size_bytes": part.size_bytes,
    }


def _write_source(store: Connection, source: Source, progress: bytes | None, day: date, lots: Lots) -> None:
    row = store.execute(_STATE, {"collection_id": source.collection_id}).one_or_none()
    if row is None:
        _write_new_source(store, source, progress or lots.progress(), day, lots)
        return
    if row.closed:
        raise SourceClosedError("the inbox is closed")
    if row.withdrawn_day is not None:
        raise WithdrawnError("everything was withdrawn")
    changed: dict[str, object] = {"last_day": day} if row.last_day < day else {}
    if progress is not None:
        changed["progress"] = progress
    if changed:
        store.execute(update(SourceRow).where(SourceRow.collection_id == source.collection_id).values(changed))


def _write_new_source(store: Connection, source: Source, progress: bytes, day: date, lots: Lots) -> None:
    if store.scalar(select(exists().where(SourceRow.lookup_id == source.lookup_id))):
        raise SourceExistsError("the lookup id is in use")
    taken = store.scalar(select(exists().where(SourceRow.designation == source.designation)))
    store.execute(
        insert(SourceRow).values(
            collection_id=source.collection_id,
            designation=lots.designation(store) if taken else source.designation,
            lookup_id=source.lookup_id,
            public_key=source.public_key,
            progress=progress,
            last_day=day,
            withdrawn_day=None,
            closed=False,
        )
    )
