"""Choose submissions, and freeze the choice so that the same bag can be fetched again and again."""

import asyncio
import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from bags.index import NO_KEY, Collection, Index, Part, Submission, format_index, parse_index
from bags.layout import Layout
from bags.transfer import transfer_layout
from hardening.canonical import JSON, canonical_json, strict_json
from hardening.forms import Fields
from journalist_interface.errors import KeeperError, MissingError, NothingChosenError
from journalist_interface.site import Caller, Site
from ledger.entry import Received, size_class
from vault.records import Submission as StoredSubmission

CHOICES = ("submission", "collection", "all", "bag", "back")
"""The fields by which a form says what it means; `back` is the collection whose page it stood on."""

_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
# The bag is named when its selection is stored.
_NOT_YET = "0" * 32
_LARGEST_FACTS_BYTES = 256 * 1024 * 1024
_ASKED_AT_ONCE = 8
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a stored selection says of its bag: everything that its bytes are made of but the parts themselves."""

    index: Index
    promises: Mapping[str, bytes]
    keyset: bytes

    def pack(self) -> bytes:
        """Write it for the store."""
        return canonical_json(
            {
                "v": 1,
                "index": format_index(self.index).decode(),
                "promises": {leaf: note.decode() for leaf, note in self.promises.items()},
                "keyset": self.keyset.decode(),
            }
        )

    def layout(self, site: Site) -> Layout:
        """Plan the bag; the same bytes on every day."""
        return transfer_layout(self.index, self.promises, self.keyset, site.stores.inbox.open_part)

    def submission_ids(self) -> list[str]:
        """Return what the bag holds."""
        return [submission.id for collection in self.index.collections for submission in collection.submissions]


def thawed(packed: bytes, selection_id: str) -> Frozen:
    """Read what `Frozen.pack` wrote; the store is ours, so it is what it was. The selection's id becomes the bag's."""
    told: Mapping[str, JSON] = cast("Mapping[str, JSON]", strict_json(packed, _LARGEST_FACTS_BYTES))
    promises = cast("Mapping[str, str]", told["promises"])
    return Frozen(
        replace(parse_index(cast("str", told["index"]).encode()), bag_id=selection_id),
        {leaf: note.encode() for leaf, note in promises.items()},
        cast("str", told["keyset"]).encode(),
    )


def opened(site: Site, reviewer_id: str, selection_id: str) -> Frozen:
    """Give a reviewer's own stored selection.

    Raises:
        NotFoundError: There is none, it is somebody else's, or its days are over.
    """
    return thawed(site.stores.selections.open(selection_id, reviewer_id).facts, selection_id)


def chosen_ids(site: Site, reviewer_id: str, given: Fields) -> list[str]:
    """Return the submissions that a form means, without those it means twice.

    Raises:
        NothingChosenError: It means none.
        MissingError: An id is none.
    """
    ids = dict.fromkeys(_checked(given.every("submission")))
    for collection_id in _checked(given.every("collection")):
        ids |= dict.fromkeys(one.submission_id for one in site.stores.inbox.submissions_of(collection_id))
    if given.get("all") == "new":
        ids |= dict.fromkeys(sorted(new_ids(site, reviewer_id)))
    if given.get("bag"):
        ids |= dict.fromkeys(opened(site, reviewer_id, *_checked([given.get("bag")])).submission_ids())
    if not ids:
        raise NothingChosenError("nothing was chosen")
    return list(ids)


def new_ids(site: Site, reviewer_id: str) -> frozenset[str]:
    """Return what is new to a reviewer and still there: a source may have withdrawn what nobody has seen yet."""
    return site.stores.inbox.present(site.stores.marks.new_submissions(reviewer_id))


async def freeze(site: Site, caller: Caller, submission_ids: Sequence[str]) -> str:
    """Store a selection of these submissions, as many as one bag takes, with the promises for them; give its id.

    Raises:
        NothingChosenError: None of them is there any more.
        NoKeysetError: There is no keyset.
        KeeperError: A promise could not be had.
    """
    keyset = site.keyset()
    submissions = await asyncio.to_thread(_fitting, site, submission_ids)
    index = await asyncio.to_thread(_index, site, keyset.hash, submissions)
    waiting = await asyncio.to_thread(_waiting, site, submissions)
    frozen = Frozen(index, await _promises(site, waiting), keyset.canonical)
    part_ids = [part.part_id for submission in submissions for part in submission.parts]
    selection = await asyncio.to_thread(
        site.stores.selections.freeze, caller.reviewer.reviewer_id, part_ids, keyset.hash, frozen.pack()
    )
    return selection.selection_id


def is_whole(site: Site, frozen: Frozen) -> bool:
    """Say whether every part of the bag is still stored, and none was withdrawn."""
    stored = {part.part_id for one in site.stores.inbox.submissions(frozen.submission_ids()) for part in one.parts}
    return stored.issuperset(part.id for part in frozen.index.parts().values())


def _checked(untrusted_ids: Iterable[str]) -> list[str]:
    ids = list(untrusted_ids)
    if not all(_ID.fullmatch(one) for one in ids):
        raise MissingError("an id has 32 hexadecimal digits")
    return ids


def _fitting(site: Site, submission_ids: Sequence[str]) -> list[StoredSubmission]:
    fitting: list[StoredSubmission] = []
    parts = 0
    for chunk in _chunks(submission_ids):
        for submission in site.stores.inbox.submissions(chunk):
            parts += len(submission.parts)
            if fitting and parts > site.parts.limits.bag_parts:
                return fitting
            fitting.append(submission)
    if not fitting:
        raise NothingChosenError("what was chosen is not there any more")
    return fitting


def _index(site: Site, keyset_hash: str, submissions: Iterable[StoredSubmission]) -> Index:
    inbox = site.stores.inbox
    of: dict[str, list[StoredSubmission]] = {}
    for submission in submissions:
        of.setdefault(submission.collection_id, []).append(submission)
    keys = inbox.reply_keys(of)
    collections = tuple(
        Collection(
            one.collection_id,
            one.designation,
            keys.get(one.collection_id, NO_KEY),
            tuple(_listed(submission) for submission in of[one.collection_id]),
        )
        for one in inbox.named(of)
    )
    return Index(site.parts.facts.origin, _NOT_YET, keyset_hash, collections)


def _listed(submission: StoredSubmission) -> Submission:
    parts = tuple(Part(part.part_id, part.kind, part.ct_sha256, part.size_bytes) for part in submission.parts)
    return Submission(submission.submission_id, submission.day, parts)


def _waiting(site: Site, submissions: Iterable[StoredSubmission]) -> list[Received]:
    entries = {
        (entry := Received(part.ct_sha256, size_class(part.size_bytes), submission.day)).leaf_hash(): entry
        for submission in submissions
        for part in submission.parts
    }
    return [entries[leaf] for leaf in sorted(site.stores.inbox.pending_among(entries))]


async def _promises(site: Site, waiting: Iterable[Received]) -> dict[str, bytes]:
    places = asyncio.Semaphore(_ASKED_AT_ONCE)

    async def promise(entry: Received) -> tuple[str, bytes | None]:
        async with places:
            return entry.leaf_hash().hex(), await _promise(site, entry)

    found = await asyncio.gather(*map(promise, waiting))
    return {leaf: note for leaf, note in found if note is not None}


async def _promise(site: Site, entry: Received) -> bytes | None:
    try:
        told = await site.ask_keeper(f"promise {entry.ct_sha256} {entry.size_class} {entry.day.isoformat()}")
        return base64.b64decode(told, validate=True)
    except binascii.Error as error:
        raise KeeperError("the keeper's promise is not written in base64") from error
    except KeeperError:
        # The daily merge may have taken it up in this moment; then nothing needs to be promised any more.
        if await asyncio.to_thread(site.stores.inbox.pending, entry.leaf_hash()):
            raise
        return None


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
