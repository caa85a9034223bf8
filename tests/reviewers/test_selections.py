import secrets

import pytest

from onion.client_auth import client_pair
from reviewers.errors import NotFoundError
from tests.reviewers.conftest import Office


def test_a_selection_comes_back_as_it_was_frozen(office: Office) -> None:
    olena = office.accounts.add("Olena", client_pair().public).reviewer.reviewer_id
    part_ids = [secrets.token_hex(16) for _ in range(30)]

    frozen = office.selections.freeze(olena, part_ids, "ab" * 32, b"facts")

    assert frozen.part_ids == tuple(sorted(part_ids))
    assert office.selections.open(frozen.selection_id, olena) == frozen


@pytest.mark.check("P2")
def test_a_selection_is_its_reviewers_alone(office: Office) -> None:
    olena, petro = (office.accounts.add(name, client_pair().public).reviewer.reviewer_id for name in ("Olena", "Petro"))
    frozen = office.selections.freeze(olena, [], "ab" * 32, b"")

    for selection_id, reviewer_id in ((frozen.selection_id, petro), ("0" * 32, olena), ("", olena)):
        with pytest.raises(NotFoundError):
            office.selections.open(selection_id, reviewer_id)


def test_a_selection_lives_seven_days(office: Office) -> None:
    olena = office.accounts.add("Olena", client_pair().public).reviewer.reviewer_id
    frozen = office.selections.freeze(olena, ["a" * 32], "ab" * 32, b"facts")

    office.clock.advance(7 * 86_400)
    assert office.selections.forget_expired() == 0
    assert office.selections.open(frozen.selection_id, olena) == frozen
    newer = office.selections.freeze(olena, ["b" * 32], "ab" * 32, b"facts")
    assert office.selections.of(olena) == [(newer.selection_id, newer.day), (frozen.selection_id, frozen.day)]
    assert office.selections.of("0" * 32) == []

    office.clock.advance(86_400)
    assert office.selections.of(olena) == [(newer.selection_id, newer.day)]
    with pytest.raises(NotFoundError):
        office.selections.open(frozen.selection_id, olena)
    assert office.selections.forget_expired() == 1
    assert office.selections.forget_expired() == 0
