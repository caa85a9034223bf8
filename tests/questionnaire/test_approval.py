"""An approval has one written form, names two people at least, and holds for exactly what they have read."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardening.canonical import canonical_json
from questionnaire.approval import (
    MOST_APPROVAL_BYTES,
    Approval,
    ApprovedForm,
    Catalogue,
    Reader,
    Role,
    parse_approval,
    role_named,
)
from questionnaire.errors import ApprovalError

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "approval" / "approvals.json").read_text("utf-8"))
DAY = date(2026, 3, 4)
WORDS = Catalogue("uk", "0f" * 32)
FORM = ApprovedForm("ar", "1e" * 32, "report", "1")
NATIVE, SURVIVOR = Reader("Олена", "native", DAY), Reader("Kestrel", "survivor", DAY)
READ = Approval(WORDS, (NATIVE, SURVIVOR))

_HASHES = st.text("0123456789abcdef", min_size=64, max_size=64)
_CODES = st.from_regex(r"[a-z]{2,3}", fullmatch=True)
_NAMES = st.from_regex(r"[0-9A-Za-z._-]{1,64}", fullmatch=True)
_ROLES: st.SearchStrategy[Role] = st.sampled_from(["native", "survivor", "lawyer", "doctor", "expert"])
_READERS = st.builds(Reader, st.from_regex(r"[A-Za-z]{1,80}", fullmatch=True), _ROLES, st.dates())
_APPROVALS = st.builds(
    Approval,
    st.builds(Catalogue, _CODES, _HASHES) | st.builds(ApprovedForm, _CODES, _HASHES, _NAMES, _NAMES),
    st.lists(_READERS, min_size=1, max_size=16, unique_by=lambda reader: reader.name).map(tuple),
)


@given(_APPROVALS)
def test_what_is_written_is_read_again(approval: Approval) -> None:
    assert parse_approval(approval.canonical) == approval


@pytest.mark.parametrize("vector", VECTORS["good"])
def test_the_published_examples_hold(vector: str) -> None:
    assert parse_approval(vector.encode()).canonical == vector.encode()


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["why"])
def test_the_published_counterexamples_are_refused(vector: dict[str, str]) -> None:
    with pytest.raises(ApprovalError):
        parse_approval(vector["text"].encode())


@given(st.binary(max_size=300))
def test_other_bytes_are_refused(untrusted: bytes) -> None:
    with pytest.raises(ApprovalError):
        parse_approval(untrusted)


def test_more_than_the_longest_is_refused() -> None:
    with pytest.raises(ApprovalError, match="canonical"):
        parse_approval(READ.canonical + b" " * MOST_APPROVAL_BYTES)


@pytest.mark.parametrize("cut", [1, 2, 10])
def test_one_byte_more_or_less_is_refused(cut: int) -> None:
    for changed in (READ.canonical[:-cut], READ.canonical + b"\n", b" " + READ.canonical):
        with pytest.raises(ApprovalError):
            parse_approval(changed)


def test_it_holds_for_the_very_words_that_were_read() -> None:
    assert READ.holds_for(WORDS)
    assert not READ.holds_for(replace(WORDS, sha256="0e" * 32))
    assert not READ.holds_for(replace(WORDS, language="ru"))
    assert not READ.holds_for(ApprovedForm("uk", WORDS.sha256, "report", "1"))


def test_a_form_is_approved_by_its_version_and_language() -> None:
    read = Approval(FORM, (NATIVE, SURVIVOR, Reader("A lawyer", "lawyer", DAY)))

    assert read.holds_for(FORM)
    assert not read.holds_for(replace(FORM, version="2"))
    assert not read.holds_for(replace(FORM, language="uk"))


@pytest.mark.parametrize("readers", [(NATIVE,), (SURVIVOR,), (SURVIVOR, Reader("A lawyer", "lawyer", DAY))])
def test_without_a_native_and_a_survivor_it_does_not_suffice(readers: tuple[Reader, ...]) -> None:
    assert not Approval(WORDS, readers).holds_for(WORDS)


@pytest.mark.parametrize(
    ("what", "readers", "says"),
    [
        (Catalogue("UK", WORDS.sha256), (NATIVE,), "small letters"),
        (Catalogue("uk", "0f"), (NATIVE,), "64"),
        (ApprovedForm("uk", WORDS.sha256, "a report", "1"), (NATIVE,), "form"),
        (WORDS, (), "1 to 16"),
        (WORDS, (Reader("", "native", DAY),), "name"),
        (WORDS, (Reader(" a", "native", DAY),), "name"),
        (WORDS, (Reader("a\nb", "native", DAY),), "name"),
        (WORDS, (Reader("a" * 81, "native", DAY),), "name"),
        (WORDS, (NATIVE, replace(NATIVE, role="survivor")), "twice"),
    ],
)
def test_what_cannot_be_meant_is_not_made(what: Catalogue, readers: tuple[Reader, ...], says: str) -> None:
    with pytest.raises(ApprovalError, match=says):
        Approval(what, readers)


def test_only_known_roles_count() -> None:
    assert role_named("lawyer") == "lawyer"
    with pytest.raises(ApprovalError, match="one of"):
        role_named("friend")


@pytest.mark.parametrize("day", ["2026-3-4", "20260304", "2026-02-31", ""])
def test_a_day_has_one_form(day: str) -> None:
    told = json.loads(READ.canonical)
    told["readers"][0]["day"] = day

    with pytest.raises(ApprovalError, match="day"):
        parse_approval(canonical_json(told))
