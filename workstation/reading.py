"""Open a submission: every part is judged whole before any of it is let out, and all must agree with the manifest."""

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bags.index import NO_KEY
from casework.events import Kind
from casework.views import Cases, KnownCollection, KnownPart, KnownSubmission
from hardening.canonical import JSON
from hardening.files import sync_file, sync_folder, write_whole
from keys.manifest import MOST_MANIFEST_BYTES, Manifest, parse_manifest
from keys.opening import Verdict, inspect, release
from keys.trailer import Trailer
from workstation.desk import Desk
from workstation.errors import ReadingError, UnknownIdError
from workstation.names import escaped_names, safe_names
from workstation.recipients import possible
from workstation.release import releasing

NAMES = "names.json"

# A message has at most a million characters of four bytes; more is no message.
_MOST_MESSAGE_BYTES = 4 * 1024 * 1024
_SHORTEST_PREFIX = 4


@dataclass(frozen=True, slots=True)
class Judged:
    """One part with its verdict; its item is still sealed."""

    part: KnownPart
    path: Path
    verdict: Verdict

    @property
    def trailer(self) -> Trailer:
        """What the part says of itself."""
        return self.verdict.trailer


@dataclass(frozen=True, slots=True)
class Judgement:
    """A submission that agrees with its manifest.

    Attributes:
        problems: What the server said of it that is not so, now or when it was imported.
    """

    submission: KnownSubmission
    manifest: Manifest
    parts: tuple[Judged, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleasedFile:
    """A file that was let out: where it lies and what the source called it."""

    path: Path
    trailer: Trailer


@dataclass(frozen=True, slots=True)
class Opened:
    """What a submission holds: words, and files in *folder*."""

    submission: KnownSubmission
    problems: tuple[str, ...]
    folder: Path
    messages: tuple[tuple[Trailer, str], ...]
    files: tuple[ReleasedFile, ...]


def find(cases: Cases, untrusted: str) -> list[KnownSubmission]:
    """Find the submissions that a designation, or the start of an id, means.

    Raises:
        UnknownIdError: Nothing answers to it, or more than one collection or submission does.
    """
    submissions = [one for one in cases.submissions.values() if _is_prefix(untrusted, one.submission_id)]
    collections = _collections(cases, untrusted)
    _refuse_all_but_one([*submissions, *collections])
    return submissions or cases.of_collection(collections[0].collection_id)


def find_collection(cases: Cases, untrusted: str) -> KnownCollection:
    """Find the one collection that a designation or the start of an id means; errors as for `find`."""
    collections = _collections(cases, untrusted)
    _refuse_all_but_one(collections)
    return collections[0]


def judge(submission: KnownSubmission, desk: Desk) -> Judgement:
    """Read every part of *submission* to its end, let nothing out, and hold all against the manifest.

    That the server names another key for its source is only reported: a report is not kept from its reader because a
    server lies about whose it is.

    Raises:
        ReadingError: The parts do not agree with the manifest.
        KeysError: A part is damaged, or cannot be opened here.
    """
    judged = tuple(_judge(part, submission, desk) for part in submission.parts)
    manifests = [one for one in judged if one.trailer.kind == "manifest"]
    if len(manifests) != 1:
        raise ReadingError(f"a submission has one manifest, not {len(manifests)}")
    manifest = _manifest(manifests[0], desk)
    _hold_against(manifest, judged, submission, desk)
    return Judgement(submission, manifest, judged, (*submission.problems, *_problems(manifest, submission, desk)))


def open_submission(judgement: Judgement, folder: Path, desk: Desk) -> Opened:
    """Let the contents of a judged submission out: messages to the caller, files into *folder*.

    Args:
        judgement: From `judge`.
        folder: Must not exist; is made private, best in memory. Beside the files, `names.json` holds what the
            source called them. It appears when all is in it; a failure leaves nothing.
        desk: Where it was judged; the opening is recorded in the case log.

    Raises:
        ReadingError: A message is larger than any.
        KeysError: A part changed since it was judged.
        OSError: *folder* exists, or there is no room.
    """
    with releasing(folder) as partial:
        return _let_out(judgement, partial, folder, desk)


def open_all(judgements: Sequence[Judgement], folder: Path, desk: Desk) -> tuple[Opened, ...]:
    """Let several submissions out, each into a folder of its own within *folder*; all or none, as above."""
    with releasing(folder) as partial:
        opened: list[Opened] = []
        for judgement in judgements:
            name = judgement.submission.submission_id
            (partial / name).mkdir(mode=0o700)
            opened.append(_let_out(judgement, partial / name, folder / name, desk))
        return tuple(opened)


def _let_out(judgement: Judgement, partial: Path, final: Path, desk: Desk) -> Opened:
    """Fill *partial*, which will be *final*."""
    wanted = [one for one in judgement.parts if one.trailer.kind == "file"]
    names = safe_names(((one.part.part_id, one.trailer.name) for one in wanted), reserved=(NAMES,))
    messages = [(one.trailer, _text(one, desk)) for one in judgement.parts if one.trailer.kind == "message"]
    for one in wanted:
        _release(one, partial / names[one.part.part_id], desk)
    write_whole(partial / NAMES, escaped_names({names[one.part.part_id]: one.trailer.name for one in wanted}))
    # Before it can be seen: what was read without a record would be worse than a record of what was not read.
    desk.record(Kind.OPENED, _body(judgement))
    files = tuple(ReleasedFile(final / names[one.part.part_id], one.trailer) for one in wanted)
    return Opened(judgement.submission, judgement.problems, final, tuple(messages), files)


def _judge(part: KnownPart, submission: KnownSubmission, desk: Desk) -> Judged:
    path = desk.layout.sealed / submission.submission_id / f"{part.part_id}.gpg"
    try:
        verdict = inspect(path, desk.gpg, desk.passphrase)
    except FileNotFoundError as error:
        raise ReadingError(f"the sealed part {part.part_id} is gone from this workstation") from error
    if verdict.trailer.part_id != part.part_id:
        raise ReadingError(f"what came as part {part.part_id} says that it is another part")
    return Judged(part, path, verdict)


def _manifest(judged: Judged, desk: Desk) -> Manifest:
    if judged.trailer.length > MOST_MANIFEST_BYTES:
        raise ReadingError("the manifest is larger than any manifest")
    return parse_manifest(_content(judged, desk))


def _hold_against(manifest: Manifest, judged: tuple[Judged, ...], submission: KnownSubmission, desk: Desk) -> None:
    found = {(one.part.part_id, one.trailer.kind, one.part.sha256) for one in judged if one.trailer.kind != "manifest"}
    listed = {(part.part_id, part.kind, part.ct_sha256) for part in manifest.parts}
    missing, unknown = listed - found, found - listed
    if missing or unknown:
        raise ReadingError(
            f"the source sent {len(listed)} parts; {len(missing)} of them did not come, {len(unknown)} others did"
        )
    keyset = desk.keyset(manifest.keyset_hash)
    if keyset is None:
        raise ReadingError("this submission was sealed to a keyset that was not verified here")
    expected = possible(keyset, submission.day)
    if any(tuple(sorted(one.verdict.algorithms)) not in expected for one in judged):
        raise ReadingError(
            "this submission is sealed to other keys than its keyset says: somebody added or left out one"
        )


def _text(judged: Judged, desk: Desk) -> str:
    if judged.trailer.length > _MOST_MESSAGE_BYTES:
        raise ReadingError("a message is larger than any message")
    return _content(judged, desk).decode("utf-8", errors="replace")


def _content(judged: Judged, desk: Desk) -> bytes:
    sink = io.BytesIO()
    release(judged.path, judged.verdict, sink, desk.gpg, desk.passphrase)
    return sink.getvalue()


def _release(judged: Judged, path: Path, desk: Desk) -> None:
    partial = path.with_name(f".{judged.part.part_id}.part")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as sink:
        release(judged.path, judged.verdict, sink, desk.gpg, desk.passphrase)
    # Its own name is given only after the second verdict (Q2).
    sync_file(partial)
    partial.rename(path)
    sync_folder(path.parent)


def _body(judgement: Judgement) -> dict[str, JSON]:
    parts: list[JSON] = [
        {"id": one.part.part_id, "kind": one.trailer.kind, "length": one.trailer.length, "sha256": one.trailer.sha256}
        for one in judgement.parts
    ]
    return {
        "submission": judgement.submission.submission_id,
        "source_key": judgement.manifest.source_key.hex(),
        "parts": parts,
    }


def _problems(manifest: Manifest, submission: KnownSubmission, desk: Desk) -> tuple[str, ...]:
    told = submission.source_key
    if told == NO_KEY:
        # She has closed her inbox; what came before that still says whose it is.
        told = desk.cases().collections[submission.collection_id].source_key
    if told in (manifest.source_key, NO_KEY):
        return ()
    return ("the server names another key for this source than she does herself: it may be filed under the wrong one",)


def _collections(cases: Cases, untrusted: str) -> list[KnownCollection]:
    wanted = " ".join(untrusted.casefold().replace("-", " ").split())
    return [
        one
        for one in cases.collections.values()
        if one.designation.casefold().replace("-", " ") == wanted or _is_prefix(untrusted, one.collection_id)
    ]


def _refuse_all_but_one(found: Sequence[KnownSubmission | KnownCollection]) -> None:
    if not found:
        raise UnknownIdError("nothing answers to this name; `list` shows what is here")
    if len(found) > 1:
        raise UnknownIdError("more than one answers to this name; take a longer piece of the id that `list` shows")


def _is_prefix(untrusted: str, identifier: str) -> bool:
    return len(untrusted) >= _SHORTEST_PREFIX and identifier.startswith(untrusted.casefold())
