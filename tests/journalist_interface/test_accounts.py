import re
import time

import pyotp
import pytest

from onion.client_auth import client_pair
from reviewers.records import Credentials
from tests.journalist_interface.browser import Answer, Browser
from tests.journalist_interface.office import Office

FORM = "application/x-www-form-urlencoded"


def add(browser: Browser, name: str, key: str, **more: str) -> Answer:
    return browser.submit(browser.get("/accounts").form("Add").filled(name=name, onion_key=key, **more))


def shown(page: Answer) -> tuple[str, str]:
    """The password and the secret on the page that shows them once."""
    password, secret, _ = ["".join(one.itertext()) for one in page.tree.iter("dd")]
    return password, secret.replace(" ", "")


def change(browser: Browser, issued: Credentials, what: str, **typed: str) -> Answer:
    """Send one of the forms that change an account."""
    path = f"/accounts/{issued.reviewer.reviewer_id}/{what}"
    (form,) = [form for form in browser.get("/accounts").forms() if form.action == path]
    return browser.submit(form.filled(**typed))


@pytest.mark.check("C20", "P11", "M8")
def test_a_new_reviewer_gets_three_factors_of_her_own(office: Office) -> None:
    admin = office.sign_in(office.hire(is_admin=True))
    pair = client_pair()

    page = add(admin, "Марія  Коваль", f"descriptor:x25519:{pair.public}\n")
    password, secret = shown(page)

    assert page.heading == "For Марія Коваль"
    assert len(password.split()) == 7
    assert "otpauth://totp/" in page.words
    assert page.words.count(password) == 1
    maria = office.stores.accounts.by_name("Марія Коваль")
    assert maria is not None
    assert (maria.onion_key, maria.is_admin) == (pair.public, False)
    assert maria.reviewer_id in office.tors.names()
    office.clock.advance(61)
    code = pyotp.TOTP(secret).at(office.clock.now())
    assert office.try_in("Марія Коваль", password, code).status == 303
    assert office.audited()[1] == ("added", maria.reviewer_id)
    assert password not in admin.get("/accounts").text


@pytest.mark.check("P11", "T8")
def test_credentials_are_made_here_and_shown_once(office: Office) -> None:
    admin = office.sign_in(office.hire(is_admin=True))
    form = admin.get("/accounts").form("Add").filled(name="Maria", onion_key=client_pair().public)

    assert admin.submit(form.filled(password="mine")).status == 400
    assert admin.submit(form.filled(totp_secret="mine")).status == 400
    assert office.stores.accounts.by_name("Maria") is None
    assert admin.submit(form).status == 200
    again = admin.submit(form)
    assert (again.status, again.get("location")) == (303, "/accounts")
    assert len(office.stores.accounts.all()) == 2


@pytest.mark.check("P4", "P10", "C20")
def test_names_and_keys_that_could_mislead_are_refused(office: Office) -> None:
    admin = office.sign_in(office.hire(is_admin=True))
    key = client_pair().public

    for name in ("0lena", "Оlena", "Ol\u200bena", "Ol\u202eena", "", "x" * 65, "a/b", "{0.__class__}", "<b>"):
        answer = add(admin, name, key)
        assert answer.status == 400, name
        assert answer.form("Add").field("onion_key") == key
    for bad in ("", "x", key[:-1], key.lower(), key + "A", office.stores.accounts.all()[0].onion_key):
        answer = add(admin, "Maria", bad)
        assert (answer.status, answer.form("Add").field("name")) == (400, "Maria"), bad
    assert len(office.stores.accounts.all()) == 1


@pytest.mark.check("P7", "C5", "M9")
def test_a_disabled_reviewer_is_out_at_once(office: Office) -> None:
    admin, petro = office.sign_in(office.hire(is_admin=True)), office.hire("Petro")
    theirs = office.sign_in(petro)
    assert theirs.get("/collections").status == 200

    began = time.perf_counter()
    page = admin.follow(change(admin, petro, "disable"))
    assert theirs.get("/collections").status == 303
    assert time.perf_counter() - began < 5

    assert "its onion key no longer opens this site" in page.words
    assert petro.reviewer.reviewer_id not in office.tors.names()
    assert office.try_in("Petro", petro.password, office.code(petro)).status == 403
    assert office.audited()[-1] == ("disabled", petro.reviewer.reviewer_id)
    assert not [form for form in admin.get("/accounts").forms() if petro.reviewer.reviewer_id in form.action]


@pytest.mark.check("P7")
def test_who_is_disabled_on_the_console_is_out_with_the_next_click(office: Office) -> None:
    petro = office.hire("Petro")
    office.hire(is_admin=True)
    theirs = office.sign_in(petro)

    office.stores.accounts.disable(petro.reviewer.reviewer_id)

    assert theirs.get("/collections").status == 303


@pytest.mark.check("P7")
def test_a_keeper_that_is_away_is_told_later(office: Office) -> None:
    admin, petro = office.sign_in(office.hire(is_admin=True)), office.hire("Petro")
    office.tors.refusing = True

    page = admin.follow(change(admin, petro, "disable"))
    assert "that is tried again every minute" in page.words
    assert "still let in" in page.words
    added = add(admin, "Maria", client_pair().public)
    assert "the keeper has not taken the onion key yet" in added.words
    assert "not let in yet" in admin.get("/accounts").words

    (office.folder / "broker.sock").unlink()
    assert "the keeper does not answer" in admin.get("/accounts").words


def test_the_last_account_that_manages_stays(office: Office) -> None:
    olena = office.hire(is_admin=True)
    admin = office.sign_in(olena)

    answer = change(admin, olena, "disable")

    assert (answer.status, answer.heading) == (409, "Somebody must stay")
    second = office.hire("Petro", is_admin=True)
    assert change(admin, second, "disable").status == 303
    assert change(admin, olena, "disable").status == 409
    assert admin.get("/accounts").status == 200


@pytest.mark.check("C5", "P11")
def test_a_reset_ends_the_session_and_makes_both_anew(office: Office) -> None:
    admin, petro = office.sign_in(office.hire(is_admin=True)), office.hire("Petro")
    theirs = office.sign_in(petro)

    page = change(admin, petro, "reset")
    password, secret = shown(page)

    assert theirs.get("/collections").status == 303
    assert (password, secret) != (petro.password, petro.totp_secret)
    assert office.try_in("Petro", petro.password, office.code(petro)).status == 403
    office.clock.advance(61)
    assert office.try_in("Petro", password, pyotp.TOTP(secret).at(office.clock.now())).status == 303
    assert office.audited()[-2] == ("reset", petro.reviewer.reviewer_id)


def test_a_lost_onion_key_is_changed(office: Office) -> None:
    admin, petro = office.sign_in(office.hire(is_admin=True)), office.hire("Petro")
    pair = client_pair()

    page = admin.follow(change(admin, petro, "key", onion_key=pair.public))

    assert "The new onion key opens this site" in page.words
    assert office.stores.accounts.by_id(petro.reviewer.reviewer_id).onion_key == pair.public
    kept = (office.folder / "onion" / "authorized_clients" / f"{petro.reviewer.reviewer_id}.auth").read_text()
    assert kept == f"descriptor:x25519:{pair.public}\n"
    assert change(admin, petro, "key", onion_key="short").status == 400
    office.tors.refusing = True
    last = client_pair().public
    page = admin.follow(change(admin, petro, "key", onion_key=last))
    assert "the keeper did not take it" in page.words
    office.tors.refusing = False
    page = admin.follow(change(admin, petro, "key", onion_key=last))
    assert "The new onion key opens this site" in page.words
    assert office.tors.asked[-2:] == [f"{verb} {petro.reviewer.reviewer_id}" for verb in ("revoke", "authorize")]


def test_the_page_names_who_may_do_what(office: Office) -> None:
    admin = office.sign_in(office.hire(is_admin=True))
    office.hire("Petro")

    page = admin.get("/accounts")

    rows = [" ".join("".join(row.itertext()).split()) for row in page.tree.iter("tr")][1:]
    assert re.match(r"Olena you fetch, answer, manage accounts open let in", rows[0])
    assert re.match(r"Petro fetch, answer open let in", rows[1])
    assert "Accounts" not in office.sign_in(office.hire("Maria")).get("/collections").links()
