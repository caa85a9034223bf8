"""What handlers work with: the parts, the pages, the gates before costly work, and who is visiting."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from importlib.resources import files
from weakref import WeakValueDictionary

from starlette.requests import Request
from starlette.responses import Response

from hardening.circuits import circuit_id
from hardening.clock import today
from hardening.csrf import FormTokens, check, token
from hardening.forms import Fields, FormLimits, FormNames, declared_type, fields
from hardening.pace import BusyError, Gate
from hardening.sessions import Session, SessionGoneError, SessionTooLargeError
from keys.codename import Codename
from keys.source_key import SourceSecrets, derive
from questionnaire.model import Form
from questionnaire.reading import Given
from source_interface.arriving import Arrivals
from source_interface.asking import Asking, Trouble
from source_interface.desks import Desks
from source_interface.errors import (
    CrammedError,
    CrowdedError,
    FullDiskError,
    GatewayError,
    RefusedError,
    VisitEndedError,
)
from source_interface.languages import Language
from source_interface.pages import Look, Pages
from source_interface.parts import SourceParts
from source_interface.report_state import ReportState
from source_interface.uploads import Uploads
from source_interface.visit import Visit, unpack

SPARE_BYTES = 128 * 1024
"""What is typed leaves so much of a visit free: what it sends is numbered, and what became of it has to find room."""

_FORM_LIMITS = FormLimits(body_bytes=256 * 1024, fields=8, files=0, text_bytes=8 * 1024, field_characters=4096)
_VISIT_FORMS = "visit"
_UNTOUCHED = 'href="fake.onion"'
_CLEAR_SITE_DATA = '"cache", "cookies", "storage"'


@dataclass(frozen=True, slots=True)
class Visitor:
    """A request of somebody who is visiting.

    Attributes:
        session: Names the visit in the store.
        visit: What was remembered when the request began.
    """

    session: Session
    visit: Visit

    @property
    def token(self) -> str:
        """What every form of this visit carries."""
        return token(self.session.key, _VISIT_FORMS)


class Site:
    """One running source interface."""

    def __init__(self, parts: SourceParts) -> None:
        """Put together what lives as long as the process."""
        self.parts = parts
        self.limits = parts.limits
        self.pages = Pages(Look(parts.facts.name, parts.facts.evaluation, parts.facts.approved))
        self.style = files("source_interface").joinpath("static", "style.css").read_bytes()
        self.desks = Desks(parts.desk, parts.clock)
        self.forms = FormTokens()
        self.arrivals = Arrivals(parts.clock)
        self.uploads = Uploads(parts.inbox, parts.gpg, parts.limits)
        # Two queues, so that neither those who begin nor those who come back can shut the others out; one pool, so
        # that only so many Argon2 fill the memory at a time (D2).
        self._beginning = Gate(parts.limits.derivations_at_once, parts.limits.derivations_waiting)
        self._returning = Gate(parts.limits.derivations_at_once, parts.limits.derivations_waiting)
        self._turns: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()
        self._deriving = ThreadPoolExecutor(parts.limits.derivations_at_once, thread_name_prefix="argon")

    @property
    def idle_minutes(self) -> int:
        """After how long without a click a visit ends."""
        return int(self.parts.sessions.limits.idle_seconds // 60)

    @property
    def visit_minutes(self) -> int:
        """How long a visit lasts at most, while nothing is on its way."""
        return int(self.parts.sessions.limits.absolute_seconds // 60)

    def today(self) -> date:
        """Tell the day."""
        return today(self.parts.clock)

    def turn_of(self, visit: Visit) -> asyncio.Lock:
        """Give what lets the visits of one source write her progress one after the other.

        What one of them reads must still hold when it writes, or a report of the other is forgotten in it.
        """
        return self._turns.setdefault(visit.secrets.lookup_id, asyncio.Lock())

    def close(self) -> None:
        """Let the threads go, when the server ends."""
        self._deriving.shutdown(cancel_futures=True)
        self.uploads.close()

    def visitor(self, request: Request) -> Visitor | None:
        """Tell who is visiting; None without a living session."""
        session = self.parts.sessions.open(request.cookies.get(self.parts.sessions.cookie_name))
        return Visitor(session, unpack(session.state)) if session else None

    def welcome(self, request: Request, visit: Visit, path: str) -> Response:
        """Begin a session for *visit* in place of any there was, and go to *path*."""
        self.leave(request)
        owner = visit.secrets.lookup_id
        response = self.pages.goto(request, path)
        cookie = self.parts.sessions.begin(visit.pack(), owner)
        response.headers["set-cookie"] = self.parts.sessions.set_cookie_header(cookie)
        return response

    def leave(self, request: Request) -> None:
        """End the visit that this browser was on, if there is one."""
        if (before := self.visitor(request)) is not None:
            self.parts.sessions.end(before.session)

    def farewell(self, response: Response) -> Response:
        """Have the browser forget this site (A7)."""
        response.headers["clear-site-data"] = _CLEAR_SITE_DATA
        response.headers["set-cookie"] = self.parts.sessions.clear_cookie_header()
        return response

    def asks_in(self, language: Language) -> bool:
        """Say whether there are questions that may be asked in *language*."""
        asked = self.parts.questionnaire
        return asked is not None and (asked.draft or language.code in asked.approved)

    @property
    def asks_a_draft(self) -> bool:
        """Say whether nobody has approved the questions, so that their pages say so."""
        return self.parts.questionnaire is not None and self.parts.questionnaire.draft

    @property
    def asked_languages(self) -> tuple[Language, ...]:
        """The languages that the questions may be asked in."""
        return tuple(language for language in self.pages.languages if self.asks_in(language))

    @property
    def form_of_questions(self) -> Form:
        """The questionnaire, for pages that there are only with one."""
        if self.parts.questionnaire is None:
            raise RefusedError("there is no questionnaire")
        return self.parts.questionnaire.form

    def asking(self, request: Request, report: ReportState, given: Given, troubles: Mapping[str, Trouble]) -> Asking:
        """Prepare to show questions in the language of the request's path."""
        language = self.pages.language(request).code
        form, places = self.form_of_questions, self.parts.places
        return Asking(form, places, language, report.answers, report.slots, given, troubles)

    def remember(self, visitor: Visitor, change: Callable[[Visit], Visit], spare_bytes: int = 0) -> Visit:
        """Change what is remembered of a visit, whatever other requests of it have saved meanwhile.

        Args:
            visitor: Whose visit it is.
            change: Made to what is remembered now.
            spare_bytes: Must stay free, if there is more to remember than before; see `SPARE_BYTES`.

        Raises:
            VisitEndedError: The session is gone.
            CrammedError: It is more than one visit can remember; what was remembered before still is.
        """
        try:
            session = self.parts.sessions.latest(visitor.session)
            changed = change(unpack(session.state))
            packed = changed.pack()
            grows = len(packed) > len(session.state)
            if grows and len(packed) + spare_bytes > self.parts.sessions.limits.state_bytes:
                raise CrammedError("what comes after the answers would find no room")
            self.parts.sessions.save(session, packed)
        except SessionGoneError as error:
            raise VisitEndedError("the visit ended meanwhile") from error
        except SessionTooLargeError as error:
            raise CrammedError("more was told than one visit can remember") from error
        return changed

    def remember_kept(self, visitor: Visitor, change: Callable[[Visit], Visit]) -> None:
        """Remember what became of something that is durable already: kept is kept, whatever becomes of the visit.

        Should it have ended in this very moment, the answer is the login page.
        """
        with suppress(VisitEndedError, CrammedError):
            self.remember(visitor, change)

    def notice(self, visitor: Visitor, notice: str) -> None:
        """Leave *notice* for the inbox to say; it has one sentence for it."""
        with suppress(VisitEndedError):
            self.remember(visitor, lambda visit: replace(visit, notice=notice))

    async def form(self, request: Request, visitor: Visitor | None, *names: str) -> Fields:
        """Read a small form with these fields; of a visitor's it must carry the visit's token.

        Raises:
            FormError: It is no such form.
            CsrfError: The token is not of this visit (C8).
        """
        allowed = FormNames(single=frozenset({"token", *names}))
        content_type = declared_type(request.scope["headers"], _FORM_LIMITS)
        found = await fields(content_type, request.stream(), _FORM_LIMITS, allowed)
        if visitor is not None:
            self.check(visitor, found)
        return found

    def check(self, visitor: Visitor, form: Fields) -> None:
        """Accept a form of this visit.

        Raises:
            CsrfError: Its token is not of this visit (C8).
        """
        check(visitor.session.key, _VISIT_FORMS, form.get("token") or None)

    async def first_form(self, request: Request, *names: str) -> Fields:
        """Read a form by which a visit begins.

        It carries what a gateway to the clear web would take for a link and rewrite (``direct.html``), as it rewrites
        the links of a page to lead through itself (B6).

        Raises:
            FormError: It is no such form.
            GatewayError: Somebody stands between.
        """
        found = await self.form(request, None, "direct", *names)
        if found.get("direct") != _UNTOUCHED:
            raise GatewayError("the form was changed on its way")
        return found

    async def secrets_of(self, codename: Codename, request: Request, *, beginning: bool) -> SourceSecrets:
        """Run the one Argon2 of a beginning or a return.

        Raises:
            CrowdedError: Too many wait already.
        """
        gate = self._beginning if beginning else self._returning
        try:
            async with gate.turn(circuit_id(request.scope)):
                return await asyncio.get_running_loop().run_in_executor(
                    self._deriving, derive, codename, self.parts.pepper, self.parts.argon
                )
        except BusyError as error:
            raise CrowdedError("too many codenames wait to be derived") from error

    def refuse_when_full(self, announced_bytes: int = 0) -> None:
        """Keep the disk's reserve free (D10).

        Raises:
            FullDiskError: There is less left, or would be once *announced_bytes* have arrived.
        """
        room = self.parts.room()
        total_bytes = room.free_bytes / room.free_fraction if room.free_fraction else 0
        reserve_bytes = total_bytes * self.limits.disk_floor_percent / 100
        if room.free_bytes - announced_bytes <= reserve_bytes:
            raise FullDiskError("the disk's reserve would be touched")
