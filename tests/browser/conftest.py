"""Firefoxes at Safest, for those who play a part in front of one."""

from collections.abc import Iterator

import pytest

from onion.daemon import Running
from tests.browser.safest import Person, safest


@pytest.fixture
def source(source_tor: Running) -> Iterator[Person]:
    with safest(source_tor.socks_port) as person:
        yield person
