"""One sealed document of a report: some of its answers, and which form and which sending they belong to.

What an answer means is said by the form alone, which is not needed to read this. docs/specs/report.md is the
specification.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, TypeGuard

from hardening.canonical import JSON, MAX_INTEGER, JsonError, Writable, canonical_json, strict_json
from questionnaire.answers import Answers
from questionnaire.errors import AnswersPartError
from questionnaire.model import PARTS, Part
from questionnaire.reading import POINT_CONTROLS, REGION_CONTROLS

MOST_PART_BYTES: Final = 1024 * 1024

Way: TypeAlias = Literal["report", "help"]
"""The door that the source came through."""

_TYPE: Final = "svidok answers"
_VERSION: Final = 1
_ID: Final = re.compile(r"[0-9a-f]{32}\Z")
_HASH: Final = re.compile(r"[0-9a-f]{64}\Z")
_FORM: Final = re.compile(r"[0-9A-Za-z._-]{1,64}\Z")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})?\Z")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")
_PLACES: Final = (frozenset(REGION_CONTROLS), frozenset(POINT_CONTROLS))


@dataclass(frozen=True, slots=True)
class FormName:
    """The form that was answered, by its name, its version and the SHA-256 of its canonical JSON."""

    form_id: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What all documents of one sending have in common.

    Attributes:
        language: Of the pages that the source used, as an IETF tag.
        report: 32 hexadecimal digits, drawn once a report.
        seq: From 1; of two sendings of a report the one with the greater number holds.
        complete: False if the source went on, or stopped, before the end of the form.
    """

    form: FormName
    language: str
    report: str
    seq: int
    way: Way
    complete: bool

    def __post_init__(self) -> None:
        rules = {
            "a form has a name, a version and a hash": (
                _FORM.match(self.form.form_id) and _FORM.match(self.form.version) and _HASH.match(self.form.sha256)
            ),
            "a language is written as an IETF tag": _LANGUAGE.match(self.language),
            "a report is named by 32 hexadecimal digits": _ID.match(self.report),
            "sendings are counted from 1": 1 <= self.seq <= MAX_INTEGER,
        }
        for rule, kept in rules.items():
            if not kept:
                raise AnswersPartError(rule)


@dataclass(frozen=True, slots=True)
class AnswersPart:
    """One document.

    Attributes:
        answers: By the names of their questions; what was left out is not there.
        about: The part id of the file that notes are about; None in every other document.
    """

    part: Part
    heading: Heading
    answers: Answers = field(repr=False)
    about: str | None = None

    def __post_init__(self) -> None:
        if (self.part == "notes") != (self.about is not None) or (self.about and _ID.match(self.about) is None):
            raise AnswersPartError("notes, and nothing else, are about a part with an id of 32 hexadecimal digits")
        _refuse_answers(self.answers)


def format_part(document: AnswersPart) -> bytes:
    """Write *document* in its one form.

    Raises:
        AnswersPartError: It is longer than any document, or holds half a surrogate pair.
    """
    heading, form = document.heading, document.heading.form
    written: dict[str, Writable] = {
        "type": _TYPE,
        "v": _VERSION,
        "part": document.part,
        "form": {"id": form.form_id, "version": form.version, "sha256": form.sha256},
        "language": heading.language,
        "report": heading.report,
        "seq": heading.seq,
        "way": heading.way,
        "complete": heading.complete,
        "answers": document.answers,
    }
    if document.about is not None:
        written["about"] = document.about
    try:
        whole = canonical_json(written)
    except JsonError as error:
        raise AnswersPartError("an answer is text that can be written as UTF-8") from error
    if len(whole) > MOST_PART_BYTES:
        raise AnswersPartError(f"a document of a report has at most {MOST_PART_BYTES} bytes, not {len(whole)}")
    return whole


def parse_part(untrusted: bytes) -> AnswersPart:
    """Read a document in its one form.

    Raises:
        AnswersPartError: It is anything else, even by one byte.
    """
    try:
        value = strict_json(untrusted, MOST_PART_BYTES, canonical=True)
    except JsonError as error:
        raise AnswersPartError("a document of a report must be canonical JSON") from error
    members = value if isinstance(value, dict) else {}
    match members:
        case {"part": str(part), "answers": dict(answers)} if _is_part(part):
            document = AnswersPart(part, _heading(members), answers, _about(members))
        case _:
            raise AnswersPartError("a document of a report lacks a member, or has one of the wrong type")
    # Also refuses another version, and members that we do not know.
    if format_part(document) != untrusted:
        raise AnswersPartError("a document of a report must hold the members of version 1 and no others")
    return document


def _heading(members: dict[str, JSON]) -> Heading:
    match members:
        case {
            "form": {"id": str(form_id), "version": str(version), "sha256": str(sha256)},
            "language": str(language),
            "report": str(report),
            "seq": int(seq),
            "way": "report" | "help" as way,
            "complete": bool(complete),
        } if not isinstance(seq, bool):
            form = FormName(form_id, version, sha256)
            return Heading(form=form, language=language, report=report, seq=seq, way=way, complete=complete)
        case _:
            raise AnswersPartError("a document of a report lacks a member, or has one of the wrong type")


def _about(members: dict[str, JSON]) -> str | None:
    about = members.get("about")
    if about is not None and not isinstance(about, str):
        raise AnswersPartError("notes are about a part, named by its id")
    return about


def _is_part(untrusted: str) -> TypeGuard[Part]:
    return untrusted in PARTS


def _refuse_answers(untrusted: Answers) -> None:
    """Refuse what no form can have asked for."""
    for value in untrusted.values():
        people = _people(value)
        given = [each for one in people for each in one.values()] if people else [value]
        if not given or not all(_is_answer(each) for each in given):
            raise AnswersPartError("an answer is a text, codes, a place or a list of people, and never empty")
        for one in people:
            _refuse_names(one)
    _refuse_names(untrusted)


def _refuse_names(untrusted: Answers) -> None:
    if any(_NAME.match(name) is None for name in untrusted):
        raise AnswersPartError("an answer stands under its question's name")


def _people(untrusted: JSON) -> list[dict[str, JSON]]:
    """Give what was answered of each person in turn; nothing if this is another answer."""
    told = untrusted if isinstance(untrusted, list) else []
    people = [one for one in told if isinstance(one, dict)]
    return people if len(people) == len(told) else []


def _is_answer(untrusted: JSON) -> bool:
    match untrusted:
        case str():
            return bool(untrusted)
        case list():
            return _are_texts(untrusted) and len({str(one) for one in untrusted}) == len(untrusted)
        case dict():
            return any(untrusted.keys() <= place for place in _PLACES) and _are_texts(list(untrusted.values()))
        case _:
            return False


def _are_texts(untrusted: Sequence[JSON]) -> bool:
    return bool(untrusted) and all(isinstance(one, str) and one for one in untrusted)
