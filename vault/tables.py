"""The rows of the inbox and the outbox; they never leave this package.

Keys are random and rows lie in their order (WITHOUT ROWID), so no number tells which came first (K3).
No column is finer than a day (K1), and none holds a plaintext's size, hash or name. SQLite keeps a
new row's bytes where there is room in its page: `Database.forget_order` mends that.
"""

from datetime import date
from pathlib import Path
from typing import Annotated

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hardening.schema import Schema
from vault.records import PROGRESS_BYTES

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
_BY_KEY = {"sqlite_with_rowid": False}
_WITHDRAWN = text("withdrawn_day IS NOT NULL")

Identifier = Annotated[str, mapped_column(String(32))]
Sha256 = Annotated[str, mapped_column(String(64))]
# PostgreSQL's own collations ignore spaces; pages and prefixes need the plain order of the letters.
Words = Annotated[str, mapped_column(String(64).with_variant(String(64, collation="C"), "postgresql"))]


class InboxBase(DeclarativeBase):
    """What the source process writes, and reviewers and the keeper read."""

    metadata = MetaData(naming_convention=_NAMES)


class OutboxBase(DeclarativeBase):
    """What the reviewers' process writes, and the source process and the keeper read."""

    metadata = MetaData(naming_convention=_NAMES)


class SourceRow(InboxBase):
    """A source; once closed, nothing leads from the codename to it any more, and nothing opens its progress."""

    __tablename__ = "sources"

    collection_id: Mapped[Identifier] = mapped_column(primary_key=True)
    designation: Mapped[Words] = mapped_column(unique=True)
    lookup_id: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    public_key: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    # Whoever lists sources has no use for it.
    progress: Mapped[bytes | None] = mapped_column(LargeBinary(PROGRESS_BYTES), deferred=True)
    last_day: Mapped[date] = mapped_column(Date)
    withdrawn_day: Mapped[date | None] = mapped_column(Date)
    closed: Mapped[bool] = mapped_column(Boolean)

    __table_args__ = (
        CheckConstraint(
            "closed = (lookup_id IS NULL) AND closed = (public_key IS NULL) AND closed = (progress IS NULL)",
            name="closed",
        ),
        CheckConstraint(f"length(progress) = {PROGRESS_BYTES}", name="progress"),
        Index("ix_sources_pages", text("last_day DESC"), "designation"),
        Index("ix_sources_closed", "collection_id", sqlite_where=text("closed"), postgresql_where=text("closed")),
        # With the designation, so that the few who withdrew are listed without a look at the table.
        Index(
            "ix_sources_withdrawn",
            "withdrawn_day",
            "designation",
            sqlite_where=_WITHDRAWN,
            postgresql_where=_WITHDRAWN,
        ),
        _BY_KEY,
    )


class SubmissionRow(InboxBase):
    """One sending."""

    __tablename__ = "submissions"
    __table_args__ = (_BY_KEY,)

    submission_id: Mapped[Identifier] = mapped_column(primary_key=True)
    collection_id: Mapped[Identifier] = mapped_column(ForeignKey("sources.collection_id"), index=True)
    day: Mapped[date] = mapped_column(Date, index=True)


class PartRow(InboxBase):
    """One sealed item; its file is named by the two ids."""

    __tablename__ = "parts"
    __table_args__ = (CheckConstraint("size_bytes > 0", name="size"), _BY_KEY)

    part_id: Mapped[Identifier] = mapped_column(primary_key=True)
    submission_id: Mapped[Identifier] = mapped_column(ForeignKey("submissions.submission_id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    ct_sha256: Mapped[Sha256] = mapped_column(index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)


class PendingLeafRow(InboxBase):
    """A ledger entry that waits for the daily merge; the hash alone, so that it has no order and no owner."""

    __tablename__ = "pending_leaves"
    __table_args__ = (_BY_KEY,)

    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)


class DeletedReplyRow(InboxBase):
    """A reply that the source has deleted; here until the outbox has destroyed it."""

    __tablename__ = "deleted_replies"
    __table_args__ = (_BY_KEY,)

    reply_id: Mapped[Identifier] = mapped_column(primary_key=True)
    collection_id: Mapped[Identifier] = mapped_column(ForeignKey("sources.collection_id"), index=True)


class ReplyRow(OutboxBase):
    """A sealed answer."""

    __tablename__ = "replies"
    __table_args__ = (_BY_KEY,)

    reply_id: Mapped[Identifier] = mapped_column(primary_key=True)
    collection_id: Mapped[Identifier] = mapped_column(index=True)
    day: Mapped[date] = mapped_column(Date)
    box: Mapped[bytes] = mapped_column(LargeBinary)


class ReturnRow(OutboxBase):
    """A return bag that was accepted; its number is never taken again."""

    __tablename__ = "returns"
    __table_args__ = (_BY_KEY,)

    signer: Mapped[Sha256] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    sha256: Mapped[Sha256]


class ReceiptRow(OutboxBase):
    """A workstation holds this part."""

    __tablename__ = "receipts"
    __table_args__ = (_BY_KEY,)

    ct_sha256: Mapped[Sha256] = mapped_column(primary_key=True)
    collection_id: Mapped[Identifier] = mapped_column(index=True)


class CollectedRow(OutboxBase):
    """The last day on which somebody fetched submissions; there is one row at most."""

    __tablename__ = "collected"
    __table_args__ = (CheckConstraint("single = 1", name="single"), _BY_KEY)

    single: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date)


_MIGRATIONS = Path(__file__).parent / "migrations"
INBOX = Schema("inbox", InboxBase.metadata, "inbox_0002", _MIGRATIONS / "inbox")
OUTBOX = Schema("outbox", OutboxBase.metadata, "outbox_0001", _MIGRATIONS / "outbox")
