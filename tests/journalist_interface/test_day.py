"""A reviewer's day from sign-in to sign-out, by links and forms alone, and then in a real browser without scripts."""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, sync_playwright

from bags.returns import Reply
from keys.gpg import Gpg
from keys.keyset_trust import SignedKeyset
from tests.journalist_interface.office import Office
from tests.journalist_interface.office import office as running_office
from tests.journalist_interface.test_returns import Workstation
from tests.keyring import Reviewer
from tests.stores import Stores

WIDTH = 320


@pytest.mark.check("B3")
def test_a_day_by_forms_alone(office: Office, reviewers: tuple[Reviewer, Reviewer], tmp_path: Path) -> None:
    source = office.drop.source()
    office.drop.send(source, [65_536, 80_000])
    olena, browser = office.hire(is_admin=True), office.browser()
    form = browser.get("/").form("Sign in")
    form = form.filled(name="Olena", password=olena.password, code=office.code(olena))

    listed = browser.follow(browser.submit(form))
    page = browser.get(listed.links()[source.designation])
    page = browser.press(page, "Assign to me")
    bag = browser.press(page, "Bag of this collection")
    (download,) = [target for words, target in bag.links().items() if words.startswith("Download")]
    assert len(browser.get(download).body) > 145_536
    seen = browser.press(bag, "Mark what it holds as seen")
    assert "Marked as seen" in seen.words
    files = Workstation(reviewers[0], tmp_path).bag(Reply(secrets.token_hex(16), source.collection_id, b"sealed"))
    form = browser.get(seen.links()["Return bag"]).form("Take it in")
    taken = browser.follow(browser.submit(form, [("files", one) for one in files]))
    assert "The bag is taken in." in taken.words
    for place in ("Keys", "Audit", "Accounts", "Transfer bags"):
        taken = browser.get(taken.links()[place])
        assert taken.status == 200
    assert browser.press(taken, "Sign out").heading == "Sign in"


@pytest.fixture
def public(files: Stores, signed_keyset: SignedKeyset, public_gpg: Gpg) -> Iterator[Office]:
    with running_office(files, (signed_keyset, public_gpg), loopback=True) as made:
        yield made


@pytest.fixture
def page() -> Iterator[Page]:
    """A narrow window that runs no script."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": WIDTH, "height": 640}, java_script_enabled=False)
        yield context.new_page()
        browser.close()


@pytest.mark.browser
@pytest.mark.check("B3", "B4")
def test_every_page_fits_a_narrow_window(public: Office, page: Page) -> None:
    for _ in range(3):
        public.drop.send(public.drop.source(), [65_536])
    olena = public.hire(is_admin=True)
    page.goto(public.url)
    _fits(page)
    page.fill("#name", "Olena")
    page.fill("#password", olena.password)
    page.fill("#code", public.code(olena))
    _go(page, page.get_by_role("button", name="Sign in"))
    for place in ("Return bag", "Keys", "Audit", "Accounts", "Transfer bags", "Collections"):
        _go(page, page.get_by_role("link", name=place, exact=True))
        _fits(page)
    _go(page, page.locator("tbody a").first)
    _fits(page)
    _go(page, page.get_by_role("button", name="Assign to me"))
    _go(page, page.get_by_role("button", name="Bag of this collection"))
    _fits(page)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").click()
    assert re.fullmatch(r"transfer-[0-9a-f]{8}\.tar", downloading.value.suggested_filename)
    assert Path(downloading.value.path()).stat().st_size > 65_536
    _go(page, page.get_by_role("button", name="Sign out"))
    assert page.get_by_role("heading", level=1).inner_text() == "Sign in"


def _go(page: Page, control: Locator) -> None:
    with page.expect_navigation():
        control.click()


def _fits(page: Page) -> None:
    """Nothing is beyond the window's edge, and every control is large enough to hit (WCAG 2.2, 2.5.8)."""
    assert page.locator("h1").count() == 1
    for control in page.locator("a:visible, button:visible, input:visible, textarea:visible, summary:visible").all():
        box = control.bounding_box()
        # The link past the navigation is out of sight until it has the focus.
        if box is not None and box["x"] > -WIDTH:
            assert box["x"] >= 0, control
            assert box["x"] + box["width"] <= WIDTH + 0.5, control
            assert box["height"] >= 18, control
