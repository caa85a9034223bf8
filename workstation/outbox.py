"""Write replies, and the return bag that carries them and the import receipts back to the server."""

import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from bags.errors import BagsError
from bags.layout import write_layout
from bags.returns import Reply, ReturnBag, return_layout
from casework.events import Kind
from casework.views import Cases, KnownCollection, WrittenReply
from hardening.canonical import JSON
from hardening.clock import today
from hardening.files import destroy, write_whole
from keys.signing import sign_detached
from keys.source_key import LONGEST_REPLY_BYTES, ReplyError, seal_reply
from workstation.desk import Desk
from workstation.errors import OutboxError
from workstation.reading import judge, known


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

    The key is the one that the source's own sealed manifest names, never the one that the server tells.

    Raises:
        OutboxError: There is nothing to say, it is too long, or the keys do not agree.
        ReadingError: The newest submission does not agree with its manifest.
        KeysError: It cannot be opened here, or her key did not sign.
    """
    if not text.strip():
        raise OutboxError("a reply has words")
    submissions = known(desk).of_collection(collection.collection_id)
    if not submissions:
        raise OutboxError("nothing from this source is here")
    source_key = judge(submissions[-1], desk).manifest.source_key
    if source_key != collection.source_key:
        raise OutboxError("the server names another key for this source than the source herself: do not answer here")
    reply_id = secrets.token_hex(16)
    try:
        box = seal_reply(text, source_key)
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
    """Write the next return bag into the outbox folder; a bag that a crash cut short is finished first.

    Raises:
        OutboxError: There is nothing to send back.
        KeysError: Her key did not sign.
    """
    cases = known(desk)
    _finish_cut_short(cases, desk)
    replies, receipts = cases.unreturned(), cases.unreceipted()
    if not replies and not receipts:
        raise OutboxError("there is nothing to send back")
    signer = str(desk.about.reviewer)
    sequence = cases.sequences.get(signer, 0) + 1
    bag = ReturnBag(
        drop=desk.about.log.name,
        signer=signer,
        sequence=sequence,
        replies=tuple(Reply(one.reply_id, one.collection_id, one.box) for one in replies),
        imported=tuple(receipts),
    )
    written = _write(bag, desk)
    body: dict[str, JSON] = {
        "sequence": sequence,
        "bag": sha256(written.read_bytes()).hexdigest(),
        "replies": [one.reply_id for one in replies],
        "imported": list(receipts),
    }
    desk.record(Kind.RETURNED, body)
    _publish(written)
    final = _final(desk.layout.outbox, sequence)
    return Returned(final, _signature(final), sequence, len(replies), len(receipts))


def _write(bag: ReturnBag, desk: Desk) -> Path:
    """Write the bag and its signature under names that nobody carries away yet."""
    partial = _partial(_final(desk.layout.outbox, bag.sequence))
    destroy(partial)
    try:
        write_layout(return_layout(bag), partial)
    except BagsError as error:
        raise OutboxError(str(error)) from error
    signature = sign_detached(partial, desk.gpg, desk.about.reviewer, today(desk.clock), desk.passphrase)
    write_whole(_signature(partial), signature)
    return partial


def _finish_cut_short(cases: Cases, desk: Desk) -> None:
    """An event without its files: the crash came between the two; the files lie under their first names."""
    sequence = cases.sequences.get(str(desk.about.reviewer), 0)
    partial = _partial(_final(desk.layout.outbox, sequence))
    if sequence and partial.exists():
        _publish(partial)


def _publish(partial: Path) -> None:
    final = partial.with_name(partial.name.removeprefix("."))
    if _signature(partial).exists():
        _signature(partial).rename(_signature(final))
    partial.rename(final)


def _final(outbox: Path, sequence: int) -> Path:
    return outbox / f"return-{sequence:06}.tar"


def _partial(final: Path) -> Path:
    return final.with_name(f".{final.name}")


def _signature(bag: Path) -> Path:
    return bag.with_name(f"{bag.name}.sig")
