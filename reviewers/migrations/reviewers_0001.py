"""Make the reviewers' store."""

import sqlalchemy as sa
from alembic import op

revision = "reviewers_0001"
down_revision = None


def upgrade() -> None:
    """Make all tables; the audit log alone has a number that grows."""
    _accounts()
    _marks()
    _selections()
    _audit()


def _accounts() -> None:
    op.create_table(
        "reviewers",
        sa.Column("reviewer_id", sa.String(32), nullable=False),
        sa.Column("display_name", sa.String(64), nullable=False),
        sa.Column("skeleton", sa.String(256), nullable=False),
        sa.Column("password_hash", sa.String(256), nullable=False),
        sa.Column("totp_secret", sa.String(64), nullable=False),
        sa.Column("onion_key", sa.String(64), nullable=False),
        sa.Column("session_owner", sa.LargeBinary(16), nullable=False),
        sa.Column("is_admin", sa.Boolean, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("signed_in_day", sa.Date, nullable=True),
        sa.PrimaryKeyConstraint("reviewer_id", name="pk_reviewers"),
        sa.UniqueConstraint("skeleton", name="uq_reviewers_skeleton"),
        sa.UniqueConstraint("onion_key", name="uq_reviewers_onion_key"),
        sa.UniqueConstraint("session_owner", name="uq_reviewers_session_owner"),
        sqlite_with_rowid=False,
    )


def _marks() -> None:
    op.create_table(
        "arrivals",
        sa.Column("submission_id", sa.String(32), nullable=False),
        sa.Column("collection_id", sa.String(32), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("submission_id", name="pk_arrivals"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_arrivals_collection_id", "arrivals", ["collection_id"])
    op.create_index("ix_arrivals_day", "arrivals", ["day"])
    op.create_table(
        "unseen",
        sa.Column("reviewer_id", sa.String(32), nullable=False),
        sa.Column("submission_id", sa.String(32), nullable=False),
        sa.Column("collection_id", sa.String(32), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("reviewer_id", "submission_id", name="pk_unseen"),
        sa.ForeignKeyConstraint(["reviewer_id"], ["reviewers.reviewer_id"], name="fk_unseen_reviewer_id"),
        sa.ForeignKeyConstraint(["submission_id"], ["arrivals.submission_id"], name="fk_unseen_submission_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_unseen_pages", "unseen", ["reviewer_id", "day", "collection_id"])
    op.create_index("ix_unseen_collections", "unseen", ["reviewer_id", "collection_id", "day"])
    op.create_index("ix_unseen_submission_id", "unseen", ["submission_id"])
    op.create_table(
        "assigned",
        sa.Column("reviewer_id", sa.String(32), nullable=False),
        sa.Column("collection_id", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("reviewer_id", "collection_id", name="pk_assigned"),
        sa.ForeignKeyConstraint(["reviewer_id"], ["reviewers.reviewer_id"], name="fk_assigned_reviewer_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_assigned_collection_id", "assigned", ["collection_id"])
    op.create_table(
        "fetches",
        sa.Column("reviewer_id", sa.String(32), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("reviewer_id", "day", name="pk_fetches"),
        sa.ForeignKeyConstraint(["reviewer_id"], ["reviewers.reviewer_id"], name="fk_fetches_reviewer_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_fetches_day", "fetches", ["day"])


def _selections() -> None:
    op.create_table(
        "selections",
        sa.Column("selection_id", sa.String(32), nullable=False),
        sa.Column("reviewer_id", sa.String(32), nullable=False),
        sa.Column("keyset_hash", sa.String(64), nullable=False),
        sa.Column("facts", sa.LargeBinary, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("selection_id", name="pk_selections"),
        sa.ForeignKeyConstraint(["reviewer_id"], ["reviewers.reviewer_id"], name="fk_selections_reviewer_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_selections_reviewer_id", "selections", ["reviewer_id"])
    op.create_index("ix_selections_day", "selections", ["day"])
    op.create_table(
        "selection_parts",
        sa.Column("selection_id", sa.String(32), nullable=False),
        sa.Column("part_id", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("selection_id", "part_id", name="pk_selection_parts"),
        sa.ForeignKeyConstraint(["selection_id"], ["selections.selection_id"], name="fk_selection_parts_selection_id"),
        sqlite_with_rowid=False,
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("position", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("who", sa.String(32), nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("object_id", sa.String(64), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_audit"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_head",
        sa.Column("single", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("length", sa.Integer, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("single", name="pk_audit_head"),
        sa.CheckConstraint("single = 1", name="ck_audit_head_single"),
        sqlite_with_rowid=False,
    )
