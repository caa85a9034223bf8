"""Every page of both sites, met once on a running drop and kept, to be looked at again in other light and sizes."""

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, Page, Route

from tests.browser.chromium import scriptless
from tests.browser.tour import Files, ReviewerTour, SourceTour
from tests.trial import RunningDrop

Site = Literal["source", "reviewer"]

LANGUAGES = ("en", "uk", "fr", "ar")
STYLE = "/style.css"
_HOST = "pages.test"


@dataclass(frozen=True, slots=True)
class Kept:
    """One page as it stood before somebody."""

    site: Site
    language: str
    name: str
    html: str

    def __str__(self) -> str:
        return f"{self.site}-{self.language}-{self.name}"


@dataclass(slots=True)
class Gallery:
    """All kept pages, and the style sheet of each site."""

    pages: list[Kept] = field(default_factory=list)
    styles: dict[Site, str] = field(default_factory=dict)

    def keep(self, site: Site, language: str, name: str, page: Page) -> None:
        self.pages.append(Kept(site, language, name, page.content()))

    def pages_in(self, languages: Collection[str]) -> list[Kept]:
        return [kept for kept in self.pages if kept.language in languages]

    def sources(self, languages: Collection[str]) -> list[Kept]:
        """Give what sources see, but for the page to leave to, which has nothing to use."""
        return [kept for kept in self.pages_in(languages) if kept.site == "source" and kept.name != "blank"]

    def show(self, page: Page, kept: Kept, more_style: str = "") -> None:
        """Show a kept page, with its own style and *more_style* behind it."""
        page.unroute_all()
        style = self.styles[kept.site] + more_style

        def answer(route: Route) -> None:
            if route.request.url.endswith(STYLE):
                route.fulfill(body=style, content_type="text/css")
            else:
                route.fulfill(body=kept.html, content_type="text/html; charset=utf-8")

        page.route("**/*", answer)
        page.goto(f"http://{_HOST}/{kept}")

    def show_bare(self, page: Page, kept: Kept) -> None:
        """Show a kept page without any style."""
        bare = Gallery(styles={kept.site: ""})
        bare.show(page, kept)


def visit_all(drop: RunningDrop, browser: Browser, folder: Path) -> Gallery:
    """Walk through everything on a drop that listens on loopback and that nobody has visited yet.

    The English source, the Arabic one and the reviewer have a narrow window; the Ukrainian source has no style sheet
    at all (B4): chromium presses only what can be seen and hit.
    """
    gallery = Gallery()
    files = Files(folder / "photo.jpg", folder / "empty.pdf")
    files.photo.write_bytes(b"\xff\xd8\xff\xe1" + bytes(300_000))
    files.empty.write_bytes(b"")
    roots: dict[Site, str] = {
        "source": f"http://127.0.0.1:{drop.port('sources')}",
        "reviewer": f"http://127.0.0.1:{drop.port('reviewers')}",
    }
    with contextlib.ExitStack() as open_contexts:

        def page(width: int) -> Page:
            return open_contexts.enter_context(scriptless(browser, width)).new_page()

        for site, root in roots.items():
            gallery.styles[site] = _text(page(320).context, root + STYLE)
        reviewer = ReviewerTour(page(320), roots["reviewer"], drop, folder)
        widths = {"en": 320, "uk": 640, "fr": 640, "ar": 320}
        sources = [SourceTour(page(widths[code]), roots["source"], code, files) for code in LANGUAGES]
        bare = next(source for source in sources if source.language == "uk")
        bare.page.route(f"**{STYLE}", lambda route: route.abort())
        walks: list[tuple[SourceTour | ReviewerTour, Iterator[str]]] = [
            (reviewer, reviewer.empty()),
            *((source, source.before_the_reply()) for source in sources),
            (reviewer, reviewer.fetching()),
            (reviewer, reviewer.answering()),
            *((source, source.after_the_reply()) for source in sources),
            (reviewer, reviewer.managing()),
        ]
        for tour, part in walks:
            _keep_all(gallery, tour, part)
    return gallery


def _keep_all(gallery: Gallery, tour: SourceTour | ReviewerTour, part: Iterator[str]) -> None:
    for name in part:
        match tour:
            case SourceTour(page=page, language=language):
                gallery.keep("source", language, name, page)
            case ReviewerTour(page=page):
                gallery.keep("reviewer", "en", name, page)


def _text(context: BrowserContext, address: str) -> str:
    return context.request.get(address).text()
