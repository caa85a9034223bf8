"""Bags to read, and the tools to spoil them."""

import io
import json
import tarfile
from collections.abc import Callable, Iterable
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Literal

from bags.index import Collection, Index, Part, Submission, format_index
from bags.layout import Layout
from bags.returns import Reply, ReturnBag, return_layout
from bags.transfer import transfer_layout

DROP = "k7f2q9"
SIGNER = "0123456789ABCDEF0123456789ABCDEF01234567"
BAG_ID = "b" * 32
KEYSET = b'{"serial":1,"v":1}'
SEALED = {f"{number:032x}": bytes([number]) * (number * 700) for number in range(1, 6)}
PROMISES = {sha256(name.encode()).hexdigest(): f"promise {name}\n".encode() for name in SEALED}

HOSTILE_NAMES = [
    "/etc/passwd",
    "../escape",
    f"{BAG_ID}/../escape",
    f"{BAG_ID}/data/../../escape",
    f"{BAG_ID}/data/./x",
    f"{BAG_ID}//data/x",
    "~/x",
    "-rf",
    f"{BAG_ID}/-rf",
    f"{BAG_ID}/a\nb",
    f"{BAG_ID}/a\x1b[2J",
    f"{BAG_ID}/CON",
    f"{BAG_ID}/con.txt.",
    f"{BAG_ID}/trailing ",
    f"{BAG_ID}/a\\b",
    f"{BAG_ID}/c:x",
    f"{BAG_ID}/\N{LATIN SMALL LETTER E WITH ACUTE}",
    f"{BAG_ID}/e\N{COMBINING ACUTE ACCENT}",
    f"{BAG_ID}/\N{RIGHT-TO-LEFT OVERRIDE}gpg",
    f"{BAG_ID}/data/INDEX.json",
    f"{BAG_ID}/data/index.json",
    f"{BAG_ID}/bagit.txt",
    f"{BAG_ID}/fetch.txt",
    f"{BAG_ID}/tagmanifest-sha512.txt",
    f"{'a' * 32}/data/index.json",
    "x",
    "",
]

FIRST_SUBMISSION: list[str | int] = ["collections", 0, "submissions", 0]
FIRST_PART: list[str | int] = [*FIRST_SUBMISSION, "parts", 0]


def open_part(part_id: str) -> BinaryIO:
    return io.BytesIO(SEALED[part_id])


def part(part_id: str, kind: str = "file") -> Part:
    content = SEALED[part_id]
    return Part(part_id, kind, sha256(content).hexdigest(), len(content))


def sample_index() -> Index:
    first, second, third, fourth, fifth = sorted(SEALED)
    day = date(2026, 11, 23)
    return Index(
        DROP,
        BAG_ID,
        sha256(KEYSET).hexdigest(),
        (
            Collection(
                "c" * 32,
                "quiet heron",
                b"\x07" * 32,
                (
                    Submission("1" * 32, day, (part(first, "message"), part(second), part(third, "manifest"))),
                    Submission("2" * 32, day, (part(fourth),)),
                ),
            ),
            Collection("d" * 32, "slow-linden", b"\x08" * 32, (Submission("3" * 32, day, (part(fifth),)),)),
        ),
    )


def edited_index(path: list[str | int], value: object) -> bytes:
    """Write the index with one value exchanged, canonically."""
    whole = json.loads(format_index(sample_index()))
    place: Any = whole
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sample_layout() -> Layout:
    return transfer_layout(sample_index(), PROMISES, KEYSET, open_part)


def sample_return() -> ReturnBag:
    replies = (Reply("e" * 32, "c" * 32, b"sealed one"), Reply("f" * 32, "d" * 32, b"sealed two"))
    return ReturnBag(DROP, SIGNER, 1, replies, ("a" * 64, "b" * 64))


def written(layout: Layout) -> bytes:
    return b"".join(layout.stream())


def return_bytes() -> bytes:
    return written(return_layout(sample_return()))


def members(archive: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    """Take a bag apart with an independent reader."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
        return [(member, _content(tar, member)) for member in tar.getmembers()]


def rebuilt(
    parts: Iterable[tuple[tarfile.TarInfo, bytes]],
    form: Literal[0, 1, 2] = tarfile.USTAR_FORMAT,
    ending: bytes = bytes(1024),
) -> bytes:
    """Put a tar together with an independent writer."""
    whole = b""
    for member, content in parts:
        whole += member.tobuf(form, "utf-8", "surrogateescape") + content + bytes(-len(content) % 512)
    return whole + ending


def respelled(archive: bytes) -> bytes:
    """Write every header as our own writer does, so that only what a test spoils is spoiled."""
    blocks = bytearray(archive)
    at = 0
    while any(blocks[at : at + 512]):
        size = int(blocks[at + 124 : at + 135], 8)
        blocks[at + 329 : at + 345] = b"0000000\0" * 2
        blocks[at + 148 : at + 156] = b" " * 8
        blocks[at + 148 : at + 156] = b"%06o\0 " % sum(blocks[at : at + 512])
        at += 512 + size + (-size % 512)
    return bytes(blocks)


def changed(archive: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """Change the content of files, and make every manifest and measure fit again."""
    contents = {member.name: change(member.name.partition("/")[2], content) for member, content in members(archive)}
    folder = next(iter(contents)).partition("/")[0]
    payload = {name: content for name, content in contents.items() if name.startswith(f"{folder}/data/")}
    return assembled(folder, {name.partition("/")[2]: content for name, content in payload.items()}, kind_of(archive))


def kind_of(archive: bytes) -> str:
    return "transfer 1" if b"Bag-Kind: transfer 1" in archive else "return 1"


def assembled(folder: str, payload: dict[str, bytes], kind: str) -> bytes:
    """Make a bag by hand: whole, but with any payload at all."""
    total = sum(len(content) for content in payload.values())
    tags = {
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "bag-info.txt": (
            f"Bag-Kind: {kind}\nExternal-Identifier: {folder}\nPayload-Oxum: {total}.{len(payload)}\n".encode()
        ),
        "manifest-sha256.txt": _manifest(payload),
    }
    tags["tagmanifest-sha256.txt"] = _manifest(tags)
    return tar_of({f"{folder}/{name}": content for name, content in (*tags.items(), *sorted(payload.items()))})


def tar_of(files: dict[str, bytes]) -> bytes:
    return respelled(rebuilt([(plain(name, len(content)), content) for name, content in files.items()]))


def plain(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, 315532800
    return member


def placed(folder: Path, content: bytes, name: str = "bag.tar") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def left_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    reader = tar.extractfile(member)
    assert reader is not None
    return reader.read()


def _manifest(files: dict[str, bytes]) -> bytes:
    return "".join(f"{sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items())).encode()
