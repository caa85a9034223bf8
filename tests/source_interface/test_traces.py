"""What a source sends and what names her leaves no trace: not on the disk, not in logs, not in memory."""

import ast
import re
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path

import pytest

from hardening.database import open_to_write
from hardening.process import SCRUBBING
from keys.lexicon import lexicons
from tests.browserlike import Browser, Chosen, unix_client
from tests.clock import FakeClock
from tests.source_interface.house import HOST, Keyring, form_body, short_folder, shown_codename, until
from vault.inbox import Inbox
from vault.objects import Shelves
from vault.reading import InboxReader
from vault.tables import INBOX

_TRACED = (
    "openat,creat,write,writev,pwrite64,pwritev,pwritev2,sendfile,memfd_create,copy_file_range,splice,tee,vmsplice,"
    "execve,mmap,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mkdir,mkdirat,setxattr,fsetxattr"
)
# What gives something a name; opening for writing comes on top.
_NAMING = {"creat", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "mkdir", "mkdirat"}
# The least, one that is gathered whole, and one that passes while it arrives.
_SIZES = (1, 1024, 1024 * 1024 + 1)


@contextmanager
def alone(root: Path, keyring: Keyring, *before: str) -> Generator["subprocess.Popen[bytes]"]:
    """A house in its own process, with the environment that the real one gets."""
    keyset = root.with_suffix(".keyset")
    keyset.write_bytes(keyring.keyset.canonical)
    command = [*before, sys.executable, "-m", "tests.source_interface.alone", str(root), str(keyset)]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(root / "tmp"), **SCRUBBING}
    (root / "tmp").mkdir()
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.communicate(timeout=60)
        keyset.unlink()


@pytest.fixture
def root() -> Iterator[Path]:
    with short_folder() as folder:
        yield folder


def whole_way(root: Path, mark: str, sizes: Sequence[int] = _SIZES) -> tuple[str, list[str]]:
    """Send in all ways, come back, leave; returns the codename and every secret that was in play."""
    with unix_client(str(root / "source.sock"), HOST) as client:
        browser = Browser(client)
        browser.open("/")
        browser.begin()
        sent = [
            Chosen.of(f"{mark}-name.txt", ((mark.encode() + b"-file\n") * (size // 38 + 1))[:size]) for size in sizes
        ]
        page = browser.press("Send now", message=f"{mark}-text", files=sent)
        codename = shown_codename(page)
        cookies = [browser.cookies["__Host-visit"]]
        browser.click("I have written it down")
        browser.press("Check it", codename=codename)
        browser.press("Log out")
        browser.open("/login")
        browser.press("Open my inbox", codename=codename)
        cookies.append(browser.cookies["__Host-visit"])
        token = browser.page.form("Log out").controls["token"]
        browser.open("/send")
        browser.press("Send now", message=codename)
        browser.open("/inbox")
        report_way(browser, mark)
        browser.open("/exit")
    return codename, [mark, codename, *cookies, token]


def report_way(browser: Browser, mark: str) -> None:
    """Answer questions, rightly and wrongly, send what there is, go on, send files and all of it, change choices."""
    words = {"w2": f"{mark}-answer", "p3.words": f"{mark}-place"}
    browser.press("Answer questions, step by step")
    browser.press("Continue", r1="victim")
    assert browser.press("Continue", {**words, "w1": ["yes"], "t1.y": f"{mark}-year"}).status == 400
    browser.press("Send what I have so far", {"t1.y": "2022"})
    browser.open("/report/3")
    browser.press("Continue", {"person.0.v3": f"{mark}-somebody"})
    browser.open("/report/files")
    browser.press("Send these files at once", files=[Chosen.of(f"{mark}-file", mark.encode())])
    browser.open("/report/check")
    assert mark in browser.page.text
    assert browser.press("Send my report").path == "/sent"
    browser.open("/choices")
    assert browser.press("Send these choices", c2="no").path == "/inbox"


@pytest.mark.timeout(600)
@pytest.mark.check("F1", "F2", "F7", "G5")
@pytest.mark.parametrize("sizes", [_SIZES, pytest.param((*_SIZES, 64 * 1024 * 1024), marks=pytest.mark.full)], ids=len)
def test_nothing_that_was_sent_is_written_anywhere_but_to_gpg(
    sizes: Sequence[int], root: Path, keyring: Keyring, tmp_path: Path
) -> None:
    log = tmp_path / "trace"
    strace = ("strace", "-f", "-yy", "-xx", "-s", "4194304", "-e", f"trace={_TRACED},connect", "-o", str(log))
    mark = secrets.token_hex(16)

    with alone(root, keyring, *strace):
        codename, _ = whole_way(root, mark, sizes)

    # As strace writes it.
    secret = [re.sub("..", r"\\x\g<0>", word.encode().hex()) for word in (mark, codename)]
    found = 0
    made: set[str] = set()
    # The trace is long: the lines are looked at one by one.
    with log.open(encoding="latin-1") as lines:
        for line in lines:
            call, _, rest = line.split(maxsplit=1)[1].partition("(")
            assert "AF_INET" not in rest
            assert call != "memfd_create"
            assert "O_TMPFILE" not in rest, line[:200]
            if call in _NAMING or (call == "openat" and re.search("O_WRONLY|O_RDWR|O_CREAT", rest)):
                made |= {_readable(path) for path in re.findall(r'"((?:\\x..)+)"', rest)}
            assert not (call == "mmap" and "MAP_SHARED" in rest and "PROT_WRITE" in rest), line[:200]
            if any(word in rest for word in secret):
                found += 1
                assert call in {"write", "writev"}, call
                target = _readable(rest[rest.index("<") + 1 : rest.index(">")])
                assert re.match("pipe:|UNIX|socket:", target), target
    # The positive controls: the way to gpg was seen, and the files that it wrote.
    assert found > 3
    assert sum(path.endswith(".gpg") for path in made) > 3
    # Nothing is made or written outside the house's own folder: not in /tmp, not in /var (F2).
    assert {path for path in made if not path.startswith(f"{root}/")} <= {"/dev/null"}
    log.unlink()


@pytest.mark.check("F1", "F4", "F12", "L1", "L2", "L4", "D1", "K6")
def test_no_file_and_no_log_knows_what_was_sent(root: Path, keyring: Keyring) -> None:
    mark = secrets.token_hex(16)

    with alone(root, keyring) as process:
        _, known = whole_way(root, mark)
        _, errors = process.communicate(timeout=60)

    needles = [secret.encode() for secret in known]
    needles += [mark.encode("utf-16-le"), mark[::-1].encode(), HOST.encode(), b"Mozilla", b"127.0.0.1"]
    written = [path for path in root.rglob("*") if path.is_file()]
    assert len(written) > 5
    for path in written:
        content = path.read_bytes()
        assert not [needle for needle in needles if needle in content], path.name
    assert not [needle for needle in needles if needle in errors]
    # Not one line a request, at DEBUG.
    assert b"/send" not in errors
    assert b"GET" not in errors


@pytest.mark.check("L1")
@pytest.mark.parametrize("requests", [100, pytest.param(1000, marks=pytest.mark.full)])
def test_requests_leave_no_line_in_any_log(root: Path, keyring: Keyring, requests: int) -> None:
    """At DEBUG, and whatever the answer is."""
    asked = (
        "/",
        "/login",
        "/safety",
        "/keys",
        "/nothing",
        "/style.css",
        "/inbox",
        "/send",
        "/help",
        "/help/ua",
        "/progress",
    )
    with alone(root, keyring) as process:
        with unix_client(str(root / "source.sock"), HOST) as client:
            statuses = {client.get(asked[number % len(asked)]).status_code for number in range(requests)}
        said, errors = process.communicate(timeout=60)

    assert {200, 404} <= statuses
    assert (said, errors) == (b"", b"")


@pytest.mark.check("F10")
def test_memory_forgets_what_was_sent(root: Path, keyring: Keyring) -> None:
    """A slice: 8 MiB of marked lines, looked for after the answer, with a control that finds what is still held."""
    mark = secrets.token_hex(16).encode()
    with alone(root, keyring) as process, unix_client(str(root / "source.sock"), HOST) as client:
        browser = Browser(client)
        browser.open("/")
        browser.begin()
        content = (mark + b" line of a report\n") * (8 * 1024 * 1024 // 50)
        browser.press("Send now", message="x", files=[Chosen.of("a", content)])
        browser.open("/safety")

        assert hits(process.pid, b"svidok session 1") > 0
        assert hits(process.pid, mark) == 0


@pytest.mark.check("F10", "C11")
def test_between_two_requests_memory_holds_answers_sealed_alone(root: Path, keyring: Keyring) -> None:
    mark = secrets.token_hex(16).encode()
    with alone(root, keyring) as process, unix_client(str(root / "source.sock"), HOST) as client:
        browser = Browser(client)
        browser.open("/")
        browser.press("Tell what happened, step by step")
        browser.press("Continue", r1="victim")
        browser.press("Continue", w2=(mark.decode() + " line of a report\n") * 1800)
        browser.open("/report/2")
        assert browser.page.body.count(mark) == 1800
        browser.open("/safety")

        until(lambda: hits(process.pid, mark) == 0, 30)
        assert hits(process.pid, b"svidok session 1") > 0
        assert mark in browser.open("/report/2").body


@pytest.mark.check("J1", "J2")
def test_a_killed_process_keeps_what_it_had_confirmed_and_nothing_else(root: Path, keyring: Keyring) -> None:
    with alone(root, keyring) as process, unix_client(str(root / "source.sock"), HOST) as client:
        browser = Browser(client)
        browser.open("/")
        browser.begin()
        once = browser.page.form("Send now").controls["once"].encode()
        body = form_body("b0", [("once", None, once), ("message", None, b"m"), ("files", "a", bytes(4 * 1024 * 1024))])
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(str(root / "source.sock"))
            head = [
                "POST /send HTTP/1.1",
                f"Host: {HOST}",
                f"Cookie: __Host-visit={browser.cookies['__Host-visit']}",
                "Content-Type: multipart/form-data; boundary=b0",
                f"Content-Length: {len(body)}",
            ]
            connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body[: 3 * 1024 * 1024])
            until(lambda: any((root / "incoming").rglob("*.gpg")))
            browser.open("/send")
            browser.press("Send now", message="confirmed")
            process.kill()
            process.wait(10)

    with closing(open_to_write(f"sqlite:///{root / 'inbox'}.db", INBOX)) as database:
        shelves = Shelves(root)
        swept = Inbox(database, shelves, FakeClock(), lexicons()["en"].words).sweep()
        reader = InboxReader(database, shelves)
        submissions = [one for who in reader.newest() for one in reader.submissions_of(who.collection_id)]
    assert swept == 1
    assert [sorted(part.kind for part in one.parts) for one in submissions] == [["manifest", "message"]]
    assert not list((root / "incoming").iterdir())


@pytest.mark.check("F3")
def test_nothing_here_can_write_an_upload_to_the_disk() -> None:
    banned = {"SpooledTemporaryFile", "NamedTemporaryFile", "TemporaryFile", "UploadFile", "mkstemp", "mkdtemp"}
    for module in Path(str(files("source_interface"))).glob("*.py"):
        tree = ast.parse(module.read_text("utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        imported = {
            alias.name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert not banned & (names | attributes | imported), module.name
        assert "tempfile" not in imported
        assert not {"form", "body", "json"} & _called_on_request(tree), module.name
        assert "open" not in names, module.name


def _called_on_request(tree: ast.AST) -> set[str]:
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "request"
    }


def _readable(escaped: str) -> str:
    return bytes.fromhex(escaped.replace("\\x", "")).decode("latin-1")


def hits(pid: int, needle: bytes) -> int:
    """Count *needle* in the memory of a process, as root would."""
    hits = 0
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text("utf-8").splitlines():
            span, rights, *_ = line.split()
            start, end = (int(edge, 16) for edge in span.split("-"))
            if not rights.startswith("rw") or "[v" in line:
                continue
            memory.seek(start)
            hits += _read(memory.read, end - start).count(needle)
    return hits


def _read(read: Callable[[int], bytes], size_bytes: int) -> bytes:
    pieces: list[bytes] = []
    while size_bytes > 0 and (piece := read(size_bytes)):
        pieces.append(piece)
        size_bytes -= len(piece)
    return b"".join(pieces)
