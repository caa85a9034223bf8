import io
import tarfile
import tracemalloc
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bags.errors import LayoutError, PayloadChangedError
from bags.layout import KnownFile, Layout, bag_layout, write_layout
from bags.profile import TRANSFER
from bags.tar import MAX_FILE_BYTES
from tests.bags.samples import sample_layout, written

LAYOUT = sample_layout()
WHOLE = written(LAYOUT)


def refuse() -> BinaryIO:
    raise AssertionError("a payload file was opened")


def test_length_and_tag_are_known_before_any_file_is_read() -> None:
    layout = Layout.of_files([KnownFile("a", 5 * 2**30, "0" * 64, refuse), KnownFile("b", 1, "1" * 64, refuse)])

    assert layout.size_bytes == 512 + 5 * 2**30 + 512 + 512 + 1024
    assert layout.etag.startswith('"')


def test_the_length_is_the_length() -> None:
    assert len(WHOLE) == LAYOUT.size_bytes


@pytest.mark.check("P12", "P13")
@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_range_is_the_same_as_a_piece_of_the_whole(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(WHOLE)))
    end = data.draw(st.integers(start, len(WHOLE)))

    assert b"".join(LAYOUT.stream(start, end)) == WHOLE[start:end]


@pytest.mark.check("P13")
def test_a_download_resumed_at_every_block_ends_in_the_same_bytes() -> None:
    for at in range(0, len(WHOLE) + 1, 509):
        assert WHOLE[:at] + b"".join(LAYOUT.stream(at)) == WHOLE


@pytest.mark.check("P13")
@pytest.mark.parametrize(("start", "end"), [(-1, 5), (5, 4), (0, len(WHOLE) + 1), (len(WHOLE) + 1, None)])
def test_a_range_that_is_not_there_is_refused_at_once(start: int, end: int | None) -> None:
    with pytest.raises(LayoutError):
        LAYOUT.stream(start, end)


def test_only_files_in_the_range_are_opened() -> None:
    layout = Layout.of_files([KnownFile("a", 3, "0" * 64, refuse), KnownFile.of_bytes("b", b"xyz")])

    assert b"".join(layout.stream(512 + 512 + 512, 512 + 512 + 512 + 3)) == b"xyz"


def test_every_opened_file_is_closed_also_when_the_reader_goes_away() -> None:
    source = io.BytesIO(bytes(300_000))
    pieces = Layout.of_files([KnownFile("a", 300_000, "0" * 64, lambda: source)]).stream(512)

    next(pieces)
    pieces.close()  # type: ignore[attr-defined]

    assert source.closed


def test_a_large_file_is_streamed_in_little_memory() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1, /) -> bytes:
            return bytes(size)

        def seek(self, offset: int, _whence: int = 0, /) -> int:
            return offset

    def endless() -> BinaryIO:
        return Endless()  # type: ignore[return-value]

    layout = Layout.of_files([KnownFile("a", 512 * 2**20, "0" * 64, endless)])

    tracemalloc.start()
    total = sum(len(chunk) for chunk in layout.stream(1000, 64 * 2**20))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert total == 64 * 2**20 - 1000
    assert peak < 2**20


@pytest.mark.check("K5")
def test_members_tell_nothing_of_time_and_owner() -> None:
    with tarfile.open(fileobj=io.BytesIO(WHOLE), mode="r:") as tar:
        for member in tar.getmembers():
            assert (member.mtime, member.uid, member.gid, member.mode) == (315532800, 0, 0, 0o600)
            assert (member.uname, member.gname, member.linkname, member.pax_headers) == ("", "", "", {})
            assert member.isreg()


@pytest.mark.check("T8", "K5")
def test_the_same_bag_twice_is_the_same_bytes() -> None:
    again = sample_layout()

    assert written(again) == WHOLE
    assert again.etag == LAYOUT.etag


def test_the_tag_changes_with_any_name_size_or_hash() -> None:
    layouts = [
        Layout.of_files([KnownFile(name, size, digest, refuse)])
        for name, size, digest in [("a", 1, "0" * 64), ("b", 1, "0" * 64), ("a", 2, "0" * 64), ("a", 1, "1" * 64)]
    ]

    assert len({each.etag for each in layouts}) == 4


@pytest.mark.parametrize("content", [b"", b"ab", b"abcd"])
def test_a_file_that_changed_its_size_breaks_the_stream(content: bytes) -> None:
    """The answer must be cut: padded out it would look like a whole bag."""
    layout = Layout.of_files([KnownFile("a", 3, sha256(b"abc").hexdigest(), lambda: io.BytesIO(content))])

    with pytest.raises(PayloadChangedError):
        written(layout)


def test_a_bag_that_cannot_be_written_whole_is_not_there(tmp_path: Path) -> None:
    layout = Layout.of_files([KnownFile("a", 3, "0" * 64, lambda: io.BytesIO(b""))])

    with pytest.raises(PayloadChangedError):
        write_layout(layout, tmp_path / "bag.tar")

    assert list(tmp_path.iterdir()) == []


def test_a_bag_is_written_for_its_owner_alone_and_over_nothing(tmp_path: Path) -> None:
    write_layout(LAYOUT, tmp_path / "bag.tar")

    assert (tmp_path / "bag.tar").read_bytes() == WHOLE
    assert (tmp_path / "bag.tar").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_layout(LAYOUT, tmp_path / "bag.tar")
    assert (tmp_path / "bag.tar").read_bytes() == WHOLE


@pytest.mark.parametrize(
    "name", ["", "/a", "../a", "a/../b", "a//b", "-a", "a b", "A", "a\n", "é", "a/", "~a", "x" * 101, "p" * 101 + "/a"]
)
def test_a_name_that_no_bag_of_ours_has_is_not_written(name: str) -> None:
    with pytest.raises(LayoutError):
        Layout.of_files([KnownFile.of_bytes(name, b"")])


@pytest.mark.parametrize("size", [-1, MAX_FILE_BYTES + 1])
def test_a_size_that_no_header_holds_is_not_written(size: int) -> None:
    with pytest.raises(LayoutError):
        Layout.of_files([KnownFile("a", size, "0" * 64, refuse)])


def test_a_name_stands_once() -> None:
    with pytest.raises(LayoutError):
        Layout.of_files([KnownFile.of_bytes("a", b""), KnownFile.of_bytes("a", b"")])


def test_a_payload_outside_the_profile_is_not_written() -> None:
    with pytest.raises(LayoutError):
        bag_layout(TRANSFER, "b" * 32, [KnownFile.of_bytes("data/else.txt", b"")])


def test_a_payload_beyond_the_profile_is_not_written() -> None:
    parts = [
        KnownFile(f"data/submissions/{'1' * 32}/{number:032x}.gpg", MAX_FILE_BYTES, "0" * 64, refuse)
        for number in range(129)
    ]

    with pytest.raises(LayoutError):
        bag_layout(TRANSFER, "b" * 32, parts)
