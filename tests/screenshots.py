"""Take pictures of every page of a running drop: `python -m tests.screenshots OUT`.

`OUT/source.png` and `OUT/reviewer.png` are the two that the readme shows; `OUT/pages/` holds all, wide and narrow.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from hardening.files import destroy
from svidok.evaluation import Trial, set_up
from tests.trial import RunningDrop, running

CHROMIUM = "/usr/bin/chromium"
WIDE = (1100, 760)
NARROW = (320, 640)
_SOURCES = 4
_MESSAGE = "This is a test. It says nothing real, and nobody wrote it."


@dataclass(frozen=True, slots=True)
class Album:
    """Where the pictures go."""

    folder: Path

    def take(self, page: Page, name: str) -> None:
        """Take the page as it stands, wide and narrow, from its top to its end."""
        for size, suffix in ((WIDE, ""), (NARROW, "-narrow")):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.screenshot(path=self.folder / "pages" / f"{name}{suffix}.png", full_page=True)
        page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})

    def show(self, page: Page, name: str) -> None:
        """Take what a visitor sees first, for the readme."""
        page.screenshot(path=self.folder / f"{name}.png")


@contextmanager
def drop() -> Iterator[RunningDrop]:
    """Run a drop for trying out, without tor, on loopback ports; nothing of it stays."""
    folder = Path(tempfile.mkdtemp(prefix="sv", dir="/tmp"))
    try:
        trial = Trial(folder / "trial")
        set_up(trial)
        with running(trial, "--tor", "off", "--listen", "0", "0") as started:
            started.hear("Ctrl-C stops everything")
            yield started
    finally:
        destroy(folder)


@contextmanager
def visit(chromium: Browser, port: int) -> Iterator[Page]:
    """Lend a window without scripts, with cookies of its own."""
    context = chromium.new_context(base_url=f"http://127.0.0.1:{port}", java_script_enabled=False, locale="en-GB")
    try:
        yield context.new_page()
    finally:
        context.close()


def of_sources(chromium: Browser, port: int, album: Album) -> None:
    """Walk a source's whole way, and take each page of it."""
    with visit(chromium, port) as page:
        for path in ("/", "/safety", "/limits", "/keys", "/login", "/uk/", "/nothing-here"):
            page.goto(path)
            album.take(page, f"source-{path.strip('/').replace('/', '-') or 'landing'}")
        page.goto("/")
        album.show(page, "source")
        _begin(page)
        album.take(page, "source-send")
        page.get_by_role("button", name="Send now").click()
        album.take(page, "source-send-nothing")
        _send(page)
        album.take(page, "source-codename")
        page.get_by_role("link", name="I have written it down").click()
        album.take(page, "source-retype")
        page.get_by_role("button", name="Skip this").click()
        album.take(page, "source-inbox")
        page.goto("/close")
        album.take(page, "source-close")
        page.goto("/exit")
        album.take(page, "source-blank")


def report(chromium: Browser, port: int) -> None:
    """Be one more source."""
    with visit(chromium, port) as page:
        page.goto("/")
        _begin(page)
        _send(page)


def of_reviewers(chromium: Browser, started: RunningDrop, album: Album) -> None:
    """Walk through the reviewers' site, and take each page of it."""
    with visit(chromium, started.port("reviewers")) as page:
        page.goto("/")
        album.take(page, "reviewer-sign-in")
        sign_in = started.authenticator.sign_in
        page.get_by_label("Name").fill(sign_in.name)
        page.get_by_label("Password").fill(sign_in.password)
        page.get_by_label("Code").fill(started.authenticator.code())
        page.get_by_role("button", name="Sign in").click()
        album.take(page, "reviewer-collections")
        album.show(page, "reviewer")
        page.locator("table a").first.click()
        album.take(page, "reviewer-collection")
        for path in ("/bags", "/returns", "/keys", "/audit", "/accounts", "/nothing-here"):
            page.goto(path)
            album.take(page, f"reviewer-{path.strip('/')}")
        page.goto("/collections")
        page.get_by_role("button", name="Bag of all that is new to me").click()
        album.take(page, "reviewer-bag")


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("out", type=Path)
    album = Album(parser.parse_args().out)
    (album.folder / "pages").mkdir(parents=True, exist_ok=True)
    with drop() as started, sync_playwright() as playwright:
        # Chromium's own sandbox cannot start as root, which tests often are; it shows nobody's pages but ours.
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            of_sources(chromium, started.port("sources"), album)
            for _ in range(_SOURCES):
                report(chromium, started.port("sources"))
            of_reviewers(chromium, started, album)
        finally:
            chromium.close()


def _begin(page: Page) -> None:
    page.get_by_role("button", name="Begin").click()


def _send(page: Page) -> None:
    page.get_by_label("Your message").fill(_MESSAGE)
    page.get_by_role("button", name="Send now").click()


if __name__ == "__main__":
    main()
