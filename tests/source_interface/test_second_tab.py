"""The second tab in firefox-esr at Safest: it opens by its link while the first one sends, and follows to the end."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from source_interface.parts import MIB
from tests.browser.dam import Dam
from tests.browser.safest import NOSCRIPT, SAFEST, TOR_BROWSER, Person, firefox
from tests.source_interface.house import House, until

pytestmark = pytest.mark.browser

FILM_BYTES = 20 * MIB
SECONDS = 40


@pytest.mark.check("A1", "B3")
def test_a_second_tab_opens_while_the_first_sends_and_follows_to_the_end(
    make_house: Callable[..., House], tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(bytes(FILM_BYTES))
    dam = Dam(6 * MIB)
    at = f"127.0.0.1:{dam.port}"
    house = make_house(loopback=True, change=lambda parts: replace(parts, hosts=parts.hosts | {at}))

    with dam.before(int(house.host.partition(":")[2])), firefox(TOR_BROWSER, NOSCRIPT, SAFEST, patient=False) as person:
        begins(person, f"http://{at}/")
        person.choose("files", film)
        person.driver.find_element(By.XPATH, '//button[normalize-space()="Send now"]').click()
        until(lambda: any((house.root / "incoming").rglob("*.gpg")), SECONDS)
        sending = person.driver.current_window_handle
        person.driver.find_element(By.LINK_TEXT, "How far is my upload?").click()
        until(lambda: len(person.driver.window_handles) == 2, SECONDS)
        second = next(one for one in person.driver.window_handles if one != sending)
        person.driver.switch_to.window(second)
        until(lambda: "of 21 MB have arrived" in said(person), SECONDS)
        asked = len(person.asked.urls)
        dam.open()

        # Nobody presses anything here: the page loads itself again.
        until(lambda: "All of it was kept and sealed." in said(person), SECONDS)
        assert len(person.asked.urls) > asked
        person.driver.switch_to.window(sending)
        until(lambda: "1 file was kept." in said(person), SECONDS)

        assert person.asked.complaints == []
    assert [len(one.content) for one in house.everything()] == [FILM_BYTES]


def begins(person: Person, address: str) -> None:
    person.driver.get(address)
    until(lambda: "Begin" in said(person) and there(person), SECONDS)
    person.driver.find_element(By.XPATH, '//button[normalize-space()="Begin"]').click()
    until(lambda: "Send now" in said(person) and there(person), SECONDS)


def there(person: Person) -> bool:
    """Whether all of the page is there; what we run is no script of it."""
    return bool(person.driver.execute_script("return document.readyState") == "complete")


def said(person: Person) -> str:
    """What the page says; nothing while it is changing."""
    script = "const main = document.querySelector('main'); return main ? main.innerText : ''"
    return str(person.driver.execute_script(script))
