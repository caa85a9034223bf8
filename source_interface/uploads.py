"""Turn what arrives into sealed files while it arrives: from the parts of a form to the parts of a submission.

The plaintext passes through memory into gpg and lies nowhere else. Small items are gathered first, so that a slow
network never holds one of the few gpg; a large one has a gpg of its own, and what it does not take stays unread.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from io import BytesIO
from typing import BinaryIO, TypeVar

from hardening.forms import Part
from hardening.pace import BusyError, Gate
from keys.gpg import Gpg
from keys.manifest import MEDIA_TYPE, FormVersion, ListedPart, Manifest, format_manifest, listed
from keys.recipients import Recipients
from keys.sealing import PartLabel, Sealed, seal
from keys.trailer import LONGEST_MEDIA_TYPE, Kind, ListedKind, OutsideKind, outside_kind
from questionnaire.parts import AnswersPart, format_part
from source_interface.errors import CrowdedError, QuotaError
from source_interface.parts import SourceLimits
from source_interface.passage import Passage
from vault.inbox import Inbox
from vault.objects import Receiving
from vault.records import Source, Usage

# An item up to this size is gathered before it gets a gpg.
GATHERED_BYTES = 1024 * 1024
# Large items may take hours; so many of them get a gpg each for as long as they need it.
_LARGE_AT_ONCE = 32
# So that no single codename takes all of those places; a person with more windows than that sends one after another.
_LARGE_PER_SOURCE = 4
_WAITING = 256

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Item:
    """Something to seal: all of it, or its beginning and the way to the rest."""

    kind: ListedKind
    name: str
    media_type: str
    beginning: bytes = field(repr=False)
    rest: AsyncIterator[bytes] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What all parts of a submission have in common.

    Attributes:
        keyset_day: The day on which the recipients were chosen, and the only time that gpg is told.
        left_bytes: How much the source may still send today, as far as is known when the sending begins.
        left_items: The same in items.
        share: What she may have sent today when this is kept; others of hers may arrive meanwhile.
        form: What she was asked, if documents of a report are among the items.
        progress: How far she has come with that report, sealed; None leaves what is known of it.
    """

    source: Source
    recipients: Recipients
    keyset_day: date
    language: str
    left_bytes: int
    left_items: int
    share: Usage
    form: FormVersion | None = None
    progress: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A sealed part as the server knows it from now on: which document of a report it is, it forgets (G12)."""

    part_id: str
    kind: OutsideKind
    sha256: str
    size_bytes: int


class Uploads:
    """Where items are sealed."""

    def __init__(self, inbox: Inbox, gpg: Gpg, limits: SourceLimits) -> None:
        self._inbox = inbox
        self._gpg = gpg
        self._small = Gate(limits.seals_at_once, _WAITING)
        self._large = Gate(_LARGE_AT_ONCE, _WAITING, _LARGE_PER_SOURCE)
        self._threads = ThreadPoolExecutor(limits.seals_at_once + _LARGE_AT_ONCE, thread_name_prefix="seal")

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(cancel_futures=True)

    async def receive(
        self, items: AsyncIterator[Item], envelope: Envelope, check: Callable[[], None]
    ) -> tuple[Sealed, ...]:
        """Seal *items* into one submission, which is durable when this returns; nothing is kept if it raises.

        Args:
            items: At least one.
            envelope: Whom from and whom to.
            check: Called again and again while it arrives, and when all is sealed, before anything is kept; may raise.

        Raises:
            QuotaError: More than the source may send today.
            CrowdedError: Too many wait for a gpg.
            SealingError: gpg failed.
            VaultError: The vault refused.
        """
        async with _receiving(self._inbox, envelope) as receiving:
            receiving.progress = envelope.progress
            kept: list[Sealed] = []
            async for item in items:
                if len(kept) >= envelope.left_items:
                    raise QuotaError("a source may not send so many items a day")
                check()
                kept.append(await self._seal(_checked(item, check), envelope, receiving))
                if sum(sealed.size_bytes for sealed in kept) > envelope.left_bytes:
                    raise QuotaError("a source may not send so many bytes a day")
            manifest = _manifest(kept, envelope)
            await self._seal_gathered(
                format_manifest(manifest), _label("manifest", "", MEDIA_TYPE, envelope), envelope, receiving
            )
            check()
        return tuple(kept)

    async def _seal(self, item: Item, envelope: Envelope, receiving: Receiving) -> Sealed:
        label = _label(item.kind, item.name, item.media_type, envelope)
        if item.rest is None:
            return await self._seal_gathered(item.beginning, label, envelope, receiving)
        async with _turn(self._large, envelope.source.lookup_id):
            return await self._seal_passing(item.beginning, item.rest, label, envelope, receiving)

    async def _seal_gathered(
        self, content: bytes, label: PartLabel, envelope: Envelope, receiving: Receiving
    ) -> Sealed:
        async with _turn(self._small, envelope.source.lookup_id):
            work = self._start(BytesIO(content), label, envelope, receiving)
            return await _finished(asyncio.wrap_future(work))

    async def _seal_passing(
        self, beginning: bytes, rest: AsyncIterator[bytes], label: PartLabel, envelope: Envelope, receiving: Receiving
    ) -> Sealed:
        passage = Passage()
        work = self._start(passage.reader(), label, envelope, receiving)
        work.add_done_callback(lambda _: passage.abandon())
        try:
            wanted = await passage.put(beginning)
            while wanted and (piece := await anext(rest, None)) is not None:
                wanted = await passage.put(piece)
            passage.end()
        except BaseException:
            passage.cut()
            # gpg must be dead before its folder goes.
            await _ended(asyncio.wrap_future(work))
            raise
        return await _finished(asyncio.wrap_future(work))

    def _start(
        self, plaintext: BinaryIO, label: PartLabel, envelope: Envelope, receiving: Receiving
    ) -> "Future[Sealed]":
        def work() -> Sealed:
            sealed = seal(plaintext, label, envelope.recipients, receiving.place(label.part_id), self._gpg)
            receiving.keep(_Kept(sealed.part_id, outside_kind(sealed.kind), sealed.sha256, sealed.size_bytes))
            return sealed

        return self._threads.submit(work)


async def gathered(part: Part) -> Item:
    """Read *part* to its end if it is small, else as far as is gathered."""
    pieces: list[bytes] = []
    size_bytes = 0
    chunks = part.chunks
    async for piece in chunks:
        pieces.append(piece)
        size_bytes += len(piece)
        if size_bytes > GATHERED_BYTES:
            return _file(part, b"".join(pieces), chunks)
    return _file(part, b"".join(pieces), None)


def report_items(documents: Iterable[AnswersPart]) -> tuple[Item, ...]:
    """Write the documents of a report as items, in their order; their form belongs into the envelope.

    Raises:
        AnswersPartError: One of them is too long.
    """
    return tuple(Item(one.part, "", MEDIA_TYPE, format_part(one)) for one in documents)


def _file(part: Part, beginning: bytes, rest: AsyncIterator[bytes] | None) -> Item:
    # A type longer than the trailer can hold says nothing that anybody would miss.
    media_type = part.media_type if len(part.media_type) <= LONGEST_MEDIA_TYPE else ""
    return Item("file", part.filename or "", media_type, beginning, rest)


def _label(kind: Kind, name: str, media_type: str, envelope: Envelope) -> PartLabel:
    return PartLabel(secrets.token_hex(16), kind, name, media_type, envelope.keyset_day)


def _manifest(kept: list[Sealed], envelope: Envelope) -> Manifest:
    return Manifest(
        form=envelope.form,
        language=envelope.language,
        keyset_hash=envelope.recipients.keyset_hash,
        source_key=envelope.source.public_key,
        parts=listed(
            ListedPart(sealed.part_id, sealed.kind, sealed.sha256) for sealed in kept if sealed.kind != "manifest"
        ),
    )


@asynccontextmanager
async def _turn(gate: Gate, key: Hashable) -> AsyncGenerator[None]:
    try:
        async with gate.turn(key):
            yield
    except BusyError as error:
        raise CrowdedError("too many wait to be sealed") from error


def _checked(item: Item, check: Callable[[], None]) -> Item:
    """Have *check* called with every piece of what is still to come."""
    if item.rest is None:
        return item

    async def rest(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        async for piece in pieces:
            check()
            yield piece

    return replace(item, rest=rest(item.rest))


@asynccontextmanager
async def _receiving(inbox: Inbox, envelope: Envelope) -> AsyncGenerator[Receiving]:
    """Lend the vault's folder, without waiting for the disk on the event loop."""
    lent = inbox.receiving(envelope.source, envelope.share)
    receiving = await _in_thread(lent.__enter__)
    try:
        yield receiving
    except BaseException as error:
        await _in_thread(partial(lent.__exit__, type(error), error, error.__traceback__))
        raise
    await _in_thread(partial(lent.__exit__, None, None, None))


async def _in_thread(work: Callable[[], _Result]) -> _Result:
    return await _finished(asyncio.ensure_future(asyncio.to_thread(work)))


async def _finished(work: "asyncio.Future[_Result]") -> _Result:
    """Wait for *work* to its end, also when the request is cancelled: a thread cannot be stopped, only outlived."""
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await _ended(work)
        raise


async def _ended(work: "asyncio.Future[_Result]") -> None:
    """Wait for the end of *work*, whatever it is: why we stop is told elsewhere, so its own reason is taken unsaid."""
    await asyncio.wait([work])
    if not work.cancelled():
        work.exception()
