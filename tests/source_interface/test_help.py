"""Help near the reader: what is shown and what hides, one click away, also when the drop is closed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from questionnaire.places import countries
from source_interface.errors import HelpError
from source_interface.help_entries import WHAT, HelpBook, Helper, help_book, owned, parse, shipped, spoken
from source_interface.languages import languages
from source_interface.pages import PAGE_BYTES
from tests.source_interface.house import House

MakeHouse = Callable[..., House]
WHOLE = """
[[entry]]
what = "sexual-violence"
name = { en = "The example house", uk = "Приклад" }
number = "+380 44 000 00 00"
address = "Example Street 1"
languages = ["uk", "en"]
hours = { en = "Monday to Friday, 9 to 17", uk = "З понеділка до п’ятниці, 9–17" }
cost = "free"
note = { en = "Ask for the nurse." }
verified_by = "Somebody of ours"
verified_on = 2026-02-01
hide_after = 2026-08-01
"""
ONE = '[[entry]]\nwhat = "police"\nnumber = "102"\n'
VERIFIED = ONE + 'verified_by = "us"\nverified_on = 2026-02-01\nhide_after = 2026-03-04\n'


def real(own: dict[str, str]) -> HelpBook:
    """What a real drop shows of its own files."""
    return HelpBook({code: parse(f"{code}.toml", text.encode()) for code, text in own.items()})


@pytest.fixture
def with_help(make_house: MakeHouse) -> Callable[[HelpBook], House]:
    return lambda book: make_house(change=lambda parts: replace(parts, helplines=book))


@pytest.mark.parametrize("where", ["/", "/safety", "/login", "/no-such-page", "/help/ua"])
def test_help_is_one_click_away_from_everywhere(house: House, where: str) -> None:
    browser = house.browser()
    browser.open(where)

    page = browser.click("Help near you")

    assert (page.status, page.path) == (200, "/help")
    assert {"Ukraine", "France", "Lebanon"} <= {words for words, _ in page.links}


def test_help_is_one_click_away_while_visiting(house: House) -> None:
    browser, _ = house.sender()

    for path in ("/send", "/inbox", "/close"):
        browser.open(path)
        assert browser.click("Help near you").path == "/help"


def test_help_is_open_while_the_drop_is_closed(house: House) -> None:
    house.desk = None
    browser = house.browser()
    assert "Closed for new reports" in browser.open("/").text

    browser.click("Help near you")

    assert "102" in browser.click("Ukraine").text


@pytest.mark.check("B11", "K6", "C7")
def test_who_reads_about_help_gets_no_cookie_and_leaves_nothing(house: House) -> None:
    before = {path: path.read_bytes() for path in house.root.rglob("*") if path.is_file() and not path.is_socket()}

    for path in ("/help", "/help/ua", "/uk/help/ua"):
        answer = house.get(path, "Cookie: __Host-visit=nobody")
        assert answer.status == 200
        assert answer.every("set-cookie") == []
        assert len(answer.body) == PAGE_BYTES

    assert {path: path.read_bytes() for path in before} == before


def test_countries_stand_in_the_order_of_the_language(house: House) -> None:
    for prefix, first, last in (("", "Armenia", "United States"), ("/uk", "Азербайджан", "Швейцарія")):
        page = house.browser().open(f"{prefix}/help")
        names = [words for words, target in page.links if target.startswith(f"{prefix}/help/")]
        assert (names[0], names[-1]) == (first, last)


def test_what_is_shipped_is_numbers_that_nobody_has_verified() -> None:
    """Common knowledge alone: no organisation is named, and nobody is said to vouch for it."""
    for helpers in shipped().values():
        for helper in helpers:
            assert helper.what in {"emergency", "police", "ambulance", "fire"}
            assert 2 <= len(helper.number) <= 3
            assert (helper.name.by_language, helper.address, helper.verified_by) == ({}, "", "")
    assert len(shipped()) >= 25


def test_a_drop_for_trying_out_shows_all_and_says_what_nobody_has_verified(house: House) -> None:
    page = house.browser().open("/help/ua")

    assert page.heading == "Ukraine"
    assert page.text.count("Not verified") == len(shipped()["ua"])


def test_a_real_drop_shows_nothing_that_nobody_vouches_for(with_help: Callable[[HelpBook], House]) -> None:
    house = with_help(help_book(Path("/nonexistent"), evaluation=False))

    page = house.browser().open("/help")

    assert "There are no checked numbers here yet." in page.text
    assert not [target for _, target in page.links if target.startswith("/help/")]
    assert house.get("/help/ua").status == 404
    assert "three days (72 hours)" in page.text


def test_what_is_verified_shows_until_its_last_day(with_help: Callable[[HelpBook], House]) -> None:
    house = with_help(real({"ua": VERIFIED + ONE.replace("102", "103"), "fr": ONE}))

    today = house.browser().open("/help/ua")
    house.clock.advance(24 * 3600)

    assert ("102" in today.text, "103" in today.text) == (True, False)
    assert "Checked on 1 February 2026" in today.text
    assert "Not verified" not in today.text
    assert house.get("/help/fr").status == 404
    assert house.get("/help/ua").status == 404
    assert "Ukraine" not in house.browser().open("/help").text


def test_all_that_an_entry_says_is_shown_but_who_verified_it(with_help: Callable[[HelpBook], House]) -> None:
    browser = with_help(real({"ua": WHOLE})).browser()

    english, ukrainian = browser.open("/help/ua").text, browser.open("/uk/help/ua").text

    for words in ("The example house", "+380 44 000 00 00", "Example Street 1", "Українська, English", "9 to 17"):
        assert words in english
    assert "Ask for the nurse." in english
    assert "Somebody of ours" not in english
    assert "Приклад" in ukrainian
    assert "З понеділка" in ukrainian
    # What nobody has translated falls back.
    assert "Ask for the nurse." in ukrainian


@pytest.mark.check("A11")
def test_what_a_drop_says_is_shown_as_text(with_help: Callable[[HelpBook], House]) -> None:
    text = '[[entry]]\nwhat = "other"\naddress = "<script>1</script>"\nname.en = "{{7*7}}<img src=x>"\n'
    text += 'verified_by = "us"\nverified_on = 2026-02-01\nhide_after = 2026-08-01\n'

    page = with_help(real({"ua": text})).browser().open("/help/ua")

    assert "<script>1</script>" in page.text
    assert not {"script", "img"} & {element.tag for element in page.tree.iter()}


@pytest.mark.check("B9")
@pytest.mark.parametrize("prefix", [language.prefix for language in languages()])
def test_the_fullest_country_and_every_country_fit_into_a_page(
    with_help: Callable[[HelpBook], House], prefix: str
) -> None:
    full = "\n".join(
        f'[[entry]]\nwhat = "domestic-violence"\nname.en = "{"ї" * 60}"\nnumber = "+380 44 000 00 00"\n'
        f'hours.en = "{"ї" * 60}"\nnote.en = "{"ї" * 150}"\naddress = "{"ї" * 50}"\nlanguages = ["uk", "en", "fr"]\n'
        for _ in range(16)
    )
    helpers = parse("ua.toml", full.encode())
    book = HelpBook({code.lower(): helpers for code, _ in countries("en")}, shows_unverified=True)
    house = with_help(book)

    assert [len(house.get(f"{prefix}{path}").body) for path in ("/help", "/help/ua")] == [PAGE_BYTES] * 2


def test_a_file_of_the_drop_replaces_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "ua.toml").write_text(WHOLE, "utf-8")
    (tmp_path / "notes.txt").write_text("nothing for sources", "utf-8")

    book = help_book(tmp_path, evaluation=False)

    assert [helper.number for helper in book.by_country["ua"]] == ["+380 44 000 00 00"]
    assert book.by_country["fr"] == shipped()["fr"]


@pytest.mark.parametrize("name", ["UA.toml", "ukraine.toml", "zz.toml", "u.toml"])
def test_a_file_is_called_as_its_country(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(ONE, "utf-8")

    with pytest.raises(HelpError, match=f"^{name}: a file is called as its country"):
        owned(tmp_path)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "help").write_text("a file", "utf-8")

    with pytest.raises(HelpError, match="cannot be read: Not a directory"):
        owned(tmp_path / "help")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('what = "banana"', "what: it is one of emergency"),
        ("what = 5", "what: it is a text"),
        ('number = "see 102"', "number: a number has 2 to 32 digits"),
        ('number = ""', "number: an entry has a number, an address, or both"),
        ('address = "http://help.example/"', "address: it never leads to another site"),
        ('address = "WWW.help.example"', "address: it never leads to another site"),
        (f'address = "{"a" * 201}"', "address: it is one line of at most 200"),
        ('address = "a\\nb"', "address: it is one line"),
        ('address = "a\\u202eb"', "address: it is one line"),
        ('name = "Police"', "name: it is a table with a text for each language"),
        ('name.uk = "Поліція"', "name.en: English is what the other languages fall back to"),
        ('name.xx = "x"', "name.xx: the languages are en, uk, fr, ar"),
        ("name.en = 5", "name.en: it is a text"),
        ('languages = "uk"', "languages: it is a list of codes"),
        ('languages = ["uk", "xx"]', "languages: 'xx' is not one of"),
        ('hours = "sometimes"', "hours: it is a table"),
        ('cost = "cheap"', "cost: it is one of free, paid"),
        ('hide_after = "2026-03-04"', "hide_after: it is a day, as in 2026-03-04, without quotation marks"),
        ("hide_after = 2026-03-04T12:00:00Z", "hide_after: it is a day"),
        ('verified_by = "us"', "verified_by: whoever has verified something says verified_on and hide_after"),
        ("verified_on = 2026-03-04", "verified_on: somebody has verified it: verified_by is missing"),
        (
            'verified_by = "us"\nverified_on = 2026-03-04\nhide_after = 2026-03-04',
            "hide_after: it lies after verified_on",
        ),
        ('url = "x"', "url: there is no such field"),
    ],
)
def test_a_field_that_cannot_be_meant_is_named(line: str, says: str) -> None:
    name = line.partition(" =")[0]
    kept = [one for one in ONE.splitlines() if not one.startswith(f"{name} =")]

    with pytest.raises(HelpError) as refused:
        parse("ua.toml", (ONE + "\n".join([*kept, line])).encode())

    assert str(refused.value).startswith(f"ua.toml: entry 2: {says}")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff", "not a TOML file"),
        (b"[[entry]", "not a TOML file"),
        (b"", "a country is a list of"),
        (b"entry = 5", "a country is a list of"),
        (b"entry = [5]", "entry 1: an entry is a table"),
        (b"more = 1\n" + ONE.encode(), "a country is a list of"),
        (ONE.encode() * 17, "a country has at most 16 entries"),
        (b"#" * (16 * 1024 + 1), "a country has at most 16384 bytes"),
    ],
)
def test_a_file_that_is_no_country_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(HelpError, match=f"^ua.toml: {says}"):
        parse("ua.toml", content)


def test_an_entry_of_any_kind_has_words_and_every_language_a_name(with_help: Callable[[HelpBook], House]) -> None:
    text = "\n".join(ONE.replace("police", what) for what in WHAT) + f"languages = {list(spoken())}\n"
    house = with_help(HelpBook({"ua": parse("ua.toml", text.encode())}, shows_unverified=True))

    page = house.browser().open("/help/ua")

    headings = [" ".join("".join(one.itertext()).split()) for one in page.tree.iter("h2")]
    assert len(set(headings)) == len(headings) == len(WHAT) + 1
    assert "Soomaali" in page.text


def test_an_entry_is_stale_the_day_after_its_last(house: House) -> None:
    helper: Helper = parse("ua.toml", VERIFIED.encode())[0]

    assert helper.verified(date(2026, 3, 4))
    assert not helper.verified(date(2026, 3, 5))
    assert helper.stale(date(2026, 3, 5))
