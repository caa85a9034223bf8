"""A running journalist interface for each test that asks for one."""

from collections.abc import Generator

import pytest

from keys.gpg import Gpg
from keys.keyset_trust import SignedKeyset
from tests.journalist_interface.office import Office
from tests.journalist_interface.office import office as running_office
from tests.stores import Stores, files

__all__ = ["files"]


@pytest.fixture
def office(files: Stores, signed_keyset: SignedKeyset, public_gpg: Gpg) -> Generator[Office]:
    with running_office(files, (signed_keyset, public_gpg)) as made:
        yield made
