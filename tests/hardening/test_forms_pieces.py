import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardening.forms import (
    Fields,
    FieldTooLongError,
    FormError,
    FormLimits,
    FormNames,
    FormTooLargeError,
    UnfinishedFormError,
    fields,
    parts,
)
from hardening.multipart import MultipartReader
from hardening.part_headers import PartHead

TYPE = "multipart/form-data; boundary=b0"
NAMES = FormNames(repeated=frozenset({"t"}), files=frozenset({"f"}))
# Everything that a boundary is made of comes often.
CONTENT = st.lists(st.sampled_from([b"\r", b"\n", b"-", b"--", b"b", b"b0", b"x", b" ", b"\r\n--b"]), max_size=20).map(
    b"".join
)
CUTS = st.lists(st.integers(0, 400), max_size=12)


def written(contents: Sequence[tuple[bool, bytes]]) -> bytes:
    made = bytearray()
    for is_file, content in contents:
        name = b'"f"; filename="n"' if is_file else b'"t"'
        made += b"--b0\r\nContent-Disposition: form-data; name=" + name + b"\r\n\r\n" + content + b"\r\n"
    return bytes(made) + b"--b0--\r\n"


async def stream(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def cut(body: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(min(place, len(body)) for place in places), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(edges)]


def outcome(pieces: Sequence[bytes]) -> object:
    """What a reader makes of a body that is fed in just these pieces."""
    reader = MultipartReader(b"b0", FormLimits(), NAMES)
    found: list[tuple[bool, bytes]] = []
    try:
        for piece in pieces:
            reader.feed(piece)
        reader.finish()
    except FormError as error:
        return type(error)
    for event in reader.events:
        if isinstance(event, PartHead):
            found.append((event.filename is not None, b""))
        elif isinstance(event, bytes):
            found[-1] = (found[-1][0], found[-1][1] + event)
    return found


@given(st.lists(st.tuples(st.booleans(), CONTENT), max_size=5), CUTS)
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read_however_it_is_cut(contents: list[tuple[bool, bytes]], places: list[int]) -> None:
    contents = [(is_file, content) for is_file, content in contents if b"\r\n--b0" not in b"\r\n" + content]
    body = written(contents)

    assert outcome(cut(body, places)) == contents


@given(st.lists(st.tuples(st.booleans(), CONTENT), max_size=3), st.integers(0, 300), CONTENT, CUTS)
@settings(max_examples=300, deadline=None)
@pytest.mark.check("E19")
def test_a_damaged_form_is_read_in_one_way_however_it_is_cut(
    contents: list[tuple[bool, bytes]], place: int, damage: bytes, places: list[int]
) -> None:
    body = written(contents)
    body = body[:place] + damage + body[place + 3 :]

    assert outcome(cut(body, places)) == outcome([body])


@given(st.lists(st.tuples(st.booleans(), CONTENT), min_size=1, max_size=3), st.integers(1, 300))
@settings(max_examples=150, deadline=None)
@pytest.mark.check("E1")
def test_a_form_cut_short_never_arrives(contents: list[tuple[bool, bytes]], missing: int) -> None:
    contents = [(is_file, content) for is_file, content in contents if b"\r\n--b0" not in b"\r\n" + content]
    body = written(contents)[:-2][:-missing]

    assert outcome([body]) not in ([], contents)


def test_big_pieces_pass_through_uncopied() -> None:
    """One copy at most: a batch that lies within a file is handed on as the same object."""
    big = bytes(300_000)
    body = [written([(True, b"")])[:-10], big, big, b"\r\n--b0--\r\n"]

    async def seen() -> list[bytes]:
        part = await anext(parts(TYPE, stream(body), FormLimits(), NAMES))
        return [chunk async for chunk in part.chunks]

    assert any(chunk is big for chunk in asyncio.run(seen()))


def test_small_pieces_are_gathered() -> None:
    body = written([(True, bytes(1_000_000))])

    async def sizes() -> list[int]:
        part = await anext(
            parts(TYPE, stream([body[n : n + 1000] for n in range(0, len(body), 1000)]), FormLimits(), NAMES)
        )
        return [len(chunk) async for chunk in part.chunks]

    assert len(asyncio.run(sizes())) <= 5


def test_a_part_left_unread_is_skipped() -> None:
    body = written([(True, b"skipped"), (False, b"read")])

    async def second() -> str:
        found = [
            await part.text() async for part in parts(TYPE, stream([body]), FormLimits(), NAMES) if part.name == "t"
        ]
        return "".join(found)

    assert asyncio.run(second()) == "read"


def test_a_form_can_be_read_on_after_a_text_that_was_too_long() -> None:
    """Whoever typed it gets all of it back, and the other answers too."""
    body = written([(False, b"long" * 10), (False, b"short")])
    limits = FormLimits(field_characters=10)

    async def texts() -> list[str]:
        found: list[str] = []
        async for part in parts(TYPE, stream([body]), limits, NAMES):
            try:
                found.append(await part.text())
            except FieldTooLongError as error:
                found.append(error.given.get("t"))
        return found

    assert asyncio.run(texts()) == ["long" * 10, "short"]
    with pytest.raises(FieldTooLongError) as caught:
        asyncio.run(fields(TYPE, stream([body]), limits, NAMES))
    assert caught.value.given.every("t") == ("long" * 10, "short")
    assert "long" * 10 not in str(caught.value)


def test_a_file_read_as_text_is_bounded_like_text() -> None:
    body = written([(True, bytes(2_000))])

    async def text() -> str:
        part = await anext(parts(TYPE, stream([body]), FormLimits(text_bytes=1_000), NAMES))
        return await part.text()

    with pytest.raises(FormTooLargeError):
        asyncio.run(text())


def test_a_part_that_breaks_off_raises_where_it_is_read() -> None:
    body = written([(True, bytes(600_000))])

    async def chunks() -> None:
        part = await anext(parts(TYPE, stream([body[:400_000]]), FormLimits(), NAMES))
        async for _ in part.chunks:
            pass

    with pytest.raises(UnfinishedFormError):
        asyncio.run(chunks())


def test_an_error_of_the_stream_passes_through() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"--b0\r\n"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        asyncio.run(fields(TYPE, broken(), FormLimits(), NAMES))


def test_fields_give_their_texts_by_name() -> None:
    given_fields = Fields((("a", "1"), ("b", "2"), ("a", "3")))

    assert given_fields.get("a") == "1"
    assert given_fields.get("c", "none") == "none"
    assert given_fields.every("a") == ("1", "3")
    assert given_fields.single() == {"a": "1", "b": "2"}
    assert "a" in given_fields
    assert "c" not in given_fields
