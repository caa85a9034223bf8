"""What a process gave up is out of its reach for good: each rule is tried from inside, in a process of its own."""

import json
import os
import pwd
import socket
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from hardening.process import SCRUBBING, ProcessError, Reach, _handled, drop_to, landlock, swap_in_use

ROOT = Path(__file__).parents[2]

# Each program tries things with `tried` and prints what came of them.
BEGIN = """
import asyncio, ctypes, errno, json, os, resource, signal, socket, subprocess, sys, threading
from pathlib import Path
from hardening.process import *
from hardening.process import runtime, Reach
found = {}
def tried(name, attempt):
    try:
        found[name] = attempt()
    except ProcessError:
        found[name] = "ProcessError"
    except OSError as error:
        found[name] = errno.errorcode[error.errno]
"""
END = """
print(json.dumps(found))
"""


def told(program: str, *arguments: object, environment: dict[str, str] | None = None) -> dict[str, object]:
    """Run *program* in a process of its own and give what it printed."""
    ended = subprocess.run(
        [sys.executable, "-c", BEGIN + dedent(program) + END, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, object] = json.loads(ended.stdout)
    return found


@pytest.fixture
def as_root() -> None:
    assert os.geteuid() == 0, "only root can try how root's rights are dropped: run this test as root"


@pytest.mark.check("F13")
def test_nothing_of_the_process_or_its_programs_is_left_by_a_crash(tmp_path: Path) -> None:
    found = told(
        """
        no_core_dumps()
        tried("limit", lambda: resource.getrlimit(resource.RLIMIT_CORE))
        tried("filter", lambda: int(Path("/proc/self/coredump_filter").read_text(), 16))
        child = ["sh", "-c", "ulimit -c; cat /proc/self/coredump_filter"]
        tried("child", lambda: subprocess.check_output(child, text=True).split())
        os.chdir(sys.argv[1])
        crash = "import ctypes; ctypes.string_at(0)"
        tried("crash", lambda: subprocess.run([sys.executable, "-c", crash]).returncode)
        tried("left", lambda: os.listdir("."))
        """,
        tmp_path,
    )

    assert found == {
        "limit": [0, 0],
        "filter": 0,
        "child": ["0", "00000000"],
        "crash": -11,
        "left": [],
    }


@pytest.mark.check("F13")
def test_a_process_of_the_same_user_cannot_look_into_one_that_is_not_dumpable(as_root: None) -> None:
    found = told(
        """
        drop_to("nobody")
        def looked_at_by_a_child():
            reading, writing = os.pipe()
            watched = os.getpid()
            child = os.fork()
            if child == 0:
                try:
                    os.write(writing, str(len(open(f"/proc/{watched}/environ", "rb").read()) > 0).encode())
                except OSError as error:
                    os.write(writing, errno.errorcode[error.errno].encode())
                os._exit(0)
            os.waitpid(child, 0)
            return os.read(reading, 100).decode()
        tried("after a fresh exec", lambda: ctypes.CDLL(None).prctl(4, 1, 0, 0, 0))
        tried("before", looked_at_by_a_child)
        not_dumpable()
        tried("after", looked_at_by_a_child)
        tried("read back", lambda: ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
        tried("owner", lambda: os.stat("/proc/self/environ").st_uid)
        """
    )

    assert found == {"after a fresh exec": 0, "before": "True", "after": "EACCES", "read back": 0, "owner": 0}


FREED = """
size = int(sys.argv[1])
memory = open("/proc/self/mem", "rb", buffering=0)
secrets = [bytes(f"canary{number:04}", "ascii") * (size // 10) for number in range(200)]
places = [id(secret) + bytes.__basicsize__ - 1 for secret in secrets]
# Lies above the secrets, so that most of the heap below it is not given back to the kernel.
roof = bytearray(size)
del secrets
hits = 0
for place in places:
    # The kernel reads for us: what was given back to it after all is an error and not the end.
    try:
        memory.seek(place)
        hits += memory.read(size - size % 10).count(b"canary")
    except OSError:
        pass
found["hits"] = hits
"""


@pytest.mark.check("F10")
@pytest.mark.parametrize("size", [100, 400, 4000, 40_000])
def test_freed_memory_keeps_nothing_in_the_scrubbing_environment(size: int) -> None:
    """With its positive control: without the environment the freed words are still there."""
    plain = dict.fromkeys(SCRUBBING, "") | {"PYTHONMALLOC": "default"}

    assert told(FREED, size, environment=plain) != {"hits": 0}
    assert told(FREED, size, environment=dict(SCRUBBING)) == {"hits": 0}


@pytest.mark.check("F10")
def test_no_function_is_looked_up_late_in_the_scrubbing_environment() -> None:
    """The dynamic linker would save on a thread's stack what the wide registers hold: 64 bytes of a report."""
    calls = "import os; os.write(2, b'only from here\\n'); os.getpriority(0, 0); os.getloadavg(); os.sched_yield()"

    ended = subprocess.run(
        [sys.executable, "-c", calls],
        env={**os.environ, **SCRUBBING, "LD_DEBUG": "bindings"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    before, _, after = ended.stderr.partition("only from here")
    assert "`getpriority'" in before
    assert "binding file" not in after


@pytest.mark.check("F8")
def test_swap_is_seen(tmp_path: Path) -> None:
    header = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
    swaps = tmp_path / "swaps"

    swaps.write_text(header)
    assert not swap_in_use(swaps)
    swaps.write_text(header + "/dev/zram0                              partition\t8388604\t\t0\t\t100\n")
    assert swap_in_use(swaps)


@pytest.mark.check("F8")
def test_swap_of_this_machine_is_read_from_the_kernel() -> None:
    shown = subprocess.run(["/sbin/swapon", "--show", "--noheadings"], capture_output=True, text=True, check=True)

    assert swap_in_use() == bool(shown.stdout.strip())


@pytest.mark.check("N3")
def test_after_ip_sockets_are_forbidden_only_unix_sockets_can_be_made() -> None:
    found = told(
        """
        families = {"IPv4": 2, "IPv6": 10, "netlink": 16, "packet": 17, "bluetooth": 31, "crypto": 38, "vsock": 40}
        kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW)
        def socket_of(family):
            for kind in kinds:
                try:
                    socket.socket(family, kind).close()
                    return "made"
                except OSError as error:
                    if error.errno != errno.EAFNOSUPPORT:
                        return errno.errorcode[error.errno]
            return "EAFNOSUPPORT"
        tried("control", lambda: socket_of(2))
        forbid_ip_sockets()
        for name, family in families.items():
            tried(name, lambda: socket_of(family))
        tried("unix", lambda: socket.socket(socket.AF_UNIX).close())
        tried("pair", lambda: [end.close() for end in socket.socketpair()])
        tried("event loop", lambda: asyncio.run(asyncio.sleep(0, "runs")))
        number = lambda: ctypes.CDLL(None, use_errno=True).syscall(425, 1, 0) and errno.errorcode[ctypes.get_errno()]
        tried("io_uring", number)
        in_thread = []
        thread = threading.Thread(target=lambda: in_thread.append(socket_of(2)))
        thread.start(); thread.join()
        tried("thread", lambda: in_thread[0])
        child = "import socket\\ntry: socket.socket()\\nexcept OSError as error: print(error.errno)"
        tried("program", lambda: int(subprocess.check_output([sys.executable, "-c", child])) == errno.EAFNOSUPPORT)
        """
    )

    refused = ("IPv4", "IPv6", "netlink", "packet", "bluetooth", "crypto", "vsock", "thread")
    assert found == {
        "control": "made",
        **dict.fromkeys(refused, "EAFNOSUPPORT"),
        "unix": None,
        "pair": [None, None],
        "event loop": "runs",
        "io_uring": "ENOSYS",
        "program": True,
    }


@pytest.fixture
def shelves(tmp_path: Path) -> Path:
    """A folder to read, one to write in, and one that is nobody's business."""
    for name in ("read", "write", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("content")
    (tmp_path / "write" / "incoming").mkdir()
    (tmp_path / "write" / "objects").mkdir()
    return tmp_path


@pytest.mark.check("N3")
def test_landlock_leaves_only_the_named_paths_in_reach(shelves: Path) -> None:
    (shelves / "write" / "link").symlink_to(shelves / "other")
    found = told(
        """
        home = Path(sys.argv[1])
        landlock(runtime(), Reach(read=(home / "read",), write=(home / "write",)))
        for name in ("read", "write", "other", "write/link"):
            tried(f"read {name}", lambda: (home / name / "file").read_text())
            tried(f"change {name}", lambda: (home / name / "file").write_text("changed"))
            tried(f"make in {name}", lambda: (home / name / "new").write_bytes(b""))
            tried(f"remove in {name}", lambda: (home / name / "new").unlink())
            tried(f"list {name}", lambda: len(os.listdir(home / name)) > 0)
        tried("another temporary file", lambda: Path("/tmp/svidok-landlock").write_bytes(b""))
        tried("another process", lambda: len(Path("/proc/1/environ").read_bytes()))
        tried("password hashes", lambda: Path("/etc/shadow").read_text())
        """,
        shelves,
    )

    kinds = ("read", "change", "make in", "remove in", "list")
    assert [found[f"{kind} read"] for kind in kinds] == ["content", "EACCES", "EACCES", "ENOENT", True]
    assert [found[f"{kind} write"] for kind in kinds] == ["content", 7, 0, None, True]
    for name in ("other", "write/link"):
        assert [found[f"{kind} {name}"] for kind in kinds] == ["EACCES", "EACCES", "EACCES", "ENOENT", "EACCES"]
    for name in ("another temporary file", "another process", "password hashes"):
        assert found[name] == "EACCES"
    assert (shelves / "other" / "file").read_text() == "content"


def test_within_landlock_files_are_kept_as_we_keep_them(shelves: Path) -> None:
    """A received folder is renamed as a whole, a database takes locks, gpg runs."""
    found = told(
        """
        import sqlite3
        from hardening.files import write_whole, destroy, freeze_times, private_folder
        home = Path(sys.argv[1]) / "write"
        landlock(runtime(), Reach(write=(home,)))
        def received():
            write_whole(private_folder(home / "incoming" / "s1") / "part", b"x")
            freeze_times(home / "incoming" / "s1")
            (home / "incoming" / "s1").rename(home / "objects" / "s1")
            return os.listdir(home / "objects" / "s1")
        tried("received", received)
        tried("destroyed", lambda: destroy(home / "objects" / "s1"))
        def stored():
            with sqlite3.connect(home / "db") as database:
                database.execute("PRAGMA secure_delete = ON")
                database.execute("CREATE TABLE t (v)")
                database.execute("INSERT INTO t VALUES (1)")
            return database.execute("SELECT v FROM t").fetchone()[0]
        tried("stored", stored)
        def gpg():
            home_of_gpg = private_folder(home / "gpg")
            command = ["gpg", "--homedir", str(home_of_gpg), "--no-options", "--batch", "--no-autostart", "--list-keys"]
            return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode
        tried("gpg", gpg)
        """,
        shelves,
    )

    assert found == {"received": ["part"], "destroyed": None, "stored": 1, "gpg": 0}


@pytest.mark.check("N3")
def test_landlock_closes_tcp_and_other_processes_where_the_kernel_can() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, subprocess.Popen(["sleep", "60"]) as other:
        found = told(
            """
            port, other = int(sys.argv[1]), int(sys.argv[2])
            reach = lambda: socket.create_connection(("127.0.0.1", port)).close()
            tried("control", reach)
            tried("version", lambda: landlock(runtime()))
            tried("connect", reach)
            tried("bind", lambda: socket.create_server(("127.0.0.1", 0)).close())
            tried("signal", lambda: os.kill(other, 0))
            child = subprocess.Popen(["/bin/sleep", "60"])
            tried("own child", child.kill)
            child.wait()
            """,
            server.getsockname()[1],
            other.pid,
        )
        other.kill()

    assert isinstance(found["version"], int)
    assert found["control"] is None
    assert found["own child"] is None
    assert found["version"] >= 1, "this kernel has no Landlock"
    assert [found["connect"], found["bind"]] == (["EACCES"] * 2 if found["version"] >= 4 else [None] * 2)
    assert found["signal"] == ("EPERM" if found["version"] >= 6 else None)


def test_a_path_that_does_not_exist_is_refused_and_nothing_is_held_back(tmp_path: Path) -> None:
    """A misspelt path must be seen at start, not when the first report cannot be written."""
    with pytest.raises(ProcessError):
        landlock(Reach(write=(tmp_path / "missing",)))

    assert (ROOT / "pyproject.toml").read_bytes()


def test_older_kernels_are_asked_only_for_rights_that_they_know() -> None:
    """Landlock refuses a whole rule set for one unknown bit."""
    assert [_handled(version).bit_length() for version in (1, 2, 3, 4, 5, 6, 7)] == [13, 14, 15, 15, 16, 16, 16]


@pytest.mark.check("G13")
def test_after_dropping_there_is_no_way_back(as_root: None, tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    tmp_path.chmod(0o755)
    (tmp_path / "place").mkdir()
    os.chown(tmp_path / "place", nobody.pw_uid, nobody.pw_gid)
    found = told(
        """
        drop_to("nobody")
        tried("users", os.getresuid)
        tried("groups", lambda: [*os.getresgid(), *os.getgroups()])
        tried("back", lambda: os.setuid(0))
        tried("back by group", lambda: os.setgid(0))
        tried("shadow", lambda: open("/etc/shadow").read())
        status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
        tried("rights", lambda: [status[name] for name in ("CapPrm", "CapEff", "CapAmb", "NoNewPrivs")])
        tried("umask", lambda: os.umask(0))
        tried("again", lambda: drop_to("daemon"))
        """
    )

    assert found == {
        "users": [nobody.pw_uid] * 3,
        "groups": [nobody.pw_gid] * 4,
        "back": "EPERM",
        "back by group": "EPERM",
        "shadow": "EACCES",
        "rights": ["0" * 16] * 3 + ["1"],
        "umask": 0o077,
        "again": "ProcessError",
    }


@pytest.mark.parametrize("user", ["no such user", "root"])
def test_there_is_no_dropping_to_nobody_or_to_root(user: str) -> None:
    with pytest.raises(ProcessError):
        drop_to(user)
