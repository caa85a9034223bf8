"""The rows of the reviewers' store; they never leave this package.

The store belongs to the reviewers' process alone (0600). It holds what that process must be able to
use: password hashes, and TOTP secrets as they are, because checking a code takes the secret itself.
Whoever takes this file off the machine therefore has one factor of two: the onion client key and the
password are not in it, nor anything that opens a submission. No time is finer than a day (K1): the
step of the last used code lives in memory (`reviewers.guard`).
"""

from datetime import date
from pathlib import Path
from typing import Annotated

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, Integer, LargeBinary, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hardening.schema import Schema

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
_BY_KEY = {"sqlite_with_rowid": False}

Identifier = Annotated[str, mapped_column(String(32))]
Owner = Annotated[str, mapped_column(String(32), ForeignKey("reviewers.reviewer_id"))]


class Base(DeclarativeBase):
    """What the reviewers' process alone reads and writes."""

    metadata = MetaData(naming_convention=_NAMES)


class ReviewerRow(Base):
    """An account; never deleted, since the audit log speaks of it."""

    __tablename__ = "reviewers"
    __table_args__ = (_BY_KEY,)

    reviewer_id: Mapped[Identifier] = mapped_column(primary_key=True)
    display_name: Mapped[str] = mapped_column(String(64))
    skeleton: Mapped[str] = mapped_column(String(256), unique=True)
    password_hash: Mapped[str] = mapped_column(String(256))
    totp_secret: Mapped[str] = mapped_column(String(64))
    onion_key: Mapped[str] = mapped_column(String(64), unique=True)
    session_owner: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)
    is_admin: Mapped[bool] = mapped_column(Boolean)
    disabled: Mapped[bool] = mapped_column(Boolean)
    signed_in_day: Mapped[date | None] = mapped_column(Date)


class ArrivalRow(Base):
    """A submission that the inbox has told of."""

    __tablename__ = "arrivals"
    __table_args__ = (_BY_KEY,)

    submission_id: Mapped[Identifier] = mapped_column(primary_key=True)
    collection_id: Mapped[Identifier] = mapped_column(index=True)
    day: Mapped[date] = mapped_column(Date, index=True)


class UnseenRow(Base):
    """A submission that a reviewer has not seen; seeing it removes the row, so that no reading habit is kept (K7)."""

    __tablename__ = "unseen"
    __table_args__ = (
        Index("ix_unseen_pages", "reviewer_id", "day", "collection_id"),
        Index("ix_unseen_collections", "reviewer_id", "collection_id", "day"),
        Index("ix_unseen_submission_id", "submission_id"),
        _BY_KEY,
    )

    reviewer_id: Mapped[Owner] = mapped_column(primary_key=True)
    submission_id: Mapped[Identifier] = mapped_column(ForeignKey("arrivals.submission_id"), primary_key=True)
    collection_id: Mapped[Identifier]
    day: Mapped[date] = mapped_column(Date)


class AssignedRow(Base):
    """A collection that a reviewer works on."""

    __tablename__ = "assigned"
    __table_args__ = (Index("ix_assigned_collection_id", "collection_id"), _BY_KEY)

    reviewer_id: Mapped[Owner] = mapped_column(primary_key=True)
    collection_id: Mapped[Identifier] = mapped_column(primary_key=True)


class FetchRow(Base):
    """A reviewer fetched something on this day."""

    __tablename__ = "fetches"
    __table_args__ = (Index("ix_fetches_day", "day"), _BY_KEY)

    reviewer_id: Mapped[Owner] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)


class SelectionRow(Base):
    """What a transfer bag holds."""

    __tablename__ = "selections"
    __table_args__ = (_BY_KEY,)

    selection_id: Mapped[Identifier] = mapped_column(primary_key=True)
    reviewer_id: Mapped[Owner] = mapped_column(index=True)
    keyset_hash: Mapped[str] = mapped_column(String(64))
    facts: Mapped[bytes] = mapped_column(LargeBinary)
    day: Mapped[date] = mapped_column(Date, index=True)


class SelectionPartRow(Base):
    """One part of a selection."""

    __tablename__ = "selection_parts"
    __table_args__ = (_BY_KEY,)

    selection_id: Mapped[Identifier] = mapped_column(ForeignKey("selections.selection_id"), primary_key=True)
    part_id: Mapped[Identifier] = mapped_column(primary_key=True)


class AuditRow(Base):
    """One line of the audit log; its order is its purpose, so it is the one table with a number."""

    __tablename__ = "audit"
    __table_args__ = (_BY_KEY,)

    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    who: Mapped[str] = mapped_column(String(32))
    what: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[str] = mapped_column(String(64))
    day: Mapped[date] = mapped_column(Date)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class AuditHeadRow(Base):
    """How long the audit log is and how it ends, so that lines cut from the end are missed too (L3)."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("single = 1", name="single"), _BY_KEY)

    single: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    length: Mapped[int] = mapped_column(Integer)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


REVIEWERS = Schema("reviewers", Base.metadata, "reviewers_0001", Path(__file__).parent / "migrations")
