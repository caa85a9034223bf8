import base64
import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from bags.errors import BagsError, LayoutError, ManifestError, TooLargeError
from bags.index import format_index
from bags.transfer import MAX_KEYSET_BYTES, receiving, transfer_layout
from tests.bags.samples import (
    BAG_ID,
    FIRST_PART,
    KEYSET,
    PROMISES,
    SEALED,
    assembled,
    edited_index,
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
        lambda payload: payload.update({"data/index.json": edited_index(["bag"], "a" * 32)}),
        lambda payload: payload.update({"data/index.json": edited_index(["keyset"], "0" * 64)}),
        lambda payload: payload.update({"data/index.json": edited_index([*FIRST_PART, "size"], 701)}),
        lambda payload: payload.update({"data/index.json": edited_index([*FIRST_PART, "ct_sha256"], "0" * 64)}),
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
