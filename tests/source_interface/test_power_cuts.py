"""What was confirmed outlives a power cut: forced to the disk before the answer, and found on a copy of the disk."""

import hashlib
import re
import secrets
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest

from hardening.database import open_to_write
from keys.lexicon import lexicons
from keys.opening import inspect, release
from tests.browserlike import Browser, Chosen, unix_client
from tests.clock import FakeClock
from tests.keyring import Reviewer
from tests.source_interface.disks import cut, disk, mounted
from tests.source_interface.house import HOST, House, Keyring, form_body, short_folder
from tests.source_interface.test_traces import alone
from vault.inbox import Inbox
from vault.objects import Shelves
from vault.reading import InboxReader
from vault.tables import INBOX

_UNSYNCED = b"nobody has forced this to the disk"


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as folder:
        yield folder


@pytest.mark.timeout(900)
@pytest.mark.check("J2", "F2")
@pytest.mark.parametrize("cuts", [3, pytest.param(50, marks=pytest.mark.full)])
def test_a_confirmed_sending_is_there_and_opens_after_a_power_cut(cuts: int, folder: Path, keyring: Keyring) -> None:
    """The house lives on a file system in a file, and what the kernel still holds in memory is not in that file."""
    mark = secrets.token_hex(16).encode()
    copies: list[Path] = []
    with disk(folder / "image", folder / "root") as root, House(root, keyring, FakeClock()).living() as house:
        subprocess.run(["sync", "--file-system", root], check=True)
        for number in range(cuts):
            request = _sending(house, mark, b"%d" % number)
            # A new name each time: what replaces something, this file system forces out by itself.
            (root / f"unsynced{number}").write_bytes(_UNSYNCED)
            assert house.ask(request).status == 303
            copies.append(cut(folder / "image", folder / f"cut{number}"))

    known: set[str] = set()
    for number, copy in enumerate(copies):
        assert mark not in copy.read_bytes()
        with mounted(copy, folder / "after") as root:
            # The positive control: what nobody has forced out is lost.
            lost = root / f"unsynced{number}"
            assert not lost.exists() or lost.read_bytes() != _UNSYNCED
            found = _started_again(root)
            (new,) = found.keys() - known
            assert _opened(found[new], keyring.reviewers[0]) >= {b"%d" % number, mark * 100}
            assert found.keys() > known
        known = set(found)
        copy.unlink()


@pytest.mark.check("J2")
def test_all_that_a_sending_writes_or_names_is_forced_out_before_it_is_confirmed(
    folder: Path, keyring: Keyring, tmp_path: Path
) -> None:
    """Stricter than any one file system: each file after its last byte, each folder after its last change of names."""
    log = tmp_path / "trace"
    calls = "openat,mkdir,rename,unlink,write,writev,pwrite64,fsync,fdatasync,sendto,sendmsg"
    strace = ("strace", "-f", "-y", "-s", "32", "-e", f"trace={calls}", "-o", str(log))
    with alone(folder, keyring, *strace), unix_client(str(folder / "source.sock"), HOST) as client:
        browser = Browser(client)
        browser.open("/")
        browser.begin()
        browser.press("Send now", message="a", files=[Chosen.of("b", bytes(2 * 1024 * 1024))])

    calls_made = list(_finished(log.read_text("latin-1").splitlines()))
    began, sent, *_ = _unforced_at_each_answer(calls_made, folder)
    assert (began, sent) == (set(), set())
    # The positive control: had nothing been forced out, all of these would be missing.
    _, unforced, *_ = _unforced_at_each_answer((call for call in calls_made if "sync(" not in call), folder)
    assert {Path(path).name for path in unforced} >= {folder.name, "incoming", "objects", "inbox.db"}
    assert sum(path.endswith(".gpg") for path in unforced) == 3


def _sending(house: House, mark: bytes, message: bytes) -> bytes:
    browser = house.begun()
    once = browser.page.form("Send now").controls["once"].encode()
    body = form_body("b0", [("once", None, once), ("message", None, message), ("files", "a", mark * 100)])
    head = (
        "POST /send HTTP/1.1",
        f"Host: {HOST}",
        f"Cookie: __Host-visit={browser.cookies['__Host-visit']}",
        "Content-Type: multipart/form-data; boundary=b0",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def _started_again(root: Path) -> dict[str, list[Path]]:
    """Start the source process again; give the files of each submission that is there, whole and readable."""
    with closing(open_to_write(f"sqlite:///{root}/inbox.db", INBOX)) as database:
        shelves = Shelves(root)
        Inbox(database, shelves, FakeClock(), lexicons()["en"].words).sweep()
        reader = InboxReader(database, shelves)
        submissions = reader.submissions(notice.submission_id for notice in reader.arrived_since(None))
    found: dict[str, list[Path]] = {}
    for submission in submissions:
        place = root / "objects" / submission.submission_id[:2] / submission.submission_id
        found[submission.submission_id] = [place / f"{part.part_id}.gpg" for part in submission.parts]
        for part, path in zip(submission.parts, found[submission.submission_id], strict=True):
            assert hashlib.sha256(path.read_bytes()).hexdigest() == part.ct_sha256
            assert path.stat().st_mode & 0o777 == 0o640
    return found


def _opened(parts: Iterable[Path], who: Reviewer) -> set[bytes]:
    contents: set[bytes] = set()
    for path in parts:
        content = BytesIO()
        release(path, inspect(path, who.gpg, who.passphrase), content, who.gpg, who.passphrase)
        contents.add(content.getvalue())
    return contents


def _finished(lines: Iterable[str]) -> Iterator[str]:
    """Give each call when it has ended; strace cuts those in two that wait while others go on."""
    begun: dict[str, str] = {}
    for line in lines:
        thread, call = line.split(maxsplit=1)
        if call.endswith("<unfinished ...>"):
            begun[thread] = call.removesuffix("<unfinished ...>")
        elif found := re.match(r"<\.\.\. \w+ resumed>(.*)", call):
            yield begun.pop(thread, "") + found[1]
        else:
            yield call


def _unforced_at_each_answer(calls: Iterable[str], root: Path) -> list[set[str]]:
    """Follow what below *root* was written or named and not forced out yet, and look at it when a 303 is sent."""
    waiting: set[str] = set()
    answers: list[set[str]] = []
    for call in calls:
        name, _, rest = call.partition("(")
        if "HTTP/1.1 303" in rest:
            answers.append(set(waiting))
        if "= -1 " in rest or not (paths := [one for one in re.findall(r'[<"](/[^">]*)', rest) if _below(one, root)]):
            continue
        if name in ("fsync", "fdatasync"):
            waiting.discard(paths[0])
        elif name in ("write", "writev", "pwrite64") or (name == "openat" and "O_CREAT" in rest):
            waiting.add(paths[-1])
        if name in ("mkdir", "rename", "unlink") or (name == "openat" and "O_CREAT|O_EXCL" in rest):
            waiting |= {str(Path(path).parent) for path in paths}
        if name == "unlink":
            waiting.discard(paths[0])
        if name == "rename":
            # What was not forced out before is not forced out now, under its new name.
            waiting = {one.replace(paths[0], paths[1], 1) if _below(one, Path(paths[0])) else one for one in waiting}
    return answers


def _below(path: str, root: Path) -> bool:
    """Tell what matters from what is made anew at each start: gpg's home and the recipients' files."""
    inner = Path(path).relative_to(root).parts if Path(path).is_relative_to(root) else ("tmp",)
    return inner[:1] not in {("gnupg",), ("recipients",), ("tmp",)}
