"""Join what a source has sent of one report: of each document the newest sending holds, whatever day it came on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from casework.views import KnownSubmission
from hardening.canonical import JSON
from keys.manifest import Manifest
from questionnaire.parts import AnswersPart
from workstation.errors import ReadingError

ORDER = ("consents", "contact", "account", "identity", "notes")
"""In which documents are read: first of all, what may be done with them."""


@dataclass(frozen=True, slots=True)
class SentDocument:
    """A document of a report as it came."""

    submission: KnownSubmission
    part_id: str
    document: AnswersPart

    @property
    def seq(self) -> int:
        """The number of its sending."""
        return self.document.heading.seq


@dataclass(frozen=True, slots=True)
class Report:
    """What holds of one report.

    Attributes:
        documents: In `ORDER`. There are two of the same only if the source, or somebody who can seal in her place, gave
            two sendings one number: then nobody can tell which holds.
    """

    collection_id: str
    report: str
    documents: tuple[SentDocument, ...]

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Name the parts of which there are two, in `ORDER`."""
        keys = [_key(one) for one in self.documents]
        return tuple(dict.fromkeys(part for part, about in keys if keys.count((part, about)) > 1))


def join(sent: Iterable[SentDocument]) -> tuple[Report, ...]:
    """Put the documents of each report together."""
    reports: dict[tuple[str, str], dict[tuple[str, str | None], list[SentDocument]]] = {}
    for one in sent:
        report = reports.setdefault((one.submission.collection_id, one.document.heading.report), {})
        held = report.setdefault(_key(one), [])
        if held and one.seq > held[0].seq:
            held.clear()
        if not held or (one.seq == held[0].seq and all(one.document != other.document for other in held)):
            held.append(one)
    return tuple(
        Report(collection_id, name, tuple(sorted((one for held in report.values() for one in held), key=_place)))
        for (collection_id, name), report in reports.items()
    )


def refuse_discord(sent: Sequence[SentDocument], manifest: Manifest) -> None:
    """Refuse documents of one submission that do not belong together.

    Raises:
        ReadingError: They do not agree with each other, or with the manifest.
    """
    headings = {one.document.heading for one in sent}
    if all(one.document.part == "consents" for one in sent):
        # A change of what she allows has one for each of her reports (docs/specs/report.md, 7).
        if len({one.report for one in headings}) < len(sent):
            raise ReadingError("the permissions of one report stand twice in this sending")
        headings = {replace(one, report="0" * 32) for one in headings}
    if len(headings) > 1:
        raise ReadingError("the documents of this report do not belong to one sending")
    for heading in headings:
        form = manifest.form
        named = (heading.form.form_id, heading.form.version, heading.form.sha256)
        if form is None or named != (form.form_id, form.version, form.sha256):
            raise ReadingError("the documents of this report name another form than its manifest")


def consents_body(one: SentDocument) -> dict[str, JSON]:
    """Say in an event what a source allows."""
    heading = one.document.heading
    return {
        "collection": one.submission.collection_id,
        "submission": one.submission.submission_id,
        "part": one.part_id,
        "report": heading.report,
        "seq": heading.seq,
        "form": {"id": heading.form.form_id, "version": heading.form.version, "sha256": heading.form.sha256},
        "answers": dict(one.document.answers),
    }


def _key(one: SentDocument) -> tuple[str, str | None]:
    return one.document.part, one.document.about


def _place(one: SentDocument) -> tuple[int, str, str]:
    return ORDER.index(one.document.part), one.document.about or "", one.submission.submission_id
