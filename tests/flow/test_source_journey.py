"""A source's whole way, as a person goes it: from the first page to the closed inbox."""

import secrets
from datetime import timedelta

import pytest

from tests.browserlike import Chosen
from tests.source_interface.house import House, shown_codename


@pytest.mark.check("C10", "G1", "F9", "F12", "C5")
def test_a_source_reports_comes_back_reads_the_reply_and_closes(house: House) -> None:
    photo = secrets.token_bytes(300_000)
    film = secrets.token_bytes(3_000_000)
    browser = house.browser()

    browser.open("/")
    assert browser.cookies == {}
    page = browser.begin()
    assert page.path == "/send"
    files = [Chosen.of("фото.jpg", photo, "image/jpeg"), Chosen.of("فيلم.mp4", film, "video/mp4")]
    page = browser.press("Send now", message="They came at night.\nI saw three cars.", files=files)
    assert page.path == "/codename"
    assert "Your message was kept" in page.text
    assert "2 files were kept" in page.text
    codename = shown_codename(page)
    assert len(codename.split()) == 8

    browser.click("I have written it down")
    page = browser.press("Check it", codename=codename)
    assert page.path == "/inbox"
    assert codename not in page.body.decode()
    assert "4 March 2026" in page.text
    browser.press("Log out")
    assert browser.cookies == {}

    opened = house.everything()
    contents = {one.trailer.name: one.content for one in opened}
    assert contents == {
        "": b"They came at night.\r\nI saw three cars.",
        "фото.jpg": photo,
        "فيلم.mp4": film,
    }
    (manifest,) = house.manifests()
    assert manifest.source_key == house.secrets(codename).public_key
    assert len(manifest.parts) == 3

    house.reply(codename, "Thank you.\nHow many people were there?")
    house.clock.advance(timedelta(days=2).total_seconds())
    browser = house.browser()
    browser.open("/")
    browser.click("I have a codename")
    page = browser.press("Open my inbox", codename=f"  {codename.upper()} ")
    assert "How many people were there?" in page.text
    page = browser.click("Send more")
    page = browser.press("Send now", message="Seven.")
    assert page.path == "/sent"
    assert len(house.submissions()) == 2

    browser.click("To my inbox")
    page = browser.press("Delete for good")
    assert "How many people were there?" not in page.text
    assert "deleted for good" in page.text

    browser.click("Close and empty my inbox")
    page = browser.press("Close my inbox for good")
    assert page.path == "/closed"
    browser.open("/login")
    page = browser.press("Open my inbox", codename=codename)
    assert "There is nothing under this codename" in page.text
