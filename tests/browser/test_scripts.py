"""The one page that tells whether JavaScript is on, in a browser where it is and in one where it is not."""

import pytest
from selenium.webdriver.common.by import By

from onion.daemon import Running
from tests.browser.safest import NOSCRIPT, TOR_BROWSER, firefox, safest, through
from tests.trial import RunningDrop

pytestmark = [pytest.mark.onion, pytest.mark.browser]


@pytest.mark.check("A1", "B3")
def test_who_has_javascript_on_is_told_so_on_the_first_page(onion_drop: RunningDrop, source_tor: Running) -> None:
    """A page with the sandbox of all others would count as one without scripts: the first page alone goes without."""
    with firefox(TOR_BROWSER, NOSCRIPT, through(source_tor.socks_port)) as person:
        person.open(f"http://{onion_drop.identity.source_address}/")
        warning = person.driver.find_element(By.CLASS_NAME, "scripts")

        assert warning.is_displayed()
        assert "press the shield beside the address" in warning.text
        # Whoever has it on can leave as quickly.
        assert person.tab().text == "Leave quickly"
        assert person.asked.complaints == []


@pytest.mark.check("A1", "B3")
def test_who_is_at_safest_reads_no_warning_on_any_page(onion_drop: RunningDrop, source_tor: Running) -> None:
    with safest(source_tor.socks_port) as person:
        for path, heading in (
            ("/", "Tell us what happened, or what you saw"),
            ("/uk/", "Розкажіть, що сталося або що ви бачили"),
            ("/safety", "How to be safe"),
            ("/keys", "Our address and keys"),
        ):
            person.open(f"http://{onion_drop.identity.source_address}{path}")

            assert person.heading == heading
            assert "JavaScript is on" not in person.text
            assert person.tab().get_attribute("class") == "exit"
        assert person.asked.failures == []
        assert person.asked.complaints == []
