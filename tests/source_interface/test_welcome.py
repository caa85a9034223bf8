"""The first page says how things are, and the page of keys can be checked without us."""

import re
import subprocess
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from hardening.clock import today
from keys.codename import parse
from keys.gpg import Gpg
from keys.lexicon import lexicons
from source_interface.parts import PublicFacts
from tests.keyring import Reviewer
from tests.source_interface.house import HOST, House, shown_codename

MakeHouse = Callable[..., House]


@pytest.mark.parametrize(
    ("days", "says"),
    [
        (None, "have not collected any reports yet"),
        (0, "within the last week"),
        (7, "within the last week"),
        (8, "within the last month"),
        (40, "for more than a month"),
    ],
)
def test_the_first_page_says_when_reports_were_last_collected(house: House, days: int | None, says: str) -> None:
    if days is not None:
        house.outbox.note_collected(today(house.clock) - timedelta(days=days))

    assert says in house.browser().open("/").text


def test_a_drop_for_trying_out_says_so_on_every_page(make_house: MakeHouse) -> None:
    house = make_house(facts=PublicFacts(name="Trial", evaluation=True))
    browser, _ = house.sender()

    for path in ("/", "/uk/", "/keys", "/login", "/inbox", "/send", "/no-such-page"):
        (notice,) = browser.open(path).tree.iter("aside")
        assert (notice.get("class"), len(list(notice.iter("strong")))) == ("test", 1), path
    assert "Send nothing real" in browser.open("/").text


def test_a_drop_for_trying_out_shows_every_language_and_marks_what_nobody_has_approved(make_house: MakeHouse) -> None:
    house = make_house(facts=PublicFacts(name="Trial", evaluation=True, approved=frozenset({"uk"})))
    browser = house.browser()

    marked = {path: browser.open(path).first("p", "draft").text for path in ("/", "/fr/", "/ar/login", "/fr/nothing")}

    assert set(marked.values()) == {
        "Draft: no native speaker has approved these words yet.",
        "Traduction provisoire\u00a0: aucune personne de langue maternelle n’a encore approuvé ces mots.",
        "ترجمة أولية: لم يعتمد هذه الكلمات بعد أي متحدث أصلي بهذه اللغة.",
    }
    assert b'class="draft"' not in house.get("/uk/").body


def test_a_real_drop_serves_approved_languages_alone_and_english_always(make_house: MakeHouse) -> None:
    house = make_house(facts=PublicFacts(name="Desk", approved=frozenset({"fr"})))

    assert [house.get(path).status for path in ("/", "/fr/", "/uk/", "/ar/", "/uk/safety")] == [200, 200, 404, 404, 404]
    assert {b"Fran\xc3\xa7ais" in house.get("/").body, "Українська".encode() in house.get("/").body} == {True, False}
    assert b'class="draft"' not in house.get("/").body


def test_a_real_drop_says_nothing_of_tests(house: House) -> None:
    assert b'class="test"' not in house.get("/").body


@pytest.mark.check("B7")
def test_address_and_fingerprints_stand_on_one_page_beside_a_signed_file(
    make_house: MakeHouse, reviewers: tuple[Reviewer, Reviewer], tmp_path: Path
) -> None:
    statement = f"Our address:\n{HOST}\nOur keys:\n{reviewers[0].fingerprint}\n{reviewers[1].fingerprint}\n".encode()
    signature = _armored(reviewers[0], statement, tmp_path)
    house = make_house(
        facts=PublicFacts(
            name="Desk", onion_address=HOST, files={"address.txt": statement, "address.txt.asc": signature}
        )
    )
    browser = house.browser()

    page = browser.open("/keys")
    assert HOST in page.text
    for reviewer in reviewers:
        assert str(reviewer.fingerprint) in page.text.replace(" ", "")
    assert "gpg --verify address.txt.asc address.txt" in page.text

    home = tmp_path / "reader"
    home.mkdir(mode=0o700)
    for name in ("address.txt", "address.txt.asc"):
        (tmp_path / name).write_bytes(browser.click(name).body)
        assert browser.page.every("content-type") == ["text/plain; charset=utf-8"]
        browser.open("/keys")
    gpg = ("gpg", "--homedir", str(home), "--batch", "--no-autostart", "--trust-model", "always")
    subprocess.run([*gpg, "--import"], input=reviewers[0].certificate, check=True, capture_output=True)
    verified = subprocess.run(
        [*gpg, "--faked-system-time", "20260304T130000", "--verify", "address.txt.asc", "address.txt"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
    )
    assert verified.returncode == 0, verified.stderr


def test_the_page_of_keys_stays_while_there_are_too_few(house: House) -> None:
    house.desk = None

    page = house.browser().open("/keys")

    assert "not enough valid keys" in page.text
    assert HOST in page.text


def test_only_offered_files_are_given(house: House) -> None:
    assert house.get("/keys/address.txt").status == 404
    assert house.get("/keys/../style.css").status in {400, 404}


@pytest.mark.check("B11")
def test_the_language_is_the_one_that_was_chosen(house: House) -> None:
    browser = house.browser()
    browser.open("/safety")

    browser.click("Українська")
    assert browser.page.path == "/uk/safety"
    assert "Як подбати про безпеку" in browser.page.heading
    browser.click("На початок")
    browser.press("Почати")
    assert browser.page.path == "/uk/send"
    page = browser.press("Надіслати", message="Добрий день.")
    assert page.path == "/uk/codename"
    assert house.manifests()[0].language == "uk"
    assert all(not path or path.startswith("/uk/") for path in [path for _, path in browser.requests][1:])


@pytest.mark.check("B11", "C10")
@pytest.mark.parametrize(
    ("prefix", "begin", "send", "words_of"),
    [
        ("", "Begin", "Send now", "en"),
        ("/uk", "Почати", "Надіслати", "uk"),
        ("/fr", "Commencer", "Envoyer maintenant", "fr"),
        ("/ar", "بدء", "إرسال الآن", "en"),
    ],
)
def test_the_codename_is_shown_as_its_readers_write(
    house: House, prefix: str, begin: str, send: str, words_of: str
) -> None:
    """Who reads Arabic can copy digits, but no English words; all stand there, and each opens the inbox."""
    browser = house.browser()
    browser.open(f"{prefix}/")
    browser.press(begin)
    page = browser.press(send, message="x")

    words = shown_codename(page)
    digits = re.findall(r'<li><span dir="ltr">(\d{4})</span></li>', page.body.decode())

    assert len(words.split()) == (9 if words_of == "uk" else 8)
    assert set(words.split()) <= set(lexicons()[words_of].words)
    assert len(digits) == (16 if prefix == "/ar" else 0)
    for start in range(0, len(digits), 8):
        assert parse(" ".join(digits[start : start + 8])) == parse(words)
    assert [group.isascii() for group in digits] == [True] * 8 + [False] * 8 or not digits


def test_days_are_written_in_the_readers_language(house: House) -> None:
    browser, _ = house.sender()

    assert "4 March 2026" in browser.open("/inbox").text
    assert "4 березня 2026" in browser.open("/uk/inbox").text
    assert today(house.clock) == date(2026, 3, 4)


def _armored(reviewer: Reviewer, statement: bytes, folder: Path) -> bytes:
    path = folder / "to-sign"
    path.write_bytes(statement)
    gpg: Gpg = reviewer.gpg
    command = [
        *("gpg", "--homedir", str(gpg.home), "--batch", "--pinentry-mode", "loopback"),
        *("--passphrase", reviewer.passphrase, "--faked-system-time", "20260304T120000", "--armor"),
        *("--local-user", str(reviewer.fingerprint), "--detach-sign", "--output", "-", str(path)),
    ]
    return subprocess.run(command, check=True, capture_output=True).stdout
