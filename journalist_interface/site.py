"""What handlers work with: the parts, the pages, the gate before signing in, and who is asking."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date

from starlette.requests import Request
from starlette.responses import Response

from hardening.asking import AskingError, RefusedError
from hardening.circuits import circuit_id
from hardening.clock import today
from hardening.csrf import FormTokens, Turn
from hardening.forms import Fields, FormLimits, FormNames, declared_type, fields
from hardening.pace import Bucket, BusyError, Gate
from hardening.sessions import Session, SessionError
from journalist_interface.desk import Desk, unpack
from journalist_interface.errors import CrowdedError, KeeperError, NoKeysetError
from journalist_interface.pages import Pages, style
from journalist_interface.parts import Alarm, ReviewerParts
from keys.keyset import Keyset
from reviewers.errors import NotFoundError
from reviewers.records import Reviewer

# A list page has fifty rows, a long collection some hundred; each is a box that may be ticked.
_FORM_LIMITS = FormLimits(
    body_bytes=256 * 1024, fields=1_000, files=0, text_bytes=128 * 1024, field_characters=4096, small_fields=1_000
)
_CHOICES = frozenset({"collection", "submission"})
_CLEAR_SITE_DATA = '"cache", "cookies", "storage"'
_SIGN_IN_BURST = 20


@dataclass(frozen=True, slots=True)
class Caller:
    """A request of somebody who has signed in.

    Attributes:
        session: Names the visit in the store.
        reviewer: As the accounts know her at this moment.
        desk: What was remembered when the request began.
        alarms: What every page says first.
        token: Makes a one-time token for the forms of a purpose.
        looks: Whether she asks for a page's head alone, which changes nothing (A17).
    """

    session: Session
    reviewer: Reviewer
    desk: Desk
    alarms: tuple[Alarm, ...]
    token: Callable[[str], str]
    looks: bool = False


class Site:
    """One running journalist interface."""

    def __init__(self, parts: ReviewerParts) -> None:
        """Put together what lives as long as the process."""
        self.parts = parts
        self.stores = parts.stores
        self.pages = Pages(parts.facts.name, evaluation=parts.facts.evaluation)
        self.style = style()
        self.forms = FormTokens()
        limits = parts.limits
        self._signing_in = Gate(limits.sign_ins_at_once, limits.sign_ins_waiting)
        self._pace = Bucket(limits.sign_ins_per_second, _SIGN_IN_BURST, parts.clock)
        self._checking = ThreadPoolExecutor(limits.sign_ins_at_once, thread_name_prefix="argon")

    def today(self) -> date:
        """Tell the day."""
        return today(self.parts.clock)

    def close(self) -> None:
        """Let the threads go, when the server ends."""
        self._checking.shutdown(cancel_futures=True)

    # Who is asking

    async def caller(self, request: Request) -> Caller | None:
        """Tell who is asking; None without a living session of an account that is still open.

        The account is looked up each time: whoever is disabled or reset, here or on the console, is out at once (P7).
        """
        session = self.parts.sessions.open(request.cookies.get(self.parts.sessions.cookie_name))
        if session is None:
            return None
        desk = unpack(session.state)
        reviewer, alarms = await asyncio.to_thread(self._look_up, desk.reviewer_id)
        if reviewer is None or reviewer.disabled or reviewer.session_owner != session.owner:
            self.parts.sessions.end(session)
            return None
        token: Callable[[str], str] = lambda purpose: self.forms.issue(session.key, purpose)  # noqa: E731
        return Caller(session, reviewer, desk, alarms, token, looks=request.method == "HEAD")

    def welcome(self, request: Request, reviewer: Reviewer) -> Response:
        """Begin the one session of a reviewer who has proved who she is; the one before ends, and is told of (C22)."""
        sessions = self.parts.sessions
        if (before := sessions.open(request.cookies.get(sessions.cookie_name))) is not None:
            sessions.end(before)
        older = sessions.alive(reviewer.session_owner) > 0
        desk = Desk(reviewer_id=reviewer.reviewer_id, notice="older" if older else "")
        response = self.pages.goto("/collections")
        response.headers["set-cookie"] = sessions.set_cookie_header(sessions.begin(desk.pack(), reviewer.session_owner))
        return response

    def farewell(self, caller: Caller) -> Response:
        """End a session, and have the browser forget this site (A7)."""
        self.parts.sessions.end(caller.session)
        response = self.pages.goto("/")
        response.headers["clear-site-data"] = _CLEAR_SITE_DATA
        response.headers["set-cookie"] = self.parts.sessions.clear_cookie_header()
        return response

    def remember(self, caller: Caller, change: Callable[[Desk], Desk]) -> None:
        """Change what is remembered of a visit; a session that has ended meanwhile remembers nothing."""
        with suppress(SessionError):
            session = self.parts.sessions.latest(caller.session)
            self.parts.sessions.save(session, change(unpack(session.state)).pack())

    def page(self, caller: Caller, template: str, status: int = 200, **facts: object) -> Response:
        """Write a page for *caller*, with the notice that waits for her."""
        if caller.desk.notice and not caller.looks:
            self.remember(caller, lambda desk: replace(desk, notice=""))
        return self.pages.page(template, status, caller=caller, **facts)

    def notice(self, caller: Caller, notice: str) -> None:
        """Leave *notice* for the next page to say."""
        self.remember(caller, lambda desk: replace(desk, notice=notice))

    # What is asked

    def keyset(self) -> Keyset:
        """Give the keyset in force.

        Raises:
            NoKeysetError: There is none yet.
        """
        signed = self.parts.keyset()
        if signed is None:
            raise NoKeysetError("no keyset is installed")
        return signed.keyset

    async def fields(self, request: Request, *names: str) -> Fields:
        """Read a small form with these fields.

        Raises:
            FormError: It is no such form.
        """
        allowed = FormNames(single=frozenset({"token", *names} - _CHOICES), repeated=_CHOICES & {*names})
        content_type = declared_type(request.scope["headers"], _FORM_LIMITS)
        return await fields(content_type, request.stream(), _FORM_LIMITS, allowed)

    @asynccontextmanager
    async def turn(self, given: Fields, caller: Caller, purpose: str) -> AsyncGenerator[Turn]:
        """Lend the turn of a form that was read; its second coming has an outcome already (T8).

        Raises:
            CsrfError: Its token is not of this session and purpose (C8).
        """
        async with self.forms.turn(caller.session.key, purpose, given.get("token") or None) as turn:
            yield turn

    async def sign_in(self, request: Request, given: Fields) -> Reviewer | None:
        """Check name, password and code, fairly among those who try: the one Argon2 of a sign-in.

        Raises:
            CrowdedError: Too many wait already.
            TooManyTriesError: This name was tried too often through this circuit.
        """
        circuit = circuit_id(request.scope)
        secrets = (given.get("name"), given.get("password"), given.get("code"), circuit)
        try:
            async with self._signing_in.turn(circuit):
                await asyncio.sleep(self._pace.ready_in())
                self._pace.take()
                return await asyncio.get_running_loop().run_in_executor(
                    self._checking, self.stores.accounts.sign_in, *secrets
                )
        except BusyError as error:
            raise CrowdedError("too many wait to sign in") from error

    async def ask_keeper(self, line: str) -> str:
        """Ask the keeper one line.

        Raises:
            KeeperError: It did not answer, or refused.
        """
        try:
            return await self.parts.broker(line)
        except (AskingError, RefusedError) as error:
            raise KeeperError("the keeper did not do what it was asked for") from error

    async def noted(self, caller: Caller, what: str, object_id: str = "") -> None:
        """Write a line into the audit log, durably (L3)."""
        await asyncio.to_thread(self.stores.audit.append, caller.reviewer.reviewer_id, what, object_id)

    def _look_up(self, reviewer_id: str) -> tuple[Reviewer | None, tuple[Alarm, ...]]:
        try:
            return self.stores.accounts.by_id(reviewer_id), tuple(self.parts.alarms())
        except NotFoundError:
            return None, ()
