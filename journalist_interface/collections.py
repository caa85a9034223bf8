"""Show what has come, by the two words that stand for a source, and mark it seen or assigned."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from journalist_interface.errors import MissingError
from journalist_interface.house import learn
from journalist_interface.parts import Stores
from journalist_interface.selecting import CHOICES, chosen_ids
from journalist_interface.site import Caller, Site
from reviewers.marks import PAGE
from reviewers.records import Fresh
from vault.records import Collection, Submission

SUBMISSIONS_PER_PAGE = 100

# Long enough for whoever comes back from a long leave.
_TOLD_FOR = timedelta(days=90)
_SHOWS = frozenset({"all", "new", "mine"})
_DATED = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.([0-9a-z -]{1,64})", re.ASCII)


class Asked(NamedTuple):
    """Which collections, found by which words, after which of them."""

    show: str
    query: str
    after: str


class Row(NamedTuple):
    """One collection in the list."""

    collection: Collection
    new: int
    assignees: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list.

    Attributes:
        after: Leads to the next one, if there is one.
        withdrawn: The designations of what sources withdrew lately, for reviewers to destroy what they hold of it.
    """

    show: str
    query: str
    rows: tuple[Row, ...]
    after: str
    withdrawn: tuple[str, ...]


class SubmissionRow(NamedTuple):
    """One submission in its collection."""

    submission: Submission
    new: bool
    kinds: Mapping[str, int]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Opened:
    """One collection and a page of its submissions."""

    collection: Collection
    rows: tuple[SubmissionRow, ...]
    after: str
    new: int
    imported: bool
    assignees: tuple[str, ...]
    mine: bool


async def show_all(request: Request, site: Site, caller: Caller) -> Response:
    """Show a page of collections: all, new to the caller, assigned to her, or found by their words."""
    given = request.query_params
    asked = Asked(given.get("show", "all"), given.get("q", "")[:64].strip(), given.get("after", "")[:128])
    if asked.show not in _SHOWS:
        raise MissingError("there is no such list")
    listing = await asyncio.to_thread(_listing, site, caller.reviewer.reviewer_id, asked)
    return site.page(caller, "collections.html", listing=listing, first=not asked.after)


async def show(request: Request, site: Site, caller: Caller) -> Response:
    """Show one collection."""
    after = request.query_params.get("after", "")
    opened = await asyncio.to_thread(_opened, site, caller, request.path_params["id"], after)
    return site.page(caller, "collection.html", opened=opened, first=not after)


async def assign(request: Request, site: Site, caller: Caller) -> Response:
    """Give the collection to the caller."""
    return await _set_assigned(request, site, caller, assigned=True)


async def unassign(request: Request, site: Site, caller: Caller) -> Response:
    """Take the collection from the caller."""
    return await _set_assigned(request, site, caller, assigned=False)


async def see(request: Request, site: Site, caller: Caller) -> Response:
    """Mark as seen what was chosen; for the caller alone, and nobody can tell later that she has seen it (K7)."""
    given = await site.fields(request, *CHOICES)
    async with site.turn(given, caller, "choose") as turn:
        if turn.outcome is None:
            ids = await asyncio.to_thread(chosen_ids, site, caller.reviewer.reviewer_id, given)
            await asyncio.to_thread(site.stores.marks.see, caller.reviewer.reviewer_id, ids)
            collections = given.every("collection")
            turn.settle(_back(given.get("back") or (collections[0] if len(collections) == 1 else "")))
            site.notice(caller, "seen")
        return site.pages.goto(turn.outcome or "/collections")


async def _set_assigned(request: Request, site: Site, caller: Caller, *, assigned: bool) -> Response:
    collection_id = request.path_params["id"]
    given = await site.fields(request)
    async with site.turn(given, caller, "assign") as turn:
        if turn.outcome is None:
            await asyncio.to_thread(site.stores.inbox.collection, collection_id)
            change = site.stores.marks.assign if assigned else site.stores.marks.unassign
            await asyncio.to_thread(change, caller.reviewer.reviewer_id, collection_id)
            await site.noted(caller, "assigned" if assigned else "unassigned", collection_id)
            turn.settle(f"/collections/{collection_id}")
        return site.pages.goto(turn.outcome or "/collections")


def _back(untrusted_id: str) -> str:
    return f"/collections/{untrusted_id}" if re.fullmatch(r"[0-9a-f]{32}", untrusted_id, re.ASCII) else "/collections"


def _listing(site: Site, reviewer_id: str, asked: Asked) -> Listing:
    stores = site.stores
    learn(stores, site.today())
    found, after = _found(stores, reviewer_id, asked)
    ids = [one.collection_id for one in found]
    new = stores.marks.count_new(reviewer_id, ids)
    assignees = _named(stores, stores.marks.assignees(ids))
    rows = tuple(Row(one, new.get(one.collection_id, 0), assignees.get(one.collection_id, ())) for one in found)
    withdrawn = stores.inbox.withdrawn_since(site.today() - _TOLD_FOR)
    return Listing(asked.show, asked.query, rows, after, tuple(withdrawn))


def _found(stores: Stores, reviewer_id: str, asked: Asked) -> tuple[list[Collection], str]:
    """Return a page of collections and where the next one begins; each walks along an index."""
    if asked.query:
        found = stores.inbox.search(asked.query, _place(date.min, asked.after) if asked.after else None)
        return found, found[-1].designation if len(found) == PAGE else ""
    if asked.show == "new":
        day, after_id = _dated(asked.after) if asked.after else (date.min, "")
        fresh = stores.marks.new(reviewer_id, Fresh(after_id, day) if asked.after else None)
        following = f"{fresh[-1].day}.{fresh[-1].collection_id}" if len(fresh) == PAGE else ""
        return stores.inbox.named(one.collection_id for one in fresh), following
    if asked.show == "mine":
        mine = stores.marks.assigned(reviewer_id, asked.after)
        return stores.inbox.named(mine), mine[-1] if len(mine) == PAGE else ""
    found = stores.inbox.newest(_place(*_dated(asked.after)) if asked.after else None)
    return found, f"{found[-1].last_day}.{found[-1].designation}" if len(found) == PAGE else ""


def _opened(site: Site, caller: Caller, collection_id: str, after: str) -> Opened:
    stores, reviewer_id = site.stores, caller.reviewer.reviewer_id
    learn(stores, site.today())
    collection = stores.inbox.collection(collection_id)
    unseen = stores.marks.new_in(reviewer_id, collection_id)
    everything = sorted(stores.inbox.submissions_of(collection_id), key=_newest_first)
    ids = [submission.submission_id for submission in everything]
    if after and after not in ids:
        raise MissingError("there is no such submission")
    begins = ids.index(after) + 1 if after else 0
    shown = everything[begins : begins + SUBMISSIONS_PER_PAGE]
    who = stores.marks.assignees([collection_id])
    return Opened(
        collection,
        tuple(_row(submission, unseen) for submission in shown),
        shown[-1].submission_id if begins + len(shown) < len(everything) else "",
        len(unseen),
        stores.replies.imported(collection_id),
        _named(stores, who).get(collection_id, ()),
        reviewer_id in who.get(collection_id, ()),
    )


def _row(submission: Submission, unseen: Iterable[str]) -> SubmissionRow:
    kinds: dict[str, int] = {}
    for part in submission.parts:
        kinds[part.kind] = kinds.get(part.kind, 0) + 1
    size_bytes = sum(part.size_bytes for part in submission.parts)
    return SubmissionRow(submission, submission.submission_id in unseen, kinds, size_bytes)


def _named(stores: Stores, assignees: Mapping[str, frozenset[str]]) -> dict[str, tuple[str, ...]]:
    if not assignees:
        return {}
    names = {reviewer.reviewer_id: reviewer.display_name for reviewer in stores.accounts.all()}
    return {
        collection_id: tuple(sorted(names[one] for one in who if one in names))
        for collection_id, who in assignees.items()
    }


def _newest_first(submission: Submission) -> tuple[int, str]:
    return -submission.day.toordinal(), submission.submission_id


def _dated(untrusted: str) -> tuple[date, str]:
    match = _DATED.fullmatch(untrusted)
    try:
        if match is not None:
            return date.fromisoformat(match[1]), match[2]
    except ValueError:
        pass
    raise MissingError("there is no such place in the list")


def _place(day: date, designation: str) -> Collection:
    """Stand for a place in the list."""
    return Collection("", designation, day, 0, closed=False)
