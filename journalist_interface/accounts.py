"""Add, disable and reset reviewers: for those who may manage accounts, and nothing of it opens anything."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from journalist_interface.errors import KeeperError
from journalist_interface.site import Caller, Site
from keys.password import totp_uri
from reviewers.errors import DisplayNameError, NameTakenError, OnionKeyError
from reviewers.records import Credentials, Reviewer

_KEY_PREFIX = "descriptor:x25519:"
_PURPOSE = "accounts"


class Row(NamedTuple):
    """One account; *authorized* says whether tor lets her in, None when the keeper does not answer."""

    reviewer: Reviewer
    authorized: bool | None


class Typed(NamedTuple):
    """What the form for a new reviewer held, to be shown again."""

    name: str = ""
    onion_key: str = ""
    admin: bool = False


async def show(_request: Request, site: Site, caller: Caller) -> Response:
    """Show the accounts."""
    return await _page(site, caller, 200, "", Typed())


async def add(request: Request, site: Site, caller: Caller) -> Response:
    """Make an account with a password and a secret of our choice, shown in this answer and never again (P11)."""
    given = await site.fields(request, "name", "onion_key", "admin")
    typed = Typed(" ".join(given.get("name").split()), _pasted(given.get("onion_key")), "admin" in given)
    async with site.turn(given, caller, _PURPOSE) as turn:
        if turn.outcome is not None:
            return site.pages.goto(turn.outcome)
        try:
            issued = await asyncio.to_thread(
                site.stores.accounts.add, typed.name, typed.onion_key, is_admin=typed.admin
            )
        except (DisplayNameError, NameTakenError, OnionKeyError) as error:
            return await _page(site, caller, 400, _problem(error), typed)
        turn.settle("/accounts")
        await site.noted(caller, "added", issued.reviewer.reviewer_id)
        authorized = await _told(site, f"authorize {issued.reviewer.reviewer_id} {issued.reviewer.onion_key}")
    return _issued(site, caller, issued, authorized=authorized)


async def disable(request: Request, site: Site, caller: Caller) -> Response:
    """Close an account: its sessions end and tor shuts it out, at once (P7)."""
    reviewer_id = request.path_params["id"]

    async def close() -> None:
        reviewer = await asyncio.to_thread(site.stores.accounts.disable, reviewer_id)
        site.parts.sessions.end_owner(reviewer.session_owner)
        await site.noted(caller, "disabled", reviewer_id)
        revoked = await _told(site, f"revoke {reviewer_id}")
        site.notice(caller, "disabled" if revoked else "keeper-later")

    given = await site.fields(request)
    async with site.turn(given, caller, _PURPOSE) as turn:
        if turn.outcome is None:
            await close()
            turn.settle("/accounts")
        return site.pages.goto("/accounts")


async def reset(request: Request, site: Site, caller: Caller) -> Response:
    """Give an account a new password and a new secret; its sessions end."""
    reviewer_id = request.path_params["id"]
    given = await site.fields(request)
    async with site.turn(given, caller, _PURPOSE) as turn:
        if turn.outcome is not None:
            return site.pages.goto(turn.outcome)
        before = await asyncio.to_thread(site.stores.accounts.by_id, reviewer_id)
        issued = await asyncio.to_thread(site.stores.accounts.reset, reviewer_id)
        turn.settle("/accounts")
        site.parts.sessions.end_owner(before.session_owner)
        await site.noted(caller, "reset", reviewer_id)
    return _issued(site, caller, issued, authorized=True)


async def change_key(request: Request, site: Site, caller: Caller) -> Response:
    """Let a reviewer in with another onion client key, and no longer with the one she had."""
    reviewer_id = request.path_params["id"]
    given = await site.fields(request, "onion_key")
    key = _pasted(given.get("onion_key"))
    async with site.turn(given, caller, _PURPOSE) as turn:
        if turn.outcome is None:
            reviewer = await asyncio.to_thread(site.stores.accounts.by_id, reviewer_id)
            try:
                await asyncio.to_thread(site.stores.accounts.change_onion_key, reviewer_id, key)
            except OnionKeyError as error:
                return await _page(site, caller, 400, _problem(error), Typed())
            turn.settle("/accounts")
            await site.noted(caller, "key-changed", reviewer_id)
            # The lost key first. If the keeper is away for a moment, `house` does both when it is back.
            told = await _told(site, f"revoke {reviewer_id}")
            told = told and (reviewer.disabled or await _told(site, f"authorize {reviewer_id} {key}"))
            site.notice(caller, "key-changed" if told else "keeper-refused")
        return site.pages.goto("/accounts")


def _issued(site: Site, caller: Caller, issued: Credentials, *, authorized: bool) -> Response:
    uri = totp_uri(issued.totp_secret, issued.reviewer.display_name, site.parts.facts.name)
    return site.page(caller, "issued.html", issued=issued, uri=uri, authorized=authorized)


async def _page(site: Site, caller: Caller, status: int, problem: str, typed: Typed) -> Response:
    reviewers = await asyncio.to_thread(site.stores.accounts.all)
    try:
        names = set((await site.ask_keeper("names")).split())
        authorized: Callable[[Reviewer], bool | None] = lambda reviewer: reviewer.reviewer_id in names  # noqa: E731
    except KeeperError:
        authorized = _unknown
    rows = [Row(reviewer, authorized(reviewer)) for reviewer in reviewers]
    return site.page(caller, "accounts.html", status, rows=rows, problem=problem, typed=typed)


def _unknown(_reviewer: Reviewer) -> bool | None:
    return None


async def _told(site: Site, line: str) -> bool:
    """Tell the keeper; what it does not do now, `house` tells it again each minute."""
    try:
        await site.ask_keeper(line)
    except KeeperError:
        return False
    return True


def _pasted(untrusted: str) -> str:
    """Take the line breaks and the prefix of tor's own file from a pasted key."""
    return "".join(untrusted.split()).removeprefix(_KEY_PREFIX)


def _problem(error: Exception) -> str:
    match error:
        case NameTakenError():
            return "taken"
        case DisplayNameError():
            return "name"
        case _:
            return "key"
