"""One source interface, alive for one test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from keys.gpg import Gpg
from keys.keyset_trust import SignedKeyset
from keys.recipients import Recipients
from tests.clock import FakeClock
from tests.keyring import Reviewer
from tests.source_interface.house import House, Keyring, short_folder

MakeHouse = Callable[..., House]


@pytest.fixture(scope="session")
def keyring(
    signed_keyset: SignedKeyset, recipients: Recipients, public_gpg: Gpg, reviewers: tuple[Reviewer, Reviewer]
) -> Keyring:
    return Keyring(signed_keyset.keyset, recipients, public_gpg, reviewers)


@pytest.fixture
def make_house(keyring: Keyring, clock: FakeClock) -> Iterator[MakeHouse]:
    """Builds houses with wishes; all end with the test."""
    with ExitStack() as ends:

        def make(**wishes: object) -> House:
            house = House(ends.enter_context(short_folder()), keyring, clock, **wishes)  # type: ignore[arg-type]
            return ends.enter_context(house.living())

        yield make


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    return make_house()
