"""Take a transfer bag in: whole or not at all, once or any number of times, and never over what is there.

The bag is checked first, then the ledger's promises, then the recipients of each part; only then is anything kept.
"""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bags.errors import BagsError
from bags.index import Collection, Part, Submission
from bags.transfer import Transfer, receiving
from casework.events import Kind
from casework.views import Cases, fold
from hardening.canonical import JSON
from hardening.files import destroy, private_folder, sync_file, sync_folder, write_whole
from keys import ed25519
from keys.errors import PacketError
from keys.keyset import Keyset, usable
from keys.message import MOST_HEADER_BYTES, read_header
from ledger.entry import Received, size_class
from ledger.errors import LedgerError
from ledger.promise import open_promise
from workstation.desk import Desk
from workstation.errors import IntakeError


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a bag.

    Attributes:
        new: Submissions that are here now and were not before.
        known: Submissions that were here already, the same to the byte.
        conflicts: Submissions that differ from what is here under the same id; they were left out.
        problems: What is wrong with a submission that was taken in all the same, since nothing may be lost.
    """

    new: tuple[str, ...]
    known: tuple[str, ...]
    conflicts: tuple[str, ...]
    problems: tuple[str, ...]


def take_in(bag: Path, desk: Desk) -> Taken:
    """Take the transfer bag at *bag* in; doing it again changes nothing.

    Raises:
        IntakeError: The bag is damaged, for another drop, or under a keyset that was not verified here.
    """
    _sweep(desk.layout.incoming)
    destination = desk.layout.incoming / secrets.token_hex(16)
    try:
        with receiving(bag, destination) as transfer:
            _refuse_strange(transfer, desk)
    except BagsError as error:
        raise IntakeError(str(error)) from error
    try:
        return _keep(transfer, destination, desk)
    finally:
        destroy(destination)


def _refuse_strange(transfer: Transfer, desk: Desk) -> None:
    if transfer.index.drop != desk.about.log.name:
        raise IntakeError("this bag comes from another drop")
    if desk.keyset(transfer.index.keyset_sha256) is None:
        raise IntakeError("this bag names a keyset that was not verified here: svidok workstation keyset takes it up")


@dataclass(frozen=True, slots=True)
class _Sorted:
    new: list[tuple[Collection, Submission]]
    known: list[str]
    conflicts: list[str]


def _keep(transfer: Transfer, unpacked: Path, desk: Desk) -> Taken:
    cases = fold(signed.event for signed in desk.log.events())
    found = _sort(transfer, cases)
    keysets = tuple(desk.keysets())
    problems: dict[str, list[str]] = {}
    for _collection, submission in found.new:
        folder = unpacked / "data" / "submissions" / submission.id
        problems[submission.id] = [
            *_promise_problems(submission, transfer, desk),
            *_recipient_problems(submission, folder, keysets),
        ]
    for leaf, promise in transfer.promises.items():
        write_whole(desk.layout.promises / f"{leaf}.txt", promise)
    for _collection, submission in found.new:
        _shelve(unpacked / "data" / "submissions" / submission.id, desk.layout.sealed / submission.id)
    if found.new:
        sync_folder(desk.layout.sealed)
        # Files first, then the event: files without an event are taken up again by the next import of the same bag.
        desk.record(Kind.IMPORTED, _body(transfer, found.new, problems))
    return Taken(
        new=tuple(submission.id for _collection, submission in found.new),
        known=tuple(found.known),
        conflicts=tuple(found.conflicts),
        problems=tuple(f"{one}: {text}" for one, texts in problems.items() for text in texts),
    )


def _sort(transfer: Transfer, cases: Cases) -> _Sorted:
    found = _Sorted([], [], [])
    for collection in transfer.index.collections:
        for submission in collection.submissions:
            here = cases.submissions.get(submission.id)
            parts = {part.id: part.ct_sha256 for part in submission.parts}
            strangers = any(
                part.id in cases.parts and cases.parts[part.id].sha256 != part.ct_sha256 for part in submission.parts
            )
            if here is None and not strangers:
                found.new.append((collection, submission))
            elif here is not None and {part.part_id: part.sha256 for part in here.parts} == parts:
                found.known.append(submission.id)
            else:
                found.conflicts.append(submission.id)
    return found


def _promise_problems(submission: Submission, transfer: Transfer, desk: Desk) -> Iterator[str]:
    """Every part that is not in the merged log comes with the log's promise, signed with the key that was pinned."""
    for part in submission.parts:
        entry = Received(part.ct_sha256, size_class(part.size_bytes), submission.day)
        leaf = entry.leaf_hash()
        note = transfer.promises.get(leaf.hex())
        if note is None:
            yield f"the log has given no promise for part {part.id}"
            continue
        try:
            promise = open_promise(note, desk.about.log, ed25519.verify)
        except LedgerError as error:
            yield f"the log's promise for part {part.id} does not hold: {error}"
            continue
        if (promise.leaf_hash, promise.day) != (leaf, submission.day):
            yield f"the log's promise for part {part.id} speaks of something else"


def _recipient_problems(submission: Submission, folder: Path, keysets: tuple[Keyset, ...]) -> Iterator[str]:
    """Hidden recipients must not hide an added one: their number and kinds must be those of a verified keyset."""
    expected = {tuple(sorted(key.packet_algorithm for key in usable(keyset, submission.day))) for keyset in keysets}
    for part in submission.parts:
        found = _algorithms(folder, part)
        if found is None:
            yield f"part {part.id} is no sealed message"
        elif found not in expected:
            yield f"part {part.id} is sealed to {len(found)} keys, which no verified keyset explains"


def _algorithms(folder: Path, part: Part) -> tuple[int, ...] | None:
    with (folder / f"{part.id}.gpg").open("rb") as file:
        untrusted_head = file.read(MOST_HEADER_BYTES)
    try:
        return tuple(sorted(read_header(untrusted_head).algorithms))
    except PacketError:
        return None


def _shelve(unpacked: Path, shelf: Path) -> None:
    """Move a submission to its place; what a crash left there is only ours if it is the same."""
    if shelf.exists():
        if _hashes(shelf) != _hashes(unpacked):
            raise IntakeError("a folder of another content lies where a submission belongs; nothing was overwritten")
        return
    for file in unpacked.iterdir():
        sync_file(file)
    sync_folder(unpacked)
    unpacked.rename(shelf)
    private_folder(shelf)


def _hashes(folder: Path) -> dict[str, str]:
    hashes: dict[str, str] = {}
    for path in folder.iterdir():
        with path.open("rb") as file:
            hashes[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes


def _body(
    transfer: Transfer, new: list[tuple[Collection, Submission]], problems: dict[str, list[str]]
) -> dict[str, JSON]:
    collections: dict[str, tuple[Collection, list[JSON]]] = {}
    for collection, submission in new:
        told: dict[str, JSON] = {
            "id": submission.id,
            "day": submission.day.isoformat(),
            "parts": [
                {"id": part.id, "kind": part.kind, "sha256": part.ct_sha256, "size": part.size_bytes}
                for part in submission.parts
            ],
            "problems": list(problems[submission.id]),
        }
        collections.setdefault(collection.id, (collection, []))[1].append(told)
    return {
        "bag": transfer.index.bag_id,
        "keyset": transfer.index.keyset_sha256,
        "collections": [
            {
                "id": collection.id,
                "designation": collection.designation,
                "source_key": collection.source_public_key.hex(),
                "submissions": submissions,
            }
            for collection, submissions in collections.values()
        ],
    }


def _sweep(incoming: Path) -> None:
    """Remove what an import that was cut off has left; the bag it came from is still on its medium."""
    for leftover in incoming.iterdir():
        destroy(leftover)
