"""Show the codename in the one step in which it can be seen, have it written down, then forget it."""

from dataclasses import dataclass, replace

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
from keys.lexicon import lexicons
from source_interface.languages import SOURCE_CODE, Language
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
        number: Which word, counted from 1, or how many words it should have; 0 if neither is said.
    """

    def __init__(self, name: str, typed: str = "", number: int = 0) -> None:
        super().__init__(name)
        self.name = name
        self.typed = typed
        self.number = number


@dataclass(frozen=True, slots=True)
class Dressed:
    """A codename as the readers of a language write it down.

    Attributes:
        in_words: Whether there are words in their language; else they are shown digits first, which they can copy.
        language: Whose words they are.
        local_digits: The digits in the language's own script, if it has one.
    """

    in_words: bool
    language: str
    words: tuple[str, ...]
    digits: tuple[str, ...]
    local_digits: tuple[str, ...]


def dress(codename: Codename, language: Language) -> Dressed:
    """Write *codename* in the words of *language*, or in digits and English words where it has no list."""
    in_words = language.code in lexicons()
    words_of = language.code if in_words else SOURCE_CODE
    digits = codename.digits()
    local = tuple(group.translate(language.digits) for group in digits) if language.digits else ()
    return Dressed(in_words, words_of, codename.words(words_of), digits, local)


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
        raise _slip(error, typed) from None


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
        codename=dress(visit.codename, site.pages.language(request)),
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
        shown = dress(typed, site.pages.language(request))
        return _page(
            request, site, visitor, SlipError("other", " ".join(shown.words if shown.in_words else shown.digits))
        )
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


def _slip(error: CodenameError, typed: str) -> SlipError:
    name = next(name for kind, name in _SLIPS if isinstance(error, kind))
    match error:
        case UnknownWordError():
            return SlipError(name, typed, error.index + 1)
        case WordCountError():
            return SlipError(name, typed, error.wanted)
        case _:
            return SlipError(name, typed)
