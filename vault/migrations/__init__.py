"""Alembic steps, one folder a store."""
