"""JSON has one written form, and foreign JSON is read without trust."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardening.canonical import JSON, MAX_DEPTH, MAX_INTEGER, JsonError, Writable, canonical_json, strict_json

LIMIT = 10_000
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "canonical-json" / "values.json").read_text())

integers = st.integers(-MAX_INTEGER, MAX_INTEGER)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values: st.SearchStrategy[JSON] = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@settings(max_examples=60, deadline=None)
@given(values)
def test_what_is_written_reads_back_equal(value: JSON) -> None:
    written = canonical_json(value)

    assert strict_json(written, len(written), canonical=True) == value


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='[]{}",:0123456789.eE-+ \\untrfalse\x00', max_size=40).map(str.encode))
def test_any_bytes_give_json_or_the_one_error(untrusted: bytes) -> None:
    try:
        value = strict_json(untrusted, LIMIT, canonical=True)
    except JsonError:
        return
    assert canonical_json(value) == untrusted


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda vector: vector["why"])
def test_values_of_the_specification_have_their_form(vector: dict[str, str]) -> None:
    value = strict_json(vector["loose"].encode(), LIMIT)

    assert canonical_json(value) == vector["canonical"].encode()
    assert strict_json(vector["canonical"].encode(), LIMIT, canonical=True) == value


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["why"])
def test_what_the_specification_refuses_is_refused(vector: dict[str, str]) -> None:
    with pytest.raises(JsonError):
        strict_json(vector["untrusted"].encode(), LIMIT)


def test_keys_are_ordered_by_utf16_and_nothing_is_spaced() -> None:
    """U+FB33 sorts after U+1F600 in UTF-16, before it in code points: the example of RFC 8785, 3.2.3."""
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}

    assert canonical_json(value) == (
        '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\U0001f600":5,"\ufb33":3}'.encode()
    )


def test_only_what_must_be_escaped_is_escaped() -> None:
    """RFC 8785, 3.2.2.2."""
    assert canonical_json("\u20ac$\x0f\nA'B\"\\/\x7f") == '"\u20ac$\\u000f\\nA\'B\\"\\\\/\x7f"'.encode()


def test_tuples_are_written_as_lists() -> None:
    assert canonical_json({"a": (1, True, None)}) == b'{"a":[1,true,null]}'


@pytest.mark.parametrize(
    "value",
    [1.5, {"a": float("nan")}, {1: "a"}, b"bytes", [b"bytes"], {"a": {1, 2}}, 2**53, -(2**53), "\ud800", {"\udfff": 1}],
    ids=repr,
)
def test_what_has_no_canonical_form_is_refused(value: Writable) -> None:
    with pytest.raises(JsonError):
        canonical_json(value)


def test_a_value_too_deep_is_not_written() -> None:
    deep: JSON = []
    for _ in range(MAX_DEPTH):
        deep = [deep]

    with pytest.raises(JsonError):
        canonical_json(deep)


@pytest.mark.parametrize(
    "untrusted",
    [
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"\\u0062":2}}',
        b"1.0",
        b"1e3",
        b"NaN",
        b"-Infinity",
        b"-0",
        b"9007199254740992",
        b"1" * 5000,
        b"\xef\xbb\xbf{}",
        b"{} {}",
        b"[1,]",
        b"",
        b"'a'",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b'"a\nb"',
        b"01",
        '{"a":1}'.encode("utf-16"),
        nested(MAX_DEPTH + 1),
        nested(4000),
    ],
    ids=lambda untrusted: repr(untrusted[:20]),
)
def test_what_is_not_strict_json_is_refused(untrusted: bytes) -> None:
    with pytest.raises(JsonError):
        strict_json(untrusted, LIMIT)


def test_a_parser_driven_out_of_its_stack_is_a_refusal() -> None:
    with pytest.raises(JsonError):
        strict_json(nested(500_000), 1_000_000)


def test_the_deepest_allowed_nesting_is_read() -> None:
    assert strict_json(nested(MAX_DEPTH), LIMIT, canonical=True) == json.loads(nested(MAX_DEPTH))


def test_one_byte_more_than_the_limit_is_refused_unread() -> None:
    assert strict_json(b'"abc"', 5) == "abc"
    with pytest.raises(JsonError):
        strict_json(b'"abcd"', 5)


@pytest.mark.parametrize("untrusted", [b'{"a": 1}', b'{"b":1,"a":2}', b'"\\u0061"', b"[] ", b'"\\/"'])
def test_another_spelling_is_read_but_is_not_canonical(untrusted: bytes) -> None:
    strict_json(untrusted, LIMIT)

    with pytest.raises(JsonError):
        strict_json(untrusted, LIMIT, canonical=True)


def test_an_error_never_quotes_the_text() -> None:
    with pytest.raises(JsonError) as caught:
        strict_json(b'{"secret words": tru', LIMIT)

    assert "secret" not in str(caught.value)
