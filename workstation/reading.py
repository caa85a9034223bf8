"""Open a submission: every part is judged whole before any of it is let out, and all must agree with the manifest."""

import io
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from casework.events import Kind
from casework.views import Cases, KnownCollection, KnownPart, KnownSubmission, fold
from hardening.canonical import JSON, canonical_json
from hardening.files import destroy, private_folder, sync_file, sync_folder, write_whole
from keys.errors import KeysError
from keys.keyset import usable
from keys.manifest import MOST_MANIFEST_BYTES, Manifest, parse_manifest
from keys.opening import Verdict, inspect, release
from keys.trailer import Trailer
from workstation.desk import Desk
from workstation.errors import ReadingError, UnknownIdError
from workstation.names import safe_names

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
    """A submission that agrees with its manifest."""

    submission: KnownSubmission
    manifest: Manifest
    parts: tuple[Judged, ...]


@dataclass(frozen=True, slots=True)
class ReleasedFile:
    """A file that was let out: where it lies and what the source called it."""

    path: Path
    trailer: Trailer


@dataclass(frozen=True, slots=True)
class Opened:
    """What a submission holds: words, and files in a folder of the caller's."""

    submission: KnownSubmission
    messages: tuple[tuple[Trailer, str], ...]
    files: tuple[ReleasedFile, ...]


def known(desk: Desk) -> Cases:
    """Fold the case log into what is known."""
    return fold(signed.event for signed in desk.log.events())


def find(cases: Cases, untrusted: str) -> list[KnownSubmission]:
    """Find the submissions that a designation, or the start of an id, means.

    Raises:
        UnknownIdError: Nothing answers to it, or more than one collection or submission does.
    """
    named = [one for one in cases.submissions.values() if _is_prefix(untrusted, one.submission_id)]
    if len(named) == 1:
        return named
    return cases.of_collection(find_collection(cases, untrusted).collection_id)


def find_collection(cases: Cases, untrusted: str) -> KnownCollection:
    """Find the one collection that a designation or the start of an id means; errors as for `find`."""
    wanted = " ".join(untrusted.casefold().replace("-", " ").split())
    found = {
        one.collection_id
        for one in cases.collections.values()
        if one.designation.casefold().replace("-", " ") == wanted or _is_prefix(untrusted, one.collection_id)
    }
    if not found:
        raise UnknownIdError("no collection answers to this name; `list` shows them")
    if len(found) > 1:
        raise UnknownIdError("more than one collection answers to this name; take the id that `list` shows")
    return cases.collections[found.pop()]


def judge(submission: KnownSubmission, desk: Desk) -> Judgement:
    """Read every part of *submission* to its end, let nothing out, and hold all against the manifest.

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
    return Judgement(submission, manifest, judged)


def open_submission(judgement: Judgement, folder: Path, desk: Desk) -> Opened:
    """Let the contents of a judged submission out: messages to the caller, files into *folder*.

    Args:
        judgement: From `judge`.
        folder: Must not exist; is made private, best in memory. Beside the files, `names.json` holds what the
            source called them. On a failure it is destroyed.
        desk: Where it was judged; the opening is recorded in the case log.

    Raises:
        KeysError: A part changed since it was judged.
        OSError: *folder* exists, or there is no room.
    """
    with _new_folder(folder):
        wanted = [one for one in judgement.parts if one.trailer.kind == "file"]
        names = safe_names((one.part.part_id, one.trailer.name) for one in wanted)
        messages = [(one.trailer, _text(one, desk)) for one in judgement.parts if one.trailer.kind == "message"]
        files = [_release(one, folder / names[one.part.part_id], desk) for one in wanted]
        originals: dict[str, JSON] = {names[one.part.part_id]: one.trailer.name for one in wanted}
        write_whole(folder / "names.json", canonical_json(originals))
        desk.record(Kind.OPENED, _body(judgement))
    return Opened(judgement.submission, tuple(messages), tuple(files))


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
    expected = sorted(key.packet_algorithm for key in usable(keyset, submission.day))
    if any(sorted(one.verdict.algorithms) != expected for one in judged):
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


def _release(judged: Judged, path: Path, desk: Desk) -> ReleasedFile:
    partial = path.with_name(f".{judged.part.part_id}.part")
    with _new_file(partial) as sink:
        release(judged.path, judged.verdict, sink, desk.gpg, desk.passphrase)
    # Its own name is given only after the second verdict (Q2).
    sync_file(partial)
    partial.rename(path)
    sync_folder(path.parent)
    return ReleasedFile(path, judged.trailer)


@contextmanager
def _new_file(path: Path) -> Generator[BinaryIO]:
    try:
        with path.open("xb") as file:
            path.chmod(0o600)
            yield file
    except BaseException:
        destroy(path)
        raise


@contextmanager
def _new_folder(folder: Path) -> Generator[None]:
    folder.mkdir(mode=0o700)
    private_folder(folder)
    try:
        yield
    except (KeysError, OSError, ReadingError, KeyboardInterrupt):
        destroy(folder)
        raise


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


def _is_prefix(untrusted: str, identifier: str) -> bool:
    return len(untrusted) >= _SHORTEST_PREFIX and identifier.startswith(untrusted.casefold())
