import time

import pytest

from journalist_interface.parts import ReviewerLimits
from keys.argon import FLOOR
from keys.gpg import Gpg
from keys.keyset_trust import SignedKeyset
from tests.journalist_interface.browser import Answer, Browser
from tests.journalist_interface.office import Office
from tests.journalist_interface.office import office as running_office
from tests.stores import Stores


@pytest.mark.check("A7", "C5")
def test_a_reviewer_signs_in_and_out(office: Office) -> None:
    olena = office.hire()

    browser = office.sign_in(olena)
    page = browser.get("/collections")
    stolen = dict(browser.cookies)

    assert (page.status, page.heading) == (200, "Collections")
    left = browser.submit(page.form("Sign out"))
    assert left.get("clear-site-data") == '"cache", "cookies", "storage"'
    assert left.get("set-cookie") == "__Host-desk=; Path=/; Secure; HttpOnly; SameSite=Strict"
    assert browser.follow(left).heading == "Sign in"
    browser.cookies = stolen
    assert browser.get("/collections").get("location") == "/"
    assert "Your session has ended." in browser.get("/").words
    assert browser.submit(page.form("Sign out")).status == 403


@pytest.mark.check("C1", "C2", "C4")
def test_the_cookie_comes_with_the_sign_in_and_not_before(office: Office) -> None:
    browser, olena = office.browser(), office.hire()

    for path in ("/", "/style.css", "/robots.txt", "/nothing", "/collections"):
        assert browser.get(path).every("set-cookie") == []
    first = office.try_in("Olena", olena.password, office.code(olena), browser).get("set-cookie")
    office.clock.advance(61)
    second = office.try_in("Olena", olena.password, office.code(olena), office.browser()).get("set-cookie")

    name, *attributes = first.split("; ")
    assert name.startswith("__Host-desk=")
    assert len(name) <= 256
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]
    assert second != first


@pytest.mark.check("C4")
def test_a_cookie_from_before_the_sign_in_is_worth_nothing(office: Office) -> None:
    browser, olena = office.browser(), office.hire()
    browser.cookies["__Host-desk"] = "fixed"
    office.try_in("Olena", olena.password, office.code(olena), browser)
    first = browser.cookies["__Host-desk"]

    office.clock.advance(61)
    # The same browser signs in again, on the form that it still has.
    blank = office.browser()
    form = blank.get("/").form("Sign in")
    browser.submit(form.filled(name="Olena", password=olena.password, code=office.code(olena)))

    assert first != "fixed" != browser.cookies["__Host-desk"] != first
    blank.cookies["__Host-desk"] = first
    assert blank.get("/collections").status == 303


@pytest.mark.check("C17", "C20", "P10")
def test_every_wrong_factor_gets_the_same_answer(office: Office) -> None:
    olena, petro, gone = office.hire(), office.hire("Petro"), office.hire("Maria")
    office.stores.accounts.disable(gone.reviewer.reviewer_id)
    code = office.code(olena)

    answers = [
        office.try_in("Nobody", olena.password, code),
        office.try_in("Olena", petro.password, code),
        office.try_in("Olena", olena.password, "000000" if code != "000000" else "000001"),
        office.try_in("Olena", olena.password, ""),
        office.try_in("Maria", gone.password, office.code(gone)),
        office.try_in("../../etc/hostname", "x", code),
        office.try_in("{0.__class__}%s", "x", code),
        office.try_in("Olena", "x" * 1025, code),
    ]

    assert {answer.status for answer in answers} == {403}
    assert len({answer.body for answer in answers}) == 1
    assert len({answer.headers for answer in answers}) == 1
    assert office.audited() == []
    assert office.try_in("Olena", olena.password, code).status == 303


@pytest.mark.check("C18")
def test_a_refusal_takes_as_long_whatever_was_wrong(
    files: Stores, signed_keyset: SignedKeyset, public_gpg: Gpg
) -> None:
    """One real Argon2id each: without it an unknown name would be answered a third of a second sooner."""
    with running_office(files, (signed_keyset, public_gpg), argon=FLOOR) as office:
        olena, gone = office.hire(), office.hire("Maria")
        office.stores.accounts.disable(gone.reviewer.reviewer_id)
        tries = {
            "unknown": ("Nobody", olena.password),
            "password": ("Olena", gone.password),
            "code": ("Olena", olena.password),
            "disabled": ("Maria", gone.password),
        }
        seconds: dict[str, list[float]] = {kind: [] for kind in tries}
        for _ in range(3):
            for kind, (name, password) in tries.items():
                office.clock.advance(15)
                # The server is a thread of this process: its CPU time does not tell how busy the machine is.
                began = time.process_time()
                assert office.try_in(name, password, "").status == 403
                seconds[kind].append(time.process_time() - began)

    quickest = {kind: min(times) for kind, times in seconds.items()}
    assert min(quickest.values()) > 0.1
    # Without the hash a class would take a tenth of the others' time, with two of them twice as much.
    assert max(quickest.values()) < 1.5 * min(quickest.values()), quickest


@pytest.mark.check("C16")
def test_an_endless_password_is_refused_unhashed(files: Stores, signed_keyset: SignedKeyset, public_gpg: Gpg) -> None:
    with running_office(files, (signed_keyset, public_gpg), argon=FLOOR) as office:
        office.hire()
        office.try_in("Olena", "x" * 1025, "1")
        # The server is a thread of this process: its CPU time does not tell how busy the machine is.
        began = time.process_time()
        assert office.try_in("Olena", "x" * 1025, "1").status == 403
        # Two requests, and no Argon2id, which takes a third of a second.
        assert time.process_time() - began < 0.2


@pytest.mark.check("C21")
def test_a_code_works_once_and_only_five_tries_a_minute(office: Office) -> None:
    olena = office.hire()
    code = office.code(olena)

    assert office.try_in("Olena", olena.password, code).status == 303
    again = office.try_in("Olena", olena.password, code)
    refused = [office.try_in("Olena", olena.password, "1").status for _ in range(4)]

    assert again.status == 403
    assert refused == [403, 403, 403, 429]
    office.clock.advance(60)
    assert office.try_in("Olena", olena.password, office.code(olena)).status == 303


@pytest.mark.check("C22")
def test_a_second_session_ends_the_first_and_says_so(office: Office) -> None:
    olena = office.hire()
    first = office.sign_in(olena)

    second = office.sign_in(olena)

    assert "You were signed in elsewhere." in second.get("/collections").words
    assert "You were signed in elsewhere." not in second.get("/collections").words
    assert first.get("/collections").status == 303
    assert "Your session has ended." in first.get("/").words


@pytest.mark.check("C6")
def test_a_session_ends_when_idle_and_in_the_end(office: Office) -> None:
    browser = office.sign_in(office.hire())

    office.clock.advance(28 * 60)
    assert browser.get("/collections").status == 200
    office.clock.advance(31 * 60)
    assert browser.get("/collections").status == 303

    browser = office.sign_in(office.hire("Petro"))
    for _ in range(4):
        office.clock.advance(28 * 60)
        assert browser.get("/collections").status == 200
    office.clock.advance(10 * 60)
    assert browser.get("/collections").status == 303


@pytest.mark.check("C23")
def test_a_thousand_wrong_names_and_passwords_lock_nobody_out(
    files: Stores, signed_keyset: SignedKeyset, public_gpg: Gpg
) -> None:
    limits = ReviewerLimits(sign_ins_per_second=1_000_000)
    with running_office(files, (signed_keyset, public_gpg), limits=limits) as office:
        olena, browser = office.hire(), office.browser()
        form = browser.get("/").form("Sign in")

        wrong: list[Answer] = []
        for number in range(1000):
            name = "Olena" if number % 2 else f"Nobody {number}"
            wrong.append(browser.submit(form.filled(name=name, password="x", code="1")))

        assert {answer.status for answer in wrong} == {403, 429}
        office.clock.advance(12)
        assert office.try_in("Olena", olena.password, office.code(olena)).status == 303


@pytest.mark.check("C23", "C21")
def test_whoever_fails_in_her_name_without_end_makes_himself_wait_and_not_her(office: Office) -> None:
    """He needs an onion key for it, as a colleague has one; and he may change his circuit as often as he likes."""
    olena = office.hire()
    refused: list[int] = []
    for circuit in range(1, 4):
        his = Browser(office.tor_socket, circuit=circuit)
        refused += [office.try_in("Olena", f"wrong {number}", "1", his).status for number in range(7)]

    answer = office.try_in("Olena", olena.password, office.code(olena), Browser(office.tor_socket, circuit=99))

    assert refused == [403, 403, 403, 403, 403, 429, 429] * 3
    assert answer.status == 303


@pytest.mark.check("C21", "C17")
def test_who_knows_the_password_gets_five_codes_a_minute_however_many_circuits_he_has(office: Office) -> None:
    """And is not told that there are no more: it would say that the password is right."""
    olena = office.hire()
    tried = [
        office.try_in("Olena", olena.password, "1", Browser(office.tor_socket, circuit=circuit)).status
        for circuit in range(5)
    ]

    right = office.try_in("Olena", olena.password, office.code(olena), Browser(office.tor_socket, circuit=5))

    assert tried == [403] * 5
    assert right.status == 403
    office.clock.advance(12)
    assert office.sign_in(olena, Browser(office.tor_socket, circuit=6)).get("/collections").status == 200


@pytest.mark.check("C24")
def test_the_form_asks_no_browser_to_keep_anything(office: Office) -> None:
    page = office.browser().get("/")

    controls = [*page.tree.iter("textarea"), *(one for one in page.tree.iter("input") if one.get("type") != "hidden")]

    assert [control.get("name") for control in controls] == ["password", "name", "code"]
    assert {control.get("autocomplete") for control in controls} == {"off"}
    assert "password" not in {control.get("type") for control in controls}
