"""Write replies, and the return bag that carries them and the import receipts back to the server."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from bags.errors import BagsError
from bags.index import NO_KEY
from bags.layout import write_layout
from bags.profile import RETURN
from bags.returns import MAX_RECEIPTS, Reply, ReturnBag, return_layout
from casework.events import Kind
from casework.views import KnownCollection, SentBag, WrittenReply
from hardening.canonical import JSON
from hardening.files import destroy, sync_file, sync_folder, write_whole
from keys.source_key import LONGEST_REPLY_BYTES, ReplyError, seal_reply
from workstation.desk import Desk
from workstation.errors import OutboxError
from workstation.reading import judge

# Half of what a bag may hold: the rest is for the index, tar headers and the manifest.
_MOST_BOXES_BYTES = RETURN.limit_bytes // 2
_MOST_REPLIES = RETURN.limit_files // 2

# The permission to be written to (docs/specs/report.md).
_CONTACT = "c2"
_OPEN_FIRST = (
    "this source has sent parts of a report that were not opened here: open them first, they say whether you may answer"
)


@dataclass(frozen=True, slots=True)
class Returned:
    """A return bag on its way: the two files that belong together."""

    bag: Path
    signature: Path
    sequence: int
    replies: int
    receipts: int


def reply(collection: KnownCollection, text: str, desk: Desk) -> WrittenReply:
    """Seal *text* to the source of *collection* and keep it for the next return bag.

    The key is the one that the sealed manifests of this source's submissions name, as they were opened or, if none
    was, as the newest one says: never only what the server tells.

    Raises:
        OutboxError: There is nothing to say, it is too long, the source does not wish it, or the keys do not agree.
        ReadingError: The newest submission does not agree with its manifest.
        KeysError: It cannot be opened here, or her key did not sign.
    """
    if not text.strip():
        raise OutboxError("a reply has words")
    if collection.source_key == NO_KEY:
        raise OutboxError("this source has closed her inbox: nobody reads a reply there")
    _refuse_unwanted(collection, desk)
    told = _told_by_herself(collection, desk)
    if told != {collection.source_key}:
        raise OutboxError("the server names another key for this source than the source herself: do not answer here")
    reply_id = secrets.token_hex(16)
    try:
        box = seal_reply(text, collection.source_key)
    except ReplyError as error:
        raise OutboxError(f"a reply has at most {LONGEST_REPLY_BYTES} bytes: {error}") from error
    body: dict[str, JSON] = {
        "reply": reply_id,
        "collection": collection.collection_id,
        "box": box.hex(),
        "text": text,
    }
    event = desk.record(Kind.REPLIED, body)
    return WrittenReply(reply_id, collection.collection_id, box, text, event.day)


def pack(desk: Desk) -> Returned:
    """Write the next return bag into the outbox folder; if a crash cut one short, that one is finished instead.

    Raises:
        OutboxError: There is nothing to send back.
        KeysError: Her key did not sign.
    """
    cases = desk.cases()
    signer = str(desk.about.reviewer)
    last = cases.sequences.get(signer, 0)
    if last and _partial(desk, last).exists():
        # The event is there, so the files are whole: the crash came before they had their names.
        return _published(cases.sent[signer, last], desk)
    # A bag has its limits; what does not fit goes with the next one.
    replies = _fitting(cases.unreturned())
    receipts = cases.unreceipted()[:MAX_RECEIPTS]
    if not replies and not receipts:
        raise OutboxError("there is nothing to send back")
    sent = SentBag(last + 1, tuple(one.reply_id for one in replies), tuple(receipts))
    written = _write(sent, replies, desk)
    with written.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    body: dict[str, JSON] = {
        "sequence": sent.sequence,
        "bag": digest,
        "replies": list(sent.replies),
        "imported": list(sent.imported),
    }
    desk.record(Kind.RETURNED, body)
    return _published(sent, desk)


def pack_again(sequence: int, desk: Desk) -> Returned:
    """Write a return bag that was made before once more, the same to the byte: its medium was lost on the way.

    Raises:
        OutboxError: None was made under this sequence.
        KeysError: Her key did not sign.
    """
    cases = desk.cases()
    sent = cases.sent.get((str(desk.about.reviewer), sequence))
    if sent is None:
        raise OutboxError(f"no return bag {sequence} was made here")
    _write(sent, [cases.replies[one] for one in sent.replies], desk)
    return _published(sent, desk)


def _refuse_unwanted(collection: KnownCollection, desk: Desk) -> None:
    """Refuse to write to a source who has answered questions and not this one with yes; messages ask for an answer."""
    cases = desk.cases()
    submissions = cases.of_collection(collection.collection_id)
    reports = [one.submission_id for one in submissions if any(part.kind == "report" for part in one.parts)]
    if not cases.opened.keys() >= set(reports):
        raise OutboxError(_OPEN_FIRST)
    consents = cases.consents_of(collection.collection_id)
    # It is said of her inbox and not of one report: of all that answer it the last one holds.
    last = max((one.seq for one in consents if _CONTACT in one.answers), default=0)
    allowed = last > 0 and all(one.allows(_CONTACT) for one in consents if one.seq == last)
    if (reports or consents) and not allowed:
        raise OutboxError("this source has not allowed anybody to write to her here, so no reply was written")


def _told_by_herself(collection: KnownCollection, desk: Desk) -> set[bytes]:
    cases = desk.cases()
    submissions = cases.of_collection(collection.collection_id)
    if not submissions:
        raise OutboxError("nothing from this source is here")
    told = {cases.opened[one.submission_id] for one in submissions if one.submission_id in cases.opened}
    if told:
        return told
    newest = judge(submissions[-1], desk).manifest
    if newest.form is not None:
        # The server called them something else.
        raise OutboxError(_OPEN_FIRST)
    return {newest.source_key}


def _fitting(replies: list[WrittenReply]) -> list[WrittenReply]:
    sizes = accumulate(len(one.box) for one in replies)
    return [one for one, size in zip(replies, sizes, strict=True) if size <= _MOST_BOXES_BYTES][:_MOST_REPLIES]


def _write(sent: SentBag, replies: Sequence[WrittenReply], desk: Desk) -> Path:
    """Write the bag and its signature, to the disk itself, under names that nobody carries away yet."""
    bag = ReturnBag(
        drop=desk.about.log.name,
        signer=str(desk.about.reviewer),
        sequence=sent.sequence,
        replies=tuple(Reply(one.reply_id, one.collection_id, one.box) for one in replies),
        imported=sent.imported,
    )
    partial = _partial(desk, sent.sequence)
    destroy(partial)
    try:
        write_layout(return_layout(bag), partial)
    except BagsError as error:
        raise OutboxError(str(error)) from error
    sync_file(partial)
    write_whole(_signature(partial), desk.sign(partial))
    return partial


def _published(sent: SentBag, desk: Desk) -> Returned:
    """Give the files their names: the signature first, so that no bag ever lies there without one."""
    partial = _partial(desk, sent.sequence)
    final = partial.with_name(partial.name.removeprefix("."))
    if _signature(partial).exists():
        _signature(partial).rename(_signature(final))
    partial.rename(final)
    sync_folder(final.parent)
    return Returned(final, _signature(final), sent.sequence, len(sent.replies), len(sent.imported))


def _partial(desk: Desk, sequence: int) -> Path:
    return desk.layout.outbox / f".return-{sequence:06}.tar"


def _signature(bag: Path) -> Path:
    return bag.with_name(f"{bag.name}.sig")
