"""A reviewers' store on either database."""

from dataclasses import dataclass

import pytest

from hardening.database import Database
from keys.argon import ArgonParameters
from keys.password import Passwords
from reviewers.accounts import Accounts
from reviewers.audit import AuditLog
from reviewers.guard import SignInGuard
from reviewers.marks import Marks
from reviewers.selections import Selections
from reviewers.tables import REVIEWERS
from tests.clock import FakeClock
from tests.stores import Stores, files, postgresql, stores

__all__ = ["files", "postgresql", "stores"]

# The cheapest that Argon2id takes; the real cost is tested where it is set.
CHEAP = ArgonParameters(memory_kib=8, passes=1)


@dataclass(frozen=True, slots=True)
class Office:
    """Everything of the reviewers' store."""

    database: Database
    clock: FakeClock
    accounts: Accounts
    marks: Marks
    selections: Selections
    audit: AuditLog

    def restarted(self) -> Accounts:
        """The accounts as a new process sees them: the store is the same, the memory is empty."""
        return Accounts(self.database, Passwords(CHEAP), SignInGuard(self.clock), self.clock)


@pytest.fixture
def office(stores: Stores, clock: FakeClock) -> Office:
    database = stores.to_write(REVIEWERS)
    return Office(
        database,
        clock,
        Accounts(database, Passwords(CHEAP), SignInGuard(clock), clock),
        Marks(database),
        Selections(database, clock),
        AuditLog(database, clock),
    )
