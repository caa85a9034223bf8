import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bags.errors import ArchiveError, BagsError, BagSignatureError, ContentError, PayloadError, TooLargeError
from bags.profile import RETURN
from bags.returns import MAX_BOX_BYTES, MAX_SIGNATURE_BYTES, Reply, ReturnBag, open_return, return_layout
from tests.bags.samples import DROP, SIGNER, assembled, members, placed, return_bytes, sample_return, written

WHOLE = return_bytes()
SIGNATURE = b"a detached signature"
BOX = f"data/replies/{'e' * 32}.box"
VECTOR = json.loads((Path(__file__).parent.parent / "vectors" / "bags" / "return.json").read_bytes())


class SignatureRefusedError(Exception):
    """What the verifier of the caller raises."""


def vouch(_tar: Path, _signature: bytes) -> str:
    return SIGNER


def refuse(_tar: Path, _signature: bytes) -> str:
    raise SignatureRefusedError


def opened(archive: bytes, folder: Path) -> ReturnBag:
    return open_return(placed(folder, archive), SIGNATURE, vouch, DROP)


def test_a_return_bag_arrives_as_it_was_sent(tmp_path: Path) -> None:
    assert opened(WHOLE, tmp_path) == sample_return()


def test_the_worked_example_is_made_of_its_parts() -> None:
    contents = {member.name.partition("/")[2]: content for member, content in members(WHOLE)}

    assert contents["data/return.json"].decode() == VECTOR["index"]
    assert members(WHOLE)[0][0].name.partition("/")[0] == VECTOR["bag_id"]
    assert sha256(WHOLE).hexdigest() == VECTOR["sha256"]


@pytest.mark.check("T8")
def test_the_same_bag_twice_is_the_same_bytes_whatever_the_order() -> None:
    bag = sample_return()
    turned = replace(bag, replies=bag.replies[::-1], imported=bag.imported[::-1])

    assert written(return_layout(turned)) == WHOLE


def test_receipts_alone_are_a_bag(tmp_path: Path) -> None:
    bag = replace(sample_return(), replies=())

    assert opened(written(return_layout(bag)), tmp_path) == bag


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_bag_read_back_is_the_bag_written(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
    reply_ids = sorted(data.draw(st.sets(ids, max_size=4)))
    bag = ReturnBag(
        DROP,
        SIGNER,
        data.draw(st.integers(1, 2**53 - 1)),
        tuple(Reply(each, data.draw(ids), data.draw(st.binary(min_size=1, max_size=900))) for each in reply_ids),
        tuple(sorted(data.draw(st.sets(st.binary(min_size=32, max_size=32).map(bytes.hex), max_size=4)))),
    )

    assert opened(written(return_layout(bag)), tmp_path_factory.mktemp("return")) == bag


@pytest.mark.check("R2")
def test_nothing_is_parsed_before_the_signature_was_verified(tmp_path: Path) -> None:
    """Noise and a right bag meet the same refusal: that of the signature."""
    for archive in (WHOLE, b"noise" * 1000, b""):
        with pytest.raises(SignatureRefusedError):
            open_return(placed(tmp_path, archive), SIGNATURE, refuse, DROP)


@pytest.mark.check("R2")
def test_the_verifier_gets_the_tar_and_the_signature_as_they_came(tmp_path: Path) -> None:
    seen: list[tuple[bytes, bytes]] = []

    def remember(tar: Path, signature: bytes) -> str:
        seen.append((tar.read_bytes(), signature))
        return SIGNER

    open_return(placed(tmp_path, WHOLE), SIGNATURE, remember, DROP)

    assert seen == [(WHOLE, SIGNATURE)]


@pytest.mark.check("R2", "R6")
def test_the_signer_inside_is_the_signer_outside(tmp_path: Path) -> None:
    with pytest.raises(BagSignatureError):
        open_return(placed(tmp_path, WHOLE), SIGNATURE, lambda _tar, _signature: "F" * 40, DROP)


@pytest.mark.check("R6")
def test_a_bag_for_another_drop_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BagSignatureError):
        open_return(placed(tmp_path, WHOLE), SIGNATURE, vouch, "x0d3m1")


@pytest.mark.parametrize("signature", [b"", b"x" * (MAX_SIGNATURE_BYTES + 1)])
def test_a_signature_out_of_bounds_is_not_verified(signature: bytes, tmp_path: Path) -> None:
    with pytest.raises(BagSignatureError):
        open_return(placed(tmp_path, WHOLE), signature, refuse, DROP)


def test_a_bag_above_the_limit_is_not_verified(tmp_path: Path) -> None:
    with pytest.raises(TooLargeError):
        open_return(placed(tmp_path, WHOLE), SIGNATURE, refuse, DROP, replace(RETURN, limit_bytes=len(WHOLE) - 1))


def test_the_usual_limit_is_64_mib(tmp_path: Path) -> None:
    path = tmp_path / "large.tar"
    with path.open("wb") as sparse:
        sparse.truncate(64 * 2**20 + 1)

    with pytest.raises(TooLargeError):
        open_return(path, SIGNATURE, refuse, DROP)


def test_what_is_no_file_is_no_bag(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError):
        open_return(tmp_path, SIGNATURE, refuse, DROP)


def rebuilt_with(change: Callable[[dict[str, bytes]], object]) -> bytes:
    """A whole bag whose manifests and id fit, with another payload."""
    payload = {member.name.partition("/")[2]: content for member, content in members(WHOLE) if "/data/" in member.name}
    change(payload)
    return assembled(sha256(payload.get("data/return.json", b"")).hexdigest()[:32], payload, "return 1")


def edit(path: list[str | int], value: object) -> Callable[[dict[str, bytes]], object]:
    def change(payload: dict[str, bytes]) -> None:
        whole = json.loads(payload["data/return.json"])
        place: Any = whole
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        payload["data/return.json"] = json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()

    return change


def test_the_same_payload_put_together_by_hand_is_accepted(tmp_path: Path) -> None:
    """Otherwise the bags below would be refused for the wrong reason."""
    assert rebuilt_with(lambda _payload: None) == WHOLE
    assert opened(rebuilt_with(edit(["sequence"], 2)), tmp_path).sequence == 2


@pytest.mark.check("R5", "R6", "Q6")
@pytest.mark.parametrize(
    "change",
    [
        edit(["v"], 2),
        edit(["sequence"], 0),
        edit(["sequence"], -1),
        edit(["sequence"], True),
        edit(["sequence"], 1.5),
        edit(["sequence"], "1"),
        edit(["sequence"], 2**53),
        edit(["destroy"], []),
        edit(["signer"], SIGNER.lower()),
        edit(["signer"], SIGNER[:16]),
        edit(["drop"], ""),
        edit(["imported"], ["a" * 63]),
        edit(["imported"], ["b" * 64, "a" * 64]),
        edit(["imported"], ["a" * 64, "a" * 64]),
        edit(["replies"], []),
        edit(["replies", 0, "id"], "../../../../../../../../etc/pass"),
        edit(["replies", 0, "id"], "0" * 32),
        edit(["replies", 1, "id"], "e" * 32),
        edit(["replies", 0, "sha256"], "0" * 64),
        edit(["replies", 0, "collection"], "x"),
        edit(["replies", 0, "note"], "x"),
        lambda payload: payload.pop(BOX),
        lambda payload: payload.pop("data/return.json"),
        lambda payload: payload.update({"data/return.json": b""}),
        lambda payload: payload.update({"data/return.json": b'{"v":1,"v":1}'}),
        lambda payload: payload.update({"data/return.json": payload["data/return.json"] + b"\n"}),
        lambda payload: payload.update({BOX: b"another box"}),
        lambda payload: payload.update({BOX: b""}),
        lambda payload: payload.update({BOX: bytes(MAX_BOX_BYTES + 1)}),
        lambda payload: payload.update({BOX.replace("e", "9"): b"one more"}),
        lambda payload: payload.update({"data/destroy.json": b"{}"}),
        lambda payload: payload.update({"data/replies/note.txt": b"x"}),
    ],
)
def test_a_bag_that_contradicts_its_format_is_refused(
    change: Callable[[dict[str, bytes]], object], tmp_path: Path
) -> None:
    with pytest.raises(BagsError):
        opened(rebuilt_with(change), tmp_path)


@pytest.mark.check("R6")
def test_the_id_of_the_bag_is_that_of_its_index(tmp_path: Path) -> None:
    payload = {m.name.partition("/")[2]: content for m, content in members(WHOLE) if "/data/" in m.name}

    with pytest.raises(ContentError):
        opened(assembled("0" * 32, payload, "return 1"), tmp_path)


def test_a_bag_without_an_index_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(PayloadError, match=r"return\.json"):
        opened(rebuilt_with(lambda payload: payload.pop("data/return.json")), tmp_path)


@pytest.mark.check("R3")
def test_every_byte_of_the_tar_counts(tmp_path: Path) -> None:
    for at in range(0, len(WHOLE), 13):
        turned = bytearray(WHOLE)
        turned[at] ^= 1 << (at % 8)
        with pytest.raises(BagsError):
            opened(bytes(turned), tmp_path)


@settings(max_examples=30, deadline=None)
@given(extra=st.binary(min_size=1, max_size=600))
def test_one_byte_more_is_an_error(extra: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(BagsError):
        opened(WHOLE + extra, tmp_path_factory.mktemp("return"))


@pytest.mark.parametrize(
    "bag",
    [
        replace(sample_return(), sequence=0),
        replace(sample_return(), sequence=2**53),
        replace(sample_return(), signer="x"),
        replace(sample_return(), drop="two words"),
        replace(sample_return(), imported=("a" * 64, "a" * 64)),
        replace(sample_return(), replies=sample_return().replies[:1] * 2),
        replace(sample_return(), replies=(Reply("e" * 32, "c" * 32, b""),)),
        replace(sample_return(), replies=(Reply("e" * 32, "c" * 32, bytes(MAX_BOX_BYTES + 1)),)),
        replace(sample_return(), replies=(Reply("../e", "c" * 32, b"x"),)),
    ],
)
def test_a_bag_that_no_server_takes_is_not_written(bag: ReturnBag) -> None:
    with pytest.raises(BagsError):
        return_layout(bag)
