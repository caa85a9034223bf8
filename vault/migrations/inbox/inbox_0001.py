"""Make the inbox."""

import sqlalchemy as sa
from alembic import op

revision = "inbox_0001"
down_revision = None

_DESIGNATION = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")


def upgrade() -> None:
    """Make all tables; none has a rowid, so that no row has a number (K3)."""
    op.create_table(
        "sources",
        sa.Column("collection_id", sa.String(32), nullable=False),
        sa.Column("designation", _DESIGNATION, nullable=False),
        sa.Column("lookup_id", sa.LargeBinary(32), nullable=True),
        sa.Column("public_key", sa.LargeBinary(32), nullable=True),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("collection_id", name="pk_sources"),
        sa.UniqueConstraint("designation", name="uq_sources_designation"),
        sa.UniqueConstraint("lookup_id", name="uq_sources_lookup_id"),
        sa.CheckConstraint("closed = (lookup_id IS NULL) AND closed = (public_key IS NULL)", name="ck_sources_closed"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sources_pages", "sources", [sa.text("last_day DESC"), "designation"])
    op.create_index(
        "ix_sources_closed",
        "sources",
        ["collection_id"],
        sqlite_where=sa.text("closed"),
        postgresql_where=sa.text("closed"),
    )
    op.create_table(
        "submissions",
        sa.Column("submission_id", sa.String(32), nullable=False),
        sa.Column("collection_id", sa.String(32), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("submission_id", name="pk_submissions"),
        sa.ForeignKeyConstraint(["collection_id"], ["sources.collection_id"], name="fk_submissions_collection_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_submissions_collection_id", "submissions", ["collection_id"])
    op.create_index("ix_submissions_day", "submissions", ["day"])
    op.create_table(
        "parts",
        sa.Column("part_id", sa.String(32), nullable=False),
        sa.Column("submission_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("ct_sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("part_id", name="pk_parts"),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.submission_id"], name="fk_parts_submission_id"),
        sa.CheckConstraint("size_bytes > 0", name="ck_parts_size"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_parts_submission_id", "parts", ["submission_id"])
    op.create_index("ix_parts_ct_sha256", "parts", ["ct_sha256"])
    op.create_table(
        "pending_leaves",
        sa.Column("leaf_hash", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("leaf_hash", name="pk_pending_leaves"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "deleted_replies",
        sa.Column("reply_id", sa.String(32), nullable=False),
        sa.Column("collection_id", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("reply_id", name="pk_deleted_replies"),
        sa.ForeignKeyConstraint(["collection_id"], ["sources.collection_id"], name="fk_deleted_replies_collection_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_deleted_replies_collection_id", "deleted_replies", ["collection_id"])
