"""What the processes of a running drop can reach, seen from outside: with system users of their own, and without.

Which of the two holds depends on where the program lies; a test tells both apart and demands of each what it promises.
"""

import errno
import json
import os
import pwd
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from svidok import isolation
from tests.processes import name_of
from tests.trial import RunningDrop

pytestmark = pytest.mark.onion

SERVING = ("keeper", "source", "journalist")
NOBODY = "nobody"
# Debian's own Python; every user can reach it, which the one that runs the tests may not be.
ANYBODYS_PYTHON = "/usr/bin/python3"

ATTEMPTS = """
import os, socket, sys
action, path = sys.argv[1:]
try:
    if action == "connect":
        socket.socket(socket.AF_UNIX).connect(path)
    elif action == "make":
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    else:
        os.close(os.open(path, {"read": os.O_RDONLY, "write": os.O_RDWR}[action]))
except OSError as error:
    sys.exit(error.errno)
"""


def attempt(user: str, action: str, path: Path) -> int:
    """Try something as *user* with all the groups that she has; 0, or the number of the error."""
    who = pwd.getpwnam(user)
    done = subprocess.run(
        [ANYBODYS_PYTHON, "-I", "-c", ATTEMPTS, action, str(path)],
        check=False,
        user=who.pw_uid,
        group=who.pw_gid,
        extra_groups=os.getgrouplist(user, who.pw_gid),
        cwd="/",
    )
    return done.returncode


@pytest.fixture(scope="module")
def missing(onion_drop: RunningDrop) -> str | None:
    """Why there are no system users here, or None."""
    return isolation.find(onion_drop.place.root).missing


@pytest.mark.check("D9")
def test_a_third_user_cannot_reach_any_socket(onion_drop: RunningDrop) -> None:
    sockets = [path for path in onion_drop.place.root.rglob("*") if path.is_socket()]
    assert len(sockets) >= 4 + 8

    assert {attempt(NOBODY, "connect", path) for path in sockets} == {errno.EACCES}
    run = onion_drop.place.run.stat()
    assert run.st_mode & 0o007 == 0
    assert all(path.stat().st_mode & 0o007 == 0 for path in onion_drop.place.run.iterdir())


@pytest.mark.check("D9", "P9")
def test_each_process_runs_as_its_own_user_or_the_drop_says_that_it_does_not(
    onion_drop: RunningDrop, missing: str | None
) -> None:
    users = {name: onion_drop.child(name).username() for name in SERVING}
    tors = {one.username() for one in onion_drop.family() if name_of(one) == "tor"}

    if missing is None:
        assert "Landlock alone" not in onion_drop.said
        assert users == {"keeper": "svidok-keeper", "source": "svidok-source", "journalist": "svidok-reviewer"}
        assert tors == {"svidok-keeper"}
        for path, owner in ((onion_drop.place.source_socket, "svidok-source"),
                            (onion_drop.place.journalist_socket, "svidok-reviewer")):  # fmt: skip
            assert (path.owner(), path.group(), path.stat().st_mode & 0o777) == (owner, "svidok-keeper", 0o660)
        assert onion_drop.place.run.stat().st_mode & 0o777 == 0o750
    else:
        assert f"note: {missing}; Landlock alone keeps them apart" in onion_drop.said
        us = psutil.Process().username()
        assert {*users.values(), *tors} == {us}
        assert onion_drop.place.run.stat().st_mode & 0o777 == 0o700


@pytest.mark.check("P8", "P9", "M12")
def test_nobody_reaches_the_store_of_another(onion_drop: RunningDrop, missing: str | None) -> None:
    """Without users of their own only strangers can be refused; what is ours to each other, the page above says."""
    place = onion_drop.place
    reviewers, inbox, outbox = (place.root / name / f"{name}.db" for name in ("reviewers", "inbox", "outbox"))
    controls = [place.tor(service) / "control" for service in ("source", "reviewer", "client")]
    secrets = [place.pepper, place.log_key, place.onion / "source" / "hs_ed25519_secret_key"]
    assert all(path.exists() for path in (reviewers, inbox, outbox, *controls, *secrets))

    for path in (reviewers, inbox, outbox, *secrets):
        assert attempt(NOBODY, "read", path) == errno.EACCES
    if missing is not None:
        return

    source, reviewer, keeper = isolation.SOURCE, isolation.REVIEWER, isolation.KEEPER
    assert attempt(source, "read", reviewers) == errno.EACCES
    assert attempt(source, "write", outbox) == errno.EACCES
    assert attempt(source, "read", outbox) == 0
    assert attempt(reviewer, "read", inbox) == 0
    assert attempt(reviewer, "write", inbox) == errno.EACCES
    for folder in (place.inbox, place.inbox / "objects", place.inbox / "incoming"):
        assert attempt(reviewer, "make", folder / "planted") == errno.EACCES
    assert attempt(reviewer, "read", place.pepper) == errno.EACCES
    assert attempt(keeper, "write", inbox) == errno.EACCES
    assert attempt(keeper, "read", reviewers) == errno.EACCES
    for path in controls:
        assert {attempt(user, "connect", path) for user in (source, reviewer)} == {errno.EACCES}
        assert attempt(keeper, "connect", path) == 0
    assert attempt(source, "connect", place.reviewer_broker) == errno.EACCES
    assert attempt(reviewer, "connect", place.source_broker) == errno.EACCES


@pytest.mark.check("D9", "M7")
def test_nothing_but_tor_has_to_do_with_tcp(onion_drop: RunningDrop) -> None:
    connected = {
        one.name(): [each for each in one.net_connections("inet") if each.type == socket.SOCK_STREAM]
        for one in onion_drop.family()
        if one.name() != "tor"
    }
    listening = [
        each
        for one in onion_drop.family()
        if one.name() == "tor"
        for each in one.net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    ]

    assert not any(connected.values())
    assert {each.laddr.ip for each in listening} == {"127.0.0.1"}


@pytest.mark.check("M7", "F13")
def test_the_web_processes_have_given_up_what_they_do_not_need(onion_drop: RunningDrop) -> None:
    for name in ("source", "journalist"):
        status = dict(
            line.split(":\t", 1)
            for line in Path(f"/proc/{onion_drop.child(name).pid}/status").read_text().splitlines()
            if ":\t" in line
        )

        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"
    for name in SERVING:
        limits = Path(f"/proc/{onion_drop.child(name).pid}/limits").read_text()
        (core,) = (line for line in limits.splitlines() if line.startswith("Max core file size"))
        assert core.split()[4:6] == ["0", "0"]


FORBIDDEN = {
    "keeper": ("workstation", "casework", "keys.opening", "source_interface", "journalist_interface", "uvicorn"),
    "source": (
        "workstation",
        "casework",
        "keys.opening",
        "reviewers",
        "onion",
        "stem",
        "keeper",
        "journalist_interface",
    ),
    "journalist": ("workstation", "casework", "keys.opening", "onion", "stem", "source_interface"),
}
NEVER = (
    "httpx",
    "requests",
    "urllib3",
    "html5lib",
    "svidok.evaluation",
    "svidok.journey",
    "tests",
    "pytest",
    "gnupg",
    "svidok.forms",
    "questionnaire.compiling",
    "questionnaire.linting",
    "questionnaire.table",
    "pyxform",
    "yxf",
    "openpyxl",
    "strictyaml",
    "weasyprint",
)


@pytest.mark.check("P9", "Q14")
@pytest.mark.parametrize("name", SERVING)
def test_a_process_has_loaded_only_what_is_its_own(name: str) -> None:
    """The same steps as `svidok serve` goes, up to where it would begin to serve."""
    steps = f"""
import importlib, json, sys
import svidok.cli, svidok.commands.serve
importlib.import_module("svidok.serving.{name}")
if "{name}" != "keeper":
    from svidok.serving.confine import preload
    preload()
print(json.dumps(sorted(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", steps], check=True, capture_output=True, text=True)
    loaded: list[str] = json.loads(done.stdout)

    assert f"svidok.serving.{name}" in loaded
    for forbidden in (*FORBIDDEN[name], *NEVER):
        assert [one for one in loaded if one == forbidden or one.startswith(f"{forbidden}.")] == []
