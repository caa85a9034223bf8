"""What every test shares."""

import pytest

from tests.clock import FakeClock

pytest_plugins = ["tests.onion_fixtures", "tests.keyring"]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
