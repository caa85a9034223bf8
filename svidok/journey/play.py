"""Play the journey: a source reports, a reviewer fetches, the desk opens and answers, the source reads the answer."""

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyotp.totp import TOTP

from hardening.canonical import JSON
from hardening.files import destroy, private_folder
from onion.daemon import Running
from onion.membership import Membership
from onion.torrc import Place as TorPlace
from onion.torrc import client_only, socks_port
from svidok.evaluation import SignIn, Trial, desk
from svidok.identity import Identity
from svidok.journey.baggage import (
    ANSWERS,
    MESSAGE,
    NOTES,
    UNDERSTOOD,
    Item,
    large_item,
    report_item,
    small_items,
)
from svidok.journey.browser import Browser, Page, onion_client

QUESTION = "Thank you. When did this happen? (fictional)"
ANSWER = "On a fictional day."
_CODENAME_WORDS = 8


class JourneyError(Exception):
    """Something did not hold."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the play: what was done, how long it took, what it moved."""

    text: str
    seconds: float
    size_bytes: int


@dataclass(slots=True)
class Play:
    """One play over a running drop; `tell` hears each step as it ends."""

    trial: Trial
    folder: Path
    tell: Callable[[Step], None]
    _opened: ExitStack = field(default_factory=ExitStack)

    def run(self) -> None:
        """Play everything.

        Raises:
            JourneyError: Something did not hold; the message says what.
        """
        with self._opened, self._clients() as (source_tor, reviewer_tor):
            small = small_items(private_folder(self.folder / "source"))
            large = large_item(self.folder / "source")
            photo = report_item(self.folder / "source")
            codename = self._report(source_tor, small, large, photo)
            bag = self._fetch(reviewer_tor)
            self._open_at_desk(bag, [*small, large, photo])
            returned = self._answer_at_desk()
            self._carry_back(reviewer_tor, returned)
            self._read_answer(source_tor, codename)

    def _report(self, tor: Running, small: list[Item], large: Item, photo: Item) -> str:
        browser = self._browser(tor, "source", self._identity.source_address)
        with self._step("a source begins"):
            browser.open("/")
            _must(browser.begin().path == "/send", "the source could not begin")
        sizes = sum(item.size_bytes for item in small)
        with self._step(f"sends a message and {len(small)} files", sizes):
            page = browser.press("Send now", {"message": MESSAGE}, [item.chosen() for item in small])
            codename = _codename(page)
        with self._step("writes down the codename and types it once more"):
            browser.click("I have written it down")
            _must(browser.press("Check it", codename=codename).path == "/inbox", "the codename was not accepted")
        with self._step("sends one large file", large.size_bytes):
            browser.click("Send more")
            _must(browser.press("Send now", {}, [large.chosen()]).path == "/sent", "the large file did not arrive")
        browser.click("To my inbox")
        self._answer_questions(browser, photo)
        with self._step("leaves"):
            browser.click("To my inbox")
            browser.press("Log out")
            _must(not browser.cookies, "the source's browser still has a cookie")
        return codename

    def _answer_questions(self, browser: Browser, photo: Item) -> None:
        with self._step("answers questions step by step, and allows one thing: to be written to"):
            browser.press("Answer questions, step by step")
            for answers in ANSWERS:
                browser.press("Continue", answers)
            _must(browser.page.path == "/report/check", "the short path is not what it should be")
        with self._step("sends a photo with it, and says something about it", photo.size_bytes):
            browser.click("Add files")
            browser.press("Send these files at once", {}, [photo.chosen()])
            browser.click("Say something about this file")
            browser.press("Keep this", NOTES)
        with self._step("looks through her answers and sends them"):
            browser.click("To the summary of my answers")
            _must(browser.press("Send my report").path == "/sent", "the report did not arrive")

    def _fetch(self, tor: Running) -> Path:
        browser = self._browser(tor, "reviewer", self._identity.reviewer_address)
        with self._step("a reviewer signs in through her own onion key"):
            self._sign_in(browser)
        target = self.folder / "transfer.tar"
        begun = time.monotonic()
        page = browser.press("Bag of all that is new to me")
        link = next(target for _words, target in page.links if target.endswith("/download"))
        size = browser.save(link, target)
        self.tell(Step("downloads a transfer bag", time.monotonic() - begun, size))
        return target

    def _open_at_desk(self, bag: Path, items: list[Item]) -> None:
        with self._step("the desk, without a network, checks the bag and takes it in", bag.stat().st_size):
            said = self._desk("import", str(bag))
            _must("4 new" in said, f"the desk did not take in four submissions: {said}")
        with self._step("taking it in again changes nothing"):
            _must("0 new" in self._desk("import", str(bag)), "the desk took in the same bag twice")
        opened = self.folder / "opened"
        with self._step("judges and opens everything", sum(item.size_bytes for item in items)):
            (collection,) = json.loads(self._desk("list", "--json"))
            said = json.loads(self._desk("open", collection["id"], "--to", str(opened), "--json"))
        with self._step("every answer came out equal"):
            (report,) = said["reports"]
            _must(_answers(report) == UNDERSTOOD, "an answer did not come out equal")
        with self._step("every byte came out equal"):
            messages = [message["text"].splitlines() for one in said["submissions"] for message in one["messages"]]
            _must(messages == [MESSAGE.splitlines()], "the message did not come out equal")
            _must(_contents(opened) == {item.name: item.sha256 for item in items}, "a file did not come out equal")
        destroy(opened)

    def _answer_at_desk(self) -> list[Path]:
        with self._step("a reply is written offline, and packed"):
            (collection,) = json.loads(self._desk("list", "--json"))
            self._desk("reply", collection["id"], said=QUESTION)
            said = self._desk("outbox")
        return [Path(line.strip()) for line in said.splitlines() if line.strip().startswith("/")]

    def _carry_back(self, tor: Running, returned: list[Path]) -> None:
        browser = self._browser(tor, "reviewer-again", self._identity.reviewer_address)
        with self._step("the return bag goes back", sum(path.stat().st_size for path in returned)):
            self._sign_in(browser)
            browser.open("/returns")
            chosen = [Item.of(path.name, path, "application/octet-stream").chosen() for path in returned]
            page = browser.press("Take it in", {}, chosen)
            _must(page.status == 200 and "1 " in page.text, f"the return bag was not taken in: {page.text[:200]}")

    def _read_answer(self, tor: Running, codename: str) -> None:
        browser = self._browser(tor, "source-again", self._identity.source_address)
        with self._step("the source comes back with the codename and reads the reply"):
            browser.open("/")
            browser.click("I have a codename")
            page = browser.press("Open my inbox", codename=codename)
            _must(QUESTION in page.text, "the reply was not in the inbox")
        with self._step("and answers"):
            browser.click("Send more")
            _must(browser.press("Send now", {"message": ANSWER}).path == "/sent", "the answer did not arrive")

    def _sign_in(self, browser: Browser) -> None:
        sign_in = SignIn.read(self.trial.credentials)
        browser.open("/")
        for _ in range(2):
            code = TOTP(sign_in.totp_secret).now()
            page = browser.press("Sign in", name=sign_in.name, password=sign_in.password, code=code)
            if page.path == "/collections":
                return
            # A code works once: the next one is at most half a minute away.
            time.sleep(30 - time.time() % 30 + 0.5)
        raise JourneyError("the reviewer could not sign in")

    def _desk(self, action: str, *words: str, said: str = "") -> str:
        # Root can take the network away for real; without root the desk proves only that it does not ask for one.
        alone = ("unshare", "-n") if os.geteuid() == 0 and shutil.which("unshare") else ()
        return desk(self.trial, action, *words, said=said, alone=alone)

    @property
    def _identity(self) -> Identity:
        return Identity.read(self.trial.place.identity)

    def _browser(self, tor: Running, circuit: str, address: str) -> Browser:
        return Browser(self._opened.enter_context(onion_client(tor.socks_port, address, circuit)))

    @contextmanager
    def _clients(self) -> Generator[tuple[Running, Running]]:
        """Start a tor for the source and one for the reviewer, who alone has a key."""
        network = Membership.read(self.trial.place.network)
        keys = private_folder(self.folder / "client-keys")
        shutil.copy(self.trial.client_key, keys / "reviewer.auth_private")
        (keys / "reviewer.auth_private").chmod(0o600)
        with ExitStack() as stack:
            running: list[Running] = []
            for name, client_keys in (("source-tor", None), ("reviewer-tor", keys)):
                place = TorPlace(self.folder / name)
                torrc = client_only(place, socks_port(), network.torrc_lines(), client_keys)
                running.append(stack.enter_context(network.run(torrc, place)))
            for tor in running:
                tor.wait_bootstrapped()
            yield running[0], running[1]

    @contextmanager
    def _step(self, text: str, size_bytes: int = 0) -> Generator[None]:
        begun = time.monotonic()
        try:
            yield
        except (StopIteration, KeyError) as error:
            raise JourneyError(f"{text}: the page is not what it should be") from error
        self.tell(Step(text, time.monotonic() - begun, size_bytes))


def _codename(page: Page) -> str:
    _must(page.path == "/codename", f"no codename was shown: {page.text[:200]}")
    words = [re.sub(r"\s", "", "".join(word.itertext())) for word in page.first("ol", "words").iter("li")]
    _must(len(words) == _CODENAME_WORDS, "the codename has not eight words")
    return " ".join(words)


def _answers(report: Any) -> dict[str, dict[str, JSON]]:  # noqa: ANN401 - read from JSON
    """Give the answers in each document that the desk let out."""
    return {
        document["part"]: {answer["name"]: answer["answer"] for answer in document["answers"]}
        for document in report["documents"]
    }


def _contents(opened: Path) -> dict[str, str]:
    """Give the hash of every file that the desk let out, by the name that the source gave it."""
    found: dict[str, str] = {}
    for names in opened.rglob("names.json"):
        for safe, original in json.loads(names.read_bytes()).items():
            with (names.parent / safe).open("rb") as file:
                found[original] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _must(held: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence where it is used
    if not held:
        raise JourneyError(otherwise)
