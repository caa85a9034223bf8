"""Carry replies and import receipts from a workstation back to the server: the return bag."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from bags.errors import BagSignatureError, ContentError, LayoutError, PayloadError, TooLargeError
from bags.layout import KnownFile, Layout, bag_layout
from bags.profile import RETURN, Profile
from bags.shape import DROP, ID, SHA256, Fields, elements, fields, integer, once_and_in_order, text, whole
from bags.verify import Head, bounded, payload, read_head
from hardening.canonical import JSON, MAX_INTEGER, JsonError, Writable, canonical_json

MAX_SIGNATURE_BYTES = 16 * 1024
MAX_BOX_BYTES = 1024 * 1024
MAX_RECEIPTS = 100_000
MAX_INDEX_BYTES = 16 * 1024 * 1024

_VERSION = 1
_INDEX = "data/return.json"
_FIELDS = ("v", "drop", "signer", "sequence", "replies", "imported")
_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}", re.ASCII)

VerifySignature = Callable[[Path, bytes], str]
"""Returns the fingerprint of the one reviewer whose detached signature this is, or raises."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, sealed to the source of *collection*."""

    id: str
    collection: str
    box: bytes


@dataclass(frozen=True, slots=True)
class ReturnBag:
    """What a reviewer sends back: replies, and the ciphertext hashes of what was imported."""

    drop: str
    signer: str
    sequence: int
    replies: tuple[Reply, ...]
    imported: tuple[str, ...]


def return_layout(bag: ReturnBag) -> Layout:
    """Plan the return bag; the reviewer signs the tar that comes of it, in a file of its own.

    Raises:
        BagsError: No server would take it.
    """
    index = _format(bag)
    _parse(index)
    if any(not 0 < len(each.box) <= MAX_BOX_BYTES for each in bag.replies):
        raise LayoutError(f"a sealed reply has 1 to {MAX_BOX_BYTES} bytes")
    boxes = [KnownFile.of_bytes(_box_path(each.id), each.box) for each in bag.replies]
    return bag_layout(RETURN, _bag_id(index), [KnownFile.of_bytes(_INDEX, index), *boxes])


def open_return(
    untrusted_tar: Path, untrusted_signature: bytes, verify: VerifySignature, drop: str, profile: Profile = RETURN
) -> ReturnBag:
    """Read a return bag that a reviewer signed for this drop.

    Args:
        untrusted_tar: In a folder of our own, so that nobody exchanges it after the signature was checked.
        untrusted_signature: The detached signature that came with it.
        verify: Called before a byte of the bag is looked at; what it raises passes through.
        drop: The origin of this drop.
        profile: With the size limit of the settings.

    Returns:
        The bag. Whether its sequence is the next one is for the store to say.

    Raises:
        BagsError: The bag is refused.
    """
    # 1. Bounds.
    if not 0 < len(untrusted_signature) <= MAX_SIGNATURE_BYTES:
        raise BagSignatureError(f"a signature has 1 to {MAX_SIGNATURE_BYTES} bytes")
    with bounded(untrusted_tar, profile.limit_bytes) as untrusted:
        # 2. Nothing is parsed before it is known who made it.
        fingerprint = verify(untrusted_tar, untrusted_signature)
        # 3. The bag is whole.
        head = read_head(untrusted, profile)
        boxes = _contents(untrusted, head)
    index = boxes.pop(_INDEX, b"")
    if not index:
        raise PayloadError("the bag has no return.json")
    # 4. What it says is what it is.
    listed = _parse(index)
    if head.information.bag_id != _bag_id(index):
        raise ContentError("the id of the bag is not that of its index")
    if listed.signer != fingerprint:
        raise BagSignatureError("the bag names another signer than the one who signed it")
    if listed.drop != drop:
        raise BagSignatureError("the bag is for another drop")
    return _filled(listed, boxes)


def _contents(untrusted: BinaryIO, head: Head) -> dict[str, bytes]:
    """Read what the bag carries, by path: it all fits into memory."""
    contents: dict[str, bytes] = {}
    for file in payload(untrusted, head):
        if file.size_bytes > (MAX_INDEX_BYTES if file.path == _INDEX else MAX_BOX_BYTES):
            raise TooLargeError("a file of the bag is larger than any reply")
        contents[file.path] = b"".join(file.chunks())
    return contents


@dataclass(frozen=True, slots=True)
class _Listed:
    drop: str
    signer: str
    sequence: int
    replies: tuple[tuple[str, str, str], ...]
    imported: tuple[str, ...]


def _format(bag: ReturnBag) -> bytes:
    replies: list[JSON] = [
        {"id": each.id, "collection": each.collection, "sha256": sha256(each.box).hexdigest()}
        for each in sorted(bag.replies, key=lambda it: it.id)
    ]
    written: dict[str, Writable] = {
        "v": _VERSION,
        "drop": bag.drop,
        "signer": bag.signer,
        "sequence": bag.sequence,
        "replies": replies,
        "imported": sorted(bag.imported),
    }
    try:
        return canonical_json(written)
    except JsonError as error:
        raise ContentError(f"this bag has no index: {error}") from error


def _parse(untrusted: bytes) -> _Listed:
    value: Fields = whole(untrusted, MAX_INDEX_BYTES, _FIELDS)
    integer(value["v"], _VERSION, _VERSION)
    replies = tuple(_reply(each) for each in elements(value["replies"], 0, RETURN.limit_files))
    imported = tuple(text(each, SHA256) for each in elements(value["imported"], 0, MAX_RECEIPTS))
    once_and_in_order([each[0] for each in replies])
    once_and_in_order(imported)
    return _Listed(
        text(value["drop"], DROP),
        text(value["signer"], _FINGERPRINT),
        integer(value["sequence"], 1, MAX_INTEGER),
        replies,
        imported,
    )


def _reply(untrusted: JSON) -> tuple[str, str, str]:
    value = fields(untrusted, ("id", "collection", "sha256"))
    return text(value["id"], ID), text(value["collection"], ID), text(value["sha256"], SHA256)


def _filled(listed: _Listed, boxes: dict[str, bytes]) -> ReturnBag:
    if boxes.keys() != {_box_path(reply_id) for reply_id, _collection, _hash in listed.replies}:
        raise ContentError("the sealed replies are not those of the index")
    replies = tuple(
        Reply(reply_id, collection, boxes[_box_path(reply_id)]) for reply_id, collection, _ in listed.replies
    )
    for reply, (_id, _collection, expected) in zip(replies, listed.replies, strict=True):
        if not reply.box or sha256(reply.box).hexdigest() != expected:
            raise ContentError("a sealed reply is not the one that the index names")
    return ReturnBag(listed.drop, listed.signer, listed.sequence, replies, listed.imported)


def _box_path(reply_id: str) -> str:
    return f"data/replies/{reply_id}.box"


def _bag_id(index: bytes) -> str:
    return sha256(index).hexdigest()[:32]
