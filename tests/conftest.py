"""What every test shares."""

from collections.abc import Generator

import pytest

from tests.clock import FakeClock

pytest_plugins = ["tests.onion_fixtures", "tests.keyring", "tests.trial_fixtures"]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let tests log half a surrogate pair: a worker could not hand it on to the process that reports."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report
