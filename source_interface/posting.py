"""Take a sending in as it arrives, from whichever page it comes; or say why not, with what was typed given back."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from hardening.serving import trust_upload
from source_interface.letter import Letter
from source_interface.problems import EXPECTED, Problem, logged_problem
from source_interface.receiving import drain, progress
from source_interface.site import Site, Visitor


@dataclass(frozen=True, slots=True)
class Posting:
    """What a page does with what is sent from it.

    Attributes:
        form: What its one-time tokens are for.
        keep: Reads on behind the token and has it kept, durably and whole; says which page tells about it.
        refuse: Writes the page once more.
    """

    form: str
    keep: Callable[[Letter], Awaitable[str]]
    refuse: Callable[[Letter, Problem], Response]


async def post(request: Request, site: Site, visitor: Visitor, posting: Posting) -> Response:
    """Take a sending in; the same form again gets the first answer (T8)."""
    letter, body = Letter(), request.stream()
    try:
        with site.arrivals.told(visitor.session.token_hash, letter.arriving):
            return site.pages.goto(request, await _outcome(request, site, visitor, posting, (letter, body)))
    except EXPECTED as error:
        problem = logged_problem(error)
    finally:
        await letter.close()
    if problem.name != "large":
        await drain(body)
    return posting.refuse(letter, problem)


async def _outcome(
    request: Request, site: Site, visitor: Visitor, posting: Posting, coming: tuple[Letter, AsyncIterator[bytes]]
) -> str:
    letter, body = coming
    once = await letter.read_token(request.scope["headers"], progress(body, site, visitor), site.limits)
    async with site.forms.turn(visitor.session.key, posting.form, once) as turn:
        trust_upload(request.scope)
        if turn.outcome is None:
            turn.settle(await posting.keep(letter))
        else:
            await letter.skip()
        return turn.outcome or ""
