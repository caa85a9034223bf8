"""Write and read the index of a transfer bag: what lies in it, as far as the server knows."""

import re
from dataclasses import dataclass
from datetime import date

from bags.errors import ContentError
from bags.shape import DROP, ID, SHA256, elements, fields, integer, once_and_in_order, text, whole
from bags.tar import MAX_FILE_BYTES
from hardening.canonical import JSON, canonical_json

MAX_INDEX_BYTES = 32 * 1024 * 1024
MAX_ELEMENTS = 100_000

_VERSION = 1
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_KIND = re.compile(r"[a-z]{1,16}", re.ASCII)
_DESIGNATION = re.compile(r"[A-Za-z]{1,20}(?:[ -][A-Za-z]{1,20}){0,3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """One sealed part; *kind* is what the server was told, the sealed label says what is true."""

    id: str
    kind: str
    ct_sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Submission:
    """One sending, with the day on which it was durable."""

    id: str
    day: date
    parts: tuple[Part, ...]


NO_KEY = bytes(32)
"""Stands for the key of a source who has closed her inbox: nobody can seal to this point."""


@dataclass(frozen=True, slots=True)
class Collection:
    """Submissions of one source, with the key to which replies are sealed, or `NO_KEY`."""

    id: str
    designation: str
    source_public_key: bytes
    submissions: tuple[Submission, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """All that the server says about the bag."""

    drop: str
    bag_id: str
    keyset_sha256: str
    collections: tuple[Collection, ...]

    def parts(self) -> dict[str, Part]:
        """Return every part under the path that it has in the bag."""
        return {
            part_path(submission.id, part.id): part
            for collection in self.collections
            for submission in collection.submissions
            for part in submission.parts
        }


def part_path(submission_id: str, part_id: str) -> str:
    """Return where a part lies in the bag."""
    return f"data/submissions/{submission_id}/{part_id}.gpg"


def format_index(index: Index) -> bytes:
    """Write the index in its one form; everything is sorted by random ids, so no order is told.

    Raises:
        ContentError: No reader would take it.
    """
    written = canonical_json(
        {
            "v": _VERSION,
            "drop": index.drop,
            "bag": index.bag_id,
            "keyset": index.keyset_sha256,
            "collections": [_written_collection(each) for each in sorted(index.collections, key=lambda it: it.id)],
        }
    )
    parse_index(written)
    return written


def parse_index(untrusted: bytes) -> Index:
    """Read an index.

    Raises:
        ContentError: Not one that `format_index` writes.
    """
    value = whole(untrusted, MAX_INDEX_BYTES, ("v", "drop", "bag", "keyset", "collections"))
    integer(value["v"], _VERSION, _VERSION)
    collections = tuple(_collection(each) for each in elements(value["collections"], 1, MAX_ELEMENTS))
    once_and_in_order([each.id for each in collections])
    submissions = [submission for collection in collections for submission in collection.submissions]
    parts = [part for submission in submissions for part in submission.parts]
    for ids in ([each.id for each in submissions], [each.id for each in parts]):
        if len(set(ids)) != len(ids):
            raise ContentError("an id stands twice in the index")
    return Index(text(value["drop"], DROP), text(value["bag"], ID), text(value["keyset"], SHA256), collections)


def _written_collection(collection: Collection) -> dict[str, JSON]:
    return {
        "id": collection.id,
        "designation": collection.designation,
        "source_public_key": collection.source_public_key.hex(),
        "submissions": [_written_submission(each) for each in sorted(collection.submissions, key=lambda it: it.id)],
    }


def _written_submission(submission: Submission) -> JSON:
    return {
        "id": submission.id,
        "day": submission.day.isoformat(),
        "parts": [
            {"id": each.id, "kind": each.kind, "ct_sha256": each.ct_sha256, "size": each.size_bytes}
            for each in sorted(submission.parts, key=lambda it: it.id)
        ],
    }


def _collection(untrusted: JSON) -> Collection:
    value = fields(untrusted, ("id", "designation", "source_public_key", "submissions"))
    submissions = tuple(_submission(each) for each in elements(value["submissions"], 1, MAX_ELEMENTS))
    once_and_in_order([each.id for each in submissions])
    return Collection(
        text(value["id"], ID),
        text(value["designation"], _DESIGNATION),
        bytes.fromhex(text(value["source_public_key"], SHA256)),
        submissions,
    )


def _submission(untrusted: JSON) -> Submission:
    value = fields(untrusted, ("id", "day", "parts"))
    parts = tuple(_part(each) for each in elements(value["parts"], 1, MAX_ELEMENTS))
    once_and_in_order([each.id for each in parts])
    return Submission(text(value["id"], ID), _day(value["day"]), parts)


def _part(untrusted: JSON) -> Part:
    value = fields(untrusted, ("id", "kind", "ct_sha256", "size"))
    return Part(
        text(value["id"], ID),
        text(value["kind"], _KIND),
        text(value["ct_sha256"], SHA256),
        integer(value["size"], 1, MAX_FILE_BYTES),
    )


def _day(untrusted: JSON) -> date:
    try:
        return date.fromisoformat(text(untrusted, _DAY))
    except ValueError as error:
        raise ContentError("there is no such day") from error
