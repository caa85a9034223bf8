"""A walk through every page of both sites, by links and forms; whoever follows it looks at each page in turn.

The reviewers' part needs what the sources' part has left, and the desk's answer in between.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from onion.client_auth import client_pair
from svidok.evaluation import desk
from tests.trial import RunningDrop

REPLY = "Thank you for writing to us.\nDo you remember on which day of the week it was?"

SOURCE_PAGES = (
    "landing", "help", "helplines", "safety", "limits", "keys", "login", "login-wrong", "missing", "report-1",
    "report-2", "report-3", "report-3-wrong", "report-4", "report-5", "report-6", "report-7", "report-10",
    "report-11", "check", "files-none", "send", "send-empty", "progress", "codename", "retype", "retype-wrong",
    "inbox-new", "files", "notes", "sent-report", "choices", "sent", "inbox", "left", "inbox-reply", "withdraw",
    "withdrawn", "inbox-withdrawn", "close", "closed", "inbox-unknown", "blank",
)  # fmt: skip
REVIEWER_PAGES = (
    "sign-in", "sign-in-refused", "collections-empty", "collections", "collection", "bag", "bags", "returns",
    "returns-wrong", "returns-taken", "keys", "audit", "accounts", "accounts-wrong", "issued", "missing",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Files:
    """What is chosen in forms."""

    photo: Path
    empty: Path


@dataclass(slots=True)
class SourceTour:
    """The sources' pages in one language; at each name the page stands before *page*."""

    page: Page
    root: str
    language: str
    files: Files
    codename: str = ""

    def before_the_reply(self) -> Iterator[str]:
        """Begin, send, write down, send again, log out."""
        for name, path in (
            ("landing", "/"),
            ("help", "/help"),
            ("helplines", "/help/ua"),
            ("safety", "/safety"),
            ("limits", "/limits"),
            ("keys", "/keys"),
            ("login", "/login"),
        ):
            self._open(path)
            yield name
        self.page.fill("[name=codename]", "seven words are not enough for it")
        self._send("/login")
        yield "login-wrong"
        self._open("/no-such-page")
        yield "missing"
        yield from self._questions()
        self._open("/send")
        yield "send"
        self._send("/send")
        yield "send-empty"
        self._open("/progress")
        yield "progress"
        self._follow("/send")
        self.page.fill("[name=message]", "They came at night.\nI saw three cars.")
        self.page.set_input_files("[name=files]", [self.files.photo, self.files.empty])
        self._send("/send")
        self.codename = " ".join(self.page.locator("ol:is(.words, .groups)").first.locator("li").all_inner_texts())
        yield "codename"
        self._follow("/codename/retype")
        yield "retype"
        self.page.fill("[name=codename]", " ".join(reversed(self.codename.split())))
        self._send("/codename/retype")
        yield "retype-wrong"
        self.page.fill("[name=codename]", self.codename)
        self._send("/codename/retype")
        yield "inbox-new"
        self._open("/report/files")
        self.page.set_input_files("[name=files]", [self.files.photo])
        self._send("/report/files")
        yield "files"
        self._follow("/report/files/1")
        yield "notes"
        self._open("/report/check")
        self._send("/report/send")
        yield "sent-report"
        self._open("/choices")
        yield "choices"
        self._open("/send")
        self.page.fill("[name=message]", "One of them was white.")
        self._send("/send")
        yield "sent"
        self._follow("/inbox")
        yield "inbox"
        self._send("/logout")
        yield "left"

    def _questions(self) -> Iterator[str]:
        """Answer so that every page is asked of somebody to whom it happened; send nothing."""
        self._open("/")
        self._press("report")
        while (number := self.page.url.rpartition("/")[2]) != "check":
            yield f"report-{number}"
            for name, code in (("r1", "victim"), ("depth", "more"), ("a0", "yes"), ("c2", "yes")):
                if self.page.locator(f"[name={name}]").count():
                    self.page.check(f"[name={name}][value={code}]")
            if number == "3":
                self.page.select_option('[name="p1.country"]', "UA")
                self._press("regions")
                self.page.fill('[name="t1.y"]', "2099")
                self._press("next")
                yield "report-3-wrong"
                self.page.fill('[name="t1.y"]', "2022")
            self._press("next")
        yield "check"
        self._open("/report/files")
        yield "files-none"

    def _press(self, value: str) -> None:
        with self.page.expect_navigation():
            self.page.locator(f'button[value="{value}"]').last.click()

    def after_the_reply(self) -> Iterator[str]:
        """Come back, read, close, leave."""
        self._login()
        yield "inbox-reply"
        self._follow("/withdraw")
        yield "withdraw"
        self._send("/withdraw")
        yield "withdrawn"
        self._follow("/inbox")
        yield "inbox-withdrawn"
        self._follow("/withdraw")
        self._send("/withdraw/undo")
        self._follow("/close")
        yield "close"
        self._send("/close")
        yield "closed"
        self._login()
        yield "inbox-unknown"
        self._follow("/exit")
        yield "blank"

    def _login(self) -> None:
        self._open("/login")
        self.page.fill("[name=codename]", self.codename)
        self._send("/login")

    def _path(self, path: str) -> str:
        return path if self.language == "en" else f"/{self.language}{path}"

    def _open(self, path: str) -> None:
        self.page.goto(self.root + self._path(path))

    def _follow(self, path: str) -> None:
        with self.page.expect_navigation():
            self.page.locator(f'a[href="{self._path(path)}"]').first.click()

    def _send(self, path: str) -> None:
        with self.page.expect_navigation():
            self.page.locator(f'form[action="{self._path(path)}"] button').first.click()


@dataclass(slots=True)
class ReviewerTour:
    """The reviewers' pages; at each name the page stands before *page*."""

    page: Page
    root: str
    drop: RunningDrop
    folder: Path

    def empty(self) -> Iterator[str]:
        """Be refused, sign in, find nothing."""
        self.page.goto(self.root)
        yield "sign-in"
        self._sign_in("000000")
        yield "sign-in-refused"
        self._sign_in(self.drop.authenticator.code())
        yield "collections-empty"

    def fetching(self) -> Iterator[str]:
        """Find what came, fetch it."""
        self._follow("/collections")
        yield "collections"
        with self.page.expect_navigation():
            self.page.locator("tbody th a").first.click()
        yield "collection"
        self._follow("/collections")
        with self.page.expect_navigation():
            self.page.locator("button", has_text="Bag of all that is new to me").click()
        yield "bag"
        with self.page.expect_download() as download:
            self.page.locator("a.button").click()
        bag = self.folder / "transfer.tar"
        download.value.save_as(bag)
        desk(self.drop.trial, "import", str(bag))
        self._follow("/bags")
        yield "bags"

    def answering(self) -> Iterator[str]:
        """Carry the desk's answers back."""
        for number, collection in enumerate(json.loads(desk(self.drop.trial, "list", "--json"))):
            # Whether she may be answered stands in her report.
            desk(self.drop.trial, "open", collection["id"], "--to", str(self.folder / f"opened-{number}"))
            desk(self.drop.trial, "reply", collection["id"], said=REPLY)
        packed = json.loads(desk(self.drop.trial, "outbox", "--json"))
        self._follow("/returns")
        yield "returns"
        self._carry(packed["bag"], packed["bag"])
        yield "returns-wrong"
        self._carry(packed["bag"], packed["signature"])
        yield "returns-taken"

    def managing(self) -> Iterator[str]:
        """Look after keys, audit and accounts."""
        self._follow("/keys")
        yield "keys"
        self._follow("/audit")
        yield "audit"
        self._follow("/accounts")
        yield "accounts"
        self._add("somebody", "not a key")
        yield "accounts-wrong"
        self._add("Amber Reviewer", client_pair().public)
        yield "issued"
        self.page.goto(f"{self.root}/no-such-page")
        yield "missing"

    def _sign_in(self, code: str) -> None:
        sign_in = self.drop.authenticator.sign_in
        self.page.fill("[name=name]", sign_in.name)
        self.page.fill("[name=password]", sign_in.password)
        self.page.fill("[name=code]", code)
        with self.page.expect_navigation():
            self.page.locator('form[action="/sign-in"] button').click()

    def _carry(self, *files: str) -> None:
        self.page.set_input_files("[name=files]", list(files))
        with self.page.expect_navigation():
            self.page.locator('form[action="/returns"] button').click()

    def _add(self, name: str, key: str) -> None:
        form = self.page.locator('form[action="/accounts"]')
        form.locator("[name=name]").fill(name)
        form.locator("[name=onion_key]").fill(key)
        with self.page.expect_navigation():
            form.locator("button").click()

    def _follow(self, path: str) -> None:
        with self.page.expect_navigation():
            self.page.locator(f'a[href="{path}"]').first.click()
