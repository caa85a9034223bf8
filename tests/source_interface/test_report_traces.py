"""A whole report leaves nothing of itself behind, in whatever encoding: not on the disk, in a file, or in memory."""

import base64
import gzip
import quopri
import random
import re
import subprocess
import time
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.browserlike import Browser, Chosen, unix_client
from tests.source_interface.canary import Canary
from tests.source_interface.disks import IMAGE_BYTES, cut, disk
from tests.source_interface.house import HOST, Keyring, short_folder, shown_codename, until
from tests.source_interface.test_traces import alone, hits

_HEX = "[0-9a-f]{32}"
# All that a house writes; SQLite has files beside each store while it works.
_OURS = re.compile(
    rf"(incoming(/{_HEX}(/{_HEX}\.gpg)?)?|objects/[0-9a-f]{{2}}(/{_HEX}(/{_HEX}\.gpg)?)?"
    r"|(inbox|outbox)\.db(-journal|-wal|-shm)?)"
)
# gpg's own files, made anew at each start, hold public keys alone (F7).
_GPG = re.compile(r"gnupg/|recipients/")


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as folder:
        yield folder


def report_whole(root: Path, canary: Canary) -> str:
    """Say the word in every answer, name, note and file; slip, stop, go on, come back; gives the codename."""
    with unix_client(str(root / "source.sock"), HOST) as client:
        browser = Browser(client)
        browser.open("/")
        browser.press("Tell what happened, step by step")
        browser.press("Continue", r1="victim")
        words = {"w2": f"{canary.word} " * 500, "p3.words": canary.word, "t1.y": canary.word}
        assert browser.press("Continue", {**words, "w1": ["yes"]}).status == 400
        browser.press("Send what I have so far", {"t1.y": "2022"})
        codename = shown_codename(browser.page)
        browser.click("I have written it down")
        browser.press("Check it", codename=codename)
        browser.press("Go on with my report")
        browser.open("/report/3")
        browser.press("Continue", {"person.0.v3": canary.word})
        browser.open("/report/files")
        # One that is gathered whole, and one that passes while it arrives.
        small, large = (Chosen.of(f"{canary.word} {size}", (canary.word.encode() * size)) for size in (1, 11_000))
        arrived = browser.press("Send these files at once", files=[small, large])
        assert canary.word in arrived.text, (arrived.status, arrived.text)
        browser.open("/report/files/1")
        browser.press("Keep this", e3="yes")
        browser.open("/report/check")
        assert browser.press("Send my report").path == "/sent"
        browser.open("/login")
        browser.press("Open my inbox", codename=f"{codename} {canary.word}"[:120])
        browser.press("Open my inbox", codename=codename)
        browser.open("/choices")
        browser.press("Send these choices", c2="no")
        browser.open("/withdraw")
        browser.press("Withdraw everything now")
        browser.open("/exit")
    return codename


@pytest.mark.check("F4")
def test_the_word_is_found_in_every_disguise() -> None:
    """The control for all that follows."""
    canary = Canary()
    said = f"{canary.word} " * 50
    written = [
        said.encode(),
        said[::-1].encode(),
        said.encode("utf-16-le"),
        said.encode("utf-16-be"),
        *(base64.encodebytes(b"x" * shift + said.encode()) for shift in range(3)),
        quopri.encodestring(said.encode()),
        b"before" + zlib.compress(said.encode()) + b"after",
        gzip.compress(said.encode()),
        zlib.compress(base64.b64encode(said.encode())),
    ]

    assert all(canary.found(content) for content in written)
    assert Canary().found(b"".join(written)) == []


@pytest.mark.timeout(600)
@pytest.mark.check("F2", "F4")
@pytest.mark.parametrize("moments", [3, pytest.param(20, marks=pytest.mark.full)])
def test_the_raw_disk_never_holds_anything_of_a_report(moments: int, folder: Path, keyring: Keyring) -> None:
    """Copied at random moments of the whole way, as a power cut would leave it, and searched byte by byte."""
    canary = Canary()
    image, codename = folder / "image", ""
    # Each round of a report stays on it.
    with disk(image, folder / "root", IMAGE_BYTES * (1 + moments // 10)) as root, alone(root, keyring):
        copies = 0
        while copies < moments:
            with _copied_meanwhile(image, folder, random.SystemRandom().uniform) as copied:
                codename = report_whole(root, canary)
            for copy in copied:
                content = copy.read_bytes()
                assert (canary.found(content), content.count(codename.encode())) == ([], 0)
                copy.unlink()
            copies += len(copied)
        # The positive control: what is written is seen, packed or not.
        subprocess.run(["sync", "--file-system", root], check=True)
        (root / "packed").write_bytes(b"\x1f\x8b" + canary.word.encode())
    content = image.read_bytes()
    assert content.count(canary.plain.encode()) == 1
    assert codename.encode() not in content


@pytest.mark.check("F2", "F5")
def test_no_other_files_than_ours_appear(folder: Path, keyring: Keyring) -> None:
    """Below the house's folder; `test_nothing_that_was_sent_is_written_anywhere_but_to_gpg` looks at all the others."""
    with alone(folder, keyring), _watched(folder) as seen:
        report_whole(folder, Canary())

    names = {name for name in seen if not _GPG.match(name)}
    assert len([name for name in names if name.endswith(".gpg")]) > 10
    assert {name for name in names if not _OURS.fullmatch(name)} == set()


@pytest.mark.check("F1", "F4", "L2")
def test_no_file_and_no_log_holds_a_report_in_any_encoding(folder: Path, keyring: Keyring) -> None:
    canary = Canary()

    with alone(folder, keyring) as process:
        codename = report_whole(folder, canary)
        said, errors = process.communicate(timeout=60)

    written = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert len(written) > 10
    for name, content in {**written, "said": said, "errors": errors}.items():
        assert canary.found(content) == [], name
        assert codename.encode() not in content, name


@pytest.mark.check("F4", "F10")
def test_memory_forgets_a_whole_report_in_any_encoding(folder: Path, keyring: Keyring) -> None:
    canary = Canary()
    with alone(folder, keyring) as process:
        codename = report_whole(folder, canary)
        needles = {**canary.disguises(), "codename": codename.encode()}

        until(lambda: not [name for name, needle in needles.items() if hits(process.pid, needle)], 60)
        # The positive control: this is memory in which things are found.
        assert hits(process.pid, b"svidok session 1") > 0


@contextmanager
def _copied_meanwhile(image: Path, folder: Path, drawn: Callable[[float, float], float]) -> Generator[list[Path]]:
    """Copy the disk again and again while something happens to it, at moments that are drawn."""
    copies: list[Path] = []
    over = Event()

    def copy() -> None:
        while not over.wait(drawn(0.05, 1)):
            copies.append(cut(image, folder / f"cut{len(copies)}"))

    thread = Thread(target=copy)
    thread.start()
    try:
        yield copies
    finally:
        over.set()
        thread.join()


@contextmanager
def _watched(root: Path) -> Generator[list[str]]:
    """Note the name of everything that is made or moved below *root*."""
    seen: list[str] = []
    command = ["inotifywait", "-m", "-r", "--format", "%w%f", "-e", "create,moved_to,modify", str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stderr is not None
        assert watching.stdout is not None
        while "established" not in watching.stderr.readline():
            pass
        yield seen
        time.sleep(0.5)
        watching.terminate()
        lines = watching.stdout.read().splitlines()
    seen += [str(Path(line).relative_to(root)) for line in lines]
