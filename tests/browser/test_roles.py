"""Everybody the questions are for, each on her own way, in four languages: one Firefox at Safest, one onion, no words.

Links, boxes and buttons are found by where they lead and what they bring, so that every language is walked alike.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.by import By

from questionnaire.served import packaged
from source_interface.app import ADDRESSES, UNTRANSLATED, guided
from source_interface.parts import SourceLimits
from tests.browser.safest import Person
from tests.trial import RunningDrop

pytestmark = [pytest.mark.onion, pytest.mark.browser, pytest.mark.timeout(600)]

FIRST = ("safety", "now")
SHORT = (*FIRST, "what")
DETAILED = (*SHORT, "story", "harmed", "doers", "proof")
# The first answer to each question of a page; of a date, a place or words there is none.
FIRST_ANSWERS = '//fieldset[contains(@class,"asked")][not(.//select)]/label[1]/input'


@dataclass(frozen=True, slots=True)
class Way:
    """Whom somebody says she is, in which language, and which pages she should meet."""

    role: str
    language: str
    pages: tuple[str, ...]
    door: str = "report"

    @property
    def prefix(self) -> str:
        return "" if self.language == "en" else f"/{self.language}"

    @property
    def answers(self) -> Mapping[str, str]:
        depth = "more" if "story" in self.pages else "short"
        return {"r1": self.role, "depth": depth, "a0": "yes", "c2": "yes"}


WAYS = (
    Way("victim", "en", (*DETAILED, "help", "choices")),
    Way("relative", "uk", (*SHORT, "help", "choices")),
    Way("eyewitness", "uk", (*DETAILED, "help", "choices")),
    Way("journalist", "en", (*SHORT, "sources", "choices")),
    Way("activist", "uk", (*SHORT, "sources", "choices")),
    Way("association", "en", (*SHORT, "sources", "choices")),
    Way("health", "uk", (*SHORT, "health", "choices")),
    Way("other", "en", (*SHORT, "help", "choices")),
    Way("relative", "fr", (*SHORT, "help", "choices")),
    Way("victim", "ar", (*FIRST, "help", "choices"), door="help"),
)


@pytest.mark.check("B2", "B3", "B5")
def test_every_role_goes_its_own_way(onion_drop: RunningDrop, source: Person, tmp_path: Path) -> None:
    host = onion_drop.identity.source_address
    photo = tmp_path / "світлина.jpg"
    photo.write_bytes(b"\xff\xd8\xff\xe1" + secrets.token_bytes(100_000))

    codenames = [one_visit(source, host, way, photo) for way in WAYS]
    just_sends(source, host, photo)
    changes_her_mind(source, host, codenames[0])

    assert len(set(codenames)) == len(WAYS)
    assert source.asked.hosts == {host}
    assert (source.asked.failures, source.asked.complaints) == ([], [])
    assert {status for _, status in source.asked.answers} == {200, 303}
    assert len(source.titles) == 1
    says_nothing_in_addresses(source)


def one_visit(source: Person, host: str, way: Way, photo: Path) -> str:
    """Answer, look through it, send, note the codename, leave."""
    before = len(source.asked.cookies_sent)
    source.open(f"http://{host}{way.prefix}/")
    html = source.driver.find_element(By.TAG_NAME, "html")
    assert html.get_attribute("lang") == way.language
    assert html.get_attribute("dir") == ("rtl" if way.language == "ar" else "ltr")
    source.push(way.door)
    assert answered(source, way) == way.pages
    if way.role == "journalist":
        adds(source, way, photo)
    source.submit(f"{way.prefix}/report/send")
    codename = noted(source, way.prefix)
    logs_out(source, way.prefix)
    first, begin, *inside, left = source.asked.cookies_sent[before:]
    assert (first, begin, left) == (frozenset(), frozenset(), frozenset())
    assert set(inside) == {frozenset({"__Host-visit"})}
    return codename


def answered(source: Person, way: Way) -> tuple[str, ...]:
    """Take the first answer to everything that can be ticked, and go on to the summary; name the pages on the way."""
    form = packaged()
    assert form is not None
    met: list[str] = []
    while (number := source.path.removeprefix(f"{way.prefix}/report/")).isdigit():
        page = form.flow[int(number) - 1]
        met.append(page.name)
        for first in source.driver.find_elements(By.XPATH, FIRST_ANSWERS):
            first.click()
        for question in page.questions:
            if question.name in way.answers:
                source.tick(question.name, way.answers[question.name])
        if page.name == "what":
            source.type("t1.y", "2022")
            source.pick("p1.country", "UA")
            source.push("regions")
            source.pick("p1.region", "UA-65")
        source.push("next")
    assert source.path == f"{way.prefix}/report/check"
    return tuple(met)


def adds(source: Person, way: Way, photo: Path) -> None:
    """Send a file at once, say something about it, and go back to the summary."""
    source.follow(f"{way.prefix}/report/files")
    source.choose("files", photo)
    source.submit(f"{way.prefix}/report/files")
    assert photo.name in source.text
    source.follow(f"{way.prefix}/report/files/1")
    source.tick("e6", "original")
    source.push("next")
    source.follow(f"{way.prefix}/report/check")


def just_sends(source: Person, host: str, photo: Path) -> None:
    source.open(f"http://{host}/fr/")
    source.push("send")
    assert source.path == "/fr/send"
    source.type("message", "Deux mots.")
    source.choose("files", photo)
    source.submit("/fr/send")
    noted(source, "/fr")
    logs_out(source, "/fr")


def changes_her_mind(source: Person, host: str, codename: str) -> None:
    """Come back with the codename, see what arrived, and allow less."""
    source.open(f"http://{host}/")
    source.follow("/login")
    source.type("codename", codename)
    source.submit("/login")
    assert source.path == "/inbox"
    source.follow("/choices")
    source.tick("c2", "no")
    source.submit("/choices")
    assert source.path == "/inbox"
    assert "Your choices are sealed and sent." in source.text
    logs_out(source, "")


def noted(source: Person, prefix: str) -> str:
    """Write the codename down, type it once more, and be let in."""
    assert source.path == f"{prefix}/codename"
    listed = source.driver.find_element(By.CSS_SELECTOR, "ol:is(.words, .groups)")
    codename = " ".join(one.text for one in listed.find_elements(By.TAG_NAME, "li"))
    source.follow(f"{prefix}/codename/retype")
    source.type("codename", codename)
    source.submit(f"{prefix}/codename/retype")
    assert source.path == f"{prefix}/inbox"
    return codename


def logs_out(source: Person, prefix: str) -> None:
    source.submit(f"{prefix}/logout")
    assert source.path == f"{prefix}/left"
    assert not source.asked.cookies_sent[-1]


def says_nothing_in_addresses(source: Person) -> None:
    """Every address that was asked for is one of the site's own, with nothing behind it."""
    form = packaged()
    assert form is not None
    known = {*ADDRESSES, *UNTRANSLATED, *guided(form, SourceLimits())}
    for url in (*source.asked.urls, *source.addresses):
        parts = urlsplit(url)
        path = parts.path if parts.path in known else f"/{parts.path.split('/', 2)[2]}"
        assert path in known, url
        assert (parts.query, parts.fragment) in {("", ""), ("", "more")}, url
