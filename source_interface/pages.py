"""Write pages: the same title and the same size for each, so that nobody outside can tell one from another."""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from questionnaire.dates import PartialDate
from source_interface.languages import SOURCE_CODE, Language, languages

# B5: no page says in a window's title or in the history which one it was.
TITLE = "Home"
# B9: every page has this many bytes; the longest one in any language must fit. A page that gives a long text back, or
# shows many replies, goes to the larger size, and from there doubles (docs/adr/0021-page-size.md).
PAGE_BYTES = 32 * 1024
LONG_PAGE_BYTES = 64 * 1024

_ADDRESS = re.compile(r"/(?:[a-z0-9-]+(?:/[a-z0-9-]+)*)?", re.ASCII)
_COMMENT_BYTES = len("<!---->\n")
_HTML = "text/html; charset=utf-8"


def _n(message: str) -> str:
    """Mark *message* for the catalogue."""
    return message


_MONTHS = (
    _n("%(day)s January %(year)s"),
    _n("%(day)s February %(year)s"),
    _n("%(day)s March %(year)s"),
    _n("%(day)s April %(year)s"),
    _n("%(day)s May %(year)s"),
    _n("%(day)s June %(year)s"),
    _n("%(day)s July %(year)s"),
    _n("%(day)s August %(year)s"),
    _n("%(day)s September %(year)s"),
    _n("%(day)s October %(year)s"),
    _n("%(day)s November %(year)s"),
    _n("%(day)s December %(year)s"),
)


MONTHS_ALONE = (
    _n("January"),
    _n("February"),
    _n("March"),
    _n("April"),
    _n("May"),
    _n("June"),
    _n("July"),
    _n("August"),
    _n("September"),
    _n("October"),
    _n("November"),
    _n("December"),
)


@dataclass(frozen=True, slots=True)
class Look:
    """What every page of a drop shows.

    Attributes:
        name: The organisation's, as sources read it.
        evaluation: Whether every page says TEST.
        approved: The languages that readers have approved; in an evaluation the others are served, too, and marked.
    """

    name: str
    evaluation: bool
    approved: frozenset[str]


class Pages:
    """The pages of one drop in all languages."""

    def __init__(self, look: Look, random_hex: Callable[[int], str] = secrets.token_hex) -> None:
        """Read templates and catalogues, once: a process that has locked itself in may not read its files any more.

        Args:
            look: What all pages show.
            random_hex: Makes the padding, from a number of bytes.
        """
        self.languages = tuple(language for language in languages() if _is_served(language, look))
        self._by_prefix = {language.prefix: language for language in self.languages}
        self._look = look
        self._random_hex = random_hex
        self._environment = environment()

    def page(self, request: Request, template: str, status: int = 200, **facts: object) -> Response:
        """Write the page *template* in the language of the request's path, from what *facts* tell."""
        language = self.language(request)
        # A page that answers a POST has no address of its own to change the language at.
        here = "" if request.method == "POST" else request.scope["path"].removeprefix(language.prefix)
        # Nor has a path that a browser would read as the address of another site: `//name`, `/\\name`.
        here = here if _ADDRESS.fullmatch(here) else ""
        return Response(self._write(language, template, here, facts), status, {"content-type": _HTML})

    def refusal(self, kind: str) -> bytes:
        """Write the page for a request that is turned away before anything of it was understood."""
        return self._write(self.languages[0], "error.html", "", {"kind": kind, "typed": ""})

    def language(self, request: Request) -> Language:
        """Tell the language that the path of *request* is in; nothing else about a visitor is looked at (B11)."""
        first = "/" + request.scope["path"].split("/")[1]
        return self._by_prefix.get(first, self.languages[0])

    def goto(self, request: Request, path: str) -> Response:
        """Send the visitor on to *path*, in the language she is in."""
        return self.goto_in(self.language(request), path)

    def goto_in(self, language: Language, path: str) -> Response:
        """Send the visitor on to *path* in *language*."""
        return RedirectResponse(language.prefix + path, status_code=303)

    def _write(self, language: Language, template: str, here: str, facts: Mapping[str, object]) -> bytes:
        said: dict[str, object] = {
            "language": language,
            "languages": self.languages,
            "title": TITLE,
            "name": self._look.name,
            "evaluation": self._look.evaluation,
            "draft": self._look.evaluation and language.code not in self._look.approved,
            "here": here,
            "visiting": False,
        }
        return self._padded(self._environment.get_template(template).render(said | dict(facts)).encode())

    def _padded(self, page: bytes) -> bytes:
        size_bytes = PAGE_BYTES
        while len(page) + _COMMENT_BYTES > size_bytes:
            size_bytes = max(LONG_PAGE_BYTES, 2 * size_bytes)
        missing = size_bytes - len(page) - _COMMENT_BYTES
        padding = self._random_hex((missing + 1) // 2)[:missing]
        return b"%b<!--%b-->\n" % (page, padding.encode())


def _is_served(language: Language, look: Look) -> bool:
    return look.evaluation or language.code == SOURCE_CODE or language.code in look.approved


@cache
def environment() -> Environment:
    """Compile every template; the language comes with each page."""
    made = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    made.globals["link"] = _link  # pyright: ignore[reportArgumentType]
    made.globals["told_day"] = _told_day  # pyright: ignore[reportArgumentType]
    made.globals["day"] = _day  # pyright: ignore[reportArgumentType]
    for template in files("source_interface").joinpath("templates").iterdir():
        made.get_template(template.name)
    return made


@pass_context
def _gettext(context: Context, message: str) -> str:
    return _language(context).words.gettext(message)


@pass_context
def _ngettext(context: Context, singular: str, plural: str, count: int) -> str:
    return _language(context).words.ngettext(singular, plural, count)


@pass_context
def _link(context: Context, path: str) -> str:
    return _language(context).prefix + path


@pass_context
def _day(context: Context, value: date) -> str:
    return _language(context).words.gettext(_MONTHS[value.month - 1]) % {"day": value.day, "year": value.year}


@pass_context
def _told_day(context: Context, value: PartialDate) -> str:
    """Write as much of a date as is known."""
    words = _language(context).words
    if value.month is None:
        return str(value.year)
    if value.day is None:
        return f"{words.gettext(MONTHS_ALONE[value.month - 1])} {value.year}"
    return words.gettext(_MONTHS[value.month - 1]) % {"day": value.day, "year": value.year}


def _language(context: Context) -> Language:
    language = context["language"]
    if not isinstance(language, Language):
        raise TypeError("a page is written in a language")
    return language


def _template(name: str) -> str | None:
    found = files("source_interface").joinpath("templates", name)
    return found.read_text("utf-8") if found.is_file() else None
