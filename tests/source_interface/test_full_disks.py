"""A full disk, whichever it is, gives a page that says so; nothing is kept by half, and room is noticed at once."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hardening.migrating import create
from tests.browserlike import Browser, Chosen, unix_client
from tests.clock import FakeClock
from tests.source_interface.house import HOST, House, Keyring, short_folder, until
from vault.tables import INBOX

_WORDS = "what I saw"


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as folder:
        yield folder


@contextmanager
def _small(place: Path, size: str) -> Iterator[Path]:
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def _fill(disk: Path) -> Path:
    """Take all the room that there is."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return ballast


@pytest.mark.check("J4")
@pytest.mark.parametrize("full", ["files", "store"])
def test_a_full_disk_is_said_keeps_nothing_and_passes_without_a_restart(
    full: str, folder: Path, keyring: Keyring
) -> None:
    """The files' disk and the store's, each alone: what is measured beforehand says that there is room."""
    with _small(folder / "files", "8m") as files, _small(folder / "store", "2m") as store:
        # The house finds its store behind a link, on a disk of its own.
        create(f"sqlite:///{store}/inbox.db", INBOX)
        (files / "inbox.db").symlink_to(store / "inbox.db")
        with House(files, keyring, FakeClock()).living() as house:
            _, known = house.sender("before", [Chosen.of("a", b"a")])
            before = len(house.submissions())
            browser = house.begun()
            ballast = _fill(files if full == "files" else store)

            page = browser.press("Send now", message=_WORDS, files=[Chosen.of("b", bytes(2 * 1024 * 1024))])

            assert (page.status, len(house.submissions())) == (507, before)
            assert "no room left" in page.text
            assert page.first("textarea").text == _WORDS
            assert not list((files / "incoming").iterdir())
            # Whoever reads needs no room.
            reader = house.browser()
            reader.open("/login")
            assert reader.press("Open my inbox", codename=known).heading == "Your inbox"

            ballast.unlink()
            assert browser.press("Send now", message=_WORDS, files=[Chosen.of("b", b"b")]).status == 200
            assert len(house.submissions()) == before + 1


@pytest.mark.check("J4")
def test_a_log_that_cannot_be_written_stops_nobody(folder: Path, keyring: Keyring) -> None:
    (folder / "keyset").write_bytes(keyring.keyset.canonical)
    root = folder / "house"
    root.mkdir(mode=0o700)
    with (
        Path("/dev/full").open("wb") as full,
        subprocess.Popen(
            [sys.executable, "-m", "tests.source_interface.alone", root, folder / "keyset"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=full,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        with unix_client(str(root / "source.sock"), HOST) as client:
            browser = Browser(client)
            browser.open("/")
            browser.begin()
            # Something that is logged: nobody can be sealed to.
            (keys,) = (root / "recipients").iterdir()
            keys.rename(folder / "away")
            assert browser.press("Send now", message=_WORDS).status == 500
            (folder / "away").rename(keys)
            assert browser.press("Send now", message=_WORDS).status == 200
        process.communicate(timeout=60)
    # CPython 3.13 ends with 120 when it cannot flush a stream.
    assert process.returncode in {0, 120}
    until(lambda: not list((root / "incoming").iterdir()))
    assert len(list((root / "objects").rglob("*.gpg"))) == 2
