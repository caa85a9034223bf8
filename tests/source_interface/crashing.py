"""Send to a house again and again, and kill it, or its gpg, each time at another step; run by `test_crashes`.

Every call that receives, starts a gpg, writes, closes, syncs, names or answers, and every statement to the store, is a
step. The kill comes before the step: nothing of ours is patched, the steps are the operating system's and the store's.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

import psutil
from sqlalchemy import Engine, event

from keys.lexicon import lexicons
from source_interface.uploads import GATHERED_BYTES
from tests.browserlike import Browser, unix_client
from tests.clock import FakeClock
from tests.source_interface.house import HOST, House, Keyring, form_body, read_answer, until

CALLS = ("mkdir", "open", "write", "close", "fsync", "chmod", "rename", "utime")
NAMES = ("receive", "start", *CALLS, "statement", "commit", "answer", "done")
WHICH = ("first", "middle", "last")


class Steps:
    """Counts steps once armed, and kills before one of them."""

    def __init__(self, name: str, number: int, victim: str) -> None:
        self.armed = False
        self.counts: dict[str, int] = {}
        self._name = name
        self._number = number
        self._victim = victim
        self._lock = Lock()

    @property
    def ends_with_the_answer(self) -> bool:
        """The house is killed by itself, when the answer has gone: nobody else must end it before."""
        return (self._name, self._victim) == ("done", "app")

    def before(self, name: str) -> None:
        if not self.armed:
            return
        with self._lock:
            count = self.counts[name] = self.counts.get(name, 0) + 1
        if (name, count) == (self._name, self._number):
            self._kill()

    def watch(self) -> None:
        for name in CALLS:
            setattr(os, name, self._stepping(name, getattr(os, name)))
        began = subprocess.Popen.__init__
        setattr(subprocess.Popen, "__init__", self._stepping("start", began))  # noqa: B010 - no type allows it
        for name in ("recv", "send", "sendmsg"):
            setattr(socket.socket, name, self._talking(name, getattr(socket.socket, name)))
        event.listen(Engine, "before_cursor_execute", lambda *_: self.before("statement"))
        event.listen(Engine, "commit", lambda _: self.before("commit"))

    def _kill(self) -> None:
        if self._victim == "app":
            os.kill(os.getpid(), signal.SIGKILL)
        for child in psutil.Process().children():
            child.kill()

    def _stepping(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object, **options: object) -> object:
            self.before(name)
            return call(*arguments, **options)

        return step

    def _talking(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        def step(one: socket.socket, what: object, *arguments: object) -> object:
            # The event loop wakes itself up through a socket, too; that one has no name.
            ours = bool(one.getsockname())
            # What is received behind the answer is the end of the connection, which belongs to no sending.
            if ours and not (name == "recv" and "done" in self.counts):
                self.before("receive" if name == "recv" else "answer")
            result = call(one, what, *arguments)
            if ours and name != "recv":
                self.before("done")
            return result

        return step


def serve(root: Path, keyring: Keyring, steps: Steps, told: int) -> None:
    """Be the house, until told to end; then leave the counts."""
    steps.watch()
    with House(root, keyring, FakeClock()).living():
        os.read(told, 1)
        steps.armed = True
        os.read(told, 1)
        steps.armed = False
    (root / "counts").write_text(json.dumps(steps.counts))


def send(root: Path, tell: int, mark: str) -> int | None:
    """Send a message and a file, and return the status; None if no answer came."""
    path = root / "source.sock"
    until(path.exists)
    with unix_client(str(path), HOST) as client:
        browser = Browser(client)
        browser.open("/")
        browser.begin()
        once = browser.page.form("Send now").controls["once"].encode()
        cookie = browser.cookies["__Host-visit"]
    content = (mark.encode() + b" was there\n") * (GATHERED_BYTES // 32)
    body = form_body("b0", [("once", None, once), ("message", None, mark.encode()), ("files", mark, content)])
    head = (
        "POST /send HTTP/1.1",
        f"Host: {HOST}",
        f"Cookie: __Host-visit={cookie}",
        "Content-Type: multipart/form-data; boundary=b0",
        f"Content-Length: {len(body)}",
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(30)
        connection.connect(str(path))
        os.write(tell, b"a")
        # Sent in pieces, so that there is a middle to be killed in.
        whole = "\r\n".join(head).encode() + b"\r\n\r\n" + body
        with suppress(BrokenPipeError, ConnectionError):
            for start in range(0, len(whole), 65536):
                connection.sendall(whole[start : start + 65536])
        try:
            return read_answer(connection).status
        except ConnectionError:
            return None


def one_life(root: Path, keyring: Keyring, steps: Steps, mark: str) -> tuple[int | None, int]:
    """Let a house live through one sending; gives the status, and how the house ended."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(tell)
        code = 1
        try:
            serve(root, keyring, steps, told)
            code = 0
        finally:
            if code:
                traceback.print_exc()
            os._exit(code)
    os.close(told)
    status = send(root, tell, mark)
    if not steps.ends_with_the_answer:
        with suppress(BrokenPipeError):
            os.write(tell, b"e")
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(tell)
    return status, code


def main(work: Path, keyset_file: Path, mark: str, plan: Sequence[str]) -> None:
    """Live through *plan*, whose words are `victim:step:which`; tell of each life in a line."""
    lexicons()
    (work / "0").mkdir(mode=0o700)
    keyring = Keyring.alone(work, keyset_file)
    if one_life(work / "0", keyring, Steps("", 0, ""), mark) != (303, 0):
        raise SystemExit("nothing was killed, and still it failed")
    # Whoever has the answer may be faster than who counts that it went.
    counts: dict[str, int] = {"done": 1, **json.loads((work / "0" / "counts").read_text())}
    for number, wish in enumerate(plan, 1):
        victim, name, which = wish.split(":")
        place = {"first": 1, "middle": (counts[name] + 1) // 2, "last": counts[name]}[which]
        root = twin(work, number, 0)
        status, code = one_life(root, keyring, Steps(name, place, victim), mark)
        # The same sending may arrive in fewer pieces: then there was no such step, and the one before is the last.
        while victim == "app" and code == 0 and place > 1:
            place -= 1
            root = twin(work, number, place)
            status, code = one_life(root, keyring, Steps(name, place, victim), mark)
        sys.stdout.write(json.dumps({"wish": wish, "root": str(root), "status": status, "code": code}) + "\n")
        sys.stdout.flush()


def twin(work: Path, number: int, place: int) -> Path:
    """Make a house with what the first one has."""
    root = work / f"{number}-{place}"
    root.mkdir(mode=0o700)
    for store in ("inbox.db", "outbox.db"):
        shutil.copy(work / "0" / store, root / store)
    shutil.copytree(work / "0" / "objects", root / "objects")
    return root


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4:])
