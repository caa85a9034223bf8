"""Every address of the source interface, on one screen: what is not listed here does not exist."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from hardening.headers import (
    LANDING_CSP,
    SOURCE_CSP,
    UPLOAD_CSP,
    App,
    HeaderPolicy,
    Receive,
    Refusal,
    RefusalPage,
    Scope,
    SecureResponses,
    Send,
    refusal_page,
)
from questionnaire.model import Form
from source_interface import (
    checking,
    choices,
    codename_pages,
    help_pages,
    inbox,
    report,
    report_files,
    report_notes,
    report_sending,
    second_tab,
    submit,
    welcome,
    withdrawal,
)
from source_interface.house import House
from source_interface.pages import Look, Pages
from source_interface.parts import SourceLimits, SourceParts
from source_interface.problems import EXPECTED, logged_problem
from source_interface.report_state import MOST_NOTED
from source_interface.site import Site, Visitor

Handler = Callable[[Request, Site], Awaitable[Response]]
VisitHandler = Callable[[Request, Site, Visitor], Awaitable[Response]]


class Open(NamedTuple):
    """An address for everybody."""

    get: Handler | None = None
    post: Handler | None = None


class Visiting(NamedTuple):
    """An address for whoever has begun or come back; others are asked for their codename, or get `instead`."""

    get: VisitHandler | None = None
    post: VisitHandler | None = None
    instead: Handler | None = None


ADDRESSES: dict[str, Open | Visiting] = {
    "/": Open(get=welcome.landing),
    "/help": Open(get=help_pages.choose),
    "/safety": Open(get=welcome.safety),
    "/limits": Open(get=welcome.limits),
    "/keys": Open(get=welcome.keys),
    "/begin": Open(post=submit.begin),
    "/login": Open(get=inbox.show_login, post=inbox.login),
    "/send": Visiting(get=submit.show_form, post=submit.send, instead=submit.give_back),
    "/progress": Visiting(get=second_tab.show),
    "/sent": Visiting(get=submit.show_sent),
    "/codename": Visiting(get=codename_pages.show),
    "/codename/retype": Visiting(get=codename_pages.ask, post=codename_pages.compare),
    "/codename/skip": Visiting(post=codename_pages.skip),
    "/inbox": Visiting(get=inbox.show),
    "/inbox/delete": Visiting(post=inbox.delete_reply),
    "/withdraw": Visiting(get=withdrawal.show, post=withdrawal.withdraw),
    "/withdraw/undo": Visiting(post=withdrawal.undo),
    "/close": Visiting(get=inbox.ask_close, post=inbox.close),
    "/logout": Visiting(post=inbox.logout),
    "/left": Open(get=welcome.left),
    "/closed": Open(get=welcome.closed),
    "/exit": Open(get=welcome.leave),
    "/blank": Open(get=welcome.blank),
}
"""Each also under the prefix of every language, and so is `/help/ua` for each country that has entries."""
GUIDED: dict[str, Open | Visiting] = {
    "/report": Visiting(post=report.enter_again),
    "/report/check": Visiting(get=checking.show),
    "/report/send": Visiting(post=report_sending.send),
    "/choices": Visiting(get=choices.show, post=choices.send),
    "/report/files": Visiting(get=report_files.show, post=report_files.send, instead=submit.give_back),
}
"""Only with a questionnaire, in the languages that it may be asked in."""
A_PAGE = Visiting(get=report.show, post=report.save, instead=report.give_back)
A_FILE = Visiting(get=report_notes.show, post=report_notes.save, instead=report_notes.give_back)
"""Pages of questions, and files, are numbered: no address says what it is about."""
UNTRANSLATED: dict[str, Open] = {
    "/style.css": Open(get=welcome.style),
    "/robots.txt": Open(get=welcome.robots),
}
KEY_FILES = "/keys/"
UPLOADING = frozenset({"/send", "/report/files"})
"""The pages from which the second tab is opened that tells how far an upload is."""

_REFUSALS = {
    Refusal.HOST: "missing",
    Refusal.PROXY: "proxy",
    Refusal.FOREIGN: "stale",
    Refusal.METHOD: "method",
    Refusal.BROKEN: "failed",
}


class SourceApp:
    """The source interface as an ASGI app, without the headers that `build_app` puts around it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._addresses: dict[str, Open | Visiting] = {**ADDRESSES, **UNTRANSLATED}
        self._addresses |= {KEY_FILES + name: Open(get=welcome.key_file) for name in site.parts.facts.files}
        countries = {
            f"{help_pages.ADDRESS}/{code}": Open(get=help_pages.show) for code in site.parts.helplines.by_country
        }
        for language in site.pages.languages:
            self._addresses |= {language.prefix + path: address for path, address in (ADDRESSES | countries).items()}
        asked = guided(site.form_of_questions, site.limits) if site.asked_languages else {}
        for language in site.asked_languages:
            self._addresses |= {language.prefix + path: address for path, address in asked.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        request = Request(scope, receive)
        response = await self._answer(request)
        if response is not None:
            await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response | None:
        try:
            return await self._ask(request) or self._error(request, "missing", 404)
        except ClientDisconnect:
            return None
        except EXPECTED as error:
            problem = logged_problem(error)
            response = self._error(request, problem.name, problem.status)
            response.headers.update(problem.headers)
            return response

    async def _ask(self, request: Request) -> Response | None:
        posted = request.method == "POST"
        match self._addresses.get(request.scope["path"]):
            case Open(get, post):
                handler = post if posted else get
                return await handler(request, self._site) if handler else self._error(request, "method", 405)
            case Visiting(get, post, instead):
                visit_handler = post if posted else get
                if visit_handler is None:
                    return self._error(request, "method", 405)
                visitor = self._site.visitor(request)
                if visitor is None:
                    return await self._stranger(request, instead if posted else None)
                return await visit_handler(request, self._site, visitor)
            case None:
                return None

    async def _stranger(self, request: Request, instead: Handler | None) -> Response:
        """Answer somebody whose visit has ended, or never began (C5)."""
        if instead is not None:
            return await instead(request, self._site)
        ended = self._site.parts.sessions.cookie_name in request.cookies
        return inbox.login_page(request, self._site, 403, None, ended=ended)

    def _error(self, request: Request, kind: str, status: int) -> Response:
        return self._site.pages.page(request, "error.html", status, kind=kind, typed="")

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        keeping = asyncio.create_task(House(self._site.parts, self._site.arrivals).live())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        self._site.close()
        await send({"type": "lifespan.shutdown.complete"})


def guided(form: Form, limits: SourceLimits) -> dict[str, Open | Visiting]:
    """List the addresses of a questionnaire; however much may be sent a day, they are few."""
    pages = {f"/report/{number + 1}": A_PAGE for number in range(len(form.flow))}
    files = range(min(limits.source_items_per_day, MOST_NOTED) if form.file_page else 0)
    return GUIDED | pages | {f"{report_files.ADDRESS}/{number + 1}": A_FILE for number in files}


def build_app(parts: SourceParts) -> App:
    """Put the source interface together; whoever serves it makes the parts and owns them."""
    site = Site(parts)
    return SecureResponses(SourceApp(site), _policy(site.pages, parts.hosts))


def build_refusal(parts: SourceParts) -> RefusalPage:
    """Prepare what `hardening.serving` answers to bytes that are no request."""
    return refusal_page(
        _policy(Pages(Look(parts.facts.name, parts.facts.evaluation, parts.facts.approved)), parts.hosts)
    )


def _policy(pages: Pages, hosts: frozenset[str]) -> HeaderPolicy:
    refusals = {refusal: pages.refusal(kind) for refusal, kind in _REFUSALS.items()}
    others = {"/": LANDING_CSP} | dict.fromkeys(UPLOADING, UPLOAD_CSP)
    by_path = {language.prefix + path: csp for language in pages.languages for path, csp in others.items()}
    return HeaderPolicy(
        csp=SOURCE_CSP,
        hosts=hosts,
        csp_for=by_path.get,
        page=refusals.__getitem__,
    )
