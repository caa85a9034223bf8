"""Take return bags in: replies for sources, and word of what a workstation holds."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from bags.errors import BagsError, BagSignatureError
from bags.profile import RETURN
from bags.returns import MAX_SIGNATURE_BYTES, open_return
from hardening.files import destroy, private_folder
from hardening.forms import FormLimits, FormNames, Part, declared_type, parts
from hardening.serving import trust_upload
from journalist_interface.desk import Returned
from journalist_interface.errors import EndedError, FormOrderError
from journalist_interface.site import Caller, Site
from keys.errors import SignatureError
from keys.fingerprint import Fingerprint
from keys.keyset import Keyset
from keys.signing import verify_detached
from vault.errors import BagConflictError
from vault.objects import naming_full
from vault.records import ImportReceipt, ReturnBag, ReturnedReply

_SIGNATURE_ENDINGS = (".sig", ".asc")
_FORM_BYTES = 64 * 1024
_NAMES = FormNames(single=frozenset({"token"}), files=frozenset({"files"}))


@dataclass(frozen=True, slots=True)
class Arrived:
    """An uploaded bag in a folder of our own; nothing in it has been looked at."""

    tar: Path
    sha256: str
    signature: bytes


async def show(_request: Request, site: Site, caller: Caller) -> Response:
    """Ask for a return bag, and say what became of the last one."""
    return _page(site, caller, 200, "")


async def take(request: Request, site: Site, caller: Caller) -> Response:
    """Take a bag in, wholly or not at all; the same bag again changes nothing."""
    try:
        await _take(request, site, caller)
    except (SignatureError, BagSignatureError):
        return _page(site, caller, 400, "signature")
    except BagConflictError:
        return _page(site, caller, 409, "conflict")
    except BagsError:
        return _page(site, caller, 400, "bag")
    except FormOrderError:
        return _page(site, caller, 400, "files")
    return site.pages.goto("/returns")


def certificates(keyset: Keyset) -> dict[Fingerprint, bytes]:
    """Map each reviewer to the certificate that her bags are verified with: only who can read may answer."""
    may_sign = {key.fingerprint: key.certificate for key in keyset.recipients}
    # A signer's entry names the key that she signs with, which a recipient's need not hold.
    return may_sign | {one.fingerprint: one.certificate for one in keyset.signers if one.fingerprint in may_sign}


async def _take(request: Request, site: Site, caller: Caller) -> None:
    limits = FormLimits(
        body_bytes=site.parts.limits.return_bytes + _FORM_BYTES, fields=1, files=2, text_bytes=_FORM_BYTES
    )
    content_type = declared_type(request.scope["headers"], limits)
    async with aclosing(parts(content_type, request.stream(), limits, _NAMES)) as arriving:
        token = await _token(arriving)
        async with site.forms.turn(caller.session.key, "return", token) as turn:
            if turn.outcome is not None:
                # A browser reads no answer before it has sent all.
                async for part in arriving:
                    await part.skip()
                return
            trust_upload(request.scope)
            async with _lent(site.parts.work) as folder:
                arrived = await _arrived(arriving, site, caller, folder)
                returned = await asyncio.to_thread(_accept, site, arrived)
            turn.settle("/returns")
            site.remember(caller, lambda desk: replace(desk, returned=returned))
            await site.noted(caller, "returned", arrived.sha256)


async def _token(arriving: AsyncIterator[Part]) -> str:
    async for part in arriving:
        if part.name == "token" and part.filename is None:
            return await part.text()
        break
    raise FormOrderError("the token comes first")


@asynccontextmanager
async def _lent(work: Path) -> AsyncGenerator[Path]:
    folder = work / secrets.token_hex(16)
    await asyncio.to_thread(private_folder, folder)
    try:
        yield folder
    finally:
        await asyncio.shield(asyncio.to_thread(destroy, folder))


async def _arrived(arriving: AsyncIterator[Part], site: Site, caller: Caller, folder: Path) -> Arrived:
    """Store the two files while they arrive: the bag on the disk, its signature in memory.

    Raises:
        FormOrderError: There are not exactly one of each.
        FullError: There is no room.
    """
    signature, sha256, tar = b"", "", folder / "bag.tar"
    async for part in arriving:
        if not part.filename:
            raise FormOrderError("no file was chosen")
        if part.filename.lower().endswith(_SIGNATURE_ENDINGS):
            if signature:
                raise FormOrderError("there is one signature")
            signature = await _signature(part)
        else:
            if sha256:
                raise FormOrderError("there is one bag")
            sha256 = await _stored(part, tar, site, caller)
    if not signature or not sha256:
        raise FormOrderError("a bag and its signature come together")
    return Arrived(tar, sha256, signature)


async def _signature(part: Part) -> bytes:
    kept = b""
    async for chunk in part.chunks:
        kept += chunk
        if len(kept) > MAX_SIGNATURE_BYTES:
            raise BagSignatureError(f"a signature has at most {MAX_SIGNATURE_BYTES} bytes")
    return kept


async def _stored(part: Part, tar: Path, site: Site, caller: Caller) -> str:
    digest = hashlib.sha256()
    with naming_full(), os.fdopen(os.open(tar, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        async for chunk in part.chunks:
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk)
            if not site.parts.sessions.touch(caller.session):
                raise EndedError("the session ended during the upload")
    return digest.hexdigest()


def _accept(site: Site, arrived: Arrived) -> Returned:
    """Verify, then read, then take in.

    Raises:
        SignatureError: No reviewer of the keyset signed it.
        BagsError: It is not a whole return bag for this drop.
        BagConflictError: It contradicts what was taken in before.
    """
    allowed, day = certificates(site.keyset()), site.today()

    def verify(tar: Path, untrusted_signature: bytes) -> str:
        return str(verify_detached(tar, untrusted_signature, allowed, site.parts.gpg, day))

    profile = replace(RETURN, limit_bytes=site.parts.limits.return_bytes)
    bag = open_return(arrived.tar, arrived.signature, verify, site.parts.facts.origin, profile)
    inbox = site.stores.inbox
    # What is withdrawn is not gone: its source may read a reply, and may take the withdrawal back.
    gone = inbox.closed() | inbox.unknown(reply.collection for reply in bag.replies)
    holders = inbox.holders(bag.imported)
    accepted = site.stores.outbox.accept(
        ReturnBag(
            bag.signer,
            bag.sequence,
            arrived.sha256,
            tuple(ReturnedReply(reply.id, reply.collection, reply.box) for reply in bag.replies),
            tuple(ImportReceipt(one, holder) for one, holder in holders.items() if holder not in gone),
        ),
        gone,
    )
    return Returned(
        already=accepted.already,
        replies=accepted.replies,
        receipts=accepted.receipts,
        undelivered=sum(reply.collection in gone for reply in bag.replies),
        unknown=len(bag.imported) - len(holders),
    )


def _page(site: Site, caller: Caller, status: int, problem: str) -> Response:
    limit = site.parts.limits.return_bytes
    return site.page(caller, "returns.html", status, problem=problem, returned=caller.desk.returned, limit=limit)
