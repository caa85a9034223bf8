import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers

from journalist_interface.errors import PreconditionError, RangeError
from journalist_interface.ranges import Asked, asked_bytes, is_unchanged

ETAG = '"abc"'


def headers(**values: str) -> Headers:
    return Headers({name.replace("_", "-"): value for name, value in values.items()})


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 200), st.integers(0, 200), st.integers(1, 100))
def test_a_range_is_what_python_would_cut(first: int, last: int, size: int) -> None:
    content = bytes(range(size))
    asked = Asked.of(headers(range=f"bytes={first}-{last}"))
    assert asked is not None

    expected = content[first : last + 1]

    if not expected:
        with pytest.raises(RangeError):
            asked.within(size)
    else:
        start, end = asked.within(size)
        assert content[start:end] == expected


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_one_range_or_refused(text: str) -> None:
    given_headers = Headers(raw=[(b"range", text.encode("latin-1", "replace"))])

    try:
        asked = Asked.of(given_headers)
    except RangeError:
        return
    assert asked is not None


def test_without_a_range_all_is_sent() -> None:
    assert Asked.of(headers()) is None
    assert asked_bytes(None, headers(), ETAG, 10) is None


def test_another_file_is_never_mixed_with_this_one() -> None:
    asked = Asked(2, 5)

    assert asked_bytes(asked, headers(if_range=ETAG), ETAG, 10) == (2, 6)
    assert asked_bytes(asked, headers(if_range='W/"abc"'), ETAG, 10) is None
    assert asked_bytes(asked, headers(if_match=f'"x", {ETAG}'), ETAG, 10) == (2, 6)
    with pytest.raises(PreconditionError):
        asked_bytes(asked, headers(if_match='W/"abc"'), ETAG, 10)


def test_who_has_the_file_is_told_so() -> None:
    assert is_unchanged(headers(if_none_match="*"), ETAG)
    assert is_unchanged(headers(if_none_match=f'"x", {ETAG}'), ETAG)
    assert not is_unchanged(headers(if_none_match='"x"'), ETAG)
    assert not is_unchanged(headers(), ETAG)
