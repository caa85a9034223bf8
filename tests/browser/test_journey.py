"""The whole journey, once, as people play it: two Firefoxes at Safest, two onions, a desk, no script anywhere."""

import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from onion.daemon import Running
from svidok.evaluation import desk
from tests.browser.safest import Person, safest
from tests.source_interface.house import until
from tests.trial import RunningDrop

pytestmark = [pytest.mark.onion, pytest.mark.browser]

MESSAGE = "They came at night.\nI saw three cars. Ніч була темна."
QUESTION = "Thank you.\nHow many people were there?"
FILM_BYTES = 50 * 1024 * 1024
LIMIT_SECONDS = 120
"""M14."""


@pytest.fixture
def reviewer(reviewer_tor: Running, tmp_path: Path) -> Iterator[Person]:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    with safest(reviewer_tor.socks_port, downloads) as person:
        yield person


@pytest.mark.check("B2", "B3", "B5", "B8", "C1", "C2", "C24", "M14")
def test_the_whole_journey_needs_nothing_but_forms(
    onion_drop: RunningDrop, source: Person, reviewer: Person, tmp_path: Path
) -> None:
    photo, film = tmp_path / "світлина.jpg", tmp_path / "film.mp4"
    photo.write_bytes(b"\xff\xd8\xff\xe1" + secrets.token_bytes(200_000))
    film.write_bytes(secrets.token_bytes(FILM_BYTES))
    begun = time.monotonic()

    codename = reports(source, onion_drop, photo, film)
    bag = fetches(reviewer, onion_drop, tmp_path / "downloads")
    returned = answers_at_the_desk(onion_drop, bag, tmp_path / "opened", photo, film)
    carries_back(reviewer, returned)
    reads_the_answer(source, onion_drop, codename)
    assert time.monotonic() - begun < LIMIT_SECONDS

    closes(source, codename)
    for person, address in (
        (source, onion_drop.identity.source_address),
        (reviewer, onion_drop.identity.reviewer_address),
    ):
        assert person.asked.hosts == {address}
        assert person.asked.failures == []
        assert person.asked.complaints == []
        assert {status for _, status in person.asked.answers} <= {200, 303, 400}
        assert len(person.titles) == 1
    tells_nothing(source, codename)


def reports(source: Person, drop: RunningDrop, photo: Path, film: Path) -> str:
    source.open(f"http://{drop.identity.source_address}/")
    assert not source.driver.find_element(By.CLASS_NAME, "scripts").is_displayed()
    assert source.tab().text == "Leave quickly"
    source.press("Just send a message or files")
    assert source.asked.cookies_sent[-1] == {"__Host-visit"}
    assert not any(source.asked.cookies_sent[:-1])
    source.type("message", MESSAGE)
    source.choose("files", photo, film)
    source.press("Send now")
    assert "2 files were kept." in source.text
    codename = " ".join(word.text for word in source.driver.find_elements(By.CSS_SELECTOR, ".words li"))
    assert len(codename.split()) == 8

    source.click("I have written it down")
    control = source.driver.find_element(By.NAME, "codename")
    assert (control.tag_name, control.get_attribute("autocomplete")) == ("textarea", "off")
    first, *others = codename.split()
    source.type("codename", " ".join([*others, first]))
    source.press("Check it")
    assert source.heading == "These are not the same words"
    source.type("codename", f"  {codename.upper()} ")
    source.press("Check it")
    assert source.heading == "Your inbox"
    assert codename not in source.driver.page_source
    source.press("Log out")
    assert source.heading == "You are logged out"
    assert not source.asked.cookies_sent[-1]
    return codename


def fetches(reviewer: Person, drop: RunningDrop, downloads: Path) -> Path:
    reviewer.open(f"http://{drop.identity.reviewer_address}/")
    sign_in = drop.authenticator.sign_in
    for name, text in (("name", sign_in.name), ("password", sign_in.password), ("code", drop.authenticator.code())):
        reviewer.type(name, text)
    reviewer.press("Sign in")
    assert reviewer.heading == "Collections"
    assert reviewer.asked.cookies_sent[-1] == {"__Host-desk"}

    reviewer.press("Bag of all that is new to me")
    size_bytes = int(
        "".join(filter(str.isdigit, reviewer.driver.find_element(By.XPATH, '//dd[contains(.,"bytes")]').text))
    )
    reviewer.driver.find_element(By.CSS_SELECTOR, "a.button").click()
    until(lambda: whole(downloads, size_bytes), LIMIT_SECONDS)
    (bag,) = downloads.iterdir()
    return bag


def whole(downloads: Path, size_bytes: int) -> bool:
    """Firefox writes into a second file beside the first, and renames it over the first at the end."""
    files = list(downloads.iterdir())
    return len(files) == 1 and files[0].stat().st_size == size_bytes


def answers_at_the_desk(drop: RunningDrop, bag: Path, opened: Path, photo: Path, film: Path) -> tuple[Path, Path]:
    assert "1 new" in desk(drop.trial, "import", str(bag))
    (collection,) = json.loads(desk(drop.trial, "list", "--json"))
    said = desk(drop.trial, "open", collection["id"], "--to", str(opened))
    assert MESSAGE.splitlines()[1] in said
    found = {hashlib.sha256(path.read_bytes()).digest() for path in opened.rglob("*") if path.is_file()}
    assert {hashlib.sha256(path.read_bytes()).digest() for path in (photo, film)} <= found
    desk(drop.trial, "reply", collection["id"], said=QUESTION)
    packed = json.loads(desk(drop.trial, "outbox", "--json"))
    return Path(packed["bag"]), Path(packed["signature"])


def carries_back(reviewer: Person, returned: tuple[Path, Path]) -> None:
    reviewer.click("Return bag")
    reviewer.choose("files", *returned)
    reviewer.press("Take it in")
    assert "Replies now waiting for their sources: 1" in reviewer.text
    reviewer.press("Sign out")
    assert reviewer.heading == "Sign in"
    assert not reviewer.asked.cookies_sent[-1]


def reads_the_answer(source: Person, drop: RunningDrop, codename: str) -> None:
    source.open(f"http://{drop.identity.source_address}/")
    assert "Reviewers collected reports within the last week." in source.text
    source.click("I have a codename")
    source.type("codename", codename)
    source.press("Open my inbox")
    assert QUESTION in source.text
    source.click("Send more")
    source.type("message", "Seven.")
    source.press("Send now")
    assert source.heading == "It has arrived"


def closes(source: Person, codename: str) -> None:
    source.click("To my inbox")
    source.unfold("Delete this reply")
    source.press("Delete for good")
    assert "The reply is deleted for good." in source.text
    assert QUESTION not in source.driver.page_source
    source.click("Close and empty my inbox")
    source.press("Close my inbox for good")
    assert source.heading == "Your inbox is closed"
    source.click("Start page")
    source.click("I have a codename")
    source.type("codename", codename)
    source.press("Open my inbox")
    assert "There is nothing under this codename." in source.text
    source.click("Leave quickly")
    assert source.path == "/blank"
    assert not source.asked.cookies_sent[-1]


def tells_nothing(source: Person, codename: str) -> None:
    """No address that was asked for, or that the history has, says more than which page it was."""
    urls = [*source.asked.urls, *source.addresses]
    assert not any("?" in url or "#" in url for url in urls)
    assert not any(word in url for url in urls for word in codename.split() if len(word) > 4)
    assert not any(part.isalnum() and len(part) >= 16 for url in urls for part in url.split("/")[3:])
    pages = sum(not url.endswith("/style.css") for url in source.asked.urls)
    assert sum(url.endswith("/style.css") for url in source.asked.urls) <= pages
