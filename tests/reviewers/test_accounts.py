from datetime import timedelta

import pyotp
import pytest

from keys.argon import FLOOR
from keys.password import Passwords
from onion.client_auth import client_pair
from reviewers.accounts import Accounts
from reviewers.errors import (
    DisplayNameError,
    LastAdminError,
    NameTakenError,
    NotFoundError,
    OnionKeyError,
    TooManyTriesError,
)
from reviewers.guard import SignInGuard
from reviewers.marks import Marks
from reviewers.records import Credentials, Notice
from tests.clock import NOON, FakeClock
from tests.reviewers.conftest import Office


def add(office: Office, name: str = "Olena", *, is_admin: bool = False) -> Credentials:
    return office.accounts.add(name, client_pair().public, is_admin=is_admin)


def code(office: Office, credentials: Credentials, seconds: int = 0) -> str:
    return pyotp.TOTP(credentials.totp_secret).at(office.clock.now() + timedelta(seconds=seconds))


def sign_in(office: Office, credentials: Credentials, seconds: int = 0, accounts: Accounts | None = None) -> bool:
    found = (accounts or office.accounts).sign_in(
        credentials.reviewer.display_name, credentials.password, code(office, credentials, seconds)
    )
    return found is not None


def test_a_new_reviewer_signs_in_with_what_was_made_for_her(office: Office) -> None:
    olena = add(office)

    found = office.accounts.sign_in("  olena", olena.password, code(office, olena))

    assert found == olena.reviewer
    assert office.accounts.by_name("OLENA") == office.accounts.by_id(olena.reviewer.reviewer_id) == olena.reviewer
    assert office.accounts.all() == [olena.reviewer]


@pytest.mark.check("C17", "C20")
def test_each_wrong_factor_is_answered_alike(office: Office) -> None:
    olena, petro = add(office), add(office, "Petro")
    right = code(office, olena)

    assert office.accounts.sign_in("Nobody", olena.password, right) is None
    assert office.accounts.sign_in("Olena", petro.password, right) is None
    assert office.accounts.sign_in("Olena", olena.password, code(office, petro)) is None
    assert office.accounts.sign_in("Olena", olena.password, "") is None
    assert office.accounts.sign_in("Olena", "x" * 1025, right) is None
    office.accounts.add("Admin", client_pair().public, is_admin=True)
    office.accounts.disable(petro.reviewer.reviewer_id)
    assert not sign_in(office, petro)


@pytest.mark.check("C21")
def test_a_code_works_once(office: Office) -> None:
    olena = add(office)

    assert sign_in(office, olena)
    assert not sign_in(office, olena)
    assert sign_in(office, olena, seconds=30)
    assert not sign_in(office, olena, seconds=0)


@pytest.mark.check("C21")
def test_a_code_may_be_one_step_off_and_no_more(office: Office) -> None:
    for seconds, fits in ((-60, False), (-30, True), (0, True), (30, True), (60, False)):
        credentials = add(office, f"Olena {seconds + 100}")
        assert sign_in(office, credentials, seconds) is fits


@pytest.mark.check("C21", "K1")
def test_a_code_used_before_a_restart_does_not_work_after_it(office: Office) -> None:
    """Nothing finer than the day was stored, and still no code works twice."""
    olena, petro = add(office), add(office, "Petro")
    assert sign_in(office, olena, seconds=30)

    after = office.restarted()

    assert not sign_in(office, olena, seconds=30, accounts=after)
    assert not sign_in(office, olena, seconds=0, accounts=after)
    assert sign_in(office, petro, accounts=after)
    office.clock.advance(60)
    assert sign_in(office, olena, accounts=after)


@pytest.mark.check("C21")
def test_a_restart_just_after_midnight_remembers_the_day_before(office: Office) -> None:
    olena = add(office)
    office.clock.advance(12 * 3600 - 10)
    assert sign_in(office, olena)
    office.clock.advance(15)

    assert not sign_in(office, olena, seconds=-15, accounts=office.restarted())


@pytest.mark.check("C21")
def test_the_sixth_try_within_a_minute_is_not_checked(office: Office) -> None:
    olena = add(office)
    for name in ("Olena", "Nobody"):
        for _ in range(5):
            assert office.accounts.sign_in(name, "wrong", "000000") is None
        with pytest.raises(TooManyTriesError):
            office.accounts.sign_in(name, olena.password, code(office, olena))

    office.clock.advance(12)

    assert sign_in(office, olena)


def test_a_flood_of_names_is_bounded() -> None:
    guard = SignInGuard(FakeClock(NOON))

    assert all(guard.may_try(str(number)) for number in range(10_000))
    assert len(guard._tries) == 4096


def test_of_two_who_bring_the_same_code_one_is_refused() -> None:
    guard = SignInGuard(FakeClock(NOON))

    assert guard.spend("a", 7)
    assert not guard.spend("a", 7)
    assert guard.spend("b", 7)


@pytest.mark.check("P4")
def test_a_name_that_looks_like_another_is_refused(office: Office) -> None:
    add(office)

    for name in ("olena", "OIena", "Оlепа".replace("О", "O").replace("е", "e").replace("п", "n").replace("а", "a")):
        with pytest.raises(NameTakenError):
            add(office, name)
    with pytest.raises(DisplayNameError):
        add(office, "Olena\u202e")
    assert len(office.accounts.all()) == 1


@pytest.mark.check("C20")
def test_no_two_reviewers_share_an_onion_key(office: Office) -> None:
    olena = add(office)

    with pytest.raises(OnionKeyError):
        office.accounts.add("Petro", olena.reviewer.onion_key)
    for malformed in ("", "A" * 51, "a" * 52, "A" * 51 + "1", "A" * 53, "A" * 52 + "\n"):
        with pytest.raises(OnionKeyError):
            office.accounts.add("Petro", malformed)


def test_a_reset_ends_what_was_known_before(office: Office) -> None:
    olena = add(office)

    fresh = office.accounts.reset(olena.reviewer.reviewer_id)

    assert fresh.reviewer.session_owner != olena.reviewer.session_owner
    assert not sign_in(office, olena)
    assert sign_in(office, fresh)
    with pytest.raises(NotFoundError):
        office.accounts.reset("0" * 32)


def test_the_last_admin_stays(office: Office) -> None:
    first, second = add(office, is_admin=True), add(office, "Petro", is_admin=True)

    assert office.accounts.disable(second.reviewer.reviewer_id).disabled
    with pytest.raises(LastAdminError):
        office.accounts.disable(first.reviewer.reviewer_id)
    assert not office.accounts.by_id(first.reviewer.reviewer_id).disabled


def test_a_new_reviewer_has_seen_nothing(office: Office) -> None:
    Marks(office.database).learn([Notice("a" * 32, "c" * 32, NOON.date())])

    olena = add(office)

    assert office.marks.new_submissions(olena.reviewer.reviewer_id) == ["a" * 32]


def test_secrets_are_not_shown_by_accident(office: Office) -> None:
    olena = add(office)

    assert olena.password not in repr(olena)
    assert olena.totp_secret not in repr(olena)


@pytest.mark.check("C20")
def test_passwords_are_long_and_drawn_anew(office: Office) -> None:
    drawn = {add(office, f"Number {letter}").password for letter in "abcdefgh"}

    assert len(drawn) == 8
    assert all(len(password) >= 14 for password in drawn)


@pytest.mark.check("C14")
def test_the_real_cost_serves_too(office: Office) -> None:
    accounts = Accounts(office.database, Passwords(FLOOR), SignInGuard(office.clock), office.clock)

    olena = accounts.add("Olena", client_pair().public)

    assert sign_in(office, olena, accounts=accounts)


@pytest.mark.check("C20")
def test_a_lost_onion_key_is_changed_for_one_that_nobody_has(office: Office) -> None:
    olena, petro = add(office), add(office, "Petro")
    fresh = client_pair().public

    changed = office.accounts.change_onion_key(olena.reviewer.reviewer_id, fresh)

    assert changed.onion_key == fresh == office.accounts.by_id(olena.reviewer.reviewer_id).onion_key
    assert office.accounts.change_onion_key(olena.reviewer.reviewer_id, fresh) == changed
    for bad in (petro.reviewer.onion_key, "short", fresh.lower()):
        with pytest.raises(OnionKeyError):
            office.accounts.change_onion_key(olena.reviewer.reviewer_id, bad)
    with pytest.raises(NotFoundError):
        office.accounts.change_onion_key("0" * 32, client_pair().public)
