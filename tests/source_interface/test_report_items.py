"""The documents of a report are sealed as a source's other things are, and the server cannot tell what was answered."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, replace

import pytest

from keys.manifest import FormVersion, parse_manifest
from keys.sealing import Sealed
from questionnaire.errors import AnswersPartError
from questionnaire.parting import report_parts
from questionnaire.parts import AnswersPart, parse_part
from source_interface.errors import QuotaError
from source_interface.parts import SourceLimits
from source_interface.uploads import Envelope, Item, Uploads, report_items
from tests.keyring import DAY
from tests.questionnaire.documents import ACCOUNT, HEADING, NOTES, heading
from tests.questionnaire.forms import small_form
from tests.source_interface.house import House
from vault.records import Submission, Usage

FORM = small_form()
MANIFEST_FORM = FormVersion(FORM.form_id, FORM.version, FORM.sha256)
EMPTY = report_parts(FORM, {}, heading(FORM))
FULL = report_parts(
    FORM,
    {
        "r1": "victim",
        "w1": ["yes", "no"],
        "t1": "2022-03~",
        "p1": {"country": "UA", "region": "UA-65"},
        "w2": "слово " * 5_000,
        "person": [{"v2": "yes", "v3": "Олена"}, {"v2": "no"}],
        "c1": "yes",
        "c2": "yes",
    },
    heading(FORM),
)


@dataclass(frozen=True, slots=True)
class Sender:
    """One source whose report is sealed without a browser in between."""

    house: House
    uploads: Uploads
    envelope: Envelope

    def send(self, *items: Item) -> tuple[Sealed, ...]:
        return asyncio.run(self.uploads.receive(_each(items), self.envelope, lambda: None))

    def send_report(self, documents: Sequence[AnswersPart]) -> Submission:
        before = {one.submission_id for one in self.house.submissions()}
        self.send(*report_items(documents))
        (submission,) = [one for one in self.house.submissions() if one.submission_id not in before]
        return submission


@pytest.fixture
def sender(house: House) -> Iterator[Sender]:
    uploads = Uploads(house.inbox, house.keyring.sealer, SourceLimits())
    envelope = Envelope(
        source=house.inbox.new_source(secrets.token_bytes(32), bytes(range(32))),
        recipients=house.keyring.recipients,
        keyset_day=DAY,
        language="uk",
        left_bytes=10**9,
        left_items=100,
        share=Usage(10**9, 100),
        form=MANIFEST_FORM,
    )
    yield Sender(house, uploads, envelope)
    uploads.close()


async def _each(items: Sequence[Item]) -> AsyncGenerator[Item]:
    for item in items:
        yield item


@pytest.mark.check("G12", "G13")
def test_a_report_in_which_nothing_was_answered_looks_like_a_full_one(sender: Sender) -> None:
    submissions = [sender.send_report(documents) for documents in (EMPTY, FULL)]

    rows = [sorted((part.kind, part.size_bytes) for part in one.parts) for one in submissions]
    files = [
        sorted(path.stat().st_size for path in (sender.house.root / "objects").glob(f"*/{one.submission_id}/*"))
        for one in submissions
    ]
    assert rows[0] == rows[1]
    assert files[0] == files[1]
    assert [kind for kind, _size in rows[0]] == ["manifest", "report", "report", "report", "report"]
    assert len(set(files[0])) == 1


@pytest.mark.parametrize("reviewer", [0, 1])
def test_each_reviewer_reads_what_was_answered(sender: Sender, reviewer: int) -> None:
    submission = sender.send_report(FULL)

    opened = {
        one.trailer.kind: one for one in (sender.house.opened(part.part_id, reviewer) for part in submission.parts)
    }
    manifest = parse_manifest(opened.pop("manifest").content)
    assert {kind: parse_part(one.content) for kind, one in opened.items()} == {one.part: one for one in FULL}
    assert {(one.trailer.name, one.trailer.media_type) for one in opened.values()} == {("", "application/json")}
    assert manifest.form == MANIFEST_FORM
    assert {part.part_id: part.kind for part in manifest.parts} == {
        one.trailer.part_id: one.trailer.kind for one in opened.values()
    }


def test_notes_and_messages_travel_with_a_report(sender: Sender) -> None:
    notes = replace(NOTES, heading=heading(FORM))

    sealed = sender.send(*report_items([*FULL, notes, notes]), Item("message", "", "text/plain", b"words"))

    (submission,) = sender.house.submissions()
    assert [one.kind for one in sealed] == ["account", "identity", "contact", "consents", "notes", "notes", "message"]
    assert sorted(part.kind for part in submission.parts) == ["manifest", "message", *["report"] * 6]


@pytest.mark.check("D10")
def test_documents_count_as_items_of_the_day(sender: Sender) -> None:
    poor = replace(sender, envelope=replace(sender.envelope, left_items=3))

    with pytest.raises(QuotaError):
        poor.send(*report_items(EMPTY))

    assert sender.house.nothing_kept()


def test_a_document_that_is_too_long_is_refused_before_anything_is_sealed() -> None:
    with pytest.raises(AnswersPartError):
        report_items([ACCOUNT, AnswersPart("contact", HEADING, {"n4": "x" * 1024 * 1024})])
