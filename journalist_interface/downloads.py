"""Make transfer bags and give them out, whole or from where a broken download stopped."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bags.layout import Layout
from hardening.database_errors import DatabaseError
from hardening.headers import RESUMABLE, attachment_headers
from journalist_interface.errors import EndedError, MissingError
from journalist_interface.ranges import Asked, asked_bytes, is_unchanged
from journalist_interface.selecting import CHOICES, Frozen, chosen_ids, freeze, is_whole, new_ids, opened
from journalist_interface.site import Caller, Site

# A page that lists more hashes than this helps nobody; they are all in the bag's manifest.
LISTED_PARTS = 200

_logger = logging.getLogger(__name__)


async def show_all(_request: Request, site: Site, caller: Caller) -> Response:
    """Show the bags that the caller can still fetch."""
    bags = await asyncio.to_thread(site.stores.selections.of, caller.reviewer.reviewer_id)
    return site.page(caller, "bags.html", bags=bags)


async def make(request: Request, site: Site, caller: Caller) -> Response:
    """Freeze a selection and lead to its page."""
    given = await site.fields(request, *CHOICES)
    async with site.turn(given, caller, "choose") as turn:
        if turn.outcome is None:
            ids = await asyncio.to_thread(chosen_ids, site, caller.reviewer.reviewer_id, given)
            selection_id = await freeze(site, caller, ids)
            turn.settle(f"/bags/{selection_id}")
            await site.noted(caller, "bag", selection_id)
        return site.pages.goto(turn.outcome or "/bags")


async def show(request: Request, site: Site, caller: Caller) -> Response:
    """Show a bag, to be fetched and compared."""
    selection_id = request.path_params["id"]
    frozen, layout, whole = await asyncio.to_thread(_planned, site, caller, selection_id)
    parts = sorted(frozen.index.parts().values(), key=lambda part: part.id)
    new = await asyncio.to_thread(new_ids, site, caller.reviewer.reviewer_id)
    return site.page(
        caller,
        "bag.html",
        selection_id=selection_id,
        file_name=_file_name(frozen),
        layout=layout,
        whole=whole,
        collections=frozen.index.collections,
        listed=LISTED_PARTS,
        parts=parts[:LISTED_PARTS],
        parts_left=max(len(parts) - LISTED_PARTS, 0),
        promises=len(frozen.promises),
        still_new=bool(new.intersection(frozen.submission_ids())),
        left_out=bool(new.difference(frozen.submission_ids())),
    )


async def download(request: Request, site: Site, caller: Caller) -> Response:
    """Give the bag's bytes; all of them or one range, exactly as they are stored (P12)."""
    selection_id = request.path_params["id"]
    asked = Asked.of(request.headers) if request.method == "GET" else None
    frozen, layout, whole = await asyncio.to_thread(_planned, site, caller, selection_id)
    if not whole:
        raise MissingError("a part of the bag has been withdrawn or destroyed")
    headers = {RESUMABLE: "1", "etag": layout.etag, "accept-ranges": "bytes", **attachment_headers(_file_name(frozen))}
    wanted = asked_bytes(asked, request.headers, layout.etag, layout.size_bytes)
    if is_unchanged(request.headers, layout.etag):
        return Response(status_code=304, headers=headers)
    start, end = wanted or (0, layout.size_bytes)
    headers["content-length"] = str(end - start)
    if wanted is not None:
        headers["content-range"] = f"bytes {start}-{end - 1}/{layout.size_bytes}"
    if request.method == "HEAD":
        return Response(headers=headers)
    # Before the first byte is shown: a log that cannot be written stops the download (P6).
    await site.noted(caller, "download" if start == 0 else "resumed", selection_id)
    body = _pieces(site, caller, selection_id, (layout, start, end))
    return StreamingResponse(body, 200 if wanted is None else 206, headers)


async def _pieces(
    site: Site, caller: Caller, selection_id: str, wanted: tuple[Layout, int, int]
) -> AsyncGenerator[bytes]:
    layout, start, end = wanted
    pieces: Iterator[bytes] = layout.stream(start, end)
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece
        # A long download is progress, and must not end its own session; but whoever is shut out gets no more (P7).
        if not site.parts.sessions.touch(caller.session):
            raise EndedError("the session ended during the download")
    if end == layout.size_bytes:
        await _fetched(site, caller, selection_id)


async def _fetched(site: Site, caller: Caller, selection_id: str) -> None:
    """Note that the last byte has gone out; sources are told in which week that was."""
    day = site.today()
    try:
        await asyncio.to_thread(site.stores.outbox.note_collected, day)
        await asyncio.to_thread(site.stores.marks.note_fetch, caller.reviewer.reviewer_id, day)
        await site.noted(caller, "fetched", selection_id)
    except DatabaseError as error:
        # The bytes are out: an answer that broke off now would be a lie.
        _logger.error("a finished download was not noted: %s", type(error).__name__)  # noqa: TRY400


def _planned(site: Site, caller: Caller, selection_id: str) -> tuple[Frozen, Layout, bool]:
    frozen = opened(site, caller.reviewer.reviewer_id, selection_id)
    return frozen, frozen.layout(site), is_whole(site, frozen)


def _file_name(frozen: Frozen) -> str:
    return f"transfer-{frozen.index.bag_id[:8]}.tar"
