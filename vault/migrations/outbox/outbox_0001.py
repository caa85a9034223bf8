"""Make the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "outbox_0001"
down_revision = None


def upgrade() -> None:
    """Make all tables; none has a rowid, so that no row has a number (K3)."""
    op.create_table(
        "replies",
        sa.Column("reply_id", sa.String(32), nullable=False),
        sa.Column("collection_id", sa.String(32), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("box", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("reply_id", name="pk_replies"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_replies_collection_id", "replies", ["collection_id"])
    op.create_table(
        "returns",
        sa.Column("signer", sa.String(64), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("signer", "sequence", name="pk_returns"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "receipts",
        sa.Column("ct_sha256", sa.String(64), nullable=False),
        sa.Column("collection_id", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("ct_sha256", name="pk_receipts"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_receipts_collection_id", "receipts", ["collection_id"])
    op.create_table(
        "collected",
        sa.Column("single", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("single", name="pk_collected"),
        sa.CheckConstraint("single = 1", name="ck_collected_single"),
        sqlite_with_rowid=False,
    )
