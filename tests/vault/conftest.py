"""A drop on either database, and one on files alone."""

from pathlib import Path

import pytest

from tests.clock import FakeClock
from tests.stores import Stores, files, postgresql, stores
from tests.vault.drop import Drop

__all__ = ["files", "postgresql", "stores"]


@pytest.fixture
def drop(stores: Stores, tmp_path: Path, clock: FakeClock) -> Drop:
    """On SQLite and on PostgreSQL."""
    return Drop(stores, tmp_path, clock)


@pytest.fixture
def file_drop(files: Stores, tmp_path: Path, clock: FakeClock) -> Drop:
    """On SQLite."""
    return Drop(files, tmp_path, clock)
