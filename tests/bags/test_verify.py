import io
import os
import stat
import subprocess
import tarfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import bagit  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bags.errors import ArchiveError, BagsError, ManifestError, NoBagError, PayloadError, TooLargeError
from bags.profile import TRANSFER
from bags.tar import header
from bags.verify import payload, read_head, unpacking
from tests.bags.samples import (
    BAG_ID,
    HOSTILE_NAMES,
    assembled,
    changed,
    left_in,
    members,
    placed,
    plain,
    rebuilt,
    respelled,
    sample_layout,
    tar_of,
    written,
)

WHOLE = written(sample_layout())
SUBMISSION = "data/submissions/" + "1" * 32


def read(archive: bytes) -> None:
    read_stream(io.BytesIO(archive))


def read_stream(untrusted: BinaryIO) -> None:
    for file in payload(untrusted, read_head(untrusted, TRANSFER)):
        file.finish()


def member_headers(archive: bytes) -> list[int]:
    at, found = 0, list[int]()
    while any(archive[at : at + 512]):
        found.append(at)
        size = int(archive[at + 124 : at + 135], 8)
        at += 512 + size + (-size % 512)
    return found


def test_a_bag_of_ours_is_read_to_its_end() -> None:
    read(WHOLE)


def test_the_tools_of_these_tests_make_whole_bags() -> None:
    """Otherwise every attack below would be refused for the wrong reason."""
    assert changed(WHOLE, lambda _path, content: content) == WHOLE
    assert respelled(rebuilt(members(WHOLE))) == WHOLE


def test_an_unpacked_bag_is_valid_to_an_independent_checker(tmp_path: Path) -> None:
    with unpacking(placed(tmp_path, WHOLE), tmp_path / "bag", TRANSFER):
        pass

    assert bagit.Bag(str(tmp_path / "bag")).validate()
    assert {path.name for path in (tmp_path / "bag").iterdir()} == {
        "bagit.txt",
        "bag-info.txt",
        "manifest-sha256.txt",
        "tagmanifest-sha256.txt",
        "data",
    }


def test_a_bag_unpacked_by_tar_is_valid_to_an_independent_checker(tmp_path: Path) -> None:
    subprocess.run(["tar", "-xf", "-", "-C", tmp_path], input=WHOLE, check=True)

    assert bagit.Bag(str(tmp_path / BAG_ID)).validate()


@pytest.mark.check("Q7")
def test_unpacked_files_are_private_and_not_executable(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        with unpacking(placed(tmp_path, WHOLE), tmp_path / "bag", TRANSFER):
            pass
    finally:
        os.umask(previous)

    for path in (tmp_path / "bag", *(tmp_path / "bag").rglob("*")):
        assert stat.S_IMODE(path.lstat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_nothing_is_kept_when_the_receiver_objects(tmp_path: Path) -> None:
    untrusted = placed(tmp_path, WHOLE)

    with pytest.raises(RuntimeError), unpacking(untrusted, tmp_path / "bag", TRANSFER):
        raise RuntimeError

    assert left_in(tmp_path) == ["bag.tar"]


def test_what_a_cut_off_run_left_behind_is_cleared(tmp_path: Path) -> None:
    (tmp_path / "bag.part").mkdir()
    (tmp_path / "bag.part" / "old").write_bytes(b"old")

    with unpacking(placed(tmp_path, WHOLE), tmp_path / "bag", TRANSFER):
        pass

    assert not (tmp_path / "bag" / "old").exists()
    assert not (tmp_path / "bag.part").exists()


def test_a_folder_that_is_there_is_never_written_into(tmp_path: Path) -> None:
    (tmp_path / "bag").mkdir()

    with pytest.raises(FileExistsError), unpacking(placed(tmp_path, WHOLE), tmp_path / "bag", TRANSFER):
        pass


def spoiled(kind: bytes, name: str = f"{BAG_ID}/{SUBMISSION}/{'9' * 32}.gpg", **fields: object) -> bytes:
    """Put a member of another kind before the first payload file."""
    intruder = plain(name, 0)
    intruder.type = kind
    for field, value in fields.items():
        setattr(intruder, field, value)
    whole = members(WHOLE)
    return respelled(rebuilt([*whole[:4], (intruder, b""), *whole[4:]]))


HOSTILE_MEMBERS = {
    "symbolic link": spoiled(tarfile.SYMTYPE, linkname="/etc/passwd"),
    "symbolic link upwards": spoiled(tarfile.SYMTYPE, linkname="../../.."),
    "hard link": spoiled(tarfile.LNKTYPE, linkname="/etc/passwd"),
    "character device": spoiled(tarfile.CHRTYPE),
    "block device": spoiled(tarfile.BLKTYPE),
    "fifo": spoiled(tarfile.FIFOTYPE),
    "folder": spoiled(tarfile.DIRTYPE),
    "contiguous file": spoiled(tarfile.CONTTYPE),
    "old file": spoiled(tarfile.AREGTYPE),
    "sparse file": spoiled(tarfile.GNUTYPE_SPARSE),
    "GNU long name": spoiled(tarfile.GNUTYPE_LONGNAME),
    "GNU long link": spoiled(tarfile.GNUTYPE_LONGLINK),
    "PAX header": spoiled(tarfile.XHDTYPE),
    "global PAX header": spoiled(tarfile.XGLTYPE),
    "volume label": spoiled(b"V"),
    "unknown type": spoiled(b"z"),
    "setuid": spoiled(tarfile.REGTYPE, mode=0o4755),
    "owner": spoiled(tarfile.REGTYPE, uid=1000),
    "group": spoiled(tarfile.REGTYPE, gid=1000),
    "owner's name": spoiled(tarfile.REGTYPE, uname="root"),
    "time": spoiled(tarfile.REGTYPE, mtime=1),
    "link name on a file": spoiled(tarfile.REGTYPE, linkname="x"),
    "a file too many": spoiled(tarfile.REGTYPE),
}


@pytest.mark.check("Q7")
@pytest.mark.parametrize("name", HOSTILE_MEMBERS)
def test_a_member_that_is_no_plain_file_of_the_manifest_is_refused(name: str, tmp_path: Path) -> None:
    untrusted = placed(tmp_path, HOSTILE_MEMBERS[name])

    with pytest.raises(BagsError), unpacking(untrusted, tmp_path / "bag", TRANSFER):
        pass

    assert left_in(tmp_path) == ["bag.tar"]


@pytest.mark.check("Q6", "Q7")
@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_is_refused_in_the_archive(name: str, tmp_path: Path) -> None:
    untrusted = placed(tmp_path, spoiled(tarfile.REGTYPE, name=name))

    with pytest.raises(BagsError), unpacking(untrusted, tmp_path / "bag", TRANSFER):
        pass

    assert left_in(tmp_path) == ["bag.tar"]


@pytest.mark.check("R3")
def test_every_byte_of_the_tar_counts() -> None:
    for at in range(0, len(WHOLE), 7):
        turned = bytearray(WHOLE)
        turned[at] ^= 1 << (at % 8)
        with pytest.raises(BagsError):
            read(bytes(turned))


@pytest.mark.full
@pytest.mark.check("R3")
def test_every_bit_of_the_tar_counts() -> None:
    for bit in range(len(WHOLE) * 8):
        turned = bytearray(WHOLE)
        turned[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(BagsError):
            read(bytes(turned))


@pytest.mark.check("R3", "Q2")
def test_a_bag_cut_anywhere_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    for length in [*range(0, len(WHOLE), 331), len(WHOLE) - 1]:
        untrusted = placed(tmp_path, WHOLE[:length])

        with pytest.raises(BagsError), unpacking(untrusted, tmp_path / "bag", TRANSFER):
            pass

        assert left_in(tmp_path) == ["bag.tar"]


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=2000))
def test_one_byte_more_is_an_error(extra: bytes) -> None:
    for archive in (WHOLE + extra, WHOLE[:-1024] + extra + bytes(1024), extra + WHOLE):
        with pytest.raises(BagsError):
            read(archive)


def test_the_record_padding_of_other_tar_writers_is_refused() -> None:
    with pytest.raises(ArchiveError):
        read(WHOLE + bytes(-len(WHOLE) % 10240))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=3000))
def test_noise_is_never_a_bag(noise: bytes) -> None:
    with pytest.raises(BagsError):
        read(noise)


def pax(archive: bytes) -> bytes:
    whole = members(archive)
    whole[5][0].pax_headers = {"path": "/etc/passwd", "comment": "x"}
    return rebuilt(whole, tarfile.PAX_FORMAT)


@pytest.mark.check("Q7")
@pytest.mark.parametrize("respell", [pax, lambda archive: rebuilt(members(archive), tarfile.GNU_FORMAT)])
def test_an_archive_of_another_dialect_is_refused(respell: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BagsError):
        read(respell(WHOLE))


@pytest.mark.check("Q7")
def test_files_in_another_order_or_twice_are_refused() -> None:
    whole = members(WHOLE)

    for parts in (
        [*whole[:4], whole[5], whole[4], *whole[6:]],
        [*whole[:5], *whole[4:]],
        whole[:-1],
        whole[4:],
        [*whole, whole[0]],
        [whole[1], whole[0], *whole[2:]],
    ):
        with pytest.raises(BagsError):
            read(respelled(rebuilt(parts)))


@pytest.mark.check("R3")
def test_a_changed_file_is_named() -> None:
    part = f"{SUBMISSION}/{'0' * 31}1.gpg"
    whole = [(m, b"\xff" * len(c) if m.name.endswith(part) else c) for m, c in members(WHOLE)]

    with pytest.raises(PayloadError, match=part):
        read(respelled(rebuilt(whole)))


@pytest.mark.parametrize("oxum", ["1.1", "2.2", "0.1", "2.1"])
def test_a_payload_oxum_that_does_not_fit_is_refused(oxum: str) -> None:
    """The tag manifest is made to fit, so that only the oxum itself can tell."""
    archive = assembled(BAG_ID, {"data/index.json": b"abcdef"}, "transfer 1")
    read(archive)
    lying = assembled(BAG_ID, {"data/index.json": b"abcdef"}, "transfer 1").replace(
        b"Oxum: 6.1", f"Oxum: {oxum}".encode()
    )
    contents = {member.name: content for member, content in members(lying)}
    information = contents[f"{BAG_ID}/bag-info.txt"]
    contents[f"{BAG_ID}/tagmanifest-sha256.txt"] = contents[f"{BAG_ID}/tagmanifest-sha256.txt"].replace(
        _digest(members(archive)[1][1]), _digest(information)
    )

    with pytest.raises(BagsError):
        read(tar_of(contents))


def test_the_folder_is_the_identifier() -> None:
    archive = tar_of({name.replace(BAG_ID, "a" * 32): content for name, content in _contents(WHOLE).items()})

    with pytest.raises(ManifestError):
        read(archive)


def test_a_tag_manifest_must_cover_the_tag_files() -> None:
    contents = _contents(WHOLE)
    contents[f"{BAG_ID}/tagmanifest-sha256.txt"] = contents[f"{BAG_ID}/tagmanifest-sha256.txt"][:-1] + b" "

    with pytest.raises(ManifestError):
        read(tar_of(contents))


@pytest.mark.parametrize(
    "declaration", [b"BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n", b"", b"x" * 5000]
)
def test_another_declaration_is_refused(declaration: bytes) -> None:
    contents = _contents(WHOLE)
    contents[f"{BAG_ID}/bagit.txt"] = declaration

    with pytest.raises(BagsError):
        read(tar_of(contents))


def test_a_bag_above_the_limit_is_refused_unread(tmp_path: Path) -> None:
    small = replace(TRANSFER, limit_bytes=len(WHOLE) - 1)

    with pytest.raises(TooLargeError), unpacking(placed(tmp_path, WHOLE), tmp_path / "bag", small):
        pass

    assert left_in(tmp_path) == ["bag.tar"]


@pytest.mark.parametrize(
    "other", [b"", b"root:x:0:0:root:/root:/bin/bash\n", bytes(10_240), b"PK\x03\x04" + bytes(600)]
)
def test_another_file_is_told_from_a_damaged_bag(other: bytes, tmp_path: Path) -> None:
    with pytest.raises(NoBagError), unpacking(placed(tmp_path, other), tmp_path / "bag", TRANSFER):
        pass


def test_what_is_no_file_is_no_bag(tmp_path: Path) -> None:
    """Opening a pipe would wait for a writer for ever."""
    os.mkfifo(tmp_path / "pipe")

    for path in (tmp_path / "pipe", tmp_path, tmp_path / "missing", Path("/dev/zero")):
        with pytest.raises(ArchiveError), unpacking(path, tmp_path / "bag", TRANSFER):
            pass


@pytest.mark.check("Q9")
def test_a_million_entries_are_refused_in_little_time_and_memory() -> None:
    class Million(io.RawIOBase):
        """An endless tar of empty files behind a right beginning."""

        def __init__(self) -> None:
            self.left = memoryview(WHOLE)[: member_headers(WHOLE)[4]]
            self.served = 0

        def read(self, size: int = -1, /) -> bytes:
            self.served += size
            if self.left:
                piece, self.left = bytes(self.left[:size]), self.left[size:]
                return piece
            return header(f"{BAG_ID}/{SUBMISSION}/{self.served:032x}.gpg", 0)

    untrusted = Million()
    tracemalloc.start()
    started = time.process_time()

    with pytest.raises(BagsError):
        read_stream(untrusted)  # type: ignore[arg-type]

    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.process_time() - started < 1
    assert peak < 2**20
    assert untrusted.served < 2 * len(WHOLE)


@pytest.mark.check("Q9")
def test_a_manifest_of_a_million_entries_is_refused_before_it_is_read() -> None:
    payload_files = {f"{SUBMISSION}/{number:032x}.gpg": b"" for number in range(3)}
    archive = assembled(BAG_ID, payload_files, "transfer 1")
    many = archive.replace(b"Payload-Oxum: 0.3\n", b"Payload-Oxum: 0.1000000\n")
    blocks = bytearray(many)
    at = blocks.index(b"Payload-Oxum")
    # The longer measure takes the place of padding; only the size in the header must follow.
    del blocks[at + len(b"Payload-Oxum: 0.1000000\n") + 20 : at + len(b"Payload-Oxum: 0.1000000\n") + 26]
    size_at = member_headers(archive)[1] + 124
    blocks[size_at : size_at + 11] = b"%011o" % (int(archive[size_at : size_at + 11], 8) + 6)

    with pytest.raises(TooLargeError):
        read(respelled(bytes(blocks)))


def _contents(archive: bytes) -> dict[str, bytes]:
    return {member.name: content for member, content in members(archive)}


def _digest(content: bytes) -> bytes:
    return sha256(content).hexdigest().encode()
