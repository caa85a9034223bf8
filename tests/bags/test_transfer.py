import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bags.errors import BagsError, ContentError, LayoutError, ManifestError, TooLargeError
from bags.index import MAX_INDEX_BYTES, Collection, Index, Part, Submission, format_index, parse_index
from bags.transfer import MAX_KEYSET_BYTES, receiving, transfer_layout
from tests.bags.samples import (
    BAG_ID,
    KEYSET,
    PROMISES,
    SEALED,
    assembled,
    left_in,
    members,
    open_part,
    placed,
    return_bytes,
    sample_index,
    sample_layout,
    written,
)

WHOLE = written(sample_layout())
VECTOR = json.loads((Path(__file__).parent.parent / "vectors" / "bags" / "transfer.json").read_bytes())


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


def test_a_transfer_bag_arrives_as_it_was_sent(tmp_path: Path) -> None:
    with receiving(placed(tmp_path, WHOLE), tmp_path / "bag") as transfer:
        assert transfer.index == sample_index()
        assert transfer.keyset == KEYSET
        assert dict(transfer.promises) == PROMISES

    for collection in sample_index().collections:
        for submission in collection.submissions:
            for part in submission.parts:
                path = replace(transfer, folder=tmp_path / "bag").sealed(submission.id, part.id)
                assert path.read_bytes() == SEALED[part.id]


@pytest.mark.check("P12")
def test_the_bag_holds_exactly_the_stored_ciphertext() -> None:
    contents = {member.name.rpartition("/")[2]: content for member, content in members(WHOLE)}

    assert {name.removesuffix(".gpg"): each for name, each in contents.items() if name.endswith(".gpg")} == SEALED


def test_the_worked_example_is_made_of_its_parts() -> None:
    layout = sample_layout()

    assert layout.size_bytes == VECTOR["size_bytes"]
    assert layout.etag == VECTOR["etag"]
    assert sha256(WHOLE).hexdigest() == VECTOR["sha256"]
    assert format_index(sample_index()).decode() == VECTOR["index"]
    assert WHOLE[: 512 * 2] == base64.b64decode(VECTOR["first_two_blocks"])


@pytest.mark.check("T8")
def test_the_order_of_the_arguments_leaves_no_trace() -> None:
    """Order in a database may tell what came first; the bag is sorted by random ids."""
    index = sample_index()
    turned = replace(
        index,
        collections=tuple(
            replace(
                collection,
                submissions=tuple(
                    replace(each, parts=tuple(reversed(each.parts))) for each in reversed(collection.submissions)
                ),
            )
            for collection in reversed(index.collections)
        ),
    )
    promises = dict(reversed(PROMISES.items()))

    assert written(transfer_layout(turned, promises, KEYSET, open_part)) == WHOLE


@pytest.mark.check("T8")
def test_the_same_medium_twice_is_noticed_by_its_place(tmp_path: Path) -> None:
    untrusted = placed(tmp_path, WHOLE)
    with receiving(untrusted, tmp_path / BAG_ID):
        pass

    with pytest.raises(FileExistsError), receiving(untrusted, tmp_path / BAG_ID):
        pass

    assert (tmp_path / BAG_ID / "bagit.txt").exists()


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


def edited(path: list[str | int], value: object) -> bytes:
    """Write the index with one value exchanged, canonically."""
    whole = json.loads(format_index(sample_index()))
    place: Any = whole
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


SUBMISSION: list[str | int] = ["collections", 0, "submissions", 0]
PART: list[str | int] = [*SUBMISSION, "parts", 0]
SECOND_PART: list[str | int] = [*SUBMISSION, "parts", 1]


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
        ([*SUBMISSION, "parts"], []),
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
        ([*SUBMISSION, "day"], "2026-11-23T10:00"),
        ([*SUBMISSION, "day"], "2026-13-01"),
        ([*SUBMISSION, "id"], "3" * 32),
        ([*PART, "kind"], "Message"),
        ([*PART, "kind"], ""),
        ([*PART, "size"], 0),
        ([*PART, "size"], -1),
        ([*PART, "size"], "5"),
        ([*PART, "size"], 8**11),
        ([*PART, "ct_sha256"], "zz" * 32),
        ([*SECOND_PART, "id"], f"{1:032x}"),
        ([*SECOND_PART, "id"], f"{5:032x}"),
    ],
)
def test_an_index_with_a_wrong_value_is_refused(path: list[str | int], value: object) -> None:
    with pytest.raises(ContentError):
        parse_index(edited(path, value))


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


def with_payload(change: Callable[[dict[str, bytes]], object]) -> bytes:
    """A whole bag whose manifests fit, with another payload."""
    payload = {
        member.name.partition("/")[2]: content
        for member, content in members(WHOLE)
        if member.name.startswith(f"{BAG_ID}/data/")
    }
    change(payload)
    return assembled(BAG_ID, payload, "transfer 1")


FIRST = f"data/submissions/{'1' * 32}/{1:032x}.gpg"


@pytest.mark.check("R6")
@pytest.mark.parametrize(
    "change",
    [
        lambda payload: payload.pop(FIRST),
        lambda payload: payload.update({FIRST: b"another"}),
        lambda payload: payload.update({FIRST: b"\x02" * 700}),
        lambda payload: payload.update({FIRST.replace("1" * 32, "4" * 32): payload.pop(FIRST)}),
        lambda payload: payload.update({f"data/submissions/{'1' * 32}/{'9' * 32}.gpg": b"more"}),
        lambda payload: payload.pop("data/index.json"),
        lambda payload: payload.pop("data/keyset.json"),
        lambda payload: payload.update({"data/keyset.json": b"{}"}),
        lambda payload: payload.update({"data/keyset.json": b"x" * (MAX_KEYSET_BYTES + 1)}),
        lambda payload: payload.update({f"data/promises/{'7' * 64}.txt": b"one more than there are parts"}),
        lambda payload: payload.update({"data/index.json": edited(["bag"], "a" * 32)}),
        lambda payload: payload.update({"data/index.json": edited(["keyset"], "0" * 64)}),
        lambda payload: payload.update({"data/index.json": edited([*PART, "size"], 701)}),
        lambda payload: payload.update({"data/index.json": edited([*PART, "ct_sha256"], "0" * 64)}),
        lambda payload: payload.update({"data/index.json": b"{}"}),
    ],
)
def test_a_bag_that_contradicts_itself_is_refused_and_leaves_nothing(
    change: Callable[[dict[str, bytes]], object], tmp_path: Path
) -> None:
    untrusted = placed(tmp_path, with_payload(change))

    with pytest.raises(BagsError), receiving(untrusted, tmp_path / "bag"):
        pass

    assert left_in(tmp_path) == ["bag.tar"]


def test_the_same_payload_put_together_by_hand_is_accepted(tmp_path: Path) -> None:
    """Otherwise the bags above would be refused for the wrong reason."""
    with receiving(placed(tmp_path, with_payload(lambda _payload: None)), tmp_path / "bag") as transfer:
        assert transfer.index == sample_index()


def test_a_bag_of_the_other_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError), receiving(placed(tmp_path, return_bytes()), tmp_path / "bag"):
        pass


def test_a_promise_that_is_too_long_is_refused(tmp_path: Path) -> None:
    leaf = next(iter(PROMISES))
    long = written(transfer_layout(sample_index(), {leaf: b"x" * (128 * 1024 + 1)}, KEYSET, open_part))

    with pytest.raises(TooLargeError), receiving(placed(tmp_path, long), tmp_path / "bag"):
        pass


@pytest.mark.check("R6")
def test_an_index_of_another_keyset_is_not_laid_out() -> None:
    with pytest.raises(LayoutError):
        transfer_layout(sample_index(), PROMISES, b"another", open_part)


def test_a_promise_under_a_name_that_is_no_leaf_is_not_laid_out() -> None:
    with pytest.raises(LayoutError):
        transfer_layout(sample_index(), {"../leaf": b"promise"}, KEYSET, open_part)


def test_an_index_that_no_reader_takes_is_not_written() -> None:
    part = Part("1" * 32, "file", "0" * 64, 5)
    twice = Submission("2" * 32, date(2026, 11, 23), (part, part))

    with pytest.raises(ContentError):
        format_index(Index("k7f2q9", BAG_ID, "0" * 64, (Collection("3" * 32, "quiet heron", bytes(32), (twice,)),)))
