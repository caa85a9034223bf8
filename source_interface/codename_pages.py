"""Show the codename in the one step in which it can be seen, have it written down, then forget it."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from hardening.forms import FieldTooLongError
from keys.codename import (
    CheckWordError,
    Codename,
    CodenameError,
    DigitCountError,
    TooLongError,
    UnknownWordError,
    WordCountError,
    parse,
)
from source_interface.site import Site, Visitor
from source_interface.visit import Visit

_SLIPS: tuple[tuple[type[CodenameError], str], ...] = (
    (TooLongError, "long"),
    (UnknownWordError, "word"),
    (WordCountError, "count"),
    (DigitCountError, "digits"),
    (CheckWordError, "check"),
)


class SlipError(Exception):
    """What was typed is no codename; nothing was looked up.

    Attributes:
        name: Which words of ``slip.html`` tell about it.
        typed: What was typed, to be corrected; empty when it was far too long.
        position: Which word, counted from 1; 0 if none in particular.
    """

    def __init__(self, name: str, typed: str = "", position: int = 0) -> None:
        super().__init__(name)
        self.name = name
        self.typed = typed
        self.position = position


async def read_codename(request: Request, site: Site, visitor: Visitor | None) -> Codename:
    """Read the form in which a codename is typed.

    Raises:
        SlipError: It is none.
        FormError: The form is broken.
        GatewayError: Whoever has no visit yet comes through a gateway.
        CsrfError: The form is not one of this visit.
    """
    try:
        form = await (site.form(request, visitor, "codename") if visitor else site.first_form(request, "codename"))
        typed = form.get("codename")
    except FieldTooLongError:
        raise SlipError("long") from None
    if not typed.strip():
        raise SlipError("empty")
    try:
        return parse(typed)
    except CodenameError as error:
        position = error.index + 1 if isinstance(error, UnknownWordError) else 0
        raise SlipError(_slip(error), typed, position) from None


async def show(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the codename, once something has arrived that it leads back to."""
    visit = visitor.visit
    if visit.codename is None or visit.sending is None:
        return site.pages.goto(request, "/inbox")
    return site.pages.page(
        request,
        "codename.html",
        visiting=True,
        token=visitor.token,
        sending=visit.sending,
        words=visit.codename.words(),
        digits=" ".join(visit.codename.digits()),
    )


async def ask(request: Request, site: Site, visitor: Visitor) -> Response:
    """Ask for the codename as it stands on paper."""
    if visitor.visit.codename is None or visitor.visit.sending is None:
        return site.pages.goto(request, "/inbox")
    return _page(request, site, visitor, None)


async def compare(request: Request, site: Site, visitor: Visitor) -> Response:
    """Compare what was typed with the codename, and forget it when they are the same."""
    try:
        typed = await read_codename(request, site, visitor)
    except SlipError as slip:
        return _page(request, site, visitor, slip)
    if visitor.visit.codename is not None and typed != visitor.visit.codename:
        return _page(request, site, visitor, SlipError("other", " ".join(typed.words())))
    return _forget(request, site, visitor, "noted")


async def skip(request: Request, site: Site, visitor: Visitor) -> Response:
    """Forget the codename unchecked."""
    await site.form(request, visitor)
    return _forget(request, site, visitor, "skipped")


def _forget(request: Request, site: Site, visitor: Visitor, notice: str) -> Response:
    def forgotten(visit: Visit) -> Visit:
        # Not before it was shown, whoever posts what.
        return replace(visit, codename=None, notice=notice) if visit.sending and visit.codename else visit

    site.remember(visitor, forgotten)
    return site.pages.goto(request, "/inbox")


def _page(request: Request, site: Site, visitor: Visitor, slip: SlipError | None) -> Response:
    return site.pages.page(request, "retype.html", 400 if slip else 200, visiting=True, token=visitor.token, slip=slip)


def _slip(error: CodenameError) -> str:
    return next(name for kind, name in _SLIPS if isinstance(error, kind))
