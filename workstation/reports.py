"""Join what a source has sent of one report: of each document the newest sending holds, whatever day it came on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
        number: Its place among the reports of its source that were joined, from 1: the one begun first comes first.
        count: How many these are.
        goes_on: The report before it; None if none was, or if nobody can tell.
    """

    collection_id: str
    report: str
    documents: tuple[SentDocument, ...]
    number: int
    count: int
    goes_on: str | None

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Name the parts of which there are two, in `ORDER`."""
        keys = [_key(one) for one in self.documents]
        return tuple(dict.fromkeys(part for part, about in keys if keys.count((part, about)) > 1))


def join(sent: Iterable[SentDocument]) -> tuple[Report, ...]:
    """Put the documents of each report together, and those of each source in the order in which she began them."""
    sources: dict[str, dict[str, list[SentDocument]]] = {}
    for one in sent:
        reports = sources.setdefault(one.submission.collection_id, {})
        reports.setdefault(one.document.heading.report, []).append(one)
    return tuple(report for collection_id, reports in sources.items() for report in _in_order(collection_id, reports))


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


def _in_order(collection_id: str, reports: Mapping[str, Sequence[SentDocument]]) -> Iterator[Report]:
    """Number the reports of one source by their first sendings: the documents say what came first, not the days."""
    # Permissions alone may have been changed long after their report was begun.
    begun = {name: min((one.seq for one in sent if _begins(one)), default=0) for name, sent in reports.items()}
    names = sorted(reports, key=lambda name: (not begun[name], begun[name], name))
    for number, name in enumerate(names, 1):
        earlier = [one for one in names if 0 < begun[one] < begun[name]]
        goes_on = earlier[-1] if earlier else None
        yield Report(collection_id, name, _holding(reports[name]), number, len(names), goes_on)


def _begins(one: SentDocument) -> bool:
    return one.document.part != "consents"


def _holding(sent: Iterable[SentDocument]) -> tuple[SentDocument, ...]:
    documents: dict[tuple[str, str | None], list[SentDocument]] = {}
    for one in sent:
        held = documents.setdefault(_key(one), [])
        if held and one.seq > held[0].seq:
            held.clear()
        if not held or (one.seq == held[0].seq and all(one.document != other.document for other in held)):
            held.append(one)
    return tuple(sorted((one for held in documents.values() for one in held), key=_place))


def _key(one: SentDocument) -> tuple[str, str | None]:
    return one.document.part, one.document.about


def _place(one: SentDocument) -> tuple[int, str, str]:
    return ORDER.index(one.document.part), one.document.about or "", one.submission.submission_id
