"""A report is read joined from all that its source sent of it, in words where its form is here."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casework.events import Kind
from hardening.canonical import JSON
from keys.manifest import FormVersion
from keys.trailer import Kind as PartKind
from questionnaire.load import format_form, named, parse_form
from questionnaire.model import Form
from questionnaire.parting import consents_part, notes_part, report_parts
from questionnaire.parts import AnswersPart, format_part
from tests.drop import Drop, Item, Sent, Source, documents, file, words
from tests.keyring import Reviewer
from tests.questionnaire.documents import heading
from tests.workstation.conftest import Sit
from workstation.desk import Desk
from workstation.errors import FormUnknownError, LanguageUnknownError, ReadingError
from workstation.forms import known_form, learn_form
from workstation.intake import take_in
from workstation.reading import SHUT, Judgement, judge, open_all, told
from workstation.telling import ToldReport

ANSWERS: dict[str, JSON] = {
    "r1": "victim",
    "w1": ["yes"],
    "t1": "2022-03~",
    "p1": {"country": "UA", "region": "UA-65"},
    "w2": "Перший рядок\nдругий",
    "person": [{"v2": "yes", "v3": "Олена"}, {"v2": "no"}],
    "c2": "yes",
}

FIRST, SECOND = "ab" * 16, "ef" * 16


def report(drop: Drop, seq: int = 1, **changed: JSON) -> tuple[AnswersPart, ...]:
    return report_parts(drop.form, {**ANSWERS, **changed}, heading(drop.form, seq))


def consents(drop: Drop, seq: int, **answers: JSON) -> AnswersPart:
    return consents_part(drop.form, answers, heading(drop.form, seq))


def another(parts: Sequence[AnswersPart], name: str = SECOND) -> list[AnswersPart]:
    """The same in another report."""
    return [replace(one, heading=replace(one.heading, report=name)) for one in parts]


def send(drop: Drop, source: Source, parts: Sequence[AnswersPart]) -> Sent:
    return drop.send(source, *documents(parts))


def opened(
    desk: Desk, drop: Drop, sent: Sequence[Sent], folder: Path, shut: Sequence[PartKind] = SHUT
) -> tuple[ToldReport, ...]:
    return told(open_all(judged(desk, drop, sent), folder, desk, shut), desk)


def opened_in(language: str, desk: Desk, drop: Drop, sent: Sequence[Sent], folder: Path) -> tuple[ToldReport, ...]:
    return told(open_all(judged(desk, drop, sent), folder, desk, language=language), desk, language)


def judged(desk: Desk, drop: Drop, sent: Sequence[Sent]) -> list[Judgement]:
    take_in(drop.bag(*sent), desk)
    cases = desk.cases()
    return [judge(cases.submissions[one.submission], desk) for one in sent]


def answers(report: ToldReport, part: str) -> dict[str, str]:
    (document,) = (one for one in report.documents if one.sent.document.part == part)
    return {one.name: one.said for one in document.answers}


@pytest.fixture
def source(drop: Drop) -> Source:
    return drop.source()


def test_both_reviewers_read_it_and_first_what_may_be_done_with_it(
    sit: Sit, reviewers: tuple[Reviewer, Reviewer], drop: Drop, source: Source, tmp_path: Path
) -> None:
    sent = send(drop, source, report(drop))

    for reviewer in reviewers:
        (one,) = opened(sit(reviewer), drop, [sent], tmp_path / reviewer.name, shut=())

        assert [each.sent.document.part for each in one.documents] == ["consents", "contact", "account", "identity"]
        assert answers(one, "account")["w2"] == "Перший рядок\nдругий"
        assert answers(one, "identity") == {"person.1.v3": "Олена"}
        assert one.report.conflicts == ()


def test_a_later_sending_holds_document_by_document(desk: Desk, drop: Drop, source: Source, tmp_path: Path) -> None:
    """Also if it came on an earlier day, or first: the server could exchange these."""
    whole, changed = send(drop, source, report(drop)), send(drop, source, [consents(drop, 3, c2="no")])
    between = send(drop, source, report(drop, 2, w2="new words"))

    (one,) = opened(desk, drop, [changed, between, whole], tmp_path / "out")

    assert answers(one, "consents")["c2"] == "no"
    assert answers(one, "account")["w2"] == "new words"
    assert [each.sent.seq for each in one.documents] == [3, 2, 2]


def test_two_sendings_with_one_number_are_both_kept(desk: Desk, drop: Drop, source: Source, tmp_path: Path) -> None:
    twice = [send(drop, source, [consents(drop, 2, c2=answer)]) for answer in ("yes", "no", "no")]

    (one,) = opened(desk, drop, [send(drop, source, report(drop)), *twice], tmp_path / "out")

    assert one.report.conflicts == ("consents",)
    found = [each.sent.document.answers for each in one.documents if each.sent.document.part == "consents"]
    assert sorted(str(each["c2"]) for each in found) == ["no", "yes"]
    (facts,) = json.loads((tmp_path / "out" / "report.json").read_bytes())
    assert facts["conflicts"] == ["consents"]


def test_two_reports_stay_two(desk: Desk, drop: Drop, source: Source, tmp_path: Path) -> None:
    sent = [send(drop, source, report(drop)), send(drop, source, another(report(drop)))]

    found = opened(desk, drop, sent, tmp_path / "out")

    assert {one.report.report for one in found} == {FIRST, SECOND}
    assert all(one.report.conflicts == () for one in found)


def test_one_change_of_permissions_holds_for_every_report(
    desk: Desk, drop: Drop, source: Source, tmp_path: Path
) -> None:
    def of_the_other(parts: Sequence[AnswersPart]) -> list[AnswersPart]:
        return [replace(one, heading=replace(one.heading, report="cd" * 16)) for one in parts]

    first = send(drop, source, report(drop, c2="yes"))
    second = send(drop, source, of_the_other(report(drop, 2, c2="yes")))
    change = consents(drop, 3, c2="no")
    third = send(drop, source, [change, *of_the_other([change])])

    both = opened(desk, drop, [first, second, third], tmp_path / "out")

    assert [answers(one, "consents")["c2"] for one in both] == ["no", "no"]
    logged = desk.cases().consents_of(source.collection)
    assert [(one.seq, one.allows("c2")) for one in logged] == [(3, False), (3, False)]


def test_a_second_report_goes_on_with_the_first_and_replaces_nothing_of_it(
    desk: Desk, drop: Drop, source: Source, tmp_path: Path
) -> None:
    """Also if it came first, and if what she allows of the first was changed after it: the first sending says which."""
    late = send(drop, source, another(report(drop, 2, w2="then")))
    changed = send(drop, source, [consents(drop, 3, c2="no")])
    begun = send(drop, source, report(drop, 1, w2="before"))

    first, second = opened(desk, drop, [late, changed, begun], tmp_path / "out")

    assert [(one.report.report, one.report.goes_on) for one in (first, second)] == [(FIRST, None), (SECOND, FIRST)]
    assert [answers(one, "account")["w2"] for one in (first, second)] == ["before", "then"]
    assert [answers(one, "consents")["c2"] for one in (first, second)] == ["no", "yes"]
    assert first.report.conflicts == second.report.conflicts == ()
    written = json.loads((tmp_path / "out" / "report.json").read_bytes())
    assert [(one["number"], one["count"], one["goes_on"]) for one in written] == [(1, 2, None), (2, 2, FIRST)]


def test_of_two_reports_with_one_number_none_is_said_to_be_the_first(
    desk: Desk, drop: Drop, source: Source, tmp_path: Path
) -> None:
    both = [send(drop, source, another(report(drop))), send(drop, source, report(drop))]
    third = send(drop, source, another(report(drop, 2), "01" * 16))

    found = opened(desk, drop, [*both, third], tmp_path / "out")

    assert [(one.report.report, one.report.goes_on) for one in found] == [
        (FIRST, None), (SECOND, None), ("01" * 16, SECOND),
    ]  # fmt: skip


def test_permissions_alone_say_nothing_of_when_their_report_was_begun(
    desk: Desk, drop: Drop, source: Source, tmp_path: Path
) -> None:
    late = send(drop, source, another(report(drop, 2)))
    changed = send(drop, source, [consents(drop, 3, c2="no")])

    found = opened(desk, drop, [changed, late], tmp_path / "out")

    assert [(one.report.report, one.report.goes_on) for one in found] == [(SECOND, None), (FIRST, None)]


def test_a_report_of_another_source_goes_on_with_none(desk: Desk, drop: Drop, source: Source, tmp_path: Path) -> None:
    other = send(drop, drop.source("slow linden"), another(report(drop, 2)))

    found = opened(desk, drop, [send(drop, source, report(drop)), other], tmp_path / "out")

    assert [(one.report.number, one.report.count, one.report.goes_on) for one in found] == [(1, 1, None)] * 2


def test_who_the_source_is_stays_sealed_until_it_is_asked_for(
    desk: Desk, drop: Drop, source: Source, tmp_path: Path
) -> None:
    sent = send(drop, source, report(drop))
    identity = next(part.sealed.part_id for part in sent.parts if part.sealed.kind == "identity")

    (shut,) = opened(desk, drop, [sent], tmp_path / "shut")
    (whole,) = opened(desk, drop, [sent], tmp_path / "whole", shut=())

    assert "identity" not in {one.sent.document.part for one in shut.documents}
    assert not (tmp_path / "shut" / "identity.json").exists()
    for folder in ("shut", "whole"):
        assert "Олена" not in (tmp_path / folder / "report.json").read_text()
    assert "Олена" in (tmp_path / "whole" / "identity.json").read_text()
    assert answers(whole, "identity") == {"person.1.v3": "Олена"}
    events = [one.event.body for one in desk.log.events() if one.event.kind == Kind.OPENED]
    recorded = [{str(part["id"]) for part in _parts(body)} for body in events]
    assert [identity in each for each in recorded] == [False, True]
    assert [len(each) for each in recorded] == [4, 5]


def _parts(body: dict[str, JSON]) -> list[dict[str, JSON]]:
    parts = body["parts"]
    assert isinstance(parts, list)
    return [part for part in parts if isinstance(part, dict)]


def test_what_is_allowed_stands_in_the_log_from_then_on(desk: Desk, drop: Drop, source: Source, tmp_path: Path) -> None:
    opened(desk, drop, [send(drop, source, report(drop))], tmp_path / "first")
    (before,) = desk.cases().consents_of(source.collection)
    opened(desk, drop, [send(drop, source, [consents(drop, 2)])], tmp_path / "second")
    (after,) = desk.cases().consents_of(source.collection)

    assert (before.seq, before.allows("c2"), before.form) == (1, True, drop.form.sha256)
    assert (after.seq, after.allows("c2")) == (2, False)
    assert desk.verify_log().events == 7


def test_notes_name_the_file_that_they_are_about(desk: Desk, drop: Drop, source: Source, tmp_path: Path) -> None:
    photo = drop.send(source, file("фото.jpg", b"\xff\xd8"))
    about = [photo.parts[0].sealed.part_id, "9" * 32]
    notes = [notes_part(drop.form, {"e3": "yes"}, heading(drop.form), one) for one in about]

    (one,) = opened(desk, drop, [photo, send(drop, source, [*report(drop), *notes])], tmp_path / "out")

    files = {each.sent.document.about: each.file for each in one.documents if each.sent.document.part == "notes"}
    assert files == {about[0]: "фото.jpg", about[1]: ""}


def test_without_its_form_a_report_is_names_and_codes(desk: Desk, drop: Drop, source: Source, tmp_path: Path) -> None:
    (one,) = opened(desk, drop, [send(drop, source, report(drop))], tmp_path / "out")

    assert {each.told_in for each in one.documents} == {None}
    assert answers(one, "consents") == {"c2": "yes"}
    account = next(each for each in one.documents if each.sent.document.part == "account")
    assert {each.question for each in account.answers} == {""}
    assert answers(one, "account") == {
        "p1": "country UA, region UA-65",
        "person.1.v2": "yes",
        "person.2.v2": "no",
        "r1": "victim",
        "t1": "2022-03~",
        "w1": "yes",
        "w2": "Перший рядок\nдругий",
    }


def test_with_its_form_it_is_read_as_it_was_asked(desk: Desk, drop: Drop, source: Source, tmp_path: Path) -> None:
    learn_form(format_form(drop.form), desk.layout)

    (one,) = opened(desk, drop, [send(drop, source, report(drop, c1="yes", zz="lost?"))], tmp_path / "out")

    consents, _contact, account = one.documents
    assert {each.told_in for each in one.documents} == {"en"}
    assert [(each.name, each.question, each.said) for each in consents.answers] == [
        ("c1", "Read this once, then destroy it", "yes"),
        ("c2", "May we write?", "Yes"),
    ]
    assert [(each.name, each.question, each.said) for each in account.answers] == [
        ("r1", "r1", "It happened to me"),
        ("w1", "Acts", "Yes"),
        ("t1", "When", "about March 2022 (2022-03~)"),
        ("p1", "Where", "Ukraine, Khersonska oblast (UA, UA-65)"),
        ("w2", "Words", "Перший рядок\nдругий"),
        ("person.1.v2", "A person 1: Known", "Yes"),
        ("person.2.v2", "A person 2: Known", "No"),
    ]


def test_a_reviewer_chooses_the_language_of_a_report(desk: Desk, drop: Drop, source: Source, tmp_path: Path) -> None:
    learn_form(format_form(drop.form), desk.layout)
    point: JSON = {"words": "біля вокзалу", "lat": "46.6354", "lon": "32.6169", "exact": "km"}

    (one,) = opened_in("uk", desk, drop, [send(drop, source, report(drop, p3=point))], tmp_path / "out")

    consents, _contact, account = one.documents
    assert {each.told_in for each in one.documents} == {"uk"}
    assert [(each.question, each.said) for each in (*consents.answers, *account.answers)] == [
        ("May we write? українською", "Так"),
        ("r1 українською", "Це сталося зі мною"),
        ("Acts українською", "Так"),
        ("When українською", "приблизно березень 2022 (2022-03~)"),
        ("Where українською", "Україна, Херсонська область (UA, UA-65)"),
        ("Place українською", "lat 46.6354, lon 32.6169, У межах приблизно 1 км (km)\nбіля вокзалу"),
        ("Words українською", "Перший рядок\nдругий"),
        ("A person українською 1: Known українською", "Так"),
        ("A person українською 2: Known українською", "Ні"),
    ]
    (facts,) = json.loads((tmp_path / "out" / "report.json").read_bytes())
    where = facts["documents"][2]["answers"][3]
    assert where["answer"] == {"country": "UA", "region": "UA-65"}
    assert where["said"] == "Україна, Херсонська область (UA, UA-65)"
    assert facts["documents"][2]["told_in"] == "uk"


def test_a_form_without_the_language_is_told_in_its_first(
    desk: Desk, drop: Drop, source: Source, tmp_path: Path
) -> None:
    """Sources answered the older version of a form before it had that language."""
    older = send(drop, source, report(drop))
    learn_form(format_form(drop.form), desk.layout)
    drop.form = named(replace(drop.form, version="2", languages=("en", "uk", "fr")))
    learn_form(format_form(drop.form), desk.layout)
    newer = send(drop, source, another(report(drop, 2)))

    found = opened_in("fr", desk, drop, [older, newer], tmp_path / "out")

    assert [{each.told_in for each in one.documents} for one in found] == [{"en"}, {"fr"}]
    assert [answers(one, "account")["t1"] for one in found] == [
        "about March 2022 (2022-03~)",
        "vers mars 2022 (2022-03~)",
    ]


def test_a_language_that_no_form_has_is_refused_before_anything_is_let_out(
    desk: Desk, drop: Drop, source: Source, tmp_path: Path
) -> None:
    sent = send(drop, source, report(drop))
    (unknown,) = opened_in("xx", desk, drop, [sent], tmp_path / "unknown")
    learn_form(format_form(drop.form), desk.layout)
    before = [one.event.kind for one in desk.log.events()]

    for language in ("fr", "UK", ""):
        with pytest.raises(LanguageUnknownError, match=r"^this can be told in en, uk, and in no other language$"):
            opened_in(language, desk, drop, [sent], tmp_path / "out")

    assert {each.told_in for each in unknown.documents} == {None}
    assert not (tmp_path / "out").exists()
    assert [one.event.kind for one in desk.log.events()] == before


def test_a_permission_that_was_not_given_is_said(desk: Desk, drop: Drop, source: Source, tmp_path: Path) -> None:
    learn_form(format_form(drop.form), desk.layout)

    (one,) = opened(desk, drop, [send(drop, source, [consents(drop, 1)])], tmp_path / "out")

    assert answers(one, "consents") == {"c2": "not answered, which means no"}


def test_an_answer_that_the_form_does_not_know_is_not_lost(
    desk: Desk, drop: Drop, source: Source, tmp_path: Path
) -> None:
    learn_form(format_form(drop.form), desk.layout)
    strange = AnswersPart("account", heading(drop.form), {"zz": "words", "w1": ["other"], "person": [{"v9": "x"}]})

    (one,) = opened(desk, drop, [send(drop, source, [strange])], tmp_path / "out")

    assert answers(one, "account") == {"w1": "other", "person.1.v9": "x", "zz": "words"}


def test_whoever_it_happened_to_is_read_as_she_was_asked(
    desk: Desk, drop: Drop, source: Source, tmp_path: Path
) -> None:
    drop.form = _with_self_label(drop.form)
    learn_form(format_form(drop.form), desk.layout)

    (one,) = opened(desk, drop, [send(drop, source, report(drop, r1="victim"))], tmp_path / "victim")
    other = send(drop, drop.source("slow linden"), report(drop, r1="witness"))
    (two,) = opened(desk, drop, [other], tmp_path / "witness")

    assert [_question(each, "w2") for each in (one, two)] == ["What happened to you", "Words"]


def _question(report: ToldReport, name: str) -> str:
    return next(one.question for each in report.documents for one in each.answers if one.name == name)


def _with_self_label(form: Form) -> Form:
    written = format_form(form).decode()
    own = '"name":"w2","part":"account","relevant":"","self_label":'
    assert written.count(own + "{}") == 1
    return parse_form(written.replace(own + "{}", own + '{"en":"What happened to you"}').encode())


def test_a_form_is_found_by_its_hash_alone(desk: Desk, drop: Drop) -> None:
    written = format_form(drop.form)

    assert learn_form(written, desk.layout) == learn_form(written, desk.layout) == drop.form
    assert known_form(drop.form.sha256, desk.layout) == drop.form
    assert known_form("0" * 64, desk.layout) is None
    for wrong in (written.replace(b"May we write?", b"May we talk?"), written[:-1], b""):
        (desk.layout.forms / f"{drop.form.sha256}.json").write_bytes(wrong)
        assert known_form(drop.form.sha256, desk.layout) is None
    with pytest.raises(FormUnknownError):
        learn_form(written + b"\n", desk.layout)


Spoil = Callable[[Drop, Source], Sent]


def _sealed_as_another(drop: Drop, source: Source) -> Sent:
    return drop.send(source, Item("contact", format_part(report(drop)[0])))


def _of_another_form(drop: Drop, source: Source) -> Sent:
    sealed = [drop.seal(one) for one in documents(report(drop))]
    manifest = replace(drop.manifest(source, sealed), form=FormVersion("small", "2", drop.form.sha256))
    return replace(drop.send(source, words("x")), parts=(*sealed, drop.seal_manifest(manifest)))


def _of_two_sendings(drop: Drop, source: Source) -> Sent:
    return send(drop, source, [report(drop, 1)[0], report(drop, 2)[3]])


def _of_two_reports(drop: Drop, source: Source) -> Sent:
    other = [replace(one, heading=replace(one.heading, report="cd" * 16)) for one in report(drop)]
    return send(drop, source, [report(drop)[0], other[3]])


def _that_allow_twice(drop: Drop, source: Source) -> Sent:
    return send(drop, source, [consents(drop, 2, c2="yes"), consents(drop, 2, c2="no")])


def _that_allow_in_two_sendings(drop: Drop, source: Source) -> Sent:
    other = consents(drop, 3, c2="no")
    other = replace(other, heading=replace(other.heading, report="cd" * 16))
    return send(drop, source, [consents(drop, 2, c2="no"), other])


def _that_is_none(drop: Drop, source: Source) -> Sent:
    return drop.send(source, Item("account", b"{}"))


def _that_is_huge(drop: Drop, source: Source) -> Sent:
    return drop.send(source, Item("account", b" " * (1024 * 1024 + 1)))


def _with_one_left_out(drop: Drop, source: Source) -> Sent:
    sent = send(drop, source, report(drop))
    return replace(sent, parts=sent.parts[1:])


@pytest.mark.check("R6")
@pytest.mark.parametrize(
    "spoil",
    [
        _sealed_as_another,
        _of_another_form,
        _of_two_sendings,
        _of_two_reports,
        _that_allow_twice,
        _that_allow_in_two_sendings,
        _that_is_none,
        _that_is_huge,
        _with_one_left_out,
    ],
)
def test_what_does_not_belong_together_is_not_let_out(
    desk: Desk, drop: Drop, source: Source, tmp_path: Path, spoil: Spoil
) -> None:
    with pytest.raises(ReadingError):
        opened(desk, drop, [spoil(drop, source)], tmp_path / "out", shut=())

    assert not (tmp_path / "out").exists()
    assert {one.event.kind for one in desk.log.events()} == {Kind.KEYSET, Kind.IMPORTED}


@pytest.mark.parametrize(
    ("kind", "lie"), [("account", "message"), ("account", "account"), ("message", "report"), ("file", "message")]
)
def test_a_server_that_calls_a_part_otherwise_is_told(
    desk: Desk, drop: Drop, source: Source, kind: PartKind, lie: str
) -> None:
    item = documents(report(drop))[0] if kind == "account" else Item(kind, b"x")
    sent = drop.send(source, item)
    index = drop.index(sent)
    (collection,) = index.collections
    (submission,) = collection.submissions
    parts = tuple(replace(one, kind=lie) if one.kind != "manifest" else one for one in submission.parts)
    lying = replace(collection, submissions=(replace(submission, parts=parts),))
    take_in(drop.written(replace(index, collections=(lying,)), drop.promises(sent), sent), desk)

    judgement = judge(desk.cases().submissions[sent.submission], desk)

    assert [problem for problem in judgement.problems if f"it is no {lie}" in problem] == list(judgement.problems)
    assert len(judgement.problems) == 1


def test_the_written_report_does_nothing_to_a_terminal(desk: Desk, drop: Drop, source: Source, tmp_path: Path) -> None:
    hostile = "\x1b[2J\u202egpj.exe \u200f"
    opened(desk, drop, [send(drop, source, report(drop, w2=hostile))], tmp_path / "out")

    written = (tmp_path / "out" / "report.json").read_text()
    facts: Any = json.loads(written)

    assert not {"\x1b", "\u202e", "\u200f"} & set(written)
    account = facts[0]["documents"][2]
    assert {one["name"]: one["answer"] for one in account["answers"]}["w2"] == hostile
