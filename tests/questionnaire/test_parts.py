"""A document of a report has one written form, and anything else is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardening.canonical import JSON
from questionnaire.errors import AnswersPartError
from questionnaire.parts import MOST_PART_BYTES, AnswersPart, FormName, Heading, format_part, parse_part
from tests.questionnaire.documents import ACCOUNT, HEADING, NOTES

VECTORS = Path(__file__).parents[1] / "vectors" / "report" / "documents.json"

_texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
_names = st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True)
_answer = (
    _texts
    | st.lists(_texts, min_size=1, max_size=4, unique=True)
    | st.fixed_dictionaries({"country": _texts}, optional={"region": _texts})
    | st.fixed_dictionaries({"words": _texts}, optional={"lat": _texts, "lon": _texts, "exact": _texts})
)
_people = st.lists(st.dictionaries(_names, _answer, max_size=3), min_size=1, max_size=3).filter(any)
_answers = st.dictionaries(_names, _answer | _people, max_size=5)
_headings = st.builds(
    Heading,
    form=st.builds(FormName, st.just("report"), st.sampled_from(["1", "2026.2-a"]), st.just("12" * 32)),
    language=st.sampled_from(["en", "uk", "ckb", "pt-BR"]),
    report=st.text("0123456789abcdef", min_size=32, max_size=32),
    seq=st.integers(1, 2**53 - 1),
    way=st.sampled_from(["report", "help"]),
    complete=st.booleans(),
)
_documents = st.builds(
    AnswersPart, st.sampled_from(["account", "identity", "contact", "consents"]), _headings, _answers
) | st.builds(AnswersPart, st.just("notes"), _headings, _answers, st.just("cd" * 16))


@settings(max_examples=150, deadline=None)
@given(_documents)
def test_what_is_written_is_read_back(document: AnswersPart) -> None:
    assert parse_part(format_part(document)) == document


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(format_part(NOTES)) - 1), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_means_something_else(place: int, byte: int) -> None:
    written = bytearray(format_part(NOTES))
    unchanged = written[place] == byte
    written[place] = byte

    try:
        found = parse_part(bytes(written))
    except AnswersPartError:
        return
    assert unchanged == (found == NOTES)


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_but_be_refused(untrusted: bytes) -> None:
    with pytest.raises(AnswersPartError):
        parse_part(untrusted)


def test_the_vectors_hold() -> None:
    vectors = json.loads(VECTORS.read_text("utf-8"))

    assert [parse_part(one.encode()).part for one in vectors["accepted"]] == [
        "account", "identity", "contact", "consents", "notes",
    ]  # fmt: skip
    for vector in vectors["accepted"]:
        assert format_part(parse_part(vector.encode())) == vector.encode()
    for why, vector in vectors["refused"].items():
        assert vector not in vectors["accepted"], why
        with pytest.raises(AnswersPartError):
            parse_part(vector.encode())


def test_a_document_has_a_mebibyte_and_not_a_byte_more() -> None:
    empty = len(format_part(replace(ACCOUNT, answers={"w2": "x"}))) - 1
    longest = replace(ACCOUNT, answers={"w2": "x" * (MOST_PART_BYTES - empty)})

    written = format_part(longest)

    assert len(written) == MOST_PART_BYTES
    assert parse_part(written) == longest
    with pytest.raises(AnswersPartError, match="at most"):
        format_part(replace(longest, answers={"w2": "x" * (MOST_PART_BYTES - empty + 1)}))
    with pytest.raises(AnswersPartError):
        parse_part(written.replace(b'"w2":"', b'"w2":"x'))


def test_half_a_surrogate_pair_is_no_answer() -> None:
    with pytest.raises(AnswersPartError, match="UTF-8"):
        format_part(replace(ACCOUNT, answers={"w2": "\ud800"}))


@pytest.mark.parametrize("answers", [{"w2": None}, {"w2": True}, {"w1": ["a", 1]}, {"w1": [["a"]]}, {"p1": {"lat": 1}}])
def test_no_such_answer_can_be_made(answers: dict[str, JSON]) -> None:
    with pytest.raises(AnswersPartError):
        replace(ACCOUNT, answers=answers)


def test_what_was_answered_is_not_shown_by_accident() -> None:
    assert "вокзалу" not in repr(ACCOUNT)


@pytest.mark.parametrize("seq", [0, -1, 2**53])
def test_sendings_are_counted_from_one(seq: int) -> None:
    with pytest.raises(AnswersPartError):
        replace(HEADING, seq=seq)
