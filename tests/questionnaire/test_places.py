"""The lists of countries and regions."""

import re
from collections.abc import Iterator
from importlib.resources import files

import pytest

from questionnaire import places
from questionnaire.places import countries, is_country, is_region, load, regions, sorting_key
from questionnaire.reading import Regions

LANGUAGES = ("en", "uk", "fr", "ar")


def test_every_country_has_a_name_in_every_language() -> None:
    codes = {language: {code for code, _ in countries(language)} for language in LANGUAGES}

    assert set(load()) == set(LANGUAGES)
    assert len(codes["en"]) == 250
    assert all(codes[language] == codes["en"] for language in LANGUAGES)
    assert all(name.strip() == name != "" for language in LANGUAGES for _, name in countries(language))


def test_every_region_has_a_code_of_its_country_and_a_name() -> None:
    for language in LANGUAGES:
        for country, code, name in _regions(language):
            assert re.fullmatch(rf"{country}-[0-9A-Z]{{1,3}}", code)
            assert name.strip() == name != ""
            assert "[" not in name


def test_no_two_places_of_a_list_have_one_name() -> None:
    twice = [
        (language, country)
        for language in LANGUAGES
        for country in ("", *load()["en"].regions)
        if _has_twice([name for _, name in (regions(country, language) if country else countries(language))])
    ]

    assert twice == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_crimea_and_sevastopol_are_regions_of_ukraine(language: str) -> None:
    codes = {code for code, _ in regions("UA", language)}

    assert {"UA-43", "UA-40", "UA-30"} <= codes
    assert len(codes) == 27
    assert not any(code in codes or is_region("RU", code) for code in ("RU-CR", "RU-43", "UA-91"))
    assert is_region("UA", "UA-43")
    assert not is_region("RU", "UA-43")


def test_regions_are_of_the_first_level_alone() -> None:
    """A department of France and a county of England lie in a region."""
    assert is_region("FR", "FR-IDF")
    assert not is_region("FR", "FR-75C")
    assert is_region("GB", "GB-ENG")
    assert not is_region("GB", "GB-KEN")


def test_each_place_stands_in_one_list() -> None:
    for country, region in (("PR", "US-PR"), ("TW", "CN-TW"), ("HK", "CN-HK"), ("XK", "RS-KM"), ("GP", "FR-971")):
        assert is_country(country)
        assert not is_region(region.partition("-")[0], region)


@pytest.mark.parametrize("code", ["", "ua", "UA-43", "ZZ", "../UA", "\0", "🇺🇦"])
def test_what_is_no_country_has_no_regions(code: str) -> None:
    assert not is_country(code)
    assert regions(code, "en") == ()
    assert not is_region(code, "UA-43")
    assert not is_region("UA", code) or code == "UA-43"


def test_an_unknown_language_reads_english() -> None:
    assert countries("xx") == countries("en")
    assert regions("UA", "") == regions("UA", "en")


def test_names_are_those_of_the_language() -> None:
    assert dict(countries("uk"))["UA"] == "Україна"
    assert dict(countries("fr"))["CD"] == "Congo-Kinshasa"
    assert dict(countries("ar"))["SY"] == "سوريا"
    assert dict(regions("UA", "uk"))["UA-43"] == "Автономна Республіка Крим"
    assert dict(regions("SY", "ar"))["SY-HL"] == "محافظة حلب"


def test_codes_that_changed_hands_have_no_name_of_another_region() -> None:
    """Iran gave its provinces new numbers: an older list has East Azerbaijan under the number of Gilan."""
    assert dict(regions("IR", "en"))["IR-01"] == "Gīlān"
    assert dict(regions("IR", "ar"))["IR-01"] == "Gīlān"


def test_lists_are_sorted_as_readers_of_the_language_look() -> None:
    ukrainian = [name for _, name in countries("uk")]
    french = [name for _, name in countries("fr")]
    arabic = [name for _, name in countries("ar")]

    assert ukrainian.index("Ємен") < ukrainian.index("Замбія") < ukrainian.index("Індія") < ukrainian.index("Кенія")
    assert french.index("Égypte") < french.index("Espagne") < french.index("États-Unis") < french.index("Fidji")
    assert arabic.index("إيران") < arabic.index("بلجيكا") < arabic.index("تونس")


def test_letters_of_the_alphabet_come_before_others_and_marks_do_not_count() -> None:
    def key(name: str) -> tuple[tuple[int, int], ...]:
        return sorting_key(name, "uk")

    assert key("Яготин") < key("Abyan")
    assert key("Гірка") < key("Ґанок") < key("Дім")
    assert key("Йот") > key("Їжак") > key("Ілля") > key("Ива")
    assert key("Кам’янка") == key("кам'янка") == key("Кам-янка")
    assert sorting_key("Édéa", "fr") == sorting_key("edea", "fr")


def test_lists_are_read_once() -> None:
    assert load() is load()


def test_the_module_knows_what_reading_a_page_asks() -> None:
    asked: Regions = places

    assert asked.is_region("UA", "UA-05")


def test_the_lists_stay_small() -> None:
    folder = files("questionnaire").joinpath("places")

    assert sum(len(entry.read_bytes()) for entry in folder.iterdir() if entry.name.endswith(".json")) < 400_000


def _regions(language: str) -> Iterator[tuple[str, str, str]]:
    for country, names in load()[language].regions.items():
        yield from ((country, code, name) for code, name in names)


def _has_twice(names: list[str]) -> bool:
    return len(names) != len(set(names))
