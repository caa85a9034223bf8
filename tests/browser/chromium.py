"""Debian's chromium without JavaScript, for what pages look like; it asks for nothing but the page's own address."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, sync_playwright

Scheme = Literal["light", "dark"]

_PROGRAM = "/usr/bin/chromium"
_ARGUMENTS: Sequence[str] = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PAGE_MILLISECONDS = 60_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """Lend a browser; contexts of it share nothing."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_PROGRAM, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def scriptless(browser: Browser, width: int = 1280, scheme: Scheme = "light") -> Iterator[BrowserContext]:
    """Lend a context in which pages run no script."""
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    context.set_default_timeout(_PAGE_MILLISECONDS)
    try:
        yield context
    finally:
        context.close()
