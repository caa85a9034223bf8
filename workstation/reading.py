"""Open a submission: every part is judged whole before any of it is let out, and all must agree with the manifest."""

import io
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bags.index import NO_KEY
from casework.events import Kind
from casework.views import KnownPart, KnownSubmission
from hardening.canonical import JSON
from hardening.files import sync_file, sync_folder, write_whole
from keys.manifest import MOST_MANIFEST_BYTES, Manifest, parse_manifest
from keys.opening import Verdict, inspect, release
from keys.trailer import REPORT_KINDS, Trailer, outside_kind
from keys.trailer import Kind as PartKind
from questionnaire.errors import AnswersPartError
from questionnaire.parts import MOST_PART_BYTES, parse_part
from workstation.desk import Desk
from workstation.errors import ReadingError
from workstation.names import escaped_json, safe_names
from workstation.recipients import possible
from workstation.release import releasing
from workstation.reports import SentDocument, consents_body, refuse_discord
from workstation.telling import IDENTITY, REPORT, ToldReport, refuse_language, tell, write_reports

NAMES = "names.json"
SHUT: tuple[PartKind, ...] = ("identity",)
"""What stays sealed unless it is asked for: who a source is has nothing to do with what she tells."""

# A message has at most a million characters of four bytes; more is no message.
_MOST_MESSAGE_BYTES = 4 * 1024 * 1024


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
    """What a submission holds: words, documents of a report, and files in *folder*."""

    submission: KnownSubmission
    problems: tuple[str, ...]
    folder: Path
    messages: tuple[tuple[Trailer, str], ...]
    files: tuple[ReleasedFile, ...]
    documents: tuple[SentDocument, ...]


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
    problems = (*submission.problems, *_misnamed(judged), *_problems(manifest, submission, desk))
    return Judgement(submission, manifest, judged, problems)


def open_submission(judgement: Judgement, folder: Path, desk: Desk, shut: Collection[PartKind] = SHUT) -> Opened:
    """Let the contents of a judged submission out: messages to the caller, files into *folder*.

    Args:
        judgement: From `judge`.
        folder: Must not exist; is made private, best in memory. Beside the files, `names.json` holds what the
            source called them. It appears when all is in it; a failure leaves nothing.
        desk: Where it was judged; the opening is recorded in the case log.
        shut: Parts of these kinds are not let out.

    Raises:
        ReadingError: A message is larger than any, or a document is not one of this report.
        KeysError: A part changed since it was judged.
        OSError: *folder* exists, or there is no room.
    """
    with releasing(folder) as partial:
        opened = _let_out(_without(judgement, shut), partial, folder, desk)
        write_reports(told([opened], desk), partial)
        return opened


def open_all(
    judgements: Sequence[Judgement],
    folder: Path,
    desk: Desk,
    shut: Collection[PartKind] = SHUT,
    language: str | None = None,
) -> tuple[Opened, ...]:
    """Let several submissions out, each into a folder of its own within *folder*; all or none, as above.

    Raises:
        LanguageUnknownError: *language*, in which reports are told, is none of their forms'.
    """
    refuse_language(language, [one.manifest.form.sha256 for one in judgements if one.manifest.form], desk.layout)
    with releasing(folder) as partial:
        opened: list[Opened] = []
        for judgement in judgements:
            name = judgement.submission.submission_id
            (partial / name).mkdir(mode=0o700)
            opened.append(_let_out(_without(judgement, shut), partial / name, folder / name, desk))
        write_reports(told(opened, desk, language), partial)
        return tuple(opened)


def told(opened: Sequence[Opened], desk: Desk, language: str | None = None) -> tuple[ToldReport, ...]:
    """Join what was let out of reports, and put it into words of *language*, or of each form's first."""
    files = {file.trailer.part_id: file.path.name for one in opened for file in one.files}
    return tell([document for one in opened for document in one.documents], files, desk.layout, language)


def _let_out(judgement: Judgement, partial: Path, final: Path, desk: Desk) -> Opened:
    """Fill *partial*, which will be *final*."""
    wanted = [one for one in judgement.parts if one.trailer.kind == "file"]
    names = safe_names(((one.part.part_id, one.trailer.name) for one in wanted), reserved=(NAMES, REPORT, IDENTITY))
    messages = [(one.trailer, _text(one, desk)) for one in judgement.parts if one.trailer.kind == "message"]
    documents = tuple(_document(one, judgement.submission, desk) for one in judgement.parts if _is_document(one))
    refuse_discord(documents, judgement.manifest)
    for one in wanted:
        _release(one, partial / names[one.part.part_id], desk)
    write_whole(partial / NAMES, escaped_json({names[one.part.part_id]: one.trailer.name for one in wanted}))
    # Before it can be seen: what was read without a record would be worse than a record of what was not read.
    permissions = [consents_body(one) for one in documents if one.document.part == "consents"]
    desk.record_all([(Kind.OPENED, _body(judgement)), *((Kind.CONSENTS, body) for body in permissions)])
    files = tuple(ReleasedFile(final / names[one.part.part_id], one.trailer) for one in wanted)
    return Opened(judgement.submission, judgement.problems, final, tuple(messages), files, documents)


def _without(judgement: Judgement, shut: Collection[PartKind]) -> Judgement:
    return replace(judgement, parts=tuple(one for one in judgement.parts if one.trailer.kind not in shut))


def _is_document(judged: Judged) -> bool:
    return judged.trailer.kind in REPORT_KINDS


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


def _document(judged: Judged, submission: KnownSubmission, desk: Desk) -> SentDocument:
    if judged.trailer.length > MOST_PART_BYTES:
        raise ReadingError("a document of a report is larger than any")
    try:
        document = parse_part(_content(judged, desk))
    except AnswersPartError as error:
        raise ReadingError(f"part {judged.part.part_id} is no document of a report: {error}") from error
    if document.part != judged.trailer.kind:
        raise ReadingError(f"part {judged.part.part_id} is sealed as another document of a report than it is")
    return SentDocument(submission, judged.part.part_id, document)


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


def _misnamed(judged: Sequence[Judged]) -> tuple[str, ...]:
    return tuple(
        f"the server calls part {one.part.part_id} otherwise than the source does: it is no {one.part.kind}"
        for one in judged
        if one.part.kind != outside_kind(one.trailer.kind)
    )


def _problems(manifest: Manifest, submission: KnownSubmission, desk: Desk) -> tuple[str, ...]:
    told = submission.source_key
    if told == NO_KEY:
        # She has closed her inbox; what came before that still says whose it is.
        told = desk.cases().collections[submission.collection_id].source_key
    if told in (manifest.source_key, NO_KEY):
        return ()
    return ("the server names another key for this source than she does herself: it may be filed under the wrong one",)
