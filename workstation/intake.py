"""Take a transfer bag in: whole or not at all, once or any number of times, and never over what is there.

The bag is checked first, then the ledger's promises, then the recipients of each part; only then is anything kept.
"""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bags.errors import BagsError, NoBagError
from bags.index import NO_KEY, Collection, Part, Submission
from bags.transfer import Transfer, receiving
from casework.events import Kind
from casework.views import Cases, KnownSubmission
from hardening.canonical import JSON
from hardening.files import destroy, private_folder, sync_file, sync_folder, write_whole
from keys import ed25519
from keys.errors import PacketError
from keys.message import MOST_HEADER_BYTES, read_header
from ledger.entry import Received, size_class
from ledger.errors import LedgerError
from ledger.promise import open_promise
from workstation.desk import Desk
from workstation.errors import IntakeError
from workstation.recipients import possible


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a bag.

    Attributes:
        new: Submissions that are here now and were not before.
        known: Submissions that were here already, the same to the byte.
        conflicts: Submissions that differ from what is here under the same id; they were left out.
        problems: What is wrong with the bag, or with a submission that was taken in all the same, since nothing may
            be lost.
    """

    new: tuple[str, ...]
    known: tuple[str, ...]
    conflicts: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Arrival:
    """One submission of the bag, on its way to its shelf."""

    collection: Collection
    submission: Submission
    folder: Path
    shelf: Path
    problems: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class _Sorted:
    new: list[_Arrival]
    known: list[_Arrival]
    conflicts: list[str]


def take_in(bag: Path, desk: Desk) -> Taken:
    """Take the transfer bag at *bag* in; doing it again changes nothing, and makes good what is missing here.

    Raises:
        IntakeError: The bag is none, damaged, for another drop, or under a keyset that was not verified here.
        CaseworkError: The case log cannot be written. What was shelved is taken up by the next import.
    """
    _sweep(desk.layout.incoming)
    destination = desk.layout.incoming / secrets.token_hex(16)
    try:
        with receiving(bag, destination) as transfer:
            _refuse_strange(transfer, desk)
    except NoBagError as error:
        raise IntakeError(f"{bag} is no transfer bag") from error
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


def _keep(transfer: Transfer, unpacked: Path, desk: Desk) -> Taken:
    cases = desk.cases()
    found = _sort(transfer, unpacked, cases, desk)
    arrivals = [*found.new, *found.known]
    promises = _verified_promises(arrivals, transfer, desk)
    _note_problems(arrivals, cases, desk)
    for arrival in arrivals:
        _shelve(arrival)
    sync_folder(desk.layout.sealed)
    for leaf, promise in promises.items():
        kept = desk.layout.promises / f"{leaf}.txt"
        if not kept.exists():
            write_whole(kept, promise)
    if found.new:
        # Files first, then the event: files without an event are taken up again by the next import of the same bag.
        desk.record(Kind.IMPORTED, _body(transfer, found.new))
    return Taken(
        new=tuple(arrival.submission.id for arrival in found.new),
        known=tuple(arrival.submission.id for arrival in found.known),
        conflicts=tuple(found.conflicts),
        problems=(
            *_bag_problems(transfer),
            *(f"submission {arrival.submission.id}: {text}" for arrival in arrivals for text in arrival.problems),
        ),
    )


def _sort(transfer: Transfer, unpacked: Path, cases: Cases, desk: Desk) -> _Sorted:
    found = _Sorted([], [], [])
    for collection in transfer.index.collections:
        for submission in collection.submissions:
            folder = unpacked / "data" / "submissions" / submission.id
            arrival = _Arrival(collection, submission, folder, desk.layout.sealed / submission.id)
            here = cases.submissions.get(submission.id)
            if arrival.shelf.exists() and _hashes(arrival.shelf) != _told_hashes(submission):
                # Damaged here, or left by an import of another bag that was cut off: nothing is overwritten.
                found.conflicts.append(submission.id)
            elif here is not None and _told(here) == _told_by(collection, submission):
                found.known.append(arrival)
            elif here is None and not any(part.id in cases.parts for part in submission.parts):
                found.new.append(arrival)
            else:
                found.conflicts.append(submission.id)
    return found


_Told = tuple[str, str, dict[str, tuple[str, str, int]]]


def _told(here: KnownSubmission) -> _Told:
    parts = {part.part_id: (part.kind, part.sha256, part.size_bytes) for part in here.parts}
    return here.collection_id, here.day.isoformat(), parts


def _told_by(collection: Collection, submission: Submission) -> _Told:
    parts = {part.id: (part.kind, part.ct_sha256, part.size_bytes) for part in submission.parts}
    return collection.id, submission.day.isoformat(), parts


def _verified_promises(arrivals: list[_Arrival], transfer: Transfer, desk: Desk) -> dict[str, bytes]:
    """Give the promises that hold, by leaf hash.

    Every part that is not in the merged log comes with the log's promise, signed with the key that was pinned. What is
    wrong is noted with the submission.
    """
    promises: dict[str, bytes] = {}
    for arrival in arrivals:
        for part in arrival.submission.parts:
            leaf = _leaf(part, arrival.submission)
            kept = desk.layout.promises / f"{leaf}.txt"
            note = transfer.promises.get(leaf) or (kept.read_bytes() if kept.exists() else None)
            if note is None:
                arrival.problems.append(f"the log has given no promise for part {part.id}")
                continue
            try:
                promise = open_promise(note, desk.about.log, ed25519.verify)
            except LedgerError as error:
                arrival.problems.append(f"the log's promise for part {part.id} does not hold: {error}")
                continue
            if (promise.leaf_hash.hex(), promise.day) == (leaf, arrival.submission.day):
                promises[leaf] = note
            else:
                arrival.problems.append(f"the log's promise for part {part.id} speaks of something else")
    return promises


def _bag_problems(transfer: Transfer) -> Iterator[str]:
    submissions = (each for collection in transfer.index.collections for each in collection.submissions)
    leaves = {_leaf(part, submission) for submission in submissions for part in submission.parts}
    if foreign := transfer.promises.keys() - leaves:
        yield f"the bag holds promises for things that are not in it: {len(foreign)}"


def _leaf(part: Part, submission: Submission) -> str:
    return Received(part.ct_sha256, size_class(part.size_bytes), submission.day).leaf_hash().hex()


def _note_problems(arrivals: list[_Arrival], cases: Cases, desk: Desk) -> None:
    keysets = tuple(desk.keysets())
    for arrival in arrivals:
        days = [possible(keyset, arrival.submission.day) for keyset in keysets]
        expected = frozenset[tuple[int, ...]]().union(*days)
        arrival.problems.extend(_recipient_problems(arrival, expected))
        arrival.problems.extend(_collection_problems(arrival.collection, cases))


def _recipient_problems(arrival: _Arrival, expected: frozenset[tuple[int, ...]]) -> Iterator[str]:
    """Hidden recipients must not hide an added one: their number and kinds must be those of a verified keyset."""
    for part in arrival.submission.parts:
        found = _algorithms(arrival.folder, part)
        if found is None:
            yield f"part {part.id} is no sealed message"
        elif found not in expected:
            yield f"part {part.id} is sealed to {len(found)} keys, which no verified keyset explains"


def _collection_problems(collection: Collection, cases: Cases) -> Iterator[str]:
    here = cases.collections.get(collection.id)
    if here is not None and collection.source_public_key not in (here.source_key, NO_KEY):
        yield "the server names another key for its source than before"
    if here is not None and here.designation != collection.designation:
        yield "the server gives its source another designation than before"


def _algorithms(folder: Path, part: Part) -> tuple[int, ...] | None:
    with (folder / f"{part.id}.gpg").open("rb") as file:
        untrusted_head = file.read(MOST_HEADER_BYTES)
    try:
        return tuple(sorted(read_header(untrusted_head).algorithms))
    except PacketError:
        return None


def _shelve(arrival: _Arrival) -> None:
    """Move a submission to its place, unless it is there already, the same to the byte."""
    if arrival.shelf.exists():
        return
    for file in arrival.folder.iterdir():
        sync_file(file)
    sync_folder(private_folder(arrival.folder))
    arrival.folder.rename(arrival.shelf)


def _hashes(shelf: Path) -> dict[str, str]:
    hashes: dict[str, str] = {}
    for path in shelf.iterdir():
        with path.open("rb") as file:
            hashes[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes


def _told_hashes(submission: Submission) -> dict[str, str]:
    return {f"{part.id}.gpg": part.ct_sha256 for part in submission.parts}


def _body(transfer: Transfer, arrivals: list[_Arrival]) -> dict[str, JSON]:
    collections: dict[str, tuple[Collection, list[JSON]]] = {}
    for arrival in arrivals:
        submission = arrival.submission
        told: dict[str, JSON] = {
            "id": submission.id,
            "day": submission.day.isoformat(),
            "parts": [
                {"id": part.id, "kind": part.kind, "sha256": part.ct_sha256, "size": part.size_bytes}
                for part in submission.parts
            ],
            "problems": list(arrival.problems),
        }
        collections.setdefault(arrival.collection.id, (arrival.collection, []))[1].append(told)
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
