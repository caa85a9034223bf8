"""Give sources a sealed progress and a day of withdrawal."""

import secrets
from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa
from alembic import op

revision = "inbox_0002"
down_revision = "inbox_0001"

_BYTES = 512
_AT_ONCE = 500
_DESIGNATION = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
_CLOSED = "closed = (lookup_id IS NULL) AND closed = (public_key IS NULL) AND closed = (progress IS NULL)"
_PROGRESS = f"length(progress) = {_BYTES}"
_WITHDRAWN = sa.text("withdrawn_day IS NOT NULL")

_BEFORE = {
    "collection_id": sa.String,
    "designation": sa.String,
    "lookup_id": sa.LargeBinary,
    "public_key": sa.LargeBinary,
    "last_day": sa.Date,
    "closed": sa.Boolean,
}


def upgrade() -> None:
    """Add both; whoever is there gets random bytes, which nobody can tell from a sealed progress."""
    if op.get_context().dialect.name == "sqlite":
        _make_anew()
    else:
        _alter()
    op.create_index(
        "ix_sources_withdrawn",
        "sources",
        ["withdrawn_day", "designation"],
        sqlite_where=_WITHDRAWN,
        postgresql_where=_WITHDRAWN,
    )


def _make_anew() -> None:
    """Copy the table: SQLite changes no constraint in place."""
    op.create_table(
        "new_sources",
        sa.Column("collection_id", sa.String(32), nullable=False),
        sa.Column("designation", _DESIGNATION, nullable=False),
        sa.Column("lookup_id", sa.LargeBinary(32), nullable=True),
        sa.Column("public_key", sa.LargeBinary(32), nullable=True),
        sa.Column("progress", sa.LargeBinary(_BYTES), nullable=True),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("withdrawn_day", sa.Date, nullable=True),
        sa.Column("closed", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("collection_id", name="pk_sources"),
        sa.UniqueConstraint("designation", name="uq_sources_designation"),
        sa.UniqueConstraint("lookup_id", name="uq_sources_lookup_id"),
        sa.CheckConstraint(_CLOSED, name="ck_sources_closed"),
        sa.CheckConstraint(_PROGRESS, name="ck_sources_progress"),
        sqlite_with_rowid=False,
    )
    store, old, new = op.get_bind(), _table("sources"), _table("new_sources")
    for rows in store.execute(sa.select(*(old.c[name] for name in _BEFORE))).mappings().partitions(_AT_ONCE):
        store.execute(sa.insert(new), [_with_progress(dict(row)) for row in rows])
    op.drop_table("sources")
    op.rename_table("new_sources", "sources")
    op.create_index("ix_sources_pages", "sources", [sa.text("last_day DESC"), "designation"])
    op.create_index("ix_sources_closed", "sources", ["collection_id"], sqlite_where=sa.text("closed"))


def _alter() -> None:
    op.add_column("sources", sa.Column("progress", sa.LargeBinary(_BYTES), nullable=True))
    op.add_column("sources", sa.Column("withdrawn_day", sa.Date, nullable=True))
    store, sources = op.get_bind(), _table("sources")
    open_ids = store.scalars(sa.select(sources.c.collection_id).where(~sources.c.closed)).all()
    for ids in _chunks(open_ids):
        store.execute(
            sa.update(sources).where(sources.c.collection_id == sa.bindparam("one")),
            [{"one": each, "progress": secrets.token_bytes(_BYTES)} for each in ids],
        )
    op.drop_constraint("ck_sources_closed", "sources", type_="check")
    op.create_check_constraint("ck_sources_closed", "sources", _CLOSED)
    op.create_check_constraint("ck_sources_progress", "sources", _PROGRESS)


def _table(name: str) -> sa.TableClause:
    columns: list[sa.ColumnClause[object]] = [sa.column(column, kind) for column, kind in _BEFORE.items()]
    return sa.table(name, *columns, sa.column("progress", sa.LargeBinary))


def _with_progress(row: Mapping[str, object]) -> dict[str, object]:
    return {**row, "progress": None if row["closed"] else secrets.token_bytes(_BYTES)}


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))
