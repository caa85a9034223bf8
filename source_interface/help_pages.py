"""Help near the reader: general words, and who helps in each country; for everybody, with nothing asked or kept."""

from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from source_interface.help_entries import Helper, spoken
from source_interface.site import Site

ADDRESS = "/help"


class Country(NamedTuple):
    """A country that has something to show."""

    path: str
    name: str


class Shown(NamedTuple):
    """Somebody who helps, as a source reads it."""

    helper: Helper
    verified: bool
    name: str
    hours: str
    note: str
    languages: tuple[tuple[str, str], ...]


async def choose(request: Request, site: Site) -> Response:
    """Say what helps everywhere, and offer the countries that have something to show."""
    book, day = site.parts.helplines, site.today()
    offered = [
        Country(f"{ADDRESS}/{code.lower()}", name)
        for code, name in site.parts.places.countries(site.pages.language(request).code)
        if code.lower() in book.by_country and book.shown(code.lower(), day)
    ]
    return site.pages.page(request, "help.html", countries=offered)


async def show(request: Request, site: Site) -> Response:
    """Show who helps in one country; only addresses of countries that we know lead here."""
    code, language, day = request.scope["path"].rpartition("/")[2], site.pages.language(request).code, site.today()
    helpers = site.parts.helplines.shown(code, day)
    if not helpers:
        return site.pages.page(request, "error.html", 404, kind="missing", typed="")
    name = dict(site.parts.places.countries(language))[code.upper()]
    shown = [
        Shown(
            helper=helper,
            verified=helper.verified(day),
            name=helper.name.in_language(language),
            hours=helper.hours.in_language(language),
            note=helper.note.in_language(language),
            languages=tuple((one, spoken()[one]) for one in helper.languages),
        )
        for helper in helpers
    ]
    return site.pages.page(request, "helplines.html", country=name, shown=shown)
