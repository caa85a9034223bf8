from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bags.errors import ContentError
from bags.index import MAX_INDEX_BYTES, Collection, Index, Part, Submission, format_index, parse_index
from tests.bags.samples import BAG_ID, FIRST_PART, FIRST_SUBMISSION, edited_index, sample_index

SECOND_PART: list[str | int] = [*FIRST_SUBMISSION, "parts", 1]


def ids() -> st.SearchStrategy[str]:
    return st.binary(min_size=16, max_size=16).map(bytes.hex)


@st.composite
def indexes(draw: st.DrawFn) -> Index:
    sealed = st.binary(min_size=32, max_size=32).map(bytes.hex)
    names = draw(st.lists(ids(), min_size=9, max_size=9, unique=True))

    def part(name: str) -> Part:
        return Part(
            name, draw(st.sampled_from(["message", "file", "manifest"])), draw(sealed), draw(st.integers(1, 8**11 - 1))
        )

    def submission(name: str, parts: list[str]) -> Submission:
        return Submission(name, draw(st.dates()), tuple(part(each) for each in sorted(parts)))

    first = Collection(
        names[0], "quiet heron", draw(st.binary(min_size=32, max_size=32)), (submission(names[1], names[2:5]),)
    )
    second = Collection(names[5], "slow linden", bytes(32), (submission(names[6], names[7:]),))
    ordered = sorted((first, second), key=lambda each: each.id)
    return Index("k7f2q9", draw(ids()), draw(sealed), tuple(ordered))


@settings(max_examples=40, deadline=None)
@given(indexes())
def test_an_index_read_back_is_the_index_written(index: Index) -> None:
    assert parse_index(format_index(index)) == index


@pytest.mark.check("R5")
@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=20))
def test_one_byte_more_is_an_error(extra: bytes) -> None:
    right = format_index(sample_index())

    for untrusted in (right + extra, extra + right):
        with pytest.raises(ContentError):
            parse_index(untrusted)


@pytest.mark.check("R5", "Q6")
@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["v"], 2),
        (["v"], True),
        (["extra"], 1),
        (["drop"], "two words"),
        (["drop"], ""),
        (["bag"], "B" * 32),
        (["keyset"], "0" * 63),
        (["collections"], []),
        (["collections"], {}),
        ([*FIRST_SUBMISSION, "parts"], []),
        (["collections", 0, "submissions"], []),
        (["collections", 0, "id"], "../../../../etc"),
        (["collections", 0, "id"], "f" * 32),
        (["collections", 0, "designation"], "quiet\u202eheron"),
        (["collections", 0, "designation"], "quiet\x1b[2Jheron"),
        (["collections", 0, "designation"], "qui\u200bet heron"),
        (["collections", 0, "designation"], "х"),
        (["collections", 0, "designation"], "a" * 200),
        (["collections", 0, "designation"], ""),
        (["collections", 0, "source_public_key"], "07" * 31),
        ([*FIRST_SUBMISSION, "day"], "2026-11-23T10:00"),
        ([*FIRST_SUBMISSION, "day"], "2026-13-01"),
        ([*FIRST_SUBMISSION, "id"], "3" * 32),
        ([*FIRST_PART, "kind"], "Message"),
        ([*FIRST_PART, "kind"], ""),
        ([*FIRST_PART, "size"], 0),
        ([*FIRST_PART, "size"], -1),
        ([*FIRST_PART, "size"], "5"),
        ([*FIRST_PART, "size"], 8**11),
        ([*FIRST_PART, "ct_sha256"], "zz" * 32),
        ([*SECOND_PART, "id"], f"{1:032x}"),
        ([*SECOND_PART, "id"], f"{5:032x}"),
    ],
)
def test_an_index_with_a_wrong_value_is_refused(path: list[str | int], value: object) -> None:
    with pytest.raises(ContentError):
        parse_index(edited_index(path, value))


@pytest.mark.check("R5")
@pytest.mark.parametrize(
    "untrusted",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b"\xef\xbb\xbf" + format_index(sample_index()),
        format_index(sample_index()).replace(b'"v":1', b'"v":1,"v":1'),
        format_index(sample_index()).replace(b'"v":1', b'"v":1.0'),
        format_index(sample_index()).replace(b'"v":1', b'"v":NaN'),
        format_index(sample_index()).replace(b'"v":1', b'"v": 1'),
        format_index(sample_index()).replace(b"quiet", b"qui\\u0065t"),
        b'"' + b"x" * MAX_INDEX_BYTES + b'"',
    ],
)
def test_an_index_in_any_other_form_is_refused(untrusted: bytes) -> None:
    with pytest.raises(ContentError):
        parse_index(untrusted)


def test_an_index_that_no_reader_takes_is_not_written() -> None:
    part = Part("1" * 32, "file", "0" * 64, 5)
    twice = Submission("2" * 32, date(2026, 11, 23), (part, part))

    with pytest.raises(ContentError):
        format_index(Index("k7f2q9", BAG_ID, "0" * 64, (Collection("3" * 32, "quiet heron", bytes(32), (twice,)),)))
